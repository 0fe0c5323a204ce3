"""The start-up check of every route: who may ask, for whom it answers, with what, and what may come in where.

No route without audiences and a permission (or a loud `open_to_all`); the audiences are exactly those that the
permission table lets in; every schema that comes in or goes out is for all of them; nothing confidential or personal in
an address, which browsers, proxies and logs keep.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from flask import Flask
from werkzeug.routing import Rule

from field_api.domain.disclosure import Audience, Label, may_see
from field_api.http.bodies import Body, bodies_of, requests_of
from field_api.http.permits import Declaration, declaration_of
from field_api.http.schemas.labelled import Schema, label_of
from field_api.platform.egress import OutletKind, declare

_IN_THE_ADDRESS = {"query", "path", "headers", "cookies"}
_NEVER_IN_THE_ADDRESS = {Label.CONFIDENTIAL, Label.PERSONAL}
_PLACE_HOLDER = re.compile(r"<(?:(?P<kind>\w+)(?:\(.*?\))?:)?(?P<name>\w+)>")
_CLOSED_KINDS = {"uuid": Label.INTERNAL, "int": Label.INTERNAL, "any": Label.INTERNAL}
_TEXTS_IN_PATHS = {"language": Label.INTERNAL}
"""Place-holders for any text, each with its label; ids, numbers and closed words need none."""


class UndeclaredRoute(RuntimeError):
    """The office refuses to start: these routes do not say for whom they answer or who may ask."""


@dataclass(frozen=True)
class Route:
    """One row of the audience table: a method on a path, with what its view declared."""

    method: str
    path: str
    endpoint: str
    declaration: Declaration
    bodies: tuple[Body, ...] = ()
    requests: tuple[tuple[str, Any], ...] = ()


def routes(app: Flask) -> Iterator[Route]:
    """Every route of the application; HEAD and OPTIONS, which Flask answers from the others, left out."""
    for rule in app.url_map.iter_rules():
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            view = _view_of(app, rule, method)
            declared = declaration_of(view), bodies_of(view), tuple(requests_of(view))
            yield Route(method, rule.rule, rule.endpoint, *declared)


def check_routes(app: Flask) -> None:
    """Raises UndeclaredRoute, naming every route whose declaration is missing, incomplete or contradictory, and why.

    Each good route is an outlet of the process (field_api.platform.egress).
    """
    found = list(routes(app))
    bad = [f"{route.method} {route.path}: {wrong}" for route in found for wrong in faults(route)]
    if bad:
        raise UndeclaredRoute("; ".join(sorted(bad)))
    for route in found:
        declare(OutletKind.ROUTE, f"{route.method} {route.path}", *route.declaration.audiences)
        for body in route.bodies:
            if body.name:
                declare(OutletKind.DOWNLOAD_NAME, body.name, Audience.THIRD_PARTY)


def faults(route: Route) -> Iterator[str]:
    """What is wrong with the route's declaration, in words for whoever writes it."""
    declaration = route.declaration
    if not declaration.complete:
        yield "no audience, or not exactly one of permission and open_to_all"
        return
    if declaration.audiences != declaration.admitted:
        yield (
            f"answers {_names(declaration.audiences - declaration.admitted)} whom nothing admits, "
            f"admits {_names(declaration.admitted - declaration.audiences)} whom it does not answer"
        )
    if not route.bodies:
        yield "does not say what it answers with"
    for body in route.bodies:
        yield from _faults_of_body(body, declaration.audiences)
    for location, schema in route.requests:
        yield from _faults_of_request(location, schema, declaration.audiences)
    for name, label in path_labels(route.path).items():
        if label is None or label in _NEVER_IN_THE_ADDRESS:
            yield f"{name} is a text in the path without a label that may stand there"


def path_labels(path: str) -> dict[str, Label | None]:
    """The label of each place-holder of a path; None for a text that has none."""
    found = _PLACE_HOLDER.finditer(path)
    return {match["name"]: _CLOSED_KINDS.get(match["kind"], _TEXTS_IN_PATHS.get(match["name"])) for match in found}


def _faults_of_body(body: Body, audiences: frozenset[Audience]) -> Iterator[str]:
    if body.schema is not None:
        yield from _faults_of_schema(body.schema, audiences)
    elif body.mimetype is not None and not body.labels:
        yield f"its {body.mimetype} has neither a schema nor labels"
    for label in body.labels:
        if blind := frozenset(who for who in audiences if not may_see(who, label)):
            yield f"its {body.mimetype} may hold {label.value} data, which is not for {_names(blind)}"


def _faults_of_request(location: str, schema: Any, audiences: frozenset[Audience]) -> Iterator[str]:
    yield from _faults_of_schema(schema, audiences)
    if location in _IN_THE_ADDRESS:
        for name, field in schema._declared_fields.items():
            if label_of(field) in _NEVER_IN_THE_ADDRESS:
                yield f"{type(schema).__name__}.{name} is secret and would travel in the {location}"


def _faults_of_schema(schema: Any, audiences: frozenset[Audience]) -> Iterator[str]:
    if not isinstance(schema, Schema):
        yield f"{type(schema).__name__} is no labelled schema"
    elif missing := audiences - schema.audiences:
        yield f"{type(schema).__name__} is not for {_names(missing)}"


def _names(audiences: frozenset[Audience]) -> str:
    return ", ".join(sorted(audience.value for audience in audiences)) or "nobody"


def method_view(view: Any, method: str) -> Any:
    """The function that answers `method`: a MethodView has one for each."""
    view_class = getattr(view, "view_class", None)
    if view_class is None:
        return view
    name = "get" if method == "HEAD" else method.lower()
    return getattr(view_class, name, None)


def _view_of(app: Flask, rule: Rule, method: str) -> Callable[..., Any]:
    view = app.view_functions[rule.endpoint]
    found: Callable[..., Any] = method_view(view, method)
    return found
