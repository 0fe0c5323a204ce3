"""One visit of a draft, given to another agent or taken off it: a change by hand as any other."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from field_api.domain.draft_orders import ChangeByHand
from field_api.platform.tenancy import current_agency
from field_api.queries.draft_problem import manual_wishes
from field_api.records.drafts import ManualWish
from field_api.records.planning import Plan, Route, Stop
from field_api.records.visits import Visit, VisitAccount
from field_api.usecases.plan_day import one_planner_at_a_time
from field_api.usecases.write_draft import note_change


def draft_of_visit(session: Session, visit_id: UUID) -> Plan | None:
    """The draft that the visit is on, which nobody else changes, plans anew or publishes until the commit; None where
    it is on none. To be asked before anything is locked: planners lock the day first, then accounts and visits."""
    plan = _plan(session, visit_id)
    if plan is None or plan.state == "published":
        return None
    one_planner_at_a_time(session, plan.for_day)
    plan = _plan(session, visit_id)
    return plan if plan is not None and plan.state == "draft" else None


def keep_of_visit(
    session: Session,
    plan: Plan,
    visit_id: UUID,
    kind: ChangeByHand,
    *,
    at: datetime,
    by: UUID | None,
    agent_id: UUID | None = None,
    reason: str | None = None,
) -> None:
    """The plan's next version; later optimisation leaves the visit's accounts with the agent, or on no route."""
    about = select(VisitAccount.account_id).where(
        VisitAccount.agency_id == current_agency(), VisitAccount.visit_id == visit_id
    )
    accounts = sorted(session.scalars(about))
    wishes = manual_wishes(session, plan.id, accounts)
    for account_id in accounts:
        wish = wishes.get(account_id) or ManualWish(plan_id=plan.id, account_id=account_id, added=False)
        session.add(wish)
        wish.agent_id, wish.position, wish.dropped = agent_id, None, kind is ChangeByHand.DROP
        wish.added = wish.added and not wish.dropped
    detail = {} if agent_id is None else {"agent": str(agent_id)}
    note_change(session, plan, kind, detail, at=at, by=by, reason=reason)


def _plan(session: Session, visit_id: UUID) -> Plan | None:
    return session.scalars(
        select(Plan)
        .join(Route, (Route.agency_id == Plan.agency_id) & (Route.plan_id == Plan.id))
        .join(Stop, (Stop.agency_id == Route.agency_id) & (Stop.route_id == Route.id))
        .join(Visit, (Visit.agency_id == Stop.agency_id) & (Visit.stop_id == Stop.id))
        .where(Visit.agency_id == current_agency(), Visit.id == visit_id, Visit.state == "planned")
        .execution_options(populate_existing=True)
    ).one_or_none()
