"""The OpenAPI document: flask-smorest's, with problem documents as errors and what the frame adds to each operation."""

from __future__ import annotations

import http
import re
from copy import deepcopy
from itertools import chain, count
from typing import Any

from apispec.ext.marshmallow import MarshmallowPlugin
from flask import Flask
from flask_smorest import Api
from flask_smorest.utils import prepare_response

from field_api.domain.disclosure import Label
from field_api.http.guard import Route, path_labels, routes
from field_api.http.problems import ProblemSchema
from field_api.platform.problems import STATUS

API_PREFIX = "/api/v1"
PROBLEM_TYPE = "application/problem+json"
_EXTENSION = "doorstep.api"


class OfficeApi(Api):
    """flask-smorest with problem documents as its errors; the application's own handlers send them."""

    ERROR_SCHEMA = ProblemSchema

    def _register_error_handlers(self) -> None:
        """Nothing: `install_problem_handlers` and `install_validation_problems` answer."""

    def _register_pagination_header(self) -> None:
        """Nothing: pages say in their body where they go on."""

    def _register_responses(self) -> None:
        for status in http.HTTPStatus:
            if status >= 400:
                self._register_problem(status.name, status.phrase)
            else:
                self.spec.components.response(status.name, {"description": status.phrase}, lazy=True)
        codes = ", ".join(sorted(STATUS))
        self._register_problem("DEFAULT_ERROR", f"A problem document (RFC 9457). Its `code` is one of: {codes}.")

    def _register_problem(self, name: str, description: str) -> None:
        response: dict[str, Any] = {"description": description, "schema": ProblemSchema}
        prepare_response(response, self.spec, PROBLEM_TYPE)
        self.spec.components.response(name, response, lazy=True)


class SchemaNames:
    """A name for every schema of the document: its class's, with the module in front where two share it."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def __call__(self, schema: Any) -> str:
        """apispec asks once for each distinct schema (class and modifiers)."""
        kind = schema if isinstance(schema, type) else type(schema)
        bare = kind.__name__.removesuffix("Schema") or kind.__name__
        module = kind.__module__.rpartition(".")[2].title().replace("_", "")
        candidates = chain([bare, module + bare], (f"{module}{bare}{number}" for number in count(2)))
        name = next(name for name in candidates if name not in self._taken)
        self._taken.add(name)
        return name


def install_api(app: Flask) -> OfficeApi:
    """The API object that blueprints are registered with."""
    app.config.update(API_TITLE="Doorstep", API_VERSION="v1", OPENAPI_VERSION="3.1.0")
    names = MarshmallowPlugin(schema_name_resolver=SchemaNames())
    api = OfficeApi(app, spec_kwargs=_spec() | {"marshmallow_plugin": names})
    app.extensions[_EXTENSION] = api
    return api


def document_of(app: Flask) -> dict[str, Any]:
    """The document of an application that `field_api.http.register` was called on."""
    # A copy: the spec hands out its own lists, and what the frame adds would be added again at every call.
    document: dict[str, Any] = deepcopy(app.extensions[_EXTENSION].spec.to_dict())
    for route in routes(app):
        path_item = document["paths"].get(documented_path(route), {})
        _label_place_holders(path_item, path_labels(route.path))
        operation = path_item.get(route.method.lower())
        if operation is not None:
            _add_frame(operation, route)
    return document


def documented_path(route: Route) -> str:
    """`/visits/<uuid:visit_id>` as OpenAPI writes it: `/visits/{visit_id}`."""
    return re.sub(r"<(?:[^:<>]+:)?([^<>]+)>", r"{\1}", route.path)


def _label_place_holders(path_item: dict[str, Any], labels: dict[str, Label | None]) -> None:
    for parameter in path_item.get("parameters", []):
        label = labels.get(parameter["name"])
        if label is not None:
            parameter["schema"]["x-label"] = label.value


def _add_frame(operation: dict[str, Any], route: Route) -> None:
    declaration = route.declaration
    operation["x-audiences"] = sorted(audience.value for audience in declaration.audiences)
    operation["x-permission"] = declaration.permission
    if declaration.open_to_all:
        operation["security"] = []
    if route.method == "POST" and declaration.replay:
        operation.setdefault("parameters", []).append(_IDEMPOTENCY_KEY)


_IDEMPOTENCY_KEY = {
    "in": "header",
    "name": "Idempotency-Key",
    "required": False,
    "description": "Repeat a call whose answer was lost: same key, same content, same answer, done once.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[!-~]+$", "x-label": "internal"},
}


def _spec() -> dict[str, Any]:
    return {
        "info": {"description": "The office of a collection agency. Errors are RFC 9457 problem documents."},
        "security": [{"token": []}, {"session": []}],
        "components": {
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "description": "ds_<agency>_<token>_<secret>"},
                "session": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": "doorstep",
                    "description": "From POST /sign-in; calls that write also send X-CSRF-Token.",
                },
            }
        },
    }
