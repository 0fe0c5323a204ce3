"""The fixture of a visit with a phone that photographs on it."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

import pytest
from flask import Flask

from doorstep.server import Server
from field_api.platform.clock import SetClock
from field_api.platform.database import db
from field_api.platform.settings import Settings
from tests.photo_world import PhotoWorld, photo_world


@pytest.fixture
def world(app: Flask, agency: UUID, settings: Settings, database: Server, clock: SetClock) -> Iterator[PhotoWorld]:
    world = photo_world(app, agency, settings, database, clock)
    yield world
    with world.door.app_context():
        db.engine.dispose()
