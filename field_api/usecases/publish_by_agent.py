"""Publish a plan in a transaction for each agent: whatever breaks off leaves what can be gone on with."""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from field_api.domain.ports import PlanningParts
from field_api.platform.statistics import refresh_statistics
from field_api.records.accounts import Party
from field_api.records.base import load
from field_api.records.people import Address, Person
from field_api.records.planning import Plan
from field_api.records.visits import Letter, LetterCustody
from field_api.usecases.plan_day import one_planner_at_a_time
from field_api.usecases.publish_plan import begin_publishing, end_publishing, publish_routes, routes_to_publish
from field_api.usecases.solve_day import Report, silent

Transaction = Callable[[], AbstractContextManager[Session]]
"""Begins a unit of work for the agency, which commits at its end."""


def publish_by_agent(
    transaction: Transaction,
    plan_id: UUID,
    *,
    parts: PlanningParts,
    now: datetime,
    published_by: UUID | None,
    report: Report = silent,
    seen: Collection[str] | None = None,
) -> None:
    """As `publish_plan`, in short transactions of its own: the plan becomes `publishing`, each agent's route goes out
    whole, then the plan is published. Called again after a break it goes on where it was. A hold placed meanwhile is
    seen by routes that follow, and withdraws from those that are out. Raises `not-found`, `already-done`;
    `precondition-failed` for a draft of which `seen` names other versions.
    """
    with transaction() as session:
        begin_publishing(session, plan_id, seen)
        route_ids = routes_to_publish(session, plan_id)
        # What each route's queries join: where it was written just now, each of them would take seconds.
        refresh_statistics(session, Person, Party, Address, Letter, LetterCustody)
    sent, of = 0, len(route_ids)
    while True:
        for route_id in route_ids:
            report("publish", sent, of)
            with transaction() as session:
                plan = begin_publishing(session, plan_id)
                publish_routes(session, plan, [route_id], parts=parts, now=now, published_by=published_by)
            sent += 1
        with transaction() as session:
            route_ids = _end(session, plan_id, now=now, published_by=published_by)
        if not route_ids:
            break
        of += len(route_ids)
    report("publish", of, of)


def _end(session: Session, plan_id: UUID, *, now: datetime, published_by: UUID | None) -> list[UUID]:
    """The plan is published; or routes are left, which it returns: a visit was given to an agent whose route was out.
    Somebody who published it at the same time may have been first."""
    plan = load(session, Plan, plan_id)
    one_planner_at_a_time(session, plan.for_day)
    session.refresh(plan)
    left = routes_to_publish(session, plan_id)
    if plan.state != "published" and not left:
        end_publishing(session, plan, now=now, published_by=published_by)
        refresh_statistics(session, Letter, LetterCustody)  # once for all: a route has too few to look for itself
    return [] if plan.state == "published" else left
