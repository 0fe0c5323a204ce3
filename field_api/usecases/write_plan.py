"""Write a solved day to its plan: routes with what is on them, and why everything else is not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from field_api.domain.contact_rules import Refusal
from field_api.domain.stops import SoughtStop
from field_api.platform.statistics import refresh_statistics
from field_api.platform.tenancy import current_agency
from field_api.queries.agents_on_duty import OnDuty
from field_api.records.planning import Plan, Route, Stop
from field_api.records.visits import Visit, VisitAccount, VisitEvent
from field_api.usecases.solve_day import SolvedDay
from field_api.usecases.write_routes import write_routes


def write_plan(
    session: Session,
    plan: Plan,
    solved: SolvedDay,
    on_duty: Sequence[OnDuty],
    stops: Sequence[SoughtStop],
    refused: Sequence[tuple[UUID, Refusal]],
    *,
    now: datetime,
    actor: str,
) -> None:
    """Every account of the stops is on a route or says why not, as those do that were `refused` before. Statements: a
    fixed number, whatever the size of the plan."""
    write_routes(session, plan, solved.routes, on_duty, stops, now=now, actor=actor)
    refresh_statistics(session, Route, Stop, Visit, VisitAccount, VisitEvent)
    left_out = [
        (account_id, Refusal(*why))
        for index, why in solved.left_out.items()
        for visit in stops[index].visits
        for account_id, _ in visit.accounts
    ]
    _say_why_not(session, plan, [*refused, *left_out])


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
