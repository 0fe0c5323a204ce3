"""The phone door's application. Of the office its process loads nothing but `field_api.platform`."""

from __future__ import annotations

from flask import Flask, Response, current_app, jsonify
from sqlalchemy.exc import InterfaceError, OperationalError

import media.door
import sync.door
from doorstep.bare import bare_app
from field_api.platform.call_rates import CallRates
from field_api.platform.door_gate import (
    Answers,
    GatedFlask,
    check_door_routes,
    closed,
    declare_answers,
    load_of_request,
)
from field_api.platform.health import schema_revision
from field_api.platform.keyring_files import DoorKeyring
from field_api.platform.measured import measure_calls
from field_api.platform.metrics import DOOR_CALLS, DOOR_IN_HAND, OF_THE_DOOR, Board
from field_api.platform.overload import THREADS, Lanes, Load, install_lanes, told_later
from field_api.platform.problems import Problem, problem_response
from field_api.platform.settings import Settings

declare_answers(
    Answers("GET", "/healthz", {200: {"state": closed("ok")}}, load=Load.HEALTH),
    Answers("GET", "/readyz", {200: {"state": closed("ready")}}, load=Load.HEALTH),
)


def door_app(settings: Settings) -> Flask:
    """Ciphertext in and out, one signing key, no office table within reach.

    Raises UndeclaredOutlet where a route does not say what it answers.
    """
    app = bare_app("doorstep.door", settings, GatedFlask)
    app.extensions["doorstep.door_keys"] = DoorKeyring(settings.door_keys)
    board = Board(OF_THE_DOOR)
    measure_calls(app, board, DOOR_CALLS, lambda: load_of_request().value)
    rates = CallRates(app)  # before the lanes: who comes too often takes no slot
    install_lanes(app, load_of_request, Lanes(told=lambda load, by: board.add(DOOR_IN_HAND, load.value, by=by)))
    app.config["THREADS"] = THREADS
    for error in (OperationalError, InterfaceError):
        app.register_error_handler(error, database_away)
    sync.door.register(app, rates)
    media.door.register(app, rates)
    app.add_url_rule("/healthz", view_func=healthz)
    app.add_url_rule("/readyz", view_func=readyz)
    check_door_routes(app)
    return app


def database_away(_error: Exception) -> Response:
    """Phones keep what they have and come back, not all at once."""
    return problem_response(told_later(10, 20))


def healthz() -> Response:
    """The process answers."""
    return jsonify(state="ok")


def readyz() -> Response:
    """Its database answers too, at this release's schema. Raises Problem `unavailable`."""
    if schema_revision() != current_app.extensions["doorstep.schema_head"]:
        raise Problem("unavailable", "the database does not answer, or its schema is another release's")
    return jsonify(state="ready")
