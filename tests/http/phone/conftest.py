"""The door on a socket, and an agent's day in front of it."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest
from flask import Flask
from phone_day_world import PhoneDay, make_day

from doorstep.door import door_app
from doorstep.http_server import served_beside
from doorstep.server import Server
from field_api.platform.database import db
from field_api.platform.settings import Settings
from sync.phone import Phone


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    """A socket whose port is known before the settings are made: the door's address is signed."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening


@pytest.fixture
def settings(database: Server, tmp_path: Path, listening: socket.socket) -> Settings:
    return Settings(
        home=tmp_path / "home",
        database_url=database.url("office"),
        door_url=f"http://127.0.0.1:{listening.getsockname()[1]}",
        office_url="http://office.test",
    )


@pytest.fixture
def served(app: Flask, agency: UUID, settings: Settings, database: Server, listening: socket.socket) -> Iterator[Flask]:
    """The door as production runs it: its own database role, keys and server."""
    door = door_app(replace(settings, database_url=database.url("door")))
    with served_beside(door, sockets=[listening], threads=4):
        yield door
    with door.app_context():
        db.engine.dispose()


@pytest.fixture
def day(app: Flask, agency: UUID, served: Flask, tmp_path: Path) -> PhoneDay:
    return make_day(app, agency, tmp_path)


@pytest.fixture
def phone(day: PhoneDay) -> Iterator[Phone]:
    """Enrolled at the real office through the real door, with the sheet pulled."""
    with day.enrol() as phone:
        day.work()
        phone.pull()
        yield phone
