"""`/tokens`: what integrators sign in with."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import g
from flask_smorest import Blueprint

from field_api.domain.disclosure import Audience
from field_api.http.paging import Page, PageArguments, page_schema, paged
from field_api.http.permits import TOKEN_PERMISSIONS, answers, permitted
from field_api.http.schemas.staff import IssuedTokenSchema, TokenSchema
from field_api.platform.database import transaction
from field_api.platform.wiring import clock
from field_api.queries.staff import token_list
from field_api.records.staff import ApiToken
from field_api.usecases.issue_api_token import issue_api_token
from field_api.usecases.revoke_api_token import revoke_api_token

blueprint = Blueprint("tokens", __name__, url_prefix="/tokens", description="Tokens of integrators")


@blueprint.get("")
@answers(Audience.MANAGER, Audience.ADMIN)
@permitted("staff.read")
@blueprint.arguments(PageArguments, location="query")
@blueprint.response(200, page_schema(TokenSchema))
def list_tokens(page: dict[str, Any]) -> Page:
    """Every token that was issued, revoked ones too."""
    with transaction(g.actor.agency_id) as session:
        return paged(session, token_list(), [ApiToken.created_at, ApiToken.id], **page)


@blueprint.post("")
@answers(Audience.ADMIN)
@permitted("staff.write", replay=False)
@blueprint.arguments(TokenSchema)
@blueprint.response(201, IssuedTokenSchema)
def issue(body: dict[str, Any]) -> dict[str, str]:
    """Issue a token. It is shown this once, and an Idempotency-Key is refused: its answer would have to be stored."""
    with transaction(g.actor.agency_id) as session:
        wire = issue_api_token(session, **body, allowed=TOKEN_PERMISSIONS, now=clock().now())
        return {"id": str(wire.token_id), "token": str(wire)}


@blueprint.delete("/<uuid:token_id>")
@answers(Audience.ADMIN)
@permitted("staff.write")
@blueprint.response(204)
def revoke(token_id: UUID) -> None:
    """Take a token back, from its next use on."""
    with transaction(g.actor.agency_id) as session:
        revoke_api_token(session, token_id, now=clock().now())
