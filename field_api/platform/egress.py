"""Outlets: every way by which something leaves is declared here, with the audiences that it is for.

A module that makes an outlet declares it when it is imported; each process compares, as it starts, what it has with
what is declared, and refuses to start with an outlet that nobody declared. What passes an outlet is refused where it
has a key that its shape does not list, and no shape can be declared with a label that one of the audiences may not see.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeAlias

from field_api.domain.confidential import Confidential, audience, declared_audience
from field_api.domain.disclosure import Audience, Label, may_see
from field_api.domain.labelled import Whole
from field_api.platform.crash import StartRefused

Shape: TypeAlias = "Label | Whole | Closed | Mapping[str, Shape] | Sequence[Shape]"
"""A label for a plain value, a mapping for an object's keys, a list of one shape for an array of such."""

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_PLAIN = (str, int, float, bool, type(None))


class OutletKind(StrEnum):
    ROUTE = "route"  # of the office
    DOOR_ROUTE = "door_route"
    JOB = "job"  # a unit of the worker's round
    TEMPLATE = "template"  # of a PDF
    EXPORT = "export"
    FEED_ITEM = "feed_item"  # a part of an item on its way to a phone
    EMAIL = "email"
    METRIC = "metric"
    LOG_EVENT = "log_event"
    OBJECT_KEY = "object_key"  # the name under which bytes are stored
    DOWNLOAD_NAME = "download_name"
    TERMINAL = "terminal"  # what a command shows to the operator who ran it


class UndeclaredOutlet(StartRefused):
    """Something would leave by a way that nobody declared, or by one declared for too many eyes."""


class EgressRefused(RuntimeError):
    """What was about to leave does not fit its outlet. Names the outlet and the place in it, never a value."""

    def __init__(self, way: str, trouble: str, place: str = "") -> None:
        self.place = place.replace("[]", "") or "whole"
        self.outlet_place = f"{way.replace(' ', ':')}:{self.place}"
        super().__init__(f"{way}: {place or 'the whole'} {trouble}")


class Misfit(EgressRefused):
    """A value of another kind or form than its place has: rather a record that is broken than a way out too wide."""


@dataclass(frozen=True)
class Closed:
    """A value that is one of a closed set or, as text, has a form."""

    label: Label
    form: re.Pattern[str]


@dataclass(frozen=True)
class Outlet:
    """One way out. `labels` is what may pass: what every audience may see, or less where the outlet says so."""

    kind: OutletKind
    name: str
    audiences: frozenset[Audience]
    labels: frozenset[Label]
    shape: Shape | None = None
    note: str = field(default="", compare=False)

    @property
    def place(self) -> str:
        return f"{self.kind.value} {self.name}"


class Registry:
    """The outlets of a process. The module's own is `REGISTRY`; tests make others."""

    def __init__(self) -> None:
        self._outlets: dict[tuple[OutletKind, str], Outlet] = {}

    def declare(
        self,
        kind: OutletKind,
        name: str,
        *audiences: Audience,
        shape: Shape | None = None,
        at_most: Collection[Label] | None = None,
        note: str = "",
    ) -> Outlet:
        """Declare an outlet and return it. `at_most` narrows the labels that may pass.

        Raises UndeclaredOutlet without an audience, for a shape with a label that one of them may not see, and for a
        name that was declared otherwise before.
        """
        if not audiences:
            raise UndeclaredOutlet(f"{kind.value} {name}: no audience")
        visible = {label for label in Label if all(may_see(who, label) for who in audiences)}
        labels = frozenset(visible if at_most is None else visible & set(at_most))
        outlet = Outlet(kind, name, frozenset(audiences), labels, shape, note)
        for place, label in shape_labels(shape):
            if label not in labels:
                raise UndeclaredOutlet(f"{outlet.place}: {place or 'the whole'} is {label.value}, which may not pass")
        known = self._outlets.setdefault((kind, name), outlet)
        if known != outlet:
            raise UndeclaredOutlet(f"{outlet.place} is declared twice, differently")
        return known

    def outlet(self, kind: OutletKind, name: str) -> Outlet:
        """The declared outlet. Raises UndeclaredOutlet."""
        found = self._outlets.get((kind, name))
        if found is None:
            raise UndeclaredOutlet(f"{kind.value} {name} is not declared")
        return found

    def outlets(self, kind: OutletKind | None = None) -> list[Outlet]:
        """All of them, or those of a kind, by kind and name."""
        return sorted(
            (outlet for outlet in self._outlets.values() if kind in (None, outlet.kind)),
            key=lambda outlet: (outlet.kind, outlet.name),
        )

    def check(self, found: Iterable[tuple[OutletKind, str]]) -> None:
        """For a start-up: raises UndeclaredOutlet naming every one of `found` that is not declared."""
        missing = sorted({f"{kind.value} {name}" for kind, name in found if (kind, name) not in self._outlets})
        if missing:
            raise UndeclaredOutlet("not declared in field_api.platform.egress: " + ", ".join(missing))


REGISTRY = Registry()
declare, outlet, outlets, check_declared = REGISTRY.declare, REGISTRY.outlet, REGISTRY.outlets, REGISTRY.check


@contextmanager
def working_for(way: Outlet, who: Audience | None = None) -> Iterator[Outlet]:
    """Run a job, render or export as the outlet's audience; `who` chooses where it has several."""
    chosen = who or (next(iter(way.audiences)) if len(way.audiences) == 1 else None)
    if chosen is None or chosen not in way.audiences:
        raise EgressRefused(way.place, "is not for this audience")
    with audience(chosen):
        yield way


def require_audience(way: Outlet) -> None:
    """Raises EgressRefused unless the running work declared one of the outlet's audiences."""
    if declared_audience() not in way.audiences:
        raise EgressRefused(way.place, "is made by work that is not for its audience")


def passed(way: Outlet, value: Any) -> Any:
    """`value`, where it fits the outlet's shape. Raises EgressRefused with the first place that does not."""
    if way.shape is None:
        raise EgressRefused(way.place, "was declared without a shape: nothing passes")
    _pass(way, way.shape, value, "")
    return value


def shape_labels(shape: Shape | None, place: str = "") -> Iterator[tuple[str, Label]]:
    """Every place of a shape with its label."""
    if isinstance(shape, Label):
        yield place, shape
    elif isinstance(shape, (Closed, Whole)):
        yield place, shape.label
    elif isinstance(shape, Mapping):
        for name, inner in shape.items():
            yield from shape_labels(inner, f"{place}.{name}" if place else name)
    elif shape is not None:
        for inner in shape:
            yield from shape_labels(inner, f"{place}[]")


def _pass(way: Outlet, shape: Shape, value: Any, place: str) -> None:
    if value is None:
        return
    if isinstance(value, Confidential):
        raise EgressRefused(way.place, "is a value that was not revealed", place)
    if isinstance(shape, Mapping):
        _pass_object(way, shape, value, place)
    elif isinstance(shape, Whole):
        _pass_whole(way, value, place)
    elif isinstance(shape, Sequence) and not isinstance(shape, Label):
        if not isinstance(value, (list, tuple)):
            raise Misfit(way.place, "is no array", place)
        for inner in value:
            _pass(way, shape[0], inner, f"{place}[]")
    elif not isinstance(value, _PLAIN):
        raise Misfit(way.place, "is no plain value", place)
    elif isinstance(shape, Closed) and not shape.form.fullmatch(str(value)):
        raise Misfit(way.place, "is not of its form", place)


def _pass_whole(way: Outlet, value: Any, place: str) -> None:
    """Whatever plain data: but no value that was not revealed hides in it, and nothing that prints itself."""
    inner = list(value.values()) if isinstance(value, Mapping) else value
    if isinstance(inner, (list, tuple)):
        for each in inner:
            _pass_whole(way, each, place)
    elif not isinstance(value, _PLAIN):
        raise Misfit(way.place, "is no plain value", place)


def _pass_object(way: Outlet, shape: Mapping[str, Shape], value: Any, place: str) -> None:
    if not isinstance(value, Mapping):
        raise Misfit(way.place, "is no object", place)
    for name, inner in value.items():
        known = shape.get(name)
        if known is None:
            shown = name if isinstance(name, str) and _NAME.fullmatch(name) else "?"  # a key may be data itself
            raise EgressRefused(way.place, "is not listed", f"{place}.{shown}" if place else shown)
        _pass(way, known, inner, f"{place}.{name}" if place else name)
