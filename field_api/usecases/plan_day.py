"""Draft a day: who goes where, in which order, and why everything else does not."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Select, delete, select, text
from sqlalchemy.orm import Session

from field_api.domain.contact_rules import Refusal
from field_api.domain.eligibility import Eligible, decide_all
from field_api.domain.ports import PlanningParts
from field_api.domain.stops import gather_stops
from field_api.platform.ids import new_id
from field_api.platform.problems import Problem
from field_api.platform.tenancy import current_agency
from field_api.queries.agents_on_duty import agents_on_duty
from field_api.queries.eligible_accounts import eligible_accounts
from field_api.queries.law_in_force import law_in_force
from field_api.queries.planning_policy import planning_policy
from field_api.records.drafts import ManualWish
from field_api.records.planning import NotPlanned, Plan, Route, Stop
from field_api.records.visits import Visit
from field_api.usecases.note_visit_event import staff_actor
from field_api.usecases.settle_promises import settle_promises
from field_api.usecases.solve_day import Report, silent, solve_day
from field_api.usecases.travel_of_day import day_travel
from field_api.usecases.write_plan import write_plan


def plan_day(
    session: Session,
    day: date,
    *,
    parts: PlanningParts,
    now: datetime,
    created_by: UUID | None = None,
    seed: int = 1,
    report: Report = silent,
    discard_changes: bool = False,
) -> Plan:
    """Make the draft for `day`; an earlier draft for it is replaced, published plans and their agents are left alone.
    Raises `conflict` where that draft was changed by hand and `discard_changes` does not say that this may be lost.

    Every placed account is on a route or has a NotPlanned row with its reason and rule. The same books and seed give
    the same plan. Statements: a fixed number, whatever the number of accounts.
    """
    one_planner_at_a_time(session, day)
    if not discard_changes:
        _keep_changes_by_hand(session, day)
    _nothing_half_published(session, day)
    report("accounts", 0, 1)
    settle_promises(session, rules=parts.rules, calendars=parts.calendars, now=now)
    eligible, refused = sorted_out(session, day, parts)
    report("accounts", 1, 1)
    on_duty = agents_on_duty(session, day, now)
    stops = gather_stops(eligible)
    travel = day_travel(session, parts, day, now, [entry.day for entry in on_duty])
    solved = solve_day(
        [entry.day for entry in on_duty],
        stops,
        solver=parts.solver,
        travel=travel,
        seed=seed,
        report=report,
        balance=planning_policy(session).balance,
    )
    _drop_draft(session, day)  # as late as possible: a hold on a drafted visit waits from here to the commit
    plan = Plan(id=new_id(), for_day=day, created_at=now, created_by=created_by, solver=solved.facts | travel.facts())
    session.add(plan)
    session.flush()
    write_plan(session, plan, solved, on_duty, stops, refused, now=now, actor=staff_actor(created_by))
    return plan


def one_planner_at_a_time(session: Session, day: date) -> None:
    """Two dispatchers who plan or publish the same day do it one after the other, until each one's commit."""
    key = f"plan:{current_agency()}:{day.isoformat()}"
    session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))"), {"key": key})


def _nothing_half_published(session: Session, day: date) -> None:
    """What is planned on a plan that is being published would be planned twice."""
    half = select(Plan.id).where(Plan.agency_id == current_agency(), Plan.for_day == day, Plan.state == "publishing")
    if session.scalars(half.limit(1)).first() is not None:
        raise Problem("conflict", "a plan of the day is half published: publish it again first", at="day")


def _drop_draft(session: Session, day: date) -> None:
    mine = (Plan.agency_id == current_agency(), Plan.for_day == day, Plan.state == "draft")
    _clear(session, select(Plan.id).where(*mine))
    session.execute(delete(Plan).where(*mine), execution_options={"synchronize_session": False})


def clear_plan(session: Session, plan: Plan) -> None:
    """Everything that planning wrote for it: routes with what is on them, and why the rest is not."""
    _clear(session, select(Plan.id).where(Plan.agency_id == current_agency(), Plan.id == plan.id))


def _clear(session: Session, plans: Select[tuple[UUID]]) -> None:
    routes = select(Route.id).where(Route.agency_id == current_agency(), Route.plan_id.in_(plans))
    stops = select(Stop.id).where(Stop.agency_id == current_agency(), Stop.route_id.in_(routes))
    for rows in (
        delete(Visit).where(Visit.agency_id == current_agency(), Visit.stop_id.in_(stops)),
        delete(Stop).where(Stop.agency_id == current_agency(), Stop.route_id.in_(routes)),
        delete(Route).where(Route.agency_id == current_agency(), Route.plan_id.in_(plans)),
        delete(NotPlanned).where(NotPlanned.agency_id == current_agency(), NotPlanned.plan_id.in_(plans)),
    ):
        session.execute(rows, execution_options={"synchronize_session": False})


def _keep_changes_by_hand(session: Session, day: date) -> None:
    """What a dispatcher said of the day's draft is not thrown away by whoever plans the day once more."""
    changed = select(ManualWish.id).join(
        Plan, (Plan.agency_id == ManualWish.agency_id) & (Plan.id == ManualWish.plan_id)
    )
    mine = (ManualWish.agency_id == current_agency(), Plan.for_day == day, Plan.state == "draft")
    if session.scalars(changed.where(*mine).limit(1)).first() is not None:
        raise Problem("conflict", "the day's draft was changed by hand: optimise it, or discard its changes", at="day")


def sorted_out(
    session: Session, day: date, parts: PlanningParts, *, without: Collection[UUID] = ()
) -> tuple[list[Eligible], list[tuple[UUID, Refusal]]]:
    """Who may be visited on the day, and why the others may not; the accounts of `without` are in neither list where
    nothing in the books speaks against them."""
    law = law_in_force(session, parts)
    found = eligible_accounts(session, day, parts, law)
    left = [candidate for candidate in found.candidates if candidate.account_id not in without]
    eligible, refused = decide_all(left, day, law)
    return eligible, [*found.refused, *refused]
