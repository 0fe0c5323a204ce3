"""Who does what on which phone: the day in two parts, with everything that goes wrong on the way."""

from __future__ import annotations

from collections.abc import Set
from uuid import UUID

from doorstep.demo.fates import FATES, Step, finds_nobody
from doorstep.demo.office import DemoVisit

Routes = dict[str, list[DemoVisit]]
FIRST_FATE = {"MX-1": 15, "MX-2": 5, "US-1": 10, "US-2": 0, "LI-1": 20, "LI-2": 25}
CLOCKS = {"MX-1": "1970-01-01T00:00:00Z"}
"""This phone's wall clock is wrong all day."""
STAYS_OFFLINE = frozenset({"MX-1", "US-1", "LI-1"})
"""These hear at noon nothing of what the office changed: what they record at such doors comes late."""


def mornings(visits: Routes) -> dict[str, list[Step]]:
    """Everybody pulls and works through the first half of the route; some send, each in its own way."""
    scripts: dict[str, list[Step]] = {}
    for code, mine in visits.items():
        half = len(mine) // 2
        scripts[code] = [
            {"do": "pull"},
            {"do": "session", "app_version": "1.0.0", "platform": "reference", "battery_percent": 97},
            *_fates(code, mine, 0, half),
            *SENDING.get(code, []),
        ]
    return scripts


SENDING: dict[str, list[Step]] = {
    "US-1": [{"do": "push"}],
    "MX-2": [{"do": "network", "lose_answers": 1}, {"do": "push"}, {"do": "network"}],
    "US-2": [{"do": "kill", "at": "upload.sending", "times": 2}, {"do": "upload"}, {"do": "push"}],
    "LI-2": [{"do": "network", "repeat": 2}, {"do": "push"}, {"do": "network"}],
}
"""A reply lost after the door committed; a phone killed in the middle of an upload; every batch sent three times."""


def afternoons(visits: Routes, gained: Routes, lost: set[UUID]) -> dict[str, list[Step]]:
    """The second half; phones that were told of changes leave out what was taken and go where they were sent."""
    scripts: dict[str, list[Step]] = {}
    for code, mine in visits.items():
        half = len(mine) // 2
        if code in STAYS_OFFLINE:
            scripts[code] = [*_fates(code, mine, half, None, lost), *EVENING]
        else:
            left = [*(visit for visit in mine if visit.visit_id not in lost), *gained.get(code, [])]
            scripts[code] = [{"do": "pull"}, *_fates(code, left, half, None), *EVENING]
    return scripts


EVENING: list[Step] = [
    {"do": "push", "batch": 20},
    {"do": "upload"},
    {"do": "settle", "timeout_s": 120, "every_s": 1.0},
]
"""Everybody sends what is left, and waits until the office has said what became of it."""


def _fates(
    code: str, visits: list[DemoVisit], first: int, last: int | None, lost: Set[UUID] = frozenset()
) -> list[Step]:
    """Nobody is met at a door that was taken away meanwhile: a hold placed there would make the new agent's report late
    or not, by whose phone is applied first, and the counts would no longer be the seed's alone."""
    steps: list[Step] = []
    for number, visit in list(enumerate(visits))[first:last]:
        fate = finds_nobody if visit.visit_id in lost else FATES[(FIRST_FATE[code] + number) % len(FATES)]
        steps += fate(visit.door)
    return steps
