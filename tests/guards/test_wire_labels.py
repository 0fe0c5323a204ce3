"""The OpenAPI document says of every field how secret it is; nothing secret travels in an address."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import marshmallow as ma
import pytest
from flask import Flask

from doorstep.app import office_app
from field_api.domain.disclosure import Audience, Label, may_see
from field_api.http.bodies import CSS, HTML, JPEG, JSON, PDF
from field_api.http.guard import Route, routes
from field_api.http.openapi import document_of
from field_api.http.schemas.labelled import Schema, label_of, parts_of
from field_api.platform.settings import Settings
from media.office.file_type import NAMES

ROOT = Path(__file__).parents[2]
METHODS = {"get", "post", "put", "patch", "delete"}
NEVER_IN_AN_ADDRESS = {Label.CONFIDENTIAL.value, Label.PERSONAL.value}

WITHOUT_A_SHAPE = {
    ("GET", "/api/v1/openapi.json", JSON),
    ("GET", "/style.css", CSS),
    ("GET", "/console/", HTML),
    ("GET", "/console/papers", HTML),
    ("GET", "/console/paper-sheets", HTML),
    ("GET", "/console/paper-sheet", HTML),
    ("POST", "/console/paper-sheet", HTML),
    ("GET", "/api/v1/plans/<uuid:plan_id>/sheets", PDF),
    ("GET", "/console/photos", HTML),
    ("GET", "/console/photo", HTML),
    ("POST", "/console/photo/allow", HTML),
    ("POST", "/console/photo/destroy", HTML),
    ("POST", "/console/photo/original", HTML),
    ("GET", "/sign-in", HTML),
    ("POST", "/sign-in", HTML),
    ("GET", "/sign-out", HTML),
    ("POST", "/sign-out", HTML),
    ("GET", "/api/v1/routes/<uuid:route_id>/sheet", PDF),
    ("POST", "/api/v1/letters/<uuid:letter_id>/prints", PDF),
    ("POST", "/api/v1/plans/<uuid:plan_id>/prints", PDF),
    ("POST", "/api/v1/routes/<uuid:route_id>/prints", PDF),
    ("GET", "/api/v1/letters/<uuid:letter_id>/document", PDF),
    ("POST", "/api/v1/letter-templates/<uuid:template_id>/preview", PDF),
    ("GET", "/api/v1/legend-cards/<string:language>", PDF),
    ("GET", "/api/v1/photos/<uuid:photo_id>/rendition", JPEG),
    *(("GET", "/api/v1/photos/<uuid:photo_id>/original", media_type) for media_type in NAMES),
}
"""Answers that the gate cannot walk field by field: pages, papers, pictures, and the document itself."""


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    """With all its routes; no request is made, so there is no database behind it."""
    return office_app(
        Settings(
            home=tmp_path_factory.mktemp("labels"),
            database_url="postgresql+psycopg://nobody@localhost/none",
            door_url="http://door.test",
            office_url="http://office.test",
        )
    )


@pytest.fixture(scope="module")
def document(office: Flask) -> dict[str, Any]:
    return document_of(office)


def properties(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every property of every named schema, and of bodies that are written out (an upload's form)."""
    for name, schema in document["components"]["schemas"].items():
        for key, shown in schema.get("properties", {}).items():
            yield f"{name}.{key}", shown
    for path, method, operation in operations(document):
        for content in operation.get("requestBody", {}).get("content", {}).values():
            for key, shown in content["schema"].get("properties", {}).items():
                yield f"{method} {path} {key}", shown


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method in METHODS & set(item):
            yield path, method, item[method]


def parameters(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, method, operation in operations(document):
        for parameter in [*document["paths"][path].get("parameters", []), *operation.get("parameters", [])]:
            yield f"{method} {path} {parameter['name']}", parameter


def schemas_of(route: Route) -> Iterator[Any]:
    yield from (body.schema for body in route.bodies if body.schema is not None)
    yield from (schema for _location, schema in route.requests)


def test_every_property_and_parameter_has_a_label(document: dict[str, Any]) -> None:
    found = [(at, shown.get("x-label")) for at, shown in properties(document)]
    found += [(at, parameter["schema"].get("x-label")) for at, parameter in parameters(document)]
    assert [at for at, label in found if label not in set(Label)] == []
    assert len(found) > 300 and {label for _at, label in found} == set(Label)


def test_nothing_personal_or_confidential_is_asked_for_in_an_address(document: dict[str, Any]) -> None:
    in_addresses = [(at, parameter) for at, parameter in parameters(document)]
    assert {parameter["in"] for _at, parameter in in_addresses} == {"query", "path", "header"}
    assert [at for at, parameter in in_addresses if parameter["schema"]["x-label"] in NEVER_IN_AN_ADDRESS] == []


def test_no_audience_of_a_route_meets_a_field_that_it_may_not_see(office: Flask) -> None:
    """Once more from the routes' side, whatever class or start-up said: fields inside of fields as well."""

    def blind(schema: Schema, who: Audience) -> Iterator[str]:
        for name, field in schema._declared_fields.items():
            label = label_of(field)
            if label is None or not may_see(who, label):
                yield f"{type(schema).__name__}.{name} {who.value}"
            for part in parts_of(field):
                if isinstance(part, ma.fields.Nested):
                    yield from blind(part.schema, who)

    seen = 0
    for route in routes(office):
        for schema in schemas_of(route):
            for who in route.declaration.audiences:
                seen += 1
                assert list(blind(schema, who)) == [], route.path
    assert seen > 100


def test_an_administrator_meets_no_debtor(office: Flask) -> None:
    """Nothing that an administrator may call has a field above what keeping the system running needs."""
    for route in routes(office):
        if Audience.ADMIN in route.declaration.audiences:
            labels = {label_of(field) for schema in schemas_of(route) for field in schema._declared_fields.values()}
            assert labels <= {Label.OPEN, Label.ON_REQUEST, Label.INTERNAL}, route.path


def test_answers_without_a_shape_are_these_and_no_others(office: Flask) -> None:
    found = {
        (route.method, route.path, body.mimetype)
        for route in routes(office)
        for body in route.bodies
        if body.mimetype is not None and body.schema is None
    }
    assert found <= WITHOUT_A_SHAPE
    assert {entry for entry in WITHOUT_A_SHAPE if entry[1] != "/sign-out"} <= found


def test_every_schema_of_the_wire_is_a_labelled_one() -> None:
    folders = [ROOT / "field_api" / "http", ROOT / "sync" / "office", ROOT / "media" / "office"]
    bases = {
        (path.name, base)
        for folder in folders
        for path in folder.rglob("*.py")
        for base in re.findall(r"^class \w+\((ma\.Schema|marshmallow\.Schema)[,)]", path.read_text(), re.MULTILINE)
    }
    assert bases == {("labelled.py", "ma.Schema")}


def test_messages_of_fields_never_repeat_what_was_sent(office: Flask) -> None:
    """marshmallow offers `{input}` in its messages; here no field and no validator uses it."""

    def messages(field: ma.fields.Field[Any]) -> Iterator[str]:
        for part in parts_of(field):
            # `format` is of older releases: no field raises it any more.
            yield from (str(text) for key, text in part.error_messages.items() if key != "format")
            for validator in part.validators:
                for name in dir(validator):
                    if "message" in name or name == "error":
                        yield str(getattr(validator, name))

    checked = 0
    for route in routes(office):
        for _location, schema in route.requests:
            for name, field in schema._declared_fields.items():
                checked += 1
                assert not any("{input" in text for text in messages(field)), f"{type(schema).__name__}.{name}"
    assert checked > 100
