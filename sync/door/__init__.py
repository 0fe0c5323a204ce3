"""The half of sync that the internet reaches: takes and serves ciphertext, holds one signing key, opens nothing."""

from __future__ import annotations

from flask import Flask, Response, request
from flask_limiter import Limiter
from sqlalchemy.exc import InterfaceError, OperationalError

from field_api.platform.problems import Problem, problem_response
from field_api.platform.signatures import WIPE_ORDER_EXTENSION
from sync.door import anchors, enrolments, feed, log, ops, returning, snapshots
from sync.door.answers import PREFIX
from sync.door.wipe_orders import wipe_order

ENROLMENTS_PER_MINUTE = 1_200  # of one address: codes have 128 bits, this only keeps a flood off the database
RETURNS_PER_MINUTE = 600  # of one address: what strangers show is not signed to the door
CALLS_PER_MINUTE = 1_200  # of one device from one address


def register(app: Flask) -> None:
    """Put the phone routes of sync onto the door's application."""
    limiter = Limiter(_caller, app=app, storage_uri="memory://")
    for blueprint in (anchors.blueprint, feed.blueprint, log.blueprint, ops.blueprint, snapshots.blueprint):
        limiter.limit(f"{CALLS_PER_MINUTE}/minute")(blueprint)
        app.register_blueprint(blueprint, url_prefix=PREFIX)
    limiter.limit(f"{ENROLMENTS_PER_MINUTE}/minute")(enrolments.blueprint)
    app.register_blueprint(enrolments.blueprint, url_prefix=PREFIX)
    limiter.limit(f"{RETURNS_PER_MINUTE}/minute")(returning.blueprint)
    app.register_blueprint(returning.blueprint, url_prefix=PREFIX)
    app.extensions[WIPE_ORDER_EXTENSION] = wipe_order
    for error in (OperationalError, InterfaceError):
        app.register_error_handler(error, _unavailable)


def _caller() -> str:
    """Who is counted: the claimed device together with the address, so that nobody uses up another's share."""
    claimed = request.headers.get("Signature-Input", "")
    _, _, after = claimed.partition('keyid="')
    return f"{request.remote_addr} {after[:80].partition(chr(34))[0]}"


def _unavailable(_error: Exception) -> Response:
    """The database is away: phones keep what they have and come back."""
    return problem_response(Problem("unavailable", headers={"Retry-After": "10"}))
