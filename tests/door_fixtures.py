"""A door as production runs it (its own database role and key), and a phone that is enrolled there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from uuid import UUID

import pytest
from flask import Flask

from doorstep.door import door_app
from doorstep.postgres import Server
from field_api.platform.clock import SetClock
from field_api.platform.database import db
from field_api.platform.settings import Settings
from tests.door_client import Phone
from tests.door_world import enrolled
from tests.sync_day import Day


@pytest.fixture
def door(settings: Settings, database: Server, clock: SetClock) -> Iterator[Flask]:
    """The door's application; its clock is the test's."""
    app = door_app(replace(settings, database_url=database.url("door")))
    app.extensions["doorstep.clock"] = clock
    yield app
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def phone(app: Flask, agency: UUID, door: Flask, clock: SetClock) -> Phone:
    """An enrolled phone of an agent of its own, holding an anchor."""
    return enrolled(door, agency, clock)


@pytest.fixture
def day(app: Flask, agency: UUID, door: Flask, clock: SetClock) -> Day:
    """An agent with two published visits, and no phone yet."""
    return Day(app, agency, door, clock)
