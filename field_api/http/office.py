"""Put the office's routes into an application: API, sign-in, console, health; then the frame around all of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import flask
from flask import Flask
from flask_smorest import Blueprint

from field_api.domain.disclosure import Audience, Label
from field_api.http.bodies import JSON, sends
from field_api.http.frame import enclose
from field_api.http.openapi import API_PREFIX, document_of, install_api
from field_api.http.permits import answers, open_to_all
from field_api.http.problems import install_validation_problems
from field_api.http.requests import BoundedRequest
from field_api.http.response_headers import install_response_headers
from field_api.http.sign_in import install_sign_in
from field_api.platform.settings import Settings


def register(app: Flask, more: Sequence[Blueprint] = (), pages: Sequence[flask.Blueprint] = ()) -> None:
    """All routes of the office, and `more` resources and `pages` of packages above this one (phones, photographs).

    Raises UndeclaredRoute when a route does not say who may ask and for whom.
    """
    # Imported here: the resources import permits and schemas of this package.
    from field_api.http.blueprints import BLUEPRINTS, PAGES

    settings: Settings = app.extensions["doorstep.settings"]
    app.request_class = BoundedRequest
    app.json.sort_keys = False  # type: ignore[attr-defined]  # the default provider has it
    install_validation_problems(app)
    install_sign_in(app, settings)
    api = install_api(app)
    for blueprint in (*BLUEPRINTS, *more):
        own = (blueprint.url_prefix or "").removeprefix(API_PREFIX)
        api.register_blueprint(blueprint, url_prefix=API_PREFIX + own)
    for page in (*PAGES, *pages):
        app.register_blueprint(page)
    _publish_document(app)
    install_response_headers(app)
    enclose(app)


def _publish_document(app: Flask) -> None:
    @app.get(f"{API_PREFIX}/openapi.json")
    @open_to_all
    @answers(Audience.MACHINE)
    @sends(JSON, Label.INTERNAL)
    def openapi_document() -> dict[str, Any]:
        return document_of(app)
