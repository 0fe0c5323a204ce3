"""What the office's, the worker's and the door's applications have in common."""

from __future__ import annotations

from flask import Flask, Response
from sqlalchemy.exc import TimeoutError as PoolTimeout

from doorstep.migrate import head_revision
from field_api.platform.database import db, engine_options
from field_api.platform.overload import told_later
from field_api.platform.problems import install_problem_handlers, problem_response
from field_api.platform.settings import Settings


def bare_app(name: str, settings: Settings, kind: type[Flask] = Flask) -> Flask:
    """A Flask application with database, settings and problem documents, and no routes."""
    app = kind(name, static_folder=None)
    app.config["SQLALCHEMY_DATABASE_URI"] = settings.database_url
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = engine_options()
    app.config["MAX_CONTENT_LENGTH"] = settings.max_request_bytes
    app.extensions["doorstep.settings"] = settings
    app.extensions["doorstep.schema_head"] = head_revision()
    db.init_app(app)
    install_problem_handlers(app)
    app.register_error_handler(PoolTimeout, _all_connections_in_use)
    return app


def _all_connections_in_use(_error: Exception) -> Response:
    return problem_response(told_later(2, 6))
