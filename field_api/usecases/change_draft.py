"""A dispatcher changes a draft by hand: pin, unpin, move, reorder, reassign, drop, add; or asks what it would cost."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from field_api.domain.changes_by_hand import CannotBeMeant, Change, Rearranged, placed, rearranged
from field_api.domain.contact_rules import Refusal
from field_api.domain.draft_orders import ChangeByHand, DraftOrders, Pin
from field_api.domain.draft_times import Broken, DraftTimes, Tried, newly_broken
from field_api.domain.ports import PlanningParts
from field_api.domain.routing import AgentDay, StopWish
from field_api.domain.timed import Why
from field_api.platform.problems import Problem
from field_api.queries.draft_agents import DraftAgents, codes, draft_agents
from field_api.queries.draft_problem import StopOnPlan, stops_of_plan
from field_api.queries.plan_version import must_be_seen, plan_version
from field_api.records.base import load
from field_api.records.planning import Plan
from field_api.usecases.add_to_draft import Addition, addition
from field_api.usecases.plan_day import one_planner_at_a_time
from field_api.usecases.travel_of_day import travel_of_day
from field_api.usecases.write_draft import Written, write_draft

SEED = 1
"""Of the solver's own order, which a change is compared with."""


@dataclass(frozen=True)
class RouteCost:
    """A route before and after the change. `shortest_s`: travel of the solver's own order of the same stops; None where
    the route cannot be kept."""

    agent_id: UUID
    agent_code: str
    stops_before: int
    stops_after: int
    travel_s_before: int
    travel_s_after: int
    distance_m_before: int
    distance_m_after: int
    ends_at: datetime
    shortest_s: int | None

    @property
    def above_shortest_s(self) -> int | None:
        return None if self.shortest_s is None else self.travel_s_after - self.shortest_s


@dataclass(frozen=True)
class ChangeOutcome:
    """What a change does, or would do (`done` False). It is possible where `broken` and `refusals` are empty."""

    version: str  # of the plan, now
    done: bool
    stop_id: UUID | None
    routes: list[RouteCost]
    broken: list[Broken] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)

    @property
    def possible(self) -> bool:
        return not self.broken and not self.refusals

    @property
    def travel_s_more(self) -> int:
        return sum(route.travel_s_after - route.travel_s_before for route in self.routes)

    @property
    def distance_m_more(self) -> int:
        return sum(route.distance_m_after - route.distance_m_before for route in self.routes)


def change_draft(
    session: Session,
    plan_id: UUID,
    change: Change,
    *,
    parts: PlanningParts,
    now: datetime,
    by: UUID | None,
    seen: Collection[str] | None,
    dry_run: bool = False,
) -> ChangeOutcome:
    """Change the draft, or say what that would cost. `seen`: versions that the dispatcher may have seen; None: any.

    The law holds as at any time: a change after which a visit lies outside its hours, an agent is home late, or
    somebody is sought whom a rule protects, is refused, naming the stops and by how much. Raises `not-found`,
    `already-done` for a plan that is no draft, `precondition-failed` where somebody was faster, `invalid-change`,
    `cannot-be-kept`, `rule-refuses`. About forty statements.
    """
    plan = the_draft(session, plan_id, seen)
    try:
        room = _Room.of(session, plan, change, parts, now)
        parts = travel_of_day(session, parts, plan.for_day, now, [a.day for a in room.agents.known.values()])
        after = room.after(change, parts)
    except CannotBeMeant as error:
        raise Problem("invalid-change", error.words, at=error.at) from error
    if isinstance(after, list):
        if not dry_run:
            raise Problem("rule-refuses", "a rule speaks against a visit: a dry run says which", at="account_id")
        return ChangeOutcome(plan_version(session, plan), False, None, [], refusals=after)
    outcome = room.outcome(plan_version(session, plan), change, after, parts)
    if dry_run:
        return outcome
    if outcome.broken:
        raise Problem("cannot-be-kept", "hours, shift or agent do not allow it", extra=broken_stops(outcome.broken))
    written = Written(change, room.orders, after.orders, after.tried, room.addition, seen_at=now, by=by)
    stop_id = write_draft(session, plan, room.agents, room.stops, written)
    return ChangeOutcome(plan_version(session, plan), True, stop_id, outcome.routes)


def the_draft(session: Session, plan_id: UUID, seen: Collection[str] | None) -> Plan:
    """The draft, which nobody else changes, plans anew or publishes until the commit. Raises as `change_draft`."""
    plan = load(session, Plan, plan_id)
    one_planner_at_a_time(session, plan.for_day)
    session.expire(plan)
    found = session.scalars(select(Plan).where(Plan.id == plan_id)).one_or_none()
    if found is None:
        raise Problem("not-found", "the draft was replaced by a newer one")
    if plan.state != "draft":
        raise Problem("already-done", f"the plan is {plan.state}")
    must_be_seen(session, plan, seen)
    return plan


def broken_stops(broken: Collection[Broken]) -> dict[str, object]:
    """For a problem document: ids, closed words and numbers."""
    lines = [
        {
            "why": one.why.value,
            "agent_id": str(one.agent),
            "stop_id": None if one.stop is None else str(one.stop),
            "by": one.by,
        }
        for one in broken
    ]
    return {"broken": lines}


def orders_of_draft(stops: Collection[StopOnPlan]) -> DraftOrders:
    by_agent: dict[UUID, tuple[UUID, ...]] = {}
    for stop in sorted(stops, key=lambda one: (str(one.agent_id), one.position)):
        by_agent[stop.agent_id] = (*by_agent.get(stop.agent_id, ()), stop.stop_id)
    pins = {stop.stop_id: Pin(stop.pinned_agent is not None, stop.pinned_position) for stop in stops}
    return DraftOrders(by_agent, {key: pin for key, pin in pins.items() if pin != Pin()})


@dataclass
class _Room:
    """What a change needs to know of the draft: the agents, the stops of the routes that it may touch."""

    agents: DraftAgents
    stops: list[StopOnPlan]
    orders: DraftOrders
    wishes: Mapping[UUID, StopWish]
    addition: Addition | None = None
    refusals: list[Refusal] = field(default_factory=list)

    @classmethod
    def of(cls, session: Session, plan: Plan, change: Change, parts: PlanningParts, now: datetime) -> _Room:
        agents = draft_agents(session, plan, now)
        for at, agent_id in (("agent_id", change.agent_id), ("to_agent_id", change.to_agent_id)):
            if agent_id is not None and agent_id not in agents.known:
                raise Problem("invalid-change", "the agent has no shift for this plan's day", at=at)
        stops = stops_of_plan(session, plan, parts)
        room = cls(agents, stops, orders_of_draft(stops), {stop.stop_id: stop.sought.wish() for stop in stops})
        if change.kind is ChangeByHand.ADD:
            found = addition(session, plan, change, stops, parts)
            room.refusals = found if isinstance(found, list) else []
            room.addition = None if isinstance(found, list) else found
        return room

    def after(self, change: Change, parts: PlanningParts) -> Rearranged | list[Refusal]:
        if change.kind is not ChangeByHand.ADD:
            return rearranged(self.orders, change, self._times(parts))
        if self.addition is None:
            return self.refusals
        times = self._times(parts)
        if self.addition.joins is not None:
            holder = self.addition.joins.agent_id
            return Rearranged(self.orders, (times.tried(holder, self.orders.order(holder)),))
        takers = tuple(agent.agent_id for agent in self.agents.working)
        if not takers:
            raise CannotBeMeant("kind", "no agent has a shift for this plan's day")
        asked = takers if change.agent_id is None else (change.agent_id,)
        return placed(self.orders, self.addition.stop_id, change, times, asked)

    def outcome(self, version: str, change: Change, after: Rearranged, parts: PlanningParts) -> ChangeOutcome:
        then = DraftTimes(self._days(), self.wishes, parts.travel)
        before = [then.tried(tried.agent, self.orders.order(tried.agent)) for tried in after.tried]
        broken = [*newly_broken(before, after.tried), *self._given_to_nobody(before, after.tried)]
        times = self._times(parts)
        routes = [self._cost(old, new, times, parts) for old, new in zip(before, after.tried, strict=True)]
        stop_id = change.stop_id
        if self.addition is not None:
            # A stop that is not there yet has no id to be told.
            stop_id = None if self.addition.joins is None else self.addition.stop_id
            broken = [replace(one, stop=stop_id) if one.stop == self.addition.stop_id else one for one in broken]
        return ChangeOutcome(version, False, stop_id, routes, broken)

    def _given_to_nobody(self, before: list[Tried], after: tuple[Tried, ...]) -> list[Broken]:
        """Stops that would go to somebody who has no shift any more."""
        return [
            Broken(Why.NO_SHIFT, new.agent, stop, None)
            for old, new in zip(before, after, strict=True)
            if not self.agents.may_take(new.agent)
            for stop in new.order
            if stop not in old.order
        ]

    def _cost(self, old: Tried, new: Tried, times: DraftTimes, parts: PlanningParts) -> RouteCost:
        was, now = old.timed.route, new.timed.route
        return RouteCost(
            agent_id=new.agent,
            agent_code=codes(self.agents.known.values())[new.agent],
            stops_before=len(old.order),
            stops_after=len(new.order),
            travel_s_before=was.travel_s if old.order else 0,
            travel_s_after=now.travel_s if new.order else 0,
            distance_m_before=was.distance_m if old.order else 0,
            distance_m_after=now.distance_m if new.order else 0,
            ends_at=now.ends_at,
            shortest_s=None if new.timed.faults else self._shortest_s(new, times, parts),
        )

    def _shortest_s(self, new: Tried, times: DraftTimes, parts: PlanningParts) -> int:
        return times.shortest_s(new, parts.solver, seed=SEED) if new.order else 0

    def _days(self) -> dict[UUID, AgentDay]:
        return {agent_id: agent.day for agent_id, agent in self.agents.known.items()}

    def _times(self, parts: PlanningParts) -> DraftTimes:
        wishes = self.wishes
        if self.addition is not None:
            wishes = {**wishes, self.addition.stop_id: self.addition.sought.wish()}
        return DraftTimes(self._days(), wishes, parts.travel)
