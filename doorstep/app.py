"""The one place where applications are put together: the office, and the phone door."""

from __future__ import annotations

from flask import Flask

from field_api.http import register
from field_api.platform.columns import use_office_keyring
from field_api.platform.database import db, engine_options
from field_api.platform.keyring import DoorKeyring, OfficeKeyring
from field_api.platform.problems import install_problem_handlers
from field_api.platform.settings import Settings


def bare_app(name: str, settings: Settings) -> Flask:
    """A Flask application with database, settings and problem documents, and no routes."""
    app = Flask(name, static_folder=None)
    app.config["SQLALCHEMY_DATABASE_URI"] = settings.database_url
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = engine_options()
    app.config["MAX_CONTENT_LENGTH"] = settings.max_request_bytes
    app.extensions["doorstep.settings"] = settings
    db.init_app(app)
    install_problem_handlers(app)
    return app


def worker_app(settings: Settings) -> Flask:
    """The office's keys and database without routes: for jobs and commands."""
    app = bare_app("doorstep.worker", settings)
    keyring = OfficeKeyring(settings.office_keys)
    use_office_keyring(keyring)
    app.extensions["doorstep.office_keys"] = keyring
    return app


def office_app(settings: Settings) -> Flask:
    """The office inside: API, sign-in and console, on the worker's keys and database."""
    app = worker_app(settings)
    register(app)
    return app


def door_app(settings: Settings) -> Flask:
    """The phone door: ciphertext in and out, one signing key, no office table within reach."""
    app = bare_app("doorstep.door", settings)
    app.extensions["doorstep.door_keys"] = DoorKeyring(settings.door_keys)
    return app
