"""The start-up check: no route without a declared audience and a permission (or a loud `open_to_all`)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from flask import Flask
from werkzeug.routing import Rule

from field_api.http.permits import Declaration, declaration_of


class UndeclaredRoute(RuntimeError):
    """The office refuses to start: these routes do not say for whom they answer or who may ask."""


@dataclass(frozen=True)
class Route:
    """One row of the audience table: a method on a path, with what its view declared."""

    method: str
    path: str
    endpoint: str
    declaration: Declaration


def routes(app: Flask) -> Iterator[Route]:
    """Every route of the application; HEAD and OPTIONS, which Flask answers from the others, left out."""
    for rule in app.url_map.iter_rules():
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            yield Route(method, rule.rule, rule.endpoint, declaration_of(_view_of(app, rule, method)))


def check_routes(app: Flask) -> None:
    """Raises UndeclaredRoute, naming every route whose declaration is missing, incomplete or contradictory."""
    bad = [f"{route.method} {route.path}" for route in routes(app) if not route.declaration.complete]
    if bad:
        raise UndeclaredRoute("no audience, or neither a permission nor open_to_all: " + ", ".join(sorted(bad)))


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
