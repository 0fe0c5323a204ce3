"""A plan as it stands, as values that a solver and a timetable take: for changes by hand, and for planning again."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from field_api.domain.contact_rules import ContactWindow, Refusal
from field_api.domain.eligibility import Candidate, Eligible, Law, as_sought, window_at
from field_api.domain.ports import PlanningParts, Travel
from field_api.domain.routing import Point, RoutingProblem, StopWish
from field_api.domain.stops import SoughtStop, SoughtVisit, stop_of
from field_api.platform.tenancy import current_agency
from field_api.queries.agents_on_duty import OnDuty
from field_api.queries.arrays import among
from field_api.queries.eligible_accounts import accounts_in_question
from field_api.queries.law_in_force import law_in_force
from field_api.records.drafts import ManualWish
from field_api.records.people import Address, Person
from field_api.records.planning import Plan, Route, Stop
from field_api.records.visits import Visit, VisitAccount


@dataclass(frozen=True)
class VisitOnPlan:
    visit_id: UUID
    person_id: UUID
    address_id: UUID
    language: str
    state: str  # planned | published | done
    accounts: tuple[tuple[UUID, str], ...]  # account id, the person's role on it


@dataclass(frozen=True)
class StopOnPlan:
    """A stop with its place on a route, what is sought there, and what a dispatcher said of it by hand.

    `sought` has the contact hours by the rules in force now; the planned ones where these do not let anybody go there
    any more, or where the address is another by now.
    """

    stop_id: UUID
    route_id: UUID
    agent_id: UUID
    position: int
    arrival_from: datetime
    visits: tuple[VisitOnPlan, ...]
    sought: SoughtStop
    entries: tuple[Eligible, ...] = ()  # its accounts as candidates, those that may be sought there by now
    pinned_agent: UUID | None = None
    pinned_position: int | None = None
    added: bool = False

    @property
    def accounts(self) -> frozenset[UUID]:
        return frozenset(account_id for visit in self.visits for account_id, _ in visit.accounts)

    def wish(self, agents: Mapping[UUID, int], *, pins: bool = True) -> StopWish:
        """As a solver knows it; `agents` has the number of each in the problem. An agent that it lacks is -1."""
        wish = self.sought.wish()
        if not pins:
            return wish
        agent = None if self.pinned_agent is None else agents.get(self.pinned_agent, -1)
        return replace(wish, agent=agent, position=self.pinned_position)


def stops_of_plan(
    session: Session,
    plan: Plan,
    parts: PlanningParts,
    *,
    agent_ids: Collection[UUID] | None = None,
    law: Law | None = None,
) -> list[StopOnPlan]:
    """What stands on the plan's routes (of these agents), by agent and position, pins included. At most twenty
    statements, whatever the size."""
    rows = session.execute(_stops(plan, agent_ids)).all()
    visits = _visits(session, [row.Stop.id for row in rows])
    accounts = {account for own in visits.values() for visit in own for account, _ in visit.accounts}
    wishes = manual_wishes(session, plan.id, accounts)
    hours = _Hours(session, plan, parts, law or law_in_force(session, parts), visits)
    return [_stop(row, tuple(visits[row.Stop.id]), wishes, hours) for row in rows if row.Stop.id in visits]


def manual_wishes(
    session: Session, plan_id: UUID, account_ids: Collection[UUID] | None = None
) -> dict[UUID, ManualWish]:
    """What a dispatcher said by hand about accounts, by account."""
    query = select(ManualWish).where(ManualWish.agency_id == current_agency(), ManualWish.plan_id == plan_id)
    if account_ids is not None:
        query = query.where(among(ManualWish.account_id, account_ids))
    return {wish.account_id: wish for wish in session.scalars(query)}


def problem_of(
    agents: Sequence[OnDuty], stops: Sequence[StopOnPlan], travel: Travel, *, pins: bool = True
) -> RoutingProblem:
    """The agents' part of a plan as a problem whose `before` is the order as it stands.

    Its legs are a full matrix: for some agents at a time, never for a day of thousands of stops. Stops of other agents
    are on no route.
    """
    number = {agent.agent_id: at for at, agent in enumerate(agents)}
    wishes = tuple(stop.wish(number, pins=pins) for stop in stops)
    days = tuple(agent.day for agent in agents)
    points = [*(day.start for day in days), *(day.end for day in days), *(wish.point for wish in wishes)]
    return RoutingProblem(days, wishes, travel.between(points, points), orders_of(agents, stops))


def orders_of(agents: Sequence[OnDuty], stops: Sequence[StopOnPlan]) -> tuple[tuple[int, ...], ...]:
    """The stops' numbers in order, by agent."""
    own: dict[UUID, list[tuple[int, int]]] = {}
    for number, stop in enumerate(stops):
        own.setdefault(stop.agent_id, []).append((stop.position, number))
    return tuple(tuple(number for _, number in sorted(own.get(agent.agent_id, []))) for agent in agents)


class _Hours:
    """Which contact hours hold for a visit now."""

    def __init__(
        self,
        session: Session,
        plan: Plan,
        parts: PlanningParts,
        law: Law,
        visits: Mapping[UUID, Sequence[VisitOnPlan]],
    ) -> None:
        everything = [visit for own in visits.values() for visit in own]
        accounts = {account for visit in everything for account, _ in visit.accounts}
        sought = {visit.person_id for visit in everything}
        found = accounts_in_question(session, plan.for_day, parts, law, accounts, sought=sought)
        self.day, self.law = plan.for_day, law
        self.candidates = {candidate.account_id: candidate for candidate in found.candidates}

    def eligible(self, visit: VisitOnPlan) -> Iterable[Eligible]:
        for account_id, _ in visit.accounts:
            entry = self._entry(self.candidates.get(account_id), visit)
            if entry is not None:
                yield entry

    def _entry(self, candidate: Candidate | None, visit: VisitOnPlan) -> Eligible | None:
        candidate = as_sought(candidate, visit.person_id)
        if candidate is None:
            return None
        place = next((place for place in candidate.places if place.id == visit.address_id), None)
        if place is None or place.point is None:
            return None
        window: ContactWindow | Refusal = window_at(candidate, place, self.day, self.law)
        return None if isinstance(window, Refusal) else Eligible(candidate, place, place.point, window)


def _stop(
    row: Row[Any], visits: tuple[VisitOnPlan, ...], wishes: Mapping[UUID, ManualWish], hours: _Hours
) -> StopOnPlan:
    stop: Stop = row.Stop
    own = [wish for visit in visits for account, _ in visit.accounts if (wish := wishes.get(account)) is not None]
    entries = tuple(entry for visit in visits for entry in hours.eligible(visit))
    return StopOnPlan(
        stop_id=stop.id,
        route_id=stop.route_id,
        agent_id=row.agent_id,
        position=stop.position,
        arrival_from=stop.arrival_from,
        visits=visits,
        sought=_sought(row, visits, entries),
        entries=entries,
        pinned_agent=next((wish.agent_id for wish in own if wish.agent_id is not None), None),
        pinned_position=next((wish.position for wish in own if wish.position is not None), None),
        added=any(wish.added for wish in own),
    )


def _sought(row: Row[Any], visits: Sequence[VisitOnPlan], entries: Sequence[Eligible]) -> SoughtStop:
    """By the rules as they are now, and within the narrowest hours of what is sought there."""
    if not entries:
        stop: Stop = row.Stop
        # Without coordinates by now it counts as at the route's start: publishing takes it out.
        lost = row.latitude is None or row.longitude is None
        point = Point(row.start_latitude, row.start_longitude) if lost else Point(row.latitude, row.longitude)
        own = tuple(SoughtVisit(visit.person_id, visit.address_id, visit.accounts) for visit in visits)
        return SoughtStop(point, visits[0].language, stop.arrival_from, stop.visit_until, (), own)
    found = stop_of(sorted(entries, key=lambda entry: entry.window.closes_at - entry.window.opens_at))
    known = {visit.person_id: visit for visit in found.visits}
    return replace(
        found,
        visits=tuple(
            replace(known[visit.person_id], address_id=visit.address_id, accounts=visit.accounts)
            if visit.person_id in known
            else SoughtVisit(visit.person_id, visit.address_id, visit.accounts)
            for visit in visits
        ),
    )


def _stops(plan: Plan, agent_ids: Collection[UUID] | None) -> Any:
    query = (
        select(Stop, Route.agent_id, Address.latitude, Address.longitude)
        .add_columns(Route.start_latitude, Route.start_longitude)
        .join(Route, (Route.agency_id == Stop.agency_id) & (Route.id == Stop.route_id))
        .join(Address, (Address.agency_id == Stop.agency_id) & (Address.id == Stop.address_id))
        .where(Route.agency_id == current_agency(), Route.plan_id == plan.id)
        .order_by(Route.agent_id, Stop.position)
    )
    return query if agent_ids is None else query.where(among(Route.agent_id, agent_ids))


def _visits(session: Session, stop_ids: Collection[UUID]) -> dict[UUID, list[VisitOnPlan]]:
    query = (
        select(Visit.id, Visit.stop_id, Visit.person_id, Visit.address_id, Visit.state, Person.language)
        .add_columns(VisitAccount.account_id, VisitAccount.role)
        .join(VisitAccount, (VisitAccount.agency_id == Visit.agency_id) & (VisitAccount.visit_id == Visit.id))
        .join(Person, (Person.agency_id == Visit.agency_id) & (Person.id == Visit.person_id))
        .where(Visit.agency_id == current_agency(), among(Visit.stop_id, stop_ids))
        .order_by(Visit.stop_id, Visit.person_id, Visit.id, VisitAccount.account_id)
    )
    found: dict[UUID, dict[UUID, VisitOnPlan]] = {}
    for row in session.execute(query):
        of_stop = found.setdefault(row.stop_id, {})
        account = (row.account_id, row.role)
        known = of_stop.get(row.id)
        of_stop[row.id] = (
            VisitOnPlan(row.id, row.person_id, row.address_id, row.language, row.state, (account,))
            if known is None
            else replace(known, accounts=(*known.accounts, account))
        )
    return {stop_id: list(own.values()) for stop_id, own in found.items()}
