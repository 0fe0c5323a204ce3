"""Take visits off their routes."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, exists, select
from sqlalchemy.orm import Session

from field_api.domain.draft_orders import ChangeByHand
from field_api.domain.vocabulary import ChangeKind, NotPlannedReason, VisitEventKind
from field_api.platform.problems import Problem
from field_api.platform.tenancy import current_agency
from field_api.queries.arrays import among
from field_api.queries.blocked_accounts import blocked_accounts
from field_api.records.planning import NotPlanned, Route, Stop
from field_api.records.visits import Visit, VisitAccount
from field_api.usecases.draft_of_visit import draft_of_visit, keep_of_visit
from field_api.usecases.lock_visit import lock_visit
from field_api.usecases.note_visit_event import note_visit_event, staff_actor
from field_api.usecases.tell_agent import tell_agent

AHEAD = ("planned", "published")
"""States of a visit that can still be taken back."""


def withdraw_visit(session: Session, visit_id: UUID, *, reason: str, now: datetime, by: UUID | None) -> Visit:
    """A dispatcher takes one visit back; `reason` goes into its story. On a draft it is a change by hand: optimising
    keeps it off. Raises `not-found`, `already-done`."""
    draft = draft_of_visit(session, visit_id)
    visit = lock_visit(session, visit_id)
    if visit.state not in AHEAD:
        raise Problem("already-done", f"the visit is {visit.state}")
    take_back(session, [visit], reason=reason, now=now, actor=staff_actor(by))
    if draft is not None:
        keep_of_visit(session, draft, visit.id, ChangeByHand.DROP, at=now, by=by, reason=reason)
    return visit


def withdraw_blocked_visits(
    session: Session,
    account_ids: Collection[UUID],
    *,
    reason: str,
    now: datetime,
    actor: str,
    op_id: UUID | None = None,
) -> list[Visit]:
    """After accounts were closed or held: take back the visits that have nothing left to be about.

    The caller has locked the account rows. A published visit with accounts left is sent again, without the others.
    The visit rows are locked before the holds are read, so that of two holds placed at once the second sees the first.
    Returns every visit ahead that is about one of the accounts.
    """
    visits = _lock_visits_ahead(session, account_ids)
    about = _accounts_of(session, [visit.id for visit in visits])
    blocked = blocked_accounts(session, {account for accounts in about.values() for account in accounts})
    take_back(session, [v for v in visits if about[v.id] <= blocked], reason=reason, now=now, actor=actor, op_id=op_id)
    for visit in visits:
        if visit.state == "published":
            tell_agent(session, visit.agent_id, ChangeKind.VISIT, visit.id, urgent=True)
    return visits


def take_back(
    session: Session, visits: Sequence[Visit], *, reason: str, now: datetime, actor: str, op_id: UUID | None = None
) -> None:
    """Withdraw locked visits: off the route, version up, phones told where they knew of it, the plan says why."""
    if not visits:
        return
    _say_why_not(session, visits, reason)
    stops = {visit.stop_id for visit in visits if visit.stop_id}
    for visit in visits:
        body = {"reason": reason, "was": visit.state, "stop_id": str(visit.stop_id)}
        note_visit_event(session, visit.id, VisitEventKind.WITHDRAWN, now, actor, body, op_id)
        if visit.state == "published":
            tell_agent(session, visit.agent_id, ChangeKind.VISIT, visit.id, urgent=True)
        visit.state = "withdrawn"
        visit.withdrawn_at = now
        visit.assignment_version += 1
        visit.stop_id = None
    session.flush()
    drop_empty_stops(session, stops)


def drop_empty_stops(session: Session, stop_ids: Collection[UUID]) -> None:
    """Stops nobody is sought at any more. The others keep their numbers: they are printed on sheets."""
    session.execute(
        delete(Stop).where(
            Stop.agency_id == current_agency(),
            among(Stop.id, stop_ids),
            ~exists().where(Visit.agency_id == Stop.agency_id, Visit.stop_id == Stop.id),
        )
    )


def _lock_visits_ahead(session: Session, account_ids: Collection[UUID]) -> list[Visit]:
    concerned = select(VisitAccount.visit_id).where(
        VisitAccount.agency_id == current_agency(), among(VisitAccount.account_id, account_ids)
    )
    return list(
        session.scalars(
            select(Visit)
            .where(Visit.agency_id == current_agency(), Visit.id.in_(concerned), Visit.state.in_(AHEAD))
            .order_by(Visit.id)
            .with_for_update(key_share=True)
            .execution_options(populate_existing=True)
        )
    )


def _accounts_of(session: Session, visit_ids: Collection[UUID]) -> dict[UUID, set[UUID]]:
    about: dict[UUID, set[UUID]] = {visit_id: set() for visit_id in visit_ids}
    pairs = select(VisitAccount.visit_id, VisitAccount.account_id).where(
        VisitAccount.agency_id == current_agency(), among(VisitAccount.visit_id, visit_ids)
    )
    for visit_id, account_id in session.execute(pairs):
        about[visit_id].add(account_id)
    return about


def _say_why_not(session: Session, visits: Sequence[Visit], reason: str) -> None:
    of_plan = (
        select(Route.plan_id, VisitAccount.account_id)
        .join(Stop, (Stop.agency_id == Route.agency_id) & (Stop.route_id == Route.id))
        .join(Visit, (Visit.agency_id == Stop.agency_id) & (Visit.stop_id == Stop.id))
        .join(VisitAccount, (VisitAccount.agency_id == Visit.agency_id) & (VisitAccount.visit_id == Visit.id))
        .where(Route.agency_id == current_agency(), among(Visit.id, [visit.id for visit in visits]))
    )
    for plan_id, account_id in session.execute(of_plan).all():
        session.add(
            NotPlanned(
                plan_id=plan_id,
                account_id=account_id,
                reason=NotPlannedReason.WITHDRAWN.value,
                rule=f"withdrawn: {reason}",
            )
        )
