"""What planning a day again changes, line by line: for a dispatcher who looks before agreeing."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from field_api.domain.contact_rules import Refusal
from field_api.domain.day_under_way import StopNow
from field_api.domain.replanning import UnderWay, nobody_may
from field_api.domain.routing import RoutingAnswer, RoutingProblem
from field_api.domain.territories import NOBODY_IS_ALL, NOT_ENOUGH_TIME
from field_api.domain.vocabulary import NotPlannedReason


class ChangeOfStop(StrEnum):
    MOVED = "moved"  # another agent's now
    RETIMED = "retimed"  # its agent's still, at another time than was told
    DROPPED = "dropped"  # on no route any more
    ADDED = "added"
    NOT_ADDED = "not_added"


@dataclass(frozen=True)
class Line:
    """`stop` was told; or `added` is the index of a newcomer. `to_agent` is whose it is now, an index into the routes
    that can take stops. `why`: of what is on no route; `visit_id` where that is one visit of a stop that stays.
    """

    change: ChangeOfStop
    stop: StopNow | None = None
    added: int | None = None
    to_agent: int | None = None
    begins_at: datetime | None = None
    why: Refusal | None = None
    visit_id: UUID | None = None

    @property
    def told(self) -> StopNow:
        """The stop of a line that is about one. Raises ValueError of a newcomer's."""
        if self.stop is None:
            raise ValueError("a newcomer was told to nobody")
        return self.stop


def changes(day: UnderWay, problem: RoutingProblem, answer: RoutingAnswer) -> list[Line]:
    """What is told of a stop and is not so any more, and every newcomer; where the law refuses a stop, first."""
    placed = {entry.stop: (route.agent, entry.begins_at) for route in answer.routes for entry in route.stops}
    lines = [Line(ChangeOfStop.DROPPED, stop, why=stop.refused) for stop in day.refused]
    for number, stop in enumerate(day.open_stops, start=day.facts):
        lines += _of_told(problem, number, stop, placed.get(number))
    for number in range(day.added_from, len(day.stops)):
        newcomer = number - day.added_from
        if number in placed:
            agent, begins_at = placed[number]
            lines.append(Line(ChangeOfStop.ADDED, added=newcomer, to_agent=agent, begins_at=begins_at))
        else:
            lines.append(Line(ChangeOfStop.NOT_ADDED, added=newcomer, why=_why(problem, number)))
    return [*lines, *_late_for_the_current(day)]


def _of_told(problem: RoutingProblem, number: int, stop: StopNow, now: tuple[int, datetime] | None) -> Iterable[Line]:
    told = problem.stops[number].told
    if told is None:
        return
    if now is None:
        yield Line(ChangeOfStop.DROPPED, stop, why=_why(problem, number))
    elif told.moved(now[0]):
        yield Line(ChangeOfStop.MOVED, stop, to_agent=now[0], begins_at=now[1])
    elif told.retimed(now[1]):
        yield Line(ChangeOfStop.RETIMED, stop, to_agent=now[0], begins_at=now[1])


def _late_for_the_current(day: UnderWay) -> Iterable[Line]:
    """The stop that an agent is on the way to stays what it is; only its time is told anew, where it will be later."""
    for agent, known in enumerate(day.known):
        fact = known.facts[-1] if known.facts else None
        if known.current is None or fact is None or known.current.begun_at is not None:
            continue
        if fact.begins_at > known.current.arrival_to:
            yield Line(ChangeOfStop.RETIMED, known.current, to_agent=agent, begins_at=fact.begins_at)


def _why(problem: RoutingProblem, number: int) -> Refusal:
    if nobody_may(problem, number):
        return Refusal(NotPlannedReason.NO_AGENT, NOBODY_IS_ALL)
    return Refusal(NotPlannedReason.NO_TIME_ON_ANY_ROUTE, NOT_ENOUGH_TIME)


def digest_of(lines: Iterable[Line], agent_ids: Sequence[UUID]) -> str:
    """Sixteen hex digits that are others as soon as something else is moved, dropped or added; times do not count,
    which move on between a look and the agreement."""
    words = sorted(
        f"{line.change}/{line.stop.key if line.stop else line.added}/{_whose(line, agent_ids)}"
        for line in lines
        if line.change is not ChangeOfStop.RETIMED
    )
    return hashlib.sha256("\n".join(words).encode()).hexdigest()[:16]


def _whose(line: Line, agent_ids: Sequence[UUID]) -> UUID | None:
    return None if line.to_agent is None else agent_ids[line.to_agent]
