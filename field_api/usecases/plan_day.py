"""Draft a day: who goes where, in which order, and why everything else does not."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import delete, select, text
from sqlalchemy.orm import Session

from field_api.domain.contact_rules import Refusal
from field_api.domain.eligibility import Eligible, decide_all
from field_api.domain.ports import PlanningParts
from field_api.domain.stops import gather_stops
from field_api.platform.ids import new_id
from field_api.platform.statistics import refresh_statistics
from field_api.platform.tenancy import current_agency
from field_api.queries.agents_on_duty import agents_on_duty
from field_api.queries.eligible_accounts import eligible_accounts
from field_api.queries.law_in_force import law_in_force
from field_api.records.planning import NotPlanned, Plan, Route, Stop
from field_api.queries.planning_policy import planning_policy
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
        [entry.day for entry in on_duty],
        stops,
        solver=parts.solver,
        travel=parts.travel,
        seed=seed,
        report=report,
        balance=planning_policy(session).balance,
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
    law = law_in_force(session, parts)
    found = eligible_accounts(session, day, parts, law)
    eligible, refused = decide_all(found.candidates, day, law)
    return eligible, [*found.refused, *refused]


def _say_why_not(session: Session, plan: Plan, refused: Iterable[tuple[UUID, Refusal]]) -> None:
    """One statement with three arrays: a large agency leaves a hundred thousand accounts out every day."""
    rows = [(account_id, why.reason.value, str(why.rule)) for account_id, why in refused]
    session.execute(
        text(
            "INSERT INTO office.not_planned (agency_id, id, plan_id, account_id, reason, rule)"
            " SELECT :agency, gen_random_uuid(), :plan, account_id, reason, rule"
            " FROM unnest(CAST(:accounts AS uuid[]), CAST(:reasons AS text[]), CAST(:rules AS text[]))"
            " AS why (account_id, reason, rule)"
        ),
        {
            "agency": current_agency(),
            "plan": plan.id,
            "accounts": [row[0] for row in rows],
            "reasons": [row[1] for row in rows],
            "rules": [row[2] for row in rows],
        },
    )
