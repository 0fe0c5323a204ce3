"""The frame around every route of the office: sign-in, permission, audience, bounded body, idempotency; in that order.

The decorators of `permits` declare, this enforces: `enclose(app)` wraps each view once, so that no decorator order and
no forgotten line leaves a route outside.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import Flask, Response, current_app, g, request
from flask_wtf.csrf import CSRFError

from field_api.domain.confidential import audience
from field_api.domain.disclosure import Audience
from field_api.domain.roles import StaffRole
from field_api.http.gate import install_gate, operation
from field_api.http.guard import check_routes, method_view, routes
from field_api.http.idempotency import answered_once
from field_api.http.permits import AUDIENCE_OF, Actor, Declaration, declaration_of
from field_api.http.sign_in import session_actor
from field_api.http.tokens import token_actor
from field_api.platform.problems import Problem

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def enclose(app: Flask) -> None:
    """Check every route's declaration, put the frame around each, the gate around all. Raises UndeclaredRoute."""
    check_routes(app)
    operations = {
        (route.endpoint, route.method): operation(route.bodies, route.declaration.audiences) for route in routes(app)
    }
    for endpoint, view in app.view_functions.items():
        app.view_functions[endpoint] = _framed(view)
    install_gate(app, operations)


def _framed(view: Callable[..., Any]) -> Callable[..., Response]:
    @wraps(view)
    def framed(**values: Any) -> Response:
        declaration = declaration_of(method_view(view, request.method))
        if not declaration.complete:
            raise Problem("not-permitted")
        if not declaration.open_to_all:
            g.actor = admit(declaration)
        g.audience = audience_of(g.get("actor"), declaration)
        _refuse_unstorable_text(values)
        if request.is_json and request.method not in SAFE_METHODS:
            request.get_json()  # refuses what the bounded parser refuses, before anything else reads the body
        with audience(g.audience):
            return answered_once(lambda: current_app.make_response(view(**values)), may_store=declaration.replay)

    return framed


def admit(declaration: Declaration) -> Actor:
    """The actor of this request. Raises Problem `not-signed-in` or `not-permitted`."""
    actor = token_actor() if "Authorization" in request.headers else _from_session()
    if declaration.permission is None or not actor.may(declaration.permission):
        raise Problem("not-permitted", "this needs a permission that you do not have")
    if actor.role is StaffRole.CONTROLLER and not (declaration.by_creditor and actor.creditor_id):
        raise Problem("not-permitted", "this is not bounded to one creditor")
    return actor


def audience_of(actor: Actor | None, declaration: Declaration) -> Audience:
    """For whom the request works: the actor's role says it. Raises `not-permitted` where that is not declared."""
    who = Audience.MACHINE if actor is None else AUDIENCE_OF[actor.role]
    if who not in declaration.audiences:
        raise Problem("not-permitted", "this is not for your role")
    return who


def _from_session() -> Actor:
    actor = session_actor()
    if request.method not in SAFE_METHODS:
        # A cookie comes along with any site's request: only a page of ours knows the token.
        try:
            current_app.extensions["csrf"].protect()
        except CSRFError as error:
            raise Problem("not-permitted", "the CSRF token is missing or wrong", at="X-CSRF-Token") from error
    return actor


def _refuse_unstorable_text(values: dict[str, Any]) -> None:
    """NUL cannot be stored in PostgreSQL text; refused here once instead of failing in each query."""
    texts = [value for value in values.values() if isinstance(value, str)]
    texts += [text for pair in request.args.items(multi=True) for text in pair]
    if any("\x00" in text for text in texts):
        raise Problem("bad-request", "a NUL character in the address")
