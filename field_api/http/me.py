"""`/me`: who the caller is, and their own password."""

from __future__ import annotations

from typing import Any

from flask import g
from flask_smorest import Blueprint

from field_api.domain.disclosure import Audience
from field_api.http.permits import AUDIENCE_OF, PERMISSIONS, answers, permitted
from field_api.http.schemas.staff import ActorSchema, NewPasswordSchema
from field_api.platform.database import transaction
from field_api.usecases.change_password import change_password

blueprint = Blueprint("me", __name__, url_prefix="/me", description="The caller")


@blueprint.get("")
@answers(*AUDIENCE_OF.values())
@permitted("self.read", by_creditor=True)
@blueprint.response(200, ActorSchema)
def show() -> dict[str, Any]:
    """Who am I, and what may I do?"""
    actor = g.actor
    return {**vars(actor), "permissions": sorted(name for name in PERMISSIONS if actor.may(name))}


@blueprint.post("/password")
@answers(Audience.AGENT, Audience.DISPATCHER, Audience.MANAGER, Audience.ADMIN, Audience.CONTROLLER)
@permitted("self.write", by_creditor=True)
@blueprint.arguments(NewPasswordSchema)
@blueprint.response(204)
def new_password(body: dict[str, str]) -> None:
    """Change my password; every session ends, this one too."""
    with transaction(g.actor.agency_id) as session:
        change_password(session, g.actor.id, old=body["old_password"], new=body["new_password"])
