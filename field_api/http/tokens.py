"""API tokens of integrators: `Authorization: Bearer ds_<agency>_<token>_<secret>`."""

from __future__ import annotations

from datetime import datetime, timedelta

from flask import request

from field_api.domain.credentials import WireToken
from field_api.domain.roles import StaffRole
from field_api.http.header_rules import BEARER_CHALLENGE
from field_api.http.permits import Actor
from field_api.platform import sealing
from field_api.platform.database import transaction
from field_api.platform.problems import Problem
from field_api.platform.wiring import clock
from field_api.queries.staff import token_by_id
from field_api.records.staff import ApiToken

# Writing the row at every request would make readers of one token wait for each other.
USE_NOTED_EVERY = timedelta(minutes=5)
_CHALLENGE = {"WWW-Authenticate": BEARER_CHALLENGE}


def token_actor() -> Actor:
    """The actor of the request's bearer token. Raises Problem `not-signed-in`, the same for every reason."""
    scheme, _, text = request.headers["Authorization"].partition(" ")
    wire = WireToken.parse(text.strip()) if scheme.lower() == "bearer" else None
    if wire is None:
        raise _refused()
    with transaction(wire.agency_id) as session:
        token = token_by_id(session, wire.token_id)
        # An unknown token is compared like a known one.
        expected = token.token_sha256 if token else bytes(32)
        if not sealing.same(expected, sealing.sha256(wire.secret.encode())) or token is None or token.revoked_at:
            raise _refused()
        _note_use(token, clock().now())
        return Actor(token.id, wire.agency_id, StaffRole.INTEGRATOR, None, "token", frozenset(token.permissions))


def _note_use(token: ApiToken, now: datetime) -> None:
    if token.last_used_at is None or now - token.last_used_at >= USE_NOTED_EVERY:
        token.last_used_at = now


def _refused() -> Problem:
    return Problem("not-signed-in", "the token is not valid", headers=_CHALLENGE)
