"""Write a day that was planned again: what goes to another agent or another time, what falls out, what is new.

Phones are told what changed and nothing else: an agent whose stops stay as they were hears nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from field_api.domain.replanned import ChangeOfStop, Line
from field_api.domain.replanning import numbered
from field_api.domain.routing import PlacedRoute, PlacedStop, StopWish
from field_api.domain.territories import NOT_ENOUGH_TIME
from field_api.domain.vocabulary import ChangeKind, VisitEventKind
from field_api.platform.tenancy import current_agency
from field_api.queries.arrays import among
from field_api.queries.day_under_way import AgentNow
from field_api.records.planning import Absence, Route, Stop
from field_api.records.visits import Visit, VisitAccount, VisitEvent
from field_api.usecases.empty_route import empty_route
from field_api.usecases.make_visit_keys import make_visit_keys
from field_api.usecases.note_visit_event import note_visit_event, staff_actor
from field_api.usecases.publish_plan import make_real
from field_api.usecases.renew_letters import renew_letters
from field_api.usecases.replanned_day import Replanned
from field_api.usecases.tell_agent import tell_agent, tell_agents
from field_api.usecases.withdraw_visit import take_back
from field_api.usecases.write_routes import ARRIVAL_SPAN, Rows, add_stop, insert_rows


def write_replan(session: Session, found: Replanned, *, by: UUID | None, ill: Collection[UUID]) -> None:
    """The caller has locked the visits, and found this with them as they are. Whoever fell ill is absent that day, or
    the next planning would send them out again."""
    note_absences(session, ill, found.plan.for_day)
    _Writing(session, found, by).write()


def note_absences(session: Session, agent_ids: Collection[UUID], day: date) -> None:
    known = session.scalars(
        select(Absence.agent_id).where(
            Absence.agency_id == current_agency(),
            among(Absence.agent_id, agent_ids),
            Absence.first_day <= day,
            Absence.last_day >= day,
        )
    )
    for agent_id in sorted(set(agent_ids) - set(known)):
        session.add(Absence(agent_id=agent_id, first_day=day, last_day=day))


class _Writing:
    def __init__(self, session: Session, found: Replanned, by: UUID | None) -> None:
        self.session, self.found, self.by = session, found, by
        self.now, self.actor = found.now, staff_actor(by)
        keys = [stop.key for agent in found.looked_at for stop in agent.now.stops]
        self.stops = {stop.id: stop for stop in session.scalars(_locked(Stop, keys))}
        route_ids = [agent.route_id for agent in found.looked_at if agent.route_id]
        self.routes = {route.agent_id: route for route in session.scalars(_locked(Route, route_ids))}
        self.visits: dict[UUID, list[Visit]] = {}
        for visit in session.scalars(_visits(keys)):
            self.visits.setdefault(visit.stop_id, []).append(visit)
        self.at: dict[int, UUID] = {  # rows of the problem's stops
            number: stop.key for number, stop in enumerate(found.under.open_stops, start=found.under.facts)
        }
        self.moved: list[Visit] = []
        self.tells: list[tuple[UUID, ChangeKind, UUID]] = []
        self.route_changed: set[UUID] = set()  # agents

    def write(self) -> None:
        lines = self.found.lines
        told_anew = {line.stop.key for line in lines if line.change is ChangeOfStop.RETIMED and line.stop}
        for line in lines:
            if line.change is ChangeOfStop.DROPPED:
                self._drop(line)
        for line in lines:
            if line.change is ChangeOfStop.MOVED:
                self._move(line)
        self._add()
        self.session.flush()
        for agent in range(len(self.found.under.routes)):
            self._settle(agent, told_anew)
        self.session.flush()
        moved = [visit.id for visit in self.moved]
        make_visit_keys(self.session, moved)
        renew_letters(self.session, moved, self.now, actor=self.actor, reason="planned again")
        ordered = sorted(self.route_changed & self.routes.keys(), key=str)
        tell_agents(self.session, [(agent_id, ChangeKind.ROUTE, self.routes[agent_id].id) for agent_id in ordered])
        tell_agents(self.session, dict.fromkeys(self.tells))

    def _drop(self, line: Line) -> None:
        self.route_changed.add(self.found.owner(line.told.key).agent_id)
        visits = [visit for visit in self._out(line.told.key) if line.visit_id in (None, visit.id)]
        reason = f"planned again: {line.why.rule if line.why else NOT_ENOUGH_TIME}"
        take_back(self.session, visits, reason=reason, now=self.now, actor=self.actor)

    def _move(self, line: Line) -> None:
        """To the other agent's route, as `reassign_visit` does it: version up, other keys, the old phone is told first.
        Where somebody was visited at the stop, that stays where it was, and the rest goes on as a stop of its own."""
        stop, old = self.stops[line.told.key], self.found.owner(line.told.key).agent_id
        new = self.found.agent_of(line.to_agent or 0)
        route = self._route_of(new)
        out = self._out(stop.id)
        if any(visit.stop_id == stop.id and visit not in out for visit in self.visits[stop.id]):
            stop = self._split(stop, out)
        stop.route_id = route.id
        for visit in out:
            visit.agent_id = new.agent_id
            visit.assignment_version += 1
            body = {"from": str(old), "to": str(new.agent_id), "plan_id": str(self.found.plan.id)}
            note_visit_event(self.session, visit.id, VisitEventKind.REASSIGNED, self.now, self.actor, body)
            tell_agent(self.session, old, ChangeKind.VISIT, visit.id, urgent=True)
        self.moved += out
        self.route_changed |= {old, new.agent_id}

    def _split(self, stop: Stop, out: list[Visit]) -> Stop:
        columns = ("route_id", "address_id", "arrival_from", "arrival_to", "visit_from", "visit_until", "service_s")
        rest = Stop(position=-stop.position, **{name: getattr(stop, name) for name in columns})  # numbered later
        self.session.add(rest)
        self.session.flush()
        for visit in out:
            visit.stop_id = rest.id
        number = next(number for number, key in self.at.items() if key == stop.id)
        self.at[number], self.stops[rest.id], self.visits[rest.id] = rest.id, rest, out
        return rest

    def _add(self) -> None:
        """Newcomers are written as a draft's stops are, and published at once."""
        rows: Rows = {Route: [], Stop: [], Visit: [], VisitAccount: [], VisitEvent: []}
        new: list[UUID] = []
        for number, agent, placed in self._placed_newcomers():
            sought = self.found.newcomers[number - self.found.under.added_from]
            route = self._route_of(agent)
            position = -number  # numbered later
            key = add_stop(
                rows, self.found.plan, route.id, agent.agent_id, position, placed, sought, self.now, self.actor
            )
            self.at[number] = key
            self.route_changed.add(agent.agent_id)
            new.append(key)
        if not new:
            return
        self.session.flush()
        insert_rows(self.session, rows)
        self.stops |= {stop.id: stop for stop in self.session.scalars(_locked(Stop, new))}
        visits = list(self.session.scalars(_visits(new)))
        for visit in visits:
            self.visits.setdefault(visit.stop_id, []).append(visit)
        make_real(self.session, self.found.plan, visits, now=self.now, published_by=self.by)

    def _placed_newcomers(self) -> Iterator[tuple[int, AgentNow, PlacedStop]]:
        for route in self.found.answer.routes:
            for entry in route.stops:
                if entry.stop >= self.found.under.added_from:
                    yield entry.stop, self.found.agent_of(route.agent), entry

    def _settle(self, agent: int, told_anew: Collection[UUID]) -> None:
        """Numbers and times of one agent's stops, and of the route, where something of it is another now."""
        under, placed = self.found.under, self.found.route(agent)
        facts = under.known[agent].facts
        rest = placed.stops[len(facts) :] if placed else ()
        owner = self.found.agent_of(agent)
        current = under.known[agent].current
        if current is not None and current.key in told_anew:
            self._tell_time(self.stops[current.key], facts[-1].begins_at, current.wish, current.hours)
            self._say(self.stops[current.key])
            self.route_changed.add(owner.agent_id)
        same = [entry.stop for entry in rest] == list(under.before[agent])
        if same and not any(self.at[entry.stop] in told_anew for entry in rest):
            if owner.agent_id in self.route_changed and placed:
                self._tell_route(owner, placed, bool(facts))
            return
        on_it = {stop.key for stop in owner.now.stops}
        old = [self.stops[key].position if (key := self.at[entry.stop]) in on_it else None for entry in rest]
        numbers = numbered(old, max((fact.stop.position for fact in facts), default=0))
        for entry, was, number in zip(rest, old, numbers, strict=True):
            self._place(entry, was, number, told_anew)
        self.route_changed.add(owner.agent_id)
        if placed:
            self._tell_route(owner, placed, bool(facts))

    def _place(self, entry: PlacedStop, was: int | None, number: int, told_anew: Collection[UUID]) -> None:
        stop = self.stops[self.at[entry.stop]]
        timed_anew = was is None or stop.id in told_anew
        if not timed_anew and was == number:
            return
        stop.position = number
        if timed_anew:
            self._tell_time(stop, entry.begins_at, self.found.problem.stops[entry.stop], self._hours(entry.stop))
        self._say(stop)

    def _hours(self, number: int) -> tuple[datetime, datetime] | None:
        """Contact hours of a told stop; a newcomer was written with its own."""
        told = number - self.found.under.facts
        return self.found.under.open_stops[told].hours if number < self.found.under.added_from else None

    def _tell_time(
        self, stop: Stop, begins_at: datetime, wish: StopWish, hours: tuple[datetime, datetime] | None
    ) -> None:
        """`wish` says when the visit may begin, also by when somebody is there, which is no contact hour."""
        service = timedelta(seconds=wish.service_s)
        until = next((closes for opens, closes in wish.windows if opens <= begins_at < closes), stop.visit_until)
        stop.arrival_from = begins_at
        stop.arrival_to = max(begins_at, min(begins_at + ARRIVAL_SPAN, until - service))
        if hours is not None:
            stop.visit_from, stop.visit_until = hours
        stop.service_s = wish.service_s
        for visit in self._out(stop.id):
            body = {
                "plan_id": str(self.found.plan.id),
                "position": stop.position,
                "arrival_from": begins_at.isoformat(),
            }
            note_visit_event(self.session, visit.id, VisitEventKind.PLANNED, self.now, self.actor, body)

    def _tell_route(self, owner: AgentNow, placed: PlacedRoute, begun: bool) -> None:
        route = self.routes[owner.agent_id]
        route.distance_m, route.travel_s, route.ends_at = placed.distance_m, placed.travel_s, placed.ends_at
        if placed.lunch_at is not None:
            route.lunch_at = placed.lunch_at
        if not begun:
            route.starts_at = placed.starts_at

    def _say(self, stop: Stop) -> None:
        self.tells += [(visit.agent_id, ChangeKind.VISIT, visit.id) for visit in self._out(stop.id)]

    def _out(self, stop_id: UUID) -> list[Visit]:
        return [visit for visit in self.visits.get(stop_id, []) if visit.state == "published"]

    def _route_of(self, agent: AgentNow) -> Route:
        """Theirs, or one of the plan for whom nothing was planned."""
        if agent.agent_id not in self.routes:
            made = empty_route(self.session, self.found.plan.id, agent.agent_id, agent.now.day)
            self.routes[agent.agent_id] = made
        return self.routes[agent.agent_id]


def _locked(table: Any, keys: Collection[UUID]) -> Any:
    return (
        select(table)
        .where(table.agency_id == current_agency(), among(table.id, keys))
        .order_by(table.id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )


def _visits(stop_ids: Collection[UUID]) -> Any:
    return (
        select(Visit)
        .where(Visit.agency_id == current_agency(), among(Visit.stop_id, stop_ids))
        .order_by(Visit.id)
        .execution_options(populate_existing=True)
    )
