"""Every route of the office says for whom it answers and who may ask; nothing is served without."""

from __future__ import annotations

import re
from collections.abc import Callable
from uuid import UUID

import pytest
from flask import Flask

from field_api.domain.confidential import declared_audience
from field_api.domain.disclosure import Audience
from field_api.domain.roles import StaffRole
from field_api.http.frame import enclose
from field_api.http.guard import Route, UndeclaredRoute, check_routes, routes
from field_api.http.openapi import API_PREFIX, document_of, documented_path
from field_api.http.permits import PERMISSIONS, answers, open_to_all, permitted
from tests.office_client import OfficeClient

AsRole = Callable[..., OfficeClient]

OUTSIDE_THE_API = {
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/style.css"),
    ("GET", "/console/"),
    ("GET", "/sign-in"),
    ("POST", "/sign-in"),
    ("POST", "/sign-out"),
    ("GET", "/api/v1/openapi.json"),
}
"""Everything that is not in the OpenAPI document. Add a line only with a reason that stands in its view."""

OPEN = OUTSIDE_THE_API - {("GET", "/console/")}


def concrete(route: Route) -> str:
    """The route's path with something that fits in its place-holders."""

    def something(match: re.Match[str]) -> str:
        kind = match[1]
        if kind.startswith("any("):
            return kind[4:].partition(",")[0].strip(" )'\"")
        return str(UUID(int=1)) if kind.startswith("uuid:") else "1"

    return re.sub(r"<([^<>]+)>", something, route.path)


def call(client: OfficeClient, route: Route) -> int:
    return client.open(concrete(route), method=route.method).status_code


def test_url_map_document_and_audience_table_are_the_same_set(office: Flask) -> None:
    table = {(route.method, route.path) for route in routes(office) if route.declaration.complete}
    url_map = {
        (method, rule.rule)
        for rule in office.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert table == url_map
    documented = {
        (method.upper(), path)
        for path, item in document_of(office)["paths"].items()
        for method in item
        if method != "parameters"
    }
    in_the_api = {route for route in routes(office) if (route.method, route.path) not in OUTSIDE_THE_API}
    assert {(route.method, documented_path(route)) for route in in_the_api} == documented
    assert all(path.startswith(API_PREFIX) for _method, path in documented)


def test_only_a_named_few_are_open(office: Flask) -> None:
    assert {(route.method, route.path) for route in routes(office) if route.declaration.open_to_all} == OPEN


def test_nobody_gets_in_unsigned(office: Flask, anonymous: OfficeClient) -> None:
    """Also not to a validation error: who may ask is settled before what was asked is read."""
    for route in routes(office):
        if not route.declaration.open_to_all:
            expected = 302 if route.path == "/console/" else 401
            assert call(anonymous, route) == expected, route


def test_the_permission_table_holds_on_every_route(office: Flask, as_role: AsRole) -> None:
    """Whoever lacks the permission is refused with 403; whoever has it meets anything but that."""
    for role in StaffRole:
        client = as_role(role.value)
        for route in routes(office):
            declaration = route.declaration
            if declaration.open_to_all or declaration.permission is None or route.path == f"{API_PREFIX}/me/password":
                continue
            allowed = role in PERMISSIONS[declaration.permission]
            allowed &= role is not StaffRole.CONTROLLER or declaration.by_creditor
            status = call(client, route)
            assert (status != 403) is allowed, (role, route, status)
            assert status < 500, (role, route, status)


def test_a_route_without_an_audience_stops_the_start(office: Flask) -> None:
    app = Flask("t")
    app.add_url_rule("/a", view_func=open_to_all(lambda: "x"), endpoint="a")
    app.add_url_rule("/b", view_func=answers(Audience.MANAGER)(lambda: "x"), endpoint="b", methods=["POST"])
    with pytest.raises(UndeclaredRoute) as refused:
        check_routes(app)
    assert "GET /a" in str(refused.value) and "POST /b" in str(refused.value)


def test_a_permission_that_is_not_in_the_table_stops_the_import() -> None:
    with pytest.raises(ValueError):
        permitted("visits.raed")
    with pytest.raises(ValueError):
        permitted("staff.write", by_creditor=True)


def test_a_view_runs_for_its_declared_audience_alone() -> None:
    seen = []
    app = Flask("t", static_folder=None)

    @app.get("/a")
    @open_to_all
    @answers(Audience.MACHINE)
    def view() -> str:
        seen.append(declared_audience())
        return "x"

    enclose(app)
    assert app.test_client().get("/a").status_code == 200
    assert seen == [Audience.MACHINE]
    assert declared_audience() is None


def test_every_operation_documents_problems_and_its_permission(office: Flask) -> None:
    document = document_of(office)
    problem = document["components"]["responses"]["DEFAULT_ERROR"]["content"]
    assert list(problem) == ["application/problem+json"]
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method == "parameters":
                continue
            assert operation["responses"]["default"] == {"$ref": "#/components/responses/DEFAULT_ERROR"}, path
            assert operation["x-permission"] in PERMISSIONS
            assert operation["x-audience"] in set(Audience)
            assert operation.get("summary"), f"{method} {path} does not say what it does"
