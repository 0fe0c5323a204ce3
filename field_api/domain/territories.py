"""Cut a day into routing problems that have nothing to do with each other: cities, and parts of large ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt

from field_api.domain.contact_rules import Rule
from field_api.domain.routing import NO_WAY_S, AgentDay, Legs, Matrix, StopWish, may_visit, speaks
from field_api.domain.vocabulary import NotPlannedReason

MOST_STOPS = 600
"""Above it the search gets slow without getting better: the day is solved in groups of neighbours, in rounds."""
MOST_STOPS_PER_AGENT = 150
"""About three days' work: what lies further from its agents than so many nearer stops is not considered at all."""

Reach = npt.NDArray[np.bool_]

NOBODY_ON_DUTY = Rule("nobody-on-duty", "no agent has a shift on that day without an absence or a published route", "H")
NOBODY_CAN = Rule("skills", "no agent on duty has all the skills that are needed there", "H")
NOBODY_WORKS_THERE = Rule("territory", "no agent on duty works in that territory", "H")
NOBODY_IS_ALL = Rule("agents", "no agent on duty has language, skills and territory for it together", "H")
NOBODY_SPEAKS_IT = Rule("language", "no agent on duty speaks the language of the person sought", "H")
OUT_OF_REACH = Rule("out-of-reach", "no agent on duty gets there and back within the shift", "H")
NO_ROAD = Rule("no-road", "the road engine knows no way there and back for any agent on duty", "H")
HOURS_AND_SHIFTS = Rule("shifts", "no shift of an agent on duty meets the contact hours there", "H")
NOT_ENOUGH_TIME = Rule("no-time", "no route has time left for it: others fit better", "H")


@dataclass(frozen=True)
class Part:
    """Indices of agents and stops that are solved together."""

    agents: tuple[int, ...]
    stops: tuple[int, ...]


@dataclass(frozen=True)
class Split:
    parts: tuple[Part, ...]
    unreachable: dict[int, tuple[NotPlannedReason, Rule]]  # by stop
    crowded_out: tuple[int, ...]  # stops behind MOST_STOPS_PER_AGENT nearer ones
    reach: Reach  # agents x stops: who would be in time there, with nothing else to do


def split(agents: Sequence[AgentDay], stops: Sequence[StopWish], out: Legs, back: Legs) -> Split:
    """Parts, and the stops that nobody can reach. `out` is agents' starts x stops, `back` stops x agents' ends."""
    if not agents:
        return Split(
            (),
            dict.fromkeys(range(len(stops)), (NotPlannedReason.NO_AGENT, NOBODY_ON_DUTY)),
            (),
            np.zeros((0, len(stops)), bool),
        )
    spoken = _allowed(agents, stops)
    reach = spoken & _in_time(agents, stops, out.travel_s, back.travel_s.T)
    _bind(stops, reach)
    unreachable = {
        stop: _why(agents, stops[stop], spoken[:, stop], out.travel_s[:, stop] + back.travel_s[stop])
        for stop in np.flatnonzero(~reach.any(axis=0)).tolist()
    }
    parts, crowded_out = [], []
    nearness = _nearness(stops, reach, out.travel_s)
    for group in _groups(reach):
        part, left = _part(group, reach, nearness)
        parts.append(part)
        crowded_out += left
    return Split(tuple(part for part in parts if part.stops), unreachable, tuple(crowded_out), reach)


def _bind(stops: Sequence[StopWish], reach: Reach) -> None:
    """A visit that took place belongs to its agent's route, whether or not it would fit."""
    for index, stop in enumerate(stops):
        if stop.done is not None:
            reach[:, index] = False
            reach[stop.done.agent, index] = True


def _allowed(agents: Sequence[AgentDay], stops: Sequence[StopWish]) -> Reach:
    """Whether the agent may be sent there, by agent and stop. Each kind of stop is asked about once: a day has few."""
    kinds: dict[object, list[bool]] = {}
    columns = []
    for stop in stops:
        kind = (stop.language, stop.skills, stop.territory, stop.agent)
        if kind not in kinds:
            kinds[kind] = [may_visit(agent, number, stop) for number, agent in enumerate(agents)]
        columns.append(kinds[kind])
    return np.array(columns, dtype=bool).reshape(len(stops), len(agents)).T


def _in_time(agents: Sequence[AgentDay], stops: Sequence[StopWish], out_s: Matrix, back_s: Matrix) -> Reach:
    """Whether an agent with nothing else to do would be in time at the stop, and back before the shift ends."""
    arrives = _column([agent.starts_at for agent in agents]) + out_s
    service = np.array([[stop.service_s for stop in stops]])
    ends = _column([agent.ends_at for agent in agents])
    reached: Reach = np.zeros(arrives.shape, dtype=bool)
    for number in range(max((len(stop.windows) for stop in stops), default=0)):
        windows = [stop.windows[min(number, len(stop.windows) - 1)] for stop in stops]
        done = np.maximum(arrives, _row([opens for opens, _ in windows])) + service
        reached |= (done <= _row([closes for _, closes in windows])) & (done + back_s <= ends)
    return reached


def _why(
    agents: Sequence[AgentDay], stop: StopWish, spoken: Reach, there_and_back_s: Matrix
) -> tuple[NotPlannedReason, Rule]:
    if not spoken.any():
        return NotPlannedReason.NO_AGENT, _why_nobody(agents, stop)
    if (there_and_back_s[spoken] >= NO_WAY_S).all():
        return NotPlannedReason.NO_ROAD, NO_ROAD
    shift_s = np.array([(agent.ends_at - agent.starts_at).total_seconds() for agent in agents])
    if not (spoken & (there_and_back_s + stop.service_s <= shift_s)).any():
        return NotPlannedReason.NO_AGENT, OUT_OF_REACH
    return NotPlannedReason.OUTSIDE_CONTACT_HOURS, HOURS_AND_SHIFTS


def _why_nobody(agents: Sequence[AgentDay], stop: StopWish) -> Rule:
    if not any(speaks(agent.languages, stop.language) for agent in agents):
        return NOBODY_SPEAKS_IT
    if not any(stop.skills <= agent.skills for agent in agents):
        return NOBODY_CAN
    if not any(agent.territories is None or stop.territory in agent.territories for agent in agents):
        return NOBODY_WORKS_THERE
    return NOBODY_IS_ALL


def _groups(reach: Reach) -> list[list[int]]:
    """Agents that share a stop, directly or through others. Days of more than MOST_STOPS are cut otherwise
    (`field_api.domain.clusters`)."""
    shares = (reach.astype(np.int32) @ reach.T.astype(np.int32)) > 0
    left = set(range(len(reach)))
    groups = []
    while left:
        waiting, group = [min(left)], set()
        while waiting:
            agent = waiting.pop()
            if agent in left:
                left.discard(agent)
                group.add(agent)
                waiting += [int(other) for other in np.flatnonzero(shares[agent])]
        groups.append(sorted(group))
    return groups


def _nearness(stops: Sequence[StopWish], reach: Reach, out_s: Matrix) -> Matrix:
    """Seconds from an agent's start; nought to whom a stop is bound, so that no other crowds it out."""
    bound = np.array([stop.done is not None or stop.agent is not None for stop in stops], dtype=bool)
    return np.where(reach, np.where(bound, 0, out_s), np.iinfo(np.int64).max)


def _part(group: list[int], reach: Reach, nearness: Matrix) -> tuple[Part, list[int]]:
    """The stops whose nearest able agent is in the group, the nearer first up to the limit, and those beyond it."""
    nearest = nearness.argmin(axis=0)
    own = np.flatnonzero(np.isin(nearest, group) & reach.any(axis=0))
    by_distance = own[np.argsort(nearness[:, own].min(axis=0), kind="stable")] if own.size else own
    most = MOST_STOPS_PER_AGENT * len(group)
    kept, left = by_distance[:most], by_distance[most:]
    return Part(tuple(group), tuple(sorted(int(stop) for stop in kept))), [int(stop) for stop in left]


def _column(moments: Sequence[datetime]) -> Matrix:
    return np.array([[int(moment.timestamp())] for moment in moments], dtype=np.int64)


def _row(moments: Sequence[datetime]) -> Matrix:
    return np.array([[int(moment.timestamp()) for moment in moments]], dtype=np.int64)
