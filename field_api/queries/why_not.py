"""Why is this account not on the plan of that day?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from field_api.domain.vocabulary import NotPlannedReason
from field_api.platform.tenancy import current_agency
from field_api.queries.plan_overview import latest_plan
from field_api.records.accounts import Account
from field_api.records.base import load
from field_api.records.planning import NotPlanned, Route, Stop
from field_api.records.visits import Visit, VisitAccount


@dataclass(frozen=True)
class WhyNot:
    """Either the visit that is about the account, or the reasons why there is none."""

    account_id: UUID
    plan_id: UUID
    visit_id: UUID | None
    reasons: list[tuple[str, str | None]]  # NotPlannedReason, the rule with its source


def why_not(session: Session, account_id: UUID, day: date) -> WhyNot:
    """The answer of the day's latest plan. An account that came after it was made has neither visit nor reason.

    Raises `not-found` for an unknown account or a day without a plan.
    """
    account = load(session, Account, account_id)
    plan = latest_plan(session, day)
    visit_id = session.scalar(
        select(Visit.id)
        .join(VisitAccount, (VisitAccount.agency_id == Visit.agency_id) & (VisitAccount.visit_id == Visit.id))
        .join(Stop, (Stop.agency_id == Visit.agency_id) & (Stop.id == Visit.stop_id))
        .join(Route, (Route.agency_id == Stop.agency_id) & (Route.id == Stop.route_id))
        .where(Route.agency_id == current_agency(), Route.plan_id == plan.id, VisitAccount.account_id == account_id)
    )
    rows = session.execute(
        select(NotPlanned.reason, NotPlanned.rule)
        .where(
            NotPlanned.agency_id == current_agency(),
            NotPlanned.plan_id == plan.id,
            NotPlanned.account_id == account_id,
        )
        .order_by(NotPlanned.id)
    )
    reasons = [(reason, rule) for reason, rule in rows]
    if account.state == "closed" and visit_id is None and not reasons:
        reasons = [(NotPlannedReason.CLOSED.value, account.closed_reason)]
    return WhyNot(account_id, plan.id, visit_id, reasons)
