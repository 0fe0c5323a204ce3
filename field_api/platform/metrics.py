"""Numbers about a process, in Prometheus' text form (version 0.0.4): counts, lengths of calls, queues.

Every label has a closed set of values: so no number ever stands for a person, an account, a creditor, an agency or a
phone, and all series are known before the first is counted. That is why the processes of one door can count in one
piece of memory that the first of them shares with the others by forking, each in a row of its own.
"""

from __future__ import annotations

import mmap
import re
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product

from field_api.domain.disclosure import Audience, Label
from field_api.platform.egress import Closed, OutletKind, declare, outlet, passed
from field_api.platform.overload import Load

MAX_PROCESSES = 64  # of one door
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
"""Upper bounds of the counted lengths; a phone hangs up after 60 s."""
STATUSES = ("2xx", "3xx", "401", "4xx", "429", "503", "5xx")
_NUMBER = Closed(Label.INTERNAL, re.compile(r"-?\d+(\.\d+)?(e[+-]?\d+)?"))


@dataclass(frozen=True)
class Family:
    """One metric. `kind` is counter, gauge or histogram (of seconds); `labels`: name to all its values."""

    name: str
    kind: str
    help: str
    labels: Mapping[str, Sequence[str]] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        shape = {name: Closed(Label.INTERNAL, re.compile("|".join(values))) for name, values in self.labels.items()}
        declare(OutletKind.METRIC, self.name, Audience.MACHINE, shape={**shape, "value": _NUMBER})

    def series(self) -> Iterator[tuple[str, ...]]:
        yield from product(*self.labels.values())

    @property
    def cells(self) -> int:
        """Numbers of one series: a histogram has its buckets, all of them, and the sum."""
        return len(SECONDS) + 2 if self.kind == "histogram" else 1


DOOR_CALLS = Family(
    "doorstep_door_call_seconds", "histogram", "Calls of phones by kind and status.",
    {"kind": tuple(Load), "status": STATUSES},
)  # fmt: skip
DOOR_IN_HAND = Family("doorstep_door_calls_in_hand", "gauge", "Calls being served now.", {"kind": tuple(Load)})
OFFICE_CALLS = Family(
    "doorstep_office_call_seconds", "histogram", "Calls of the office's API and pages.",
    {"kind": ("read", "write"), "status": STATUSES},
)  # fmt: skip
STEPS = ("sync", "media", "copies")
WORK = Family("doorstep_work_seconds", "histogram", "Steps of the worker's rounds.", {"step": STEPS})
WORK_FAILED = Family("doorstep_work_failures_total", "counter", "Steps that failed.", {"step": STEPS})
VERDICTS = Family(
    "doorstep_verdicts_total", "counter", "What became of operations, each time it was decided.",
    {"verdict": ("applied", "late", "held", "quarantined", "fork")},
)  # fmt: skip
OBJECTS_FLAWED = Family(
    "doorstep_objects_flawed_total", "counter", "Stored objects that were asked for and are missing or not as written.",
    {"store": ("office", "door"), "flaw": ("missing", "corrupt")},
)  # fmt: skip
STORE_UNAVAILABLE = Family(
    "doorstep_store_unavailable_total", "counter", "Calls to a store of objects that failed: it was away, or refused.",
    {"store": ("office", "door")},
)  # fmt: skip
OF_STORES = (OBJECTS_FLAWED, STORE_UNAVAILABLE)
OF_THE_DOOR = (DOOR_CALLS, DOOR_IN_HAND, *OF_STORES)
OF_THE_OFFICE = (OFFICE_CALLS, *OF_STORES)
OF_THE_WORKER = (WORK, WORK_FAILED, VERDICTS, *OF_STORES)


class Board:
    """Where the processes of one part count. Make it before forking, and `take_row` in each fork."""

    def __init__(self, families: Sequence[Family], processes: int = MAX_PROCESSES) -> None:
        self.families = {family.name: family for family in families}
        self._places: dict[tuple[str, tuple[str, ...]], int] = {}
        width = 0
        for family in families:
            for values in family.series():
                self._places[family.name, values] = width
                width += family.cells
        self._width, self._rows = width, processes
        self._numbers = memoryview(mmap.mmap(-1, max(1, width * processes) * 8)).cast("d")
        self._lock = threading.Lock()
        self._first = 0

    def take_row(self, number: int) -> None:
        """Count from here on in this row: counters go on where a process that died left them, gauges begin anew."""
        self._first, self._lock = (number % self._rows) * self._width, threading.Lock()
        for (name, _), place in self._places.items():
            if self.families[name].kind == "gauge":
                self._numbers[self._first + place] = 0.0

    def add(self, family: Family, *values: str, by: float = 1.0) -> None:
        place = self._first + self._places[family.name, values]
        with self._lock:
            self._numbers[place] += by

    def observe(self, family: Family, seconds: float, *values: str) -> None:
        """One call or step of this length."""
        place = self._first + self._places[family.name, values]
        bucket = next((n for n, bound in enumerate(SECONDS) if seconds <= bound), len(SECONDS))
        with self._lock:
            self._numbers[place + bucket] += 1
            self._numbers[place + len(SECONDS) + 1] += seconds

    def text(self) -> str:
        """All families, summed over the processes."""
        return "".join(_told(family, self._lines(family)) for family in self.families.values())

    def _sum(self, place: int) -> float:
        return sum(self._numbers[row * self._width + place] for row in range(self._rows))

    def _lines(self, family: Family) -> Iterator[str]:
        for values in family.series():
            place = self._places[family.name, values]
            labels = dict(zip(family.labels, values, strict=True))
            if family.kind != "histogram":
                yield line(family, family.name, labels, self._sum(place))
                continue
            total = 0.0
            for number, bound in enumerate((*SECONDS, "+Inf")):
                total += self._sum(place + number)
                yield line(family, f"{family.name}_bucket", labels, total, le=str(bound))
            yield line(family, f"{family.name}_sum", labels, self._sum(place + len(SECONDS) + 1))
            yield line(family, f"{family.name}_count", labels, total)


def gauges_text(values: Mapping[Family, float]) -> str:
    """Gauges without labels, as they are now."""
    return "".join(_told(family, [line(family, family.name, {}, value)]) for family, value in values.items())


def line(family: Family, name: str, labels: Mapping[str, str], value: float, le: str = "") -> str:
    """One sample. Raises EgressRefused for a label or value that the family does not list."""
    told = repr(int(value)) if float(value).is_integer() else repr(float(value))
    passed(outlet(OutletKind.METRIC, family.name), {**labels, "value": told})
    shown = ",".join(f'{key}="{text}"' for key, text in [*labels.items(), *([("le", le)] if le else [])])
    return f"{name}{{{shown}}} {told}\n" if shown else f"{name} {told}\n"


def status_of(code: int) -> str:
    """The class of a status, or the status itself where it says something of its own."""
    return str(code) if str(code) in STATUSES else f"{code // 100}xx"


def _told(family: Family, lines: Iterable[str]) -> str:
    return f"# HELP {family.name} {family.help}\n# TYPE {family.name} {family.kind}\n" + "".join(lines)
