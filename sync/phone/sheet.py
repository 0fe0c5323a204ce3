"""The visit sheet on the phone: today's stops in order, and each visit's latest state."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from sync.phone import wire
from sync.phone.errors import NotAllowed
from sync.phone.feed import Content, read_content
from sync.phone.handset import Handset


@dataclass(frozen=True)
class Stop:
    """A visit as it may be shown before any identity check: the open part, whom it seeks, and what they can be asked.

    Of the locks nothing is shown: neither how many have somebody behind them nor who that is.
    """

    visit: str
    day: str
    position: int
    arrival_from: str
    arrival_to: str
    visit_from: str | None  # None: an office of an older release, which does not say
    visit_until: str
    timezone: str
    open: dict[str, Any] = field(repr=False)
    person: str = ""
    questions: tuple[dict[str, str], ...] = field(default=(), repr=False)


def apply(handset: Handset, content: Content) -> None:
    """Take one verified content into the phone, inside the caller's transaction. Raises Untrusted."""
    match content.kind:
        case "verdict":
            handset.store.put("verdict", wire.field(content.body, "seq", int), {"op": content.ref, **content.body})
        case "keys":
            handset.trust_more(content.body)
        case _:
            keep(handset, content)


def keep(handset: Handset, content: Content) -> None:
    """Store an entity's state, unless a higher version is there. Unknown kinds are kept unread, tombstones too: they
    hold nothing but the version that older states must not come back behind."""
    slot = handset.store.name("sheet", content.kind, content.ref)
    held = handset.store.get_bytes("sheet", slot)
    if held is None or read_content(held).version <= content.version:
        handset.store.put_bytes("sheet", slot, content.packed)


def entities(handset: Handset, kind: str) -> Iterator[Content]:
    for _, packed in handset.store.all_bytes("sheet"):
        content = read_content(packed)
        if content.kind == kind:
            yield content


def visit_of(handset: Handset, visit: str) -> dict[str, Any]:
    """A visit's body as last published. Raises NotAllowed `unknown-visit` or `visit-withdrawn`."""
    packed = handset.store.get_bytes("sheet", handset.store.name("sheet", "visit", visit))
    if packed is None:
        raise NotAllowed("unknown-visit", "not on this phone's sheet")
    body = read_content(packed).body
    if body.get("state") != "published":
        raise NotAllowed("visit-withdrawn", "the office took it back")
    return body


def stops(handset: Handset) -> list[Stop]:
    """All published visits: by day, then by position on the route."""
    found = [_stop(c.ref, c.body) for c in entities(handset, "visit") if c.body.get("state") == "published"]
    return sorted(found, key=lambda stop: (stop.day, stop.position, stop.visit))


def _stop(visit: str, body: dict[str, Any]) -> Stop:
    stop = wire.field(body, "stop", dict)
    texts = (str(stop[name]) for name in ("day", "arrival_from", "arrival_to", "visit_until", "timezone"))
    day, arrival_from, arrival_to, until, timezone = texts
    visit_from = stop.get("visit_from")
    position = int(wire.field(stop, "position", int))
    opened, person = wire.field(body, "open", dict), wire.field(body, "person", str)
    questions = tuple(wire.field(body, "questions", list))
    start = None if visit_from is None else str(visit_from)
    return Stop(visit, day, position, arrival_from, arrival_to, start, until, timezone, opened, person, questions)


def routes(handset: Handset) -> list[dict[str, Any]]:
    found = [c.body for c in entities(handset, "route") if "state" not in c.body]
    return sorted(found, key=lambda body: str(body.get("day")))
