"""`/healthz`: the process answers. `/readyz`: and so does its database, at this release's schema."""

from __future__ import annotations

import marshmallow as ma
from flask import Blueprint, current_app, jsonify
from flask.typing import ResponseReturnValue

from field_api.domain.disclosure import Audience
from field_api.http.bodies import JSON, sends
from field_api.http.permits import answers, open_to_all
from field_api.http.schemas.audiences import OUTSIDE
from field_api.http.schemas.labelled import Schema, internal
from field_api.platform.health import schema_revision
from field_api.platform.problems import Problem

blueprint = Blueprint("health", __name__)


class HealthSchema(Schema):
    audiences = OUTSIDE
    state = internal(ma.fields.String(required=True))


@blueprint.get("/healthz")
@open_to_all
@answers(Audience.MACHINE)
@sends(JSON, schema=HealthSchema)
def healthz() -> ResponseReturnValue:
    return jsonify(state="ok")


@blueprint.get("/readyz")
@open_to_all
@answers(Audience.MACHINE)
@sends(JSON, schema=HealthSchema)
def readyz() -> ResponseReturnValue:
    """Raises Problem `unavailable` while the database is away or its schema is another release's."""
    revision = schema_revision()
    if revision is None:
        raise Problem("unavailable", "the database does not answer")
    if revision != current_app.extensions["doorstep.schema_head"]:
        raise Problem("unavailable", "the database's schema is not this release's")
    return jsonify(state="ready")
