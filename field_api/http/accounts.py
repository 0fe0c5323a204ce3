"""`/accounts`: what is owed, kept up to date by integrators."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import g
from flask_smorest import Blueprint

from field_api.domain.disclosure import Audience
from field_api.http.paging import Page, page_schema, paged
from field_api.http.permits import answers, permitted
from field_api.http.schemas.accounts import (
    AccountChangesSchema,
    AccountListSchema,
    AccountQuery,
    AccountSchema,
    AccountSearchSchema,
)
from field_api.platform.database import transaction
from field_api.platform.problems import Problem
from field_api.platform.wiring import clock
from field_api.queries.accounts import accounts
from field_api.records.accounts import Account
from field_api.records.base import load
from field_api.usecases.change_account import change_account

blueprint = Blueprint("accounts", __name__, url_prefix="/accounts", description="Accounts placed with the agency")


@blueprint.get("")
@answers(Audience.DISPATCHER, Audience.MANAGER, Audience.CONTROLLER, Audience.INTEGRATOR)
@permitted("accounts.read", by_creditor=True)
@blueprint.arguments(AccountQuery, location="query")
@blueprint.response(200, page_schema(AccountSchema))
def list_accounts(query: dict[str, Any]) -> Page:
    """Accounts in the order they were placed."""
    with transaction(g.actor.agency_id) as session:
        statement = accounts(creditor_id=query["creditor"], state=query["state"])
        if g.actor.creditor_id is not None:
            statement = statement.where(Account.creditor_id == g.actor.creditor_id)
        return paged(session, statement, [Account.id], limit=query["limit"], after=query["after"])


@blueprint.post("/search")
@answers(Audience.DISPATCHER, Audience.MANAGER, Audience.CONTROLLER, Audience.INTEGRATOR)
@permitted("accounts.read", by_creditor=True)
@blueprint.arguments(AccountSearchSchema)
@blueprint.response(200, AccountListSchema)
def search(body: dict[str, Any]) -> dict[str, Any]:
    """Accounts by the creditor's references."""
    if g.actor.creditor_id not in (None, body["creditor_id"]):
        raise Problem("not-found", "no such creditor")
    with transaction(g.actor.agency_id) as session:
        return {"items": session.scalars(accounts(**body).order_by(Account.id)).all()}


@blueprint.get("/<uuid:account_id>")
@answers(Audience.DISPATCHER, Audience.MANAGER, Audience.CONTROLLER, Audience.INTEGRATOR)
@permitted("accounts.read", by_creditor=True)
@blueprint.response(200, AccountSchema)
def show(account_id: UUID) -> Account:
    """One account."""
    with transaction(g.actor.agency_id) as session:
        account = load(session, Account, account_id)
        if g.actor.creditor_id not in (None, account.creditor_id):
            raise Problem("not-found", "no such account")
        return account


@blueprint.patch("/<uuid:account_id>")
@answers(Audience.MANAGER, Audience.INTEGRATOR)
@permitted("accounts.write")
@blueprint.arguments(AccountChangesSchema)
@blueprint.response(200, AccountSchema)
def change(body: dict[str, Any], account_id: UUID) -> Account:
    """What the creditor says of it now. Paid or closed takes its visits back at once."""
    with transaction(g.actor.agency_id) as session:
        return change_account(session, account_id, body, now=clock().now(), by=g.actor.id)
