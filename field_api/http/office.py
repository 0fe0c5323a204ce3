"""Put the office's routes into an application: API, sign-in, console, health; then the frame around all of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Flask
from flask_smorest import Api, Blueprint

from field_api.domain.disclosure import Audience
from field_api.http.frame import enclose
from field_api.http.permits import answers, open_to_all
from field_api.http.problems import ProblemSchema, install_validation_problems
from field_api.http.requests import BoundedRequest
from field_api.http.response_headers import install_response_headers
from field_api.http.sign_in import install_sign_in
from field_api.platform.wiring import settings as settings_of

API_PREFIX = "/api/v1"


class OfficeApi(Api):
    """flask-smorest with problem documents as its errors; ours are installed by the application itself."""

    ERROR_SCHEMA = ProblemSchema

    def _register_error_handlers(self) -> None:
        """Nothing: `install_problem_handlers` and `install_validation_problems` answer."""


def register(app: Flask, more: Sequence[Blueprint] = ()) -> None:
    """All routes of the office, and `more` resources of packages above this one (phones, photographs).

    Raises UndeclaredRoute when a route does not say who may ask and for whom.
    """
    # Imported here: blueprints import permits and schemas of this package.
    from field_api.http.blueprints import BLUEPRINTS, PAGES

    app.request_class = BoundedRequest
    app.config.update(
        API_TITLE="Doorstep",
        API_VERSION="v1",
        OPENAPI_VERSION="3.1.0",
    )
    app.json.sort_keys = False  # type: ignore[attr-defined]  # the default provider has it
    install_validation_problems(app)
    with app.app_context():
        install_sign_in(app, settings_of())
    api = OfficeApi(app, spec_kwargs=_spec())
    for blueprint in (*BLUEPRINTS, *more):
        own = (blueprint.url_prefix or "").removeprefix(API_PREFIX)
        api.register_blueprint(blueprint, url_prefix=API_PREFIX + own)
    for page in PAGES:
        app.register_blueprint(page)
    app.extensions["doorstep.api"] = api
    _publish_document(app)
    install_response_headers(app)
    enclose(app)


def document_of(app: Flask) -> dict[str, Any]:
    """The OpenAPI document of an application that `register` was called on."""
    document: dict[str, Any] = app.extensions["doorstep.api"].spec.to_dict()
    return document


def _publish_document(app: Flask) -> None:
    @app.get(f"{API_PREFIX}/openapi.json")
    @open_to_all
    @answers(Audience.MACHINE)
    def openapi_document() -> dict[str, Any]:
        return document_of(app)


def _spec() -> dict[str, Any]:
    return {
        "info": {"description": "The office of a collection agency. Errors are RFC 9457 problem details."},
        "security": [{"token": []}, {"session": []}],
        "components": {
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "description": "ds_<agency>_<token>_<secret>"},
                "session": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": "doorstep",
                    "description": "POST /sign-in; writing calls send X-CSRF-Token",
                },
            }
        },
    }
