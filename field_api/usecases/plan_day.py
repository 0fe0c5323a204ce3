"""Draft a day: who goes where, in which order, and why everything else does not."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import delete, func, insert, literal, select, text
from sqlalchemy.orm import Session

from field_api.domain.contact_rules import Refusal
from field_api.domain.eligibility import Eligible, decide
from field_api.domain.ports import PlanningParts
from field_api.domain.stops import gather_stops
from field_api.platform.ids import new_id
from field_api.platform.statistics import refresh_statistics
from field_api.platform.tenancy import current_agency
from field_api.queries.agents_on_duty import agents_on_duty
from field_api.queries.eligible_accounts import candidates, screened_accounts
from field_api.records.planning import NotPlanned, Plan, Route, Stop
from field_api.records.visits import Visit, VisitAccount, VisitEvent
from field_api.usecases.note_visit_event import staff_actor
from field_api.usecases.solve_day import Report, silent, solve_day
from field_api.usecases.write_routes import write_routes


def plan_day(
    session: Session,
    day: date,
    *,
    parts: PlanningParts,
    now: datetime,
    created_by: UUID | None = None,
    seed: int = 1,
    report: Report = silent,
) -> Plan:
    """Make the draft for `day`; an earlier draft for it is replaced, published plans and their agents are left alone.

    Every placed account is on a route or has a NotPlanned row with its reason and rule. The same books and seed give
    the same plan. Statements: a fixed number, whatever the number of accounts.
    """
    one_planner_at_a_time(session, day)
    report("accounts", 0, 1)
    eligible, refused = _sorted_out(session, day, parts)
    report("accounts", 1, 1)
    on_duty = agents_on_duty(session, day, now)
    stops = gather_stops(eligible)
    solved = solve_day(
        [entry.day for entry in on_duty], stops, solver=parts.solver, travel=parts.travel, seed=seed, report=report
    )
    _drop_draft(session, day)  # as late as possible: a hold on a drafted visit waits from here to the commit
    plan = Plan(id=new_id(), for_day=day, created_at=now, created_by=created_by, solver=solved.facts)
    session.add(plan)
    session.flush()
    write_routes(session, plan, solved.routes, on_duty, stops, now=now, actor=staff_actor(created_by))
    refresh_statistics(session, Route, Stop, Visit, VisitAccount, VisitEvent)
    left_out = [
        (account_id, Refusal(*why))
        for index, why in solved.left_out.items()
        for visit in stops[index].visits
        for account_id, _ in visit.accounts
    ]
    _say_why_not(session, plan, [*refused, *left_out])
    _say_what_the_books_say(session, plan)
    return plan


def one_planner_at_a_time(session: Session, day: date) -> None:
    """Two dispatchers who plan or publish the same day do it one after the other, until each one's commit."""
    key = f"plan:{current_agency()}:{day.isoformat()}"
    session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))"), {"key": key})


def _drop_draft(session: Session, day: date) -> None:
    drafts = select(Plan.id).where(Plan.agency_id == current_agency(), Plan.for_day == day, Plan.state == "draft")
    routes = select(Route.id).where(Route.agency_id == current_agency(), Route.plan_id.in_(drafts))
    stops = select(Stop.id).where(Stop.agency_id == current_agency(), Stop.route_id.in_(routes))
    for rows in (
        delete(Visit).where(Visit.agency_id == current_agency(), Visit.stop_id.in_(stops)),
        delete(Stop).where(Stop.agency_id == current_agency(), Stop.route_id.in_(routes)),
        delete(Route).where(Route.agency_id == current_agency(), Route.plan_id.in_(drafts)),
        delete(NotPlanned).where(NotPlanned.agency_id == current_agency(), NotPlanned.plan_id.in_(drafts)),
        delete(Plan).where(Plan.agency_id == current_agency(), Plan.for_day == day, Plan.state == "draft"),
    ):
        session.execute(rows, execution_options={"synchronize_session": False})


def _sorted_out(session: Session, day: date, parts: PlanningParts) -> tuple[list[Eligible], list[tuple[UUID, Refusal]]]:
    eligible, refused = [], []
    for candidate in candidates(session, day, screened_accounts(session, day), parts.calendars):
        decision = decide(candidate, day, parts.rules.of, parts.calendars.days_off)
        if isinstance(decision, Eligible):
            eligible.append(decision)
        else:
            refused.append((candidate.account_id, decision))
    return eligible, refused


def _say_why_not(session: Session, plan: Plan, refused: Iterable[tuple[UUID, Refusal]]) -> None:
    rows = [
        {
            "id": new_id(),
            "plan_id": plan.id,
            "account_id": account_id,
            "reason": refusal.reason.value,
            "rule": str(refusal.rule),
        }
        for account_id, refusal in refused
    ]
    if rows:
        session.execute(insert(NotPlanned), rows)


def _say_what_the_books_say(session: Session, plan: Plan) -> None:
    """Rows for all that never came into question, made inside the database. Last, so that an account whose books
    changed while the plan was made gets its row as well."""
    screened = screened_accounts(session, plan.for_day)
    planned = (
        select(VisitAccount.account_id)
        .join(Visit, (Visit.agency_id == VisitAccount.agency_id) & (Visit.id == VisitAccount.visit_id))
        .join(Stop, (Stop.agency_id == Visit.agency_id) & (Stop.id == Visit.stop_id))
        .join(Route, (Route.agency_id == Stop.agency_id) & (Route.id == Stop.route_id))
        .where(Route.agency_id == current_agency(), Route.plan_id == plan.id)
    )
    said = select(NotPlanned.account_id).where(NotPlanned.agency_id == current_agency(), NotPlanned.plan_id == plan.id)
    rows = select(
        literal(current_agency()),
        func.gen_random_uuid(),
        literal(plan.id),
        screened.c.account_id,
        screened.c.reason,
        screened.c.rule,
    ).where(screened.c.reason.is_not(None), screened.c.account_id.not_in(planned), screened.c.account_id.not_in(said))
    columns = ["agency_id", "id", "plan_id", "account_id", "reason", "rule"]
    session.execute(insert(NotPlanned).from_select(columns, rows, include_defaults=False))
