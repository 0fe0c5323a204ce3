"""Give a visit to another agent, planned or already out on a phone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from field_api.domain.contact_rules import NO_RULES, ContactWindow, Refusal, contact_window
from field_api.domain.draft_orders import ChangeByHand
from field_api.domain.ports import PlanningParts
from field_api.domain.routing import Point
from field_api.domain.vocabulary import ChangeKind, VisitEventKind
from field_api.platform.problems import Problem
from field_api.platform.tenancy import current_agency
from field_api.queries.agents_on_duty import shift_on
from field_api.queries.law_in_force import law_in_force
from field_api.records.agency import Creditor
from field_api.records.base import load
from field_api.records.people import Address, Person
from field_api.records.planning import Agent, Plan, Route, Stop
from field_api.records.visits import Visit
from field_api.usecases.draft_of_visit import draft_of_visit, keep_of_visit
from field_api.usecases.empty_route import empty_route
from field_api.usecases.lock_visit import lock_visit
from field_api.usecases.make_visit_keys import make_visit_keys
from field_api.usecases.note_visit_event import note_visit_event, staff_actor
from field_api.usecases.renew_letters import renew_letters
from field_api.usecases.tell_agent import tell_agent
from field_api.usecases.travel_of_day import travel_of_day
from field_api.usecases.withdraw_visit import AHEAD, drop_empty_stops
from field_api.usecases.write_routes import ARRIVAL_SPAN

OUT = ("publishing", "published")
"""States of a plan whose agents are out."""


def reassign_visit(
    session: Session, visit_id: UUID, agent_id: UUID, *, parts: PlanningParts, now: datetime, by: UUID | None
) -> Visit:
    """Put the visit at the end of the other agent's route of the same day (made from their shift where there is none).

    Stops that are printed and numbered never move, so it goes last. The old agent's phone is told first; keys and codes
    are made anew. On a draft it is a change by hand: the version grows, and optimising keeps the agent. Raises
    `not-found`; `already-done` for a visit that is done, withdrawn or theirs already; `conflict` where the agent has no
    shift that day or the contact hours would be over.
    """
    draft = draft_of_visit(session, visit_id)
    visit = lock_visit(session, visit_id)
    agent = load(session, Agent, agent_id)
    if visit.state not in AHEAD or visit.stop_id is None:
        raise Problem("already-done", f"the visit is {visit.state}")
    if visit.agent_id == agent.id:
        raise Problem("already-done", "the visit is this agent's already")
    old_stop = load(session, Stop, visit.stop_id)
    plan = load(session, Plan, load(session, Route, old_stop.route_id).plan_id)
    route = _route_of(session, plan, agent, now)
    parts = travel_of_day(session, parts, plan.for_day, now)
    stop, flags = _append(session, visit, old_stop, route, plan, parts, now)
    _hand_over(session, visit, stop, agent, now, by, flags)
    drop_empty_stops(session, {old_stop.id})
    if draft is not None:
        keep_of_visit(session, draft, visit.id, ChangeByHand.MOVE, at=now, by=by, agent_id=agent.id)
    return visit


@dataclass(frozen=True)
class _End:
    """Where and when a route is free for one more stop."""

    position: int
    point: Point
    free_at: datetime


def _hand_over(
    session: Session, visit: Visit, stop: Stop, agent: Agent, now: datetime, by: UUID | None, flags: list[str]
) -> None:
    old_agent = visit.agent_id
    visit.agent_id, visit.stop_id = agent.id, stop.id
    visit.assignment_version += 1
    body = {"from": str(old_agent), "to": str(agent.id), "position": stop.position}
    note_visit_event(session, visit.id, VisitEventKind.REASSIGNED, now, staff_actor(by), body, flags=flags)
    session.flush()
    if visit.state == "published":
        make_visit_keys(session, [visit.id])
        renew_letters(session, [visit.id], now, actor=staff_actor(by), reason="reassigned")
        tell_agent(session, old_agent, ChangeKind.VISIT, visit.id, urgent=True)
        tell_agent(session, agent.id, ChangeKind.ROUTE, stop.route_id)
        tell_agent(session, agent.id, ChangeKind.VISIT, visit.id)
        session.flush()


def _route_of(session: Session, plan: Plan, agent: Agent, now: datetime) -> Route:
    """The agent's route of the day, locked so that two stops are never given one position: in the plan, or where they
    are out already by another one, since nobody drives two routes at once."""
    query = (
        select(Route)
        .join(Plan, (Plan.agency_id == Route.agency_id) & (Plan.id == Route.plan_id))
        .where(Route.agency_id == current_agency(), Route.agent_id == agent.id, Plan.for_day == plan.for_day)
        .where(or_(Plan.id == plan.id, Plan.state.in_(OUT)))
        .order_by(Plan.id != plan.id, Plan.id)
        .limit(1)
    )
    route = session.scalars(query.with_for_update(of=Route, key_share=True)).one_or_none()
    if route is not None:
        if route.plan_id != plan.id and plan.state not in OUT:
            raise Problem("conflict", "the agent is out by another plan of the day", at="agent_id")
        return route
    day = shift_on(session, agent, plan.for_day, now)
    if day is None:
        raise Problem("conflict", "the agent does not work on the plan's day", at="agent_id")
    return empty_route(session, plan.id, agent.id, day)


def _append(
    session: Session, visit: Visit, old: Stop, route: Route, plan: Plan, parts: PlanningParts, now: datetime
) -> tuple[Stop, list[str]]:
    address = load(session, Address, visit.address_id)
    if address.latitude is None or address.longitude is None:
        raise Problem("conflict", "the address has no coordinates", at="visit_id")
    end = _end_of(session, route, now)
    point = Point(address.latitude, address.longitude)
    legs = parts.travel.between([end.point], [point])
    window = _window(session, visit, address, point, plan, parts)
    begins = max(end.free_at + timedelta(seconds=int(legs.travel_s[0, 0])), window.opens_at)
    latest = window.closes_at - timedelta(seconds=old.service_s)
    if begins > latest:
        raise Problem("conflict", "the contact hours would be over", at="agent_id")
    stop = Stop(
        route_id=route.id,
        address_id=visit.address_id,
        position=end.position + 1,
        arrival_from=begins,
        arrival_to=min(begins + ARRIVAL_SPAN, latest),
        visit_from=window.opens_at,
        visit_until=window.closes_at,
        service_s=old.service_s,
    )
    session.add(stop)
    session.flush()
    route.distance_m += int(legs.distance_m[0, 0])
    route.travel_s += int(legs.travel_s[0, 0])
    return stop, ["after-shift"] if begins + timedelta(seconds=old.service_s) > route.ends_at else []


def _end_of(session: Session, route: Route, now: datetime) -> _End:
    last = session.execute(
        select(Stop.position, Stop.arrival_from, Stop.service_s, Address.latitude, Address.longitude)
        .join(Address, (Address.agency_id == Stop.agency_id) & (Address.id == Stop.address_id))
        .where(Stop.agency_id == current_agency(), Stop.route_id == route.id)
        .order_by(Stop.position.desc())
        .limit(1)
    ).one_or_none()
    if last is None:
        return _End(0, Point(route.start_latitude, route.start_longitude), max(route.starts_at, now))
    free_at = last.arrival_from + timedelta(seconds=last.service_s)
    return _End(last.position, Point(last.latitude, last.longitude), max(free_at, now))


def _window(
    session: Session, visit: Visit, address: Address, point: Point, plan: Plan, parts: PlanningParts
) -> ContactWindow:
    rules = law_in_force(session, parts).rules_of(address.jurisdiction)
    if rules is None:
        raise Problem("conflict", str(NO_RULES), at="visit_id")
    sector = load(session, Creditor, load(session, Person, visit.person_id).creditor_id).sector
    zones = {*parts.calendars.zones_at(point.latitude, point.longitude), *filter(None, [address.timezone])}
    days_off = parts.calendars.days_off(rules.holidays, plan.for_day.year)
    window = contact_window(plan.for_day, zones, rules, sector, days_off)
    if isinstance(window, Refusal):
        raise Problem("conflict", str(window.rule), at="visit_id")
    return window
