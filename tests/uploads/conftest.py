"""A door with photographs alone, a phone that is enrolled there, and sealed photographs to bring."""

from __future__ import annotations

import os
from collections.abc import Iterator
from uuid import UUID

import pytest
from flask import Flask
from upload_world import agency_key

from doorstep.server import Server
from field_api.platform.clock import SetClock
from field_api.platform.database import db
from field_api.platform.settings import Settings
from tests.door_client import Phone
from tests.photo_phone import SealedPhoto, enrolled_phone, photo_door, seal_for


@pytest.fixture
def door(settings: Settings, database: Server, clock: SetClock) -> Iterator[Flask]:
    app = photo_door(settings, database, clock)
    yield app
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def phone(app: Flask, agency: UUID, door: Flask, clock: SetClock) -> Phone:
    return enrolled_phone(door, agency, clock)


@pytest.fixture
def photo(phone: Phone, agency: UUID, settings: Settings) -> SealedPhoto:
    """Of 600,000 bytes and a little: two whole pieces and a part."""
    return seal_for(phone, agency_key(settings, agency), os.urandom(600_000))


@pytest.fixture
def small(phone: Phone, agency: UUID, settings: Settings) -> SealedPhoto:
    """One piece holds it."""
    return seal_for(phone, agency_key(settings, agency), os.urandom(9_000))
