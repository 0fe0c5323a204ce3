"""Cut a day into routing problems that have nothing to do with each other: cities, and parts of large ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt

from field_api.domain.contact_rules import Rule
from field_api.domain.routing import AgentDay, Legs, Matrix, StopWish, speaks
from field_api.domain.vocabulary import NotPlannedReason

MOST_STOPS = 600
"""Above it the search gets slow without getting better: the territory is halved while it has agents to share."""
MOST_AGENTS_IN_A_PART = 5
MOST_STOPS_PER_AGENT = 150
"""About three days' work: what lies further from its agents than so many nearer stops is not considered at all."""

Reach = npt.NDArray[np.bool_]

NOBODY_ON_DUTY = Rule("nobody-on-duty", "no agent has a shift on that day without an absence or a published route", "H")
NOBODY_SPEAKS_IT = Rule("language", "no agent on duty speaks the language of the person sought", "H")
OUT_OF_REACH = Rule("out-of-reach", "no agent on duty gets there and back within the shift", "H")
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


def split(agents: Sequence[AgentDay], stops: Sequence[StopWish], out: Legs, back: Legs) -> Split:
    """Parts, and the stops that nobody can reach. `out` is agents' starts x stops, `back` stops x agents' ends."""
    if not agents:
        return Split((), dict.fromkeys(range(len(stops)), (NotPlannedReason.NO_AGENT, NOBODY_ON_DUTY)), ())
    spoken = np.array([[speaks(agent.languages, stop.language) for stop in stops] for agent in agents], dtype=bool)
    spoken = spoken.reshape(len(agents), len(stops))
    reach = spoken & _in_time(agents, stops, out.travel_s, back.travel_s.T)
    unreachable = {
        stop: _why(agents, stops[stop], spoken[:, stop], out.travel_s[:, stop] + back.travel_s[stop])
        for stop in np.flatnonzero(~reach.any(axis=0)).tolist()
    }
    parts, crowded_out = [], []
    for group in _groups(agents, reach):
        part, left = _part(group, reach, out.travel_s)
        parts.append(part)
        crowded_out += left
    return Split(tuple(part for part in parts if part.stops), unreachable, tuple(crowded_out))


def _in_time(agents: Sequence[AgentDay], stops: Sequence[StopWish], out_s: Matrix, back_s: Matrix) -> Reach:
    """Whether an agent with nothing else to do would be in time at the stop, and back before the shift ends."""
    earliest = np.maximum(_column([a.starts_at for a in agents]) + out_s, _row([s.opens_at for s in stops]))
    done = earliest + np.array([[stop.service_s for stop in stops]])
    in_hours = done <= _row([stop.closes_at for stop in stops])
    home_in_time = done + back_s <= _column([agent.ends_at for agent in agents])
    both: Reach = in_hours & home_in_time
    return both


def _why(
    agents: Sequence[AgentDay], stop: StopWish, spoken: Reach, there_and_back_s: Matrix
) -> tuple[NotPlannedReason, Rule]:
    if not spoken.any():
        return NotPlannedReason.NO_AGENT, NOBODY_SPEAKS_IT
    shift_s = np.array([(agent.ends_at - agent.starts_at).total_seconds() for agent in agents])
    if not (spoken & (there_and_back_s + stop.service_s <= shift_s)).any():
        return NotPlannedReason.NO_AGENT, OUT_OF_REACH
    return NotPlannedReason.OUTSIDE_CONTACT_HOURS, HOURS_AND_SHIFTS


def _groups(agents: Sequence[AgentDay], reach: Reach) -> list[list[int]]:
    """Agents that share a stop, directly or through others; large groups halved across their longer side."""
    shares = (reach.astype(np.int32) @ reach.T.astype(np.int32)) > 0
    left = set(range(len(agents)))
    groups = []
    while left:
        waiting, group = [min(left)], set()
        while waiting:
            agent = waiting.pop()
            if agent in left:
                left.discard(agent)
                group.add(agent)
                waiting += [int(other) for other in np.flatnonzero(shares[agent])]
        groups += _halved(agents, sorted(group), int(reach[sorted(group)].any(axis=0).sum()))
    return groups


def _halved(agents: Sequence[AgentDay], group: list[int], stops: int) -> list[list[int]]:
    if stops <= MOST_STOPS or len(group) <= MOST_AGENTS_IN_A_PART:
        return [group]
    latitudes = [agents[agent].start.latitude for agent in group]
    longitudes = [agents[agent].start.longitude for agent in group]
    north_south = max(latitudes) - min(latitudes) >= max(longitudes) - min(longitudes)
    key = latitudes if north_south else longitudes
    ordered = [agent for _, agent in sorted(zip(key, group, strict=True))]
    middle = len(ordered) // 2
    # Stops are shared out by nearness afterwards: about half each.
    return [half for part in (ordered[:middle], ordered[middle:]) for half in _halved(agents, sorted(part), stops // 2)]


def _part(group: list[int], reach: Reach, out_s: Matrix) -> tuple[Part, list[int]]:
    """The stops whose nearest able agent is in the group, the nearer first up to the limit, and those beyond it."""
    far = np.iinfo(np.int64).max
    nearness = np.where(reach, out_s, far)
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
