"""Where agents are, as far as the office knows: what of a route took place, what takes place now, what is left of it.

The rules stand in docs/planning.md, "Planning again while agents are out". Facts come from what phones reported.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from field_api.domain.contact_rules import Refusal
from field_api.domain.routing import AgentDay, Done, Point, StopWish

TravelTime = Callable[[Point, Point], int]
"""Seconds from one place to another."""


@dataclass(frozen=True)
class StopNow:
    """A stop of a published route, as it stands.

    `wish` has the contact hours as the law has them by now, or `refused` says that it has none any more. `begun_at`:
    the first fact reported from there; `done_at`: the last one, once nobody there is left to be visited. `letters`:
    printed ones for it, which are in its agent's bag.
    """

    key: UUID
    position: int
    wish: StopWish
    arrival_from: datetime
    arrival_to: datetime
    begun_at: datetime | None = None
    done_at: datetime | None = None
    letters: int = 0
    refused: Refusal | None = None
    pinned: bool = False  # to its agent, by a dispatcher
    hours: tuple[datetime, datetime] | None = None  # contact hours, which the wish's windows may be a part of

    @property
    def service(self) -> timedelta:
        return timedelta(seconds=self.wish.service_s)


@dataclass(frozen=True)
class RouteNow:
    """An agent's day with the stops of their route in its order; without any where they are on duty and have none.

    `heard_at`: when one of the agent's phones was heard last. What was told in the office: `ill`, `late_s` (behind
    their time), `free_at` (not to go on before). `lunch_at`: when they were to have lunch.
    """

    agent_id: UUID
    day: AgentDay
    stops: tuple[StopNow, ...] = ()
    heard_at: datetime | None = None
    ill: bool = False
    late_s: int = 0
    free_at: datetime | None = None
    lunch_at: datetime | None = None


@dataclass(frozen=True)
class Fact:
    """A stop that took place, takes place, or (`presumed`) took place as far as anybody knows."""

    stop: StopNow
    begins_at: datetime
    ends_at: datetime
    presumed: bool = False

    def done(self, agent: int) -> Done:
        return Done(agent, self.begins_at, self.ends_at)


@dataclass(frozen=True)
class Whereabouts:
    """`facts` in order of time; `current` is the last of them, where the agent is or is on the way to. `left` in order
    of the route. `day` begins when and where the agent can go on, if no fact says it."""

    day: AgentDay
    facts: tuple[Fact, ...]
    current: StopNow | None
    left: tuple[StopNow, ...]


def whereabouts(route: RouteNow, now: datetime, travel_s: TravelTime) -> Whereabouts:
    """What is known of a route at `now`.

    Whoever is ill is nowhere: what their phone reported is done, all else is left, without a current stop.
    """
    facts = _facts(route, now)
    known = {fact.stop.key for fact in facts}
    left = tuple(stop for stop in route.stops if stop.key not in known)
    if route.ill:
        return Whereabouts(route.day, facts, None, left)
    here = _current(route, facts, left, now, travel_s)
    if here is not None:
        facts, left = (*facts, here), tuple(stop for stop in left if stop.key != here.stop.key)
        return Whereabouts(_day_from(route, here.ends_at, now), facts, here.stop, left)
    free = (max(now, facts[-1].ends_at) if facts else route.day.starts_at) + timedelta(seconds=route.late_s)
    free = max(now, free, route.free_at or free)
    if facts:
        facts = (*facts[:-1], replace(facts[-1], ends_at=free))
        return Whereabouts(_day_from(route, free, now), facts, None, left)
    return Whereabouts(replace(_day_from(route, free, now), starts_at=free), (), None, left)


def _day_from(route: RouteNow, free: datetime, now: datetime) -> AgentDay:
    """Without a lunch that is over, or that there is no time for any more."""
    lunch = route.day.lunch
    over = lunch is not None and (free > lunch.latest or (route.lunch_at is not None and route.lunch_at <= now))
    return replace(route.day, lunch=None) if over else route.day


def _facts(route: RouteNow, now: datetime) -> tuple[Fact, ...]:
    """Reported by `now`, and presumed; in order of time."""
    found = []
    for stop in route.stops:
        if stop.done_at is not None:
            ends = min(stop.done_at, now)  # a phone's clock may be ahead
            found.append(Fact(stop, min(stop.begun_at or ends, ends), ends))
        elif not route.ill and _presumed_done(stop, now, route.heard_at):
            found.append(Fact(stop, stop.arrival_from, stop.arrival_from + stop.service, presumed=True))
    return tuple(sorted(found, key=lambda fact: (fact.ends_at, fact.stop.position)))


def _presumed_done(stop: StopNow, now: datetime, heard_at: datetime | None) -> bool:
    """Whether it ought to be over, and its phone was not heard since it could have been begun and ended: the agent did
    it as planned, for all that anybody knows, and nobody else should go there."""
    silent = heard_at is None or heard_at < stop.arrival_from + stop.service
    return stop.begun_at is None and silent and stop.arrival_to + stop.service <= now


def _current(
    route: RouteNow, facts: Sequence[Fact], left: Sequence[StopNow], now: datetime, travel_s: TravelTime
) -> Fact | None:
    """Where the agent is: something was reported from there since the last stop that is done. Else where the agent is
    on the way to: the next on the route after that one, or the first, once its time or the route has begun."""
    last = facts[-1] if facts else None
    late = timedelta(seconds=route.late_s)
    begun = [stop for stop in left if stop.begun_at is not None and (last is None or stop.begun_at >= last.ends_at)]
    if begun:
        there = max(begun, key=lambda one: (one.begun_at or now, one.position))
        begins = min(there.begun_at or now, now)
        ends = max(begins + there.service, now) + late
        return Fact(there, begins, max(ends, route.free_at or ends))
    behind = [one for one in left if last is None or one.position > last.stop.position]
    if not left:
        return None
    stop = (behind or left)[0]
    if stop.refused is not None:
        return None
    if last is None and now < min(stop.arrival_from, route.day.starts_at):
        return None
    leaves, place = (last.ends_at, last.stop.wish.point) if last else (route.day.starts_at, route.day.start)
    arrives = max(now, leaves + timedelta(seconds=travel_s(place, stop.wish.point))) + late
    begins = max(arrives, stop.wish.opens_at, route.free_at or arrives)
    if not any(opens <= begins and begins + stop.service <= closes for opens, closes in stop.wish.windows):
        return None  # too late for the contact hours: nobody is on the way to where they may not go
    return Fact(stop, begins, begins + stop.service)
