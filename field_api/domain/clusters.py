"""Large days: groups of neighbouring agents that are solved on their own, and other groups in the next round.

Agents of one group exchange stops; those of different groups do not. So every round groups them anew, from another
side of the area, and starts from the routes that it finds.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import cos, radians, sin

import numpy as np
import numpy.typing as npt

from field_api.domain.routing import AgentDay, PlacedRoute, Point, StopWish
from field_api.domain.territories import Part, Reach

AGENTS_TOGETHER = 5
CANDIDATES_PER_AGENT = 90
"""Stops that a group is offered, the nearest to its routes: some three times what an agent gets to in a day."""
TURN = 2.4
"""Radians from one round's side to the next one's: never the same side twice in a few rounds."""

Places = npt.NDArray[np.float64]


def regrouped(
    agents: Sequence[AgentDay], stops: Sequence[StopWish], routes: Sequence[PlacedRoute], reach: Reach, turn: int
) -> list[Part]:
    """Parts of the day for the round `turn`: each stop in one part at most, with the agent who has it now. `reach` is
    agents x stops: who can be there in time at all."""
    where = _plane([stop.point for stop in stops])
    starts = _plane([agent.start for agent in agents])
    own = {route.agent: [entry.stop for entry in route.stops] for route in routes}
    ways = [where[own[agent]] if own.get(agent) else starts[agent : agent + 1] for agent in range(len(agents))]
    groups = neighbours(np.array([way.mean(axis=0) for way in ways]), turn)
    taken = {stop for order in own.values() for stop in order}
    free = np.array([i for i in range(len(stops)) if i not in taken and reach[:, i].any()], dtype=np.int64)
    nearness = np.array([_to_way(where[free], way) for way in ways])
    nearness[~reach[:, free]] = np.inf
    nearest = nearness.argmin(axis=0) if free.size else free
    return [_part(group, own, free, nearest, nearness) for group in groups]


def neighbours(centres: Places, turn: int) -> list[list[int]]:
    """Groups of AGENTS_TOGETHER or fewer: the outermost agent on one side with those nearest, until none is left."""
    side = centres @ np.array([cos(turn * TURN), sin(turn * TURN)])
    left = list(range(len(centres)))
    groups = []
    while left:
        first = min(left, key=lambda agent: (side[agent], agent))
        far = np.hypot(*(centres[left] - centres[first]).T)
        chosen = sorted(left[at] for at in np.argsort(far, kind="stable")[:AGENTS_TOGETHER])
        groups.append(chosen)
        left = [agent for agent in left if agent not in chosen]
    return groups


def _part(
    group: list[int],
    own: dict[int, list[int]],
    free: npt.NDArray[np.int64],
    nearest: npt.NDArray[np.int64],
    nearness: Places,
) -> Part:
    mine = np.flatnonzero(np.isin(nearest, group))
    by_distance = mine[np.argsort(nearness[:, mine].min(axis=0), kind="stable")] if mine.size else mine
    kept = [stop for agent in group for stop in own.get(agent, [])]
    offered = free[by_distance[: max(0, CANDIDATES_PER_AGENT * len(group) - len(kept))]].tolist()
    return Part(tuple(group), tuple(sorted([*kept, *offered])))


def _to_way(places: Places, way: Places) -> npt.NDArray[np.float64]:
    """From each place to the nearest of the way's, in metres as the crow flies."""
    apart = places[:, None, :] - way[None, :, :]
    nearest: npt.NDArray[np.float64] = np.sqrt((apart**2).sum(axis=2)).min(axis=1)
    return nearest


def _plane(points: Sequence[Point]) -> Places:
    """Metres east and north of nowhere: good enough for who is near whom in one area."""
    middle = sum(point.latitude for point in points) / max(1, len(points))
    return np.array(
        [(point.longitude * cos(radians(middle)) * 111_195.0, point.latitude * 111_195.0) for point in points],
        dtype=np.float64,
    ).reshape(-1, 2)
