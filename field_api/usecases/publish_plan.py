"""Make a draft real: visits go out to phones, with their keys and letters."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, delete, exists, select
from sqlalchemy.orm import Session

from field_api.domain.ports import PlanningParts
from field_api.domain.vocabulary import ChangeKind, NotPlannedReason, VisitEventKind
from field_api.platform.problems import Problem
from field_api.platform.tenancy import current_agency
from field_api.queries.arrays import among
from field_api.queries.blocked_accounts import blocked_accounts
from field_api.queries.plan_version import must_be_seen
from field_api.records.base import load
from field_api.records.planning import NotPlanned, Plan, Route, Stop
from field_api.records.visits import Visit, VisitAccount
from field_api.usecases.lock_visit import lock_accounts
from field_api.usecases.make_visit_keys import make_visit_keys
from field_api.usecases.note_visit_event import note_visit_event, staff_actor
from field_api.usecases.plan_day import one_planner_at_a_time
from field_api.usecases.recheck_draft import recheck_draft
from field_api.usecases.tell_agent import tell_agents
from field_api.usecases.want_letters import want_letters
from field_api.usecases.withdraw_visit import take_back

PUBLISHING = "publishing"
"""Of a plan: some of its routes are out, the others will be; nobody changes or replaces it any more."""
HELD_MEANWHILE = "held, excluded or closed before the plan was published"


def publish_plan(
    session: Session, plan_id: UUID, *, parts: PlanningParts, now: datetime, published_by: UUID | None
) -> Plan:
    """Publish the draft, or what is left of one whose publishing broke off, in the running transaction.

    What was held or closed since it was made falls out: a hold locks the same account rows, so it is either seen here
    or waits and withdraws what was published. So does what any rule would refuse by now. Raises `not-found`,
    `already-done`. `field_api.usecases.publish_by_agent` does the same in a transaction for each agent.
    """
    plan = begin_publishing(session, plan_id)
    publish_routes(session, plan, None, parts=parts, now=now, published_by=published_by)
    end_publishing(session, plan, now=now, published_by=published_by)
    return plan


def begin_publishing(session: Session, plan_id: UUID, seen: Collection[str] | None = None) -> Plan:
    """From here on the plan is no draft that may be changed or replaced. Raises `not-found`, `already-done`, and
    `precondition-failed` for a draft of which `seen` names other versions."""
    plan = load(session, Plan, plan_id)
    one_planner_at_a_time(session, plan.for_day)
    # A draft replaced while this waited is gone. NO KEY UPDATE: holds may go on writing rows that refer to the plan.
    session.expire(plan)
    found = session.scalars(select(Plan).where(Plan.id == plan_id).with_for_update(key_share=True)).one_or_none()
    if found is None:
        raise Problem("not-found", "the draft was replaced by a newer one")
    if plan.state not in ("draft", PUBLISHING):
        raise Problem("already-done", f"the plan is {plan.state}")
    if plan.state == "draft":
        must_be_seen(session, plan, seen)
    plan.state = PUBLISHING
    session.flush()
    return plan


def routes_to_publish(session: Session, plan_id: UUID) -> list[UUID]:
    """Those that have something planned still, by agent: what an earlier call published is not among them."""
    planned = exists().where(
        Stop.agency_id == Route.agency_id,
        Stop.route_id == Route.id,
        Visit.agency_id == Stop.agency_id,
        Visit.stop_id == Stop.id,
        Visit.state == "planned",
    )
    query = select(Route.id).where(Route.agency_id == current_agency(), Route.plan_id == plan_id, planned)
    return list(session.scalars(query.order_by(Route.agent_id)))


def publish_routes(
    session: Session,
    plan: Plan,
    route_ids: Collection[UUID] | None,
    *,
    parts: PlanningParts,
    now: datetime,
    published_by: UUID | None,
) -> None:
    """What is planned on these routes (None: on all) goes out to phones. A fixed number of statements."""
    actor = staff_actor(published_by)
    visits = _without_blocked(session, plan, route_ids, parts, now, actor)
    _send(session, plan, route_ids, visits, now=now, published_by=published_by)


def end_publishing(session: Session, plan: Plan, *, now: datetime, published_by: UUID | None) -> None:
    """Nothing is left to be sent: the plan is published. Routes that lost everything before are gone."""
    _drop_empty_routes(session, plan, None)
    plan.state, plan.published_at, plan.published_by = "published", now, published_by
    session.flush()


def send_out(
    session: Session, plan: Plan, visits: Sequence[Visit], *, now: datetime, published_by: UUID | None
) -> None:
    """The plan's visits as they are go out to phones, with keys and letters. Who calls it has looked at them."""
    _send(session, plan, None, visits, now=now, published_by=published_by)
    end_publishing(session, plan, now=now, published_by=published_by)


def make_real(
    session: Session, plan: Plan, visits: Sequence[Visit], *, now: datetime, published_by: UUID | None
) -> None:
    """The visits are published, with keys and letters; nobody is told yet."""
    for visit in visits:
        visit.state = "published"
        visit.published_at = now
        body = {"plan_id": str(plan.id)}
        note_visit_event(session, visit.id, VisitEventKind.PUBLISHED, now, staff_actor(published_by), body)
    session.flush()
    visit_ids = [visit.id for visit in visits]
    make_visit_keys(session, visit_ids)
    want_letters(session, visit_ids, now)


def _send(
    session: Session,
    plan: Plan,
    route_ids: Collection[UUID] | None,
    visits: Sequence[Visit],
    *,
    now: datetime,
    published_by: UUID | None,
) -> None:
    make_real(session, plan, visits, now=now, published_by=published_by)
    routes = _routes(session, plan, route_ids)
    tell_agents(session, [(route.agent_id, ChangeKind.ROUTE, route.id) for route in routes])
    tell_agents(session, [(visit.agent_id, ChangeKind.VISIT, visit.id) for visit in visits])


def _without_blocked(
    session: Session,
    plan: Plan,
    route_ids: Collection[UUID] | None,
    parts: PlanningParts,
    now: datetime,
    actor: str,
) -> list[Visit]:
    """The routes' visits, locked after their accounts, less what may not be collected or visited any more."""
    about = _about(session, plan, route_ids)
    accounts = {account_id for own in about.values() for account_id in own}
    lock_accounts(session, accounts)
    visits = visits_of(session, plan, route_ids)
    blocked = blocked_accounts(session, accounts)
    held = {visit.id: dict.fromkeys(about[visit.id] & blocked, HELD_MEANWHILE) for visit in visits}
    left = _without(session, plan, visits, about, held, now, actor)
    about = {visit.id: about[visit.id] - blocked for visit in left}
    refused = recheck_draft(session, plan, left, about, parts)
    broken = {key: {account: str(why.rule) for account, why in own.items()} for key, own in refused.items()}
    left = _without(session, plan, left, about, broken, now, actor)
    if len(left) < len(visits):
        _drop_empty_routes(session, plan, route_ids)
    return left


def _without(
    session: Session,
    plan: Plan,
    visits: list[Visit],
    about: Mapping[UUID, set[UUID]],
    why: Mapping[UUID, Mapping[UUID, str]],
    now: datetime,
    actor: str,
) -> list[Visit]:
    """The visits that have an account left; `why` says for each visit which of its accounts fall out."""
    left = []
    for visit in visits:
        fallen = why.get(visit.id, {})
        if fallen and about[visit.id] <= set(fallen):
            take_back(session, [visit], reason=fallen[min(fallen)], now=now, actor=actor)
            continue
        _drop_accounts(session, plan, visit, fallen)
        left.append(visit)
    return left


def _planned_on(plan: Plan, route_ids: Collection[UUID] | None) -> ColumnElement[bool]:
    stops = (
        select(Stop.id)
        .join(Route, (Route.agency_id == Stop.agency_id) & (Route.id == Stop.route_id))
        .where(*_among(plan, route_ids))
    )
    return (Visit.agency_id == current_agency()) & Visit.stop_id.in_(stops) & (Visit.state == "planned")


def _among(plan: Plan, route_ids: Collection[UUID] | None) -> list[ColumnElement[bool]]:
    """The plan's routes, or these of them."""
    of_plan = [Route.agency_id == current_agency(), Route.plan_id == plan.id]
    return of_plan if route_ids is None else [*of_plan, among(Route.id, route_ids)]


def _about(session: Session, plan: Plan, route_ids: Collection[UUID] | None) -> dict[UUID, set[UUID]]:
    about: dict[UUID, set[UUID]] = {}
    pairs = (
        select(Visit.id, VisitAccount.account_id)
        .join(VisitAccount, (VisitAccount.agency_id == Visit.agency_id) & (VisitAccount.visit_id == Visit.id))
        .where(_planned_on(plan, route_ids))
    )
    for visit_id, account_id in session.execute(pairs):
        about.setdefault(visit_id, set()).add(account_id)
    return about


def visits_of(session: Session, plan: Plan, route_ids: Collection[UUID] | None = None) -> list[Visit]:
    """What is planned on it, or on these of its routes, locked, by id."""
    query = select(Visit).where(_planned_on(plan, route_ids)).order_by(Visit.id).with_for_update(key_share=True)
    return list(session.scalars(query.execution_options(populate_existing=True)))


def _drop_accounts(session: Session, plan: Plan, visit: Visit, fallen: Mapping[UUID, str]) -> None:
    """Accounts that nobody has heard of yet leave a visit that goes on without them."""
    for account_id, reason in fallen.items():
        session.add(
            NotPlanned(
                plan_id=plan.id,
                account_id=account_id,
                reason=NotPlannedReason.WITHDRAWN.value,
                rule=f"withdrawn: {reason}",
            )
        )
    if fallen:
        session.execute(
            delete(VisitAccount).where(
                VisitAccount.agency_id == current_agency(),
                VisitAccount.visit_id == visit.id,
                among(VisitAccount.account_id, fallen),
            )
        )


def _drop_empty_routes(session: Session, plan: Plan, route_ids: Collection[UUID] | None) -> None:
    empty = ~exists().where(Stop.agency_id == Route.agency_id, Stop.route_id == Route.id)
    session.execute(delete(Route).where(*_among(plan, route_ids), empty))


def _routes(session: Session, plan: Plan, route_ids: Collection[UUID] | None) -> list[Route]:
    return list(session.scalars(select(Route).where(*_among(plan, route_ids)).order_by(Route.id)))
