"""The doorstep lock: what two right answers, or a code, open (docs/protocol.md §7). Nothing here writes anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sync.phone import crypto, wire
from sync.phone.answers import NoAnswer, normal_answer
from sync.phone.crockford import tidy
from sync.phone.crypto import BadSeal
from sync.phone.errors import NotAllowed
from sync.phone.feed import nul

LOCK = b"doorstep-lock-v1"
ANSWER = b"doorstep-answer-v1"
BY_ANSWERS = b"doorstep-lock-answers-v1"
BY_CODE = b"doorstep-lock-code-v1"
ROUNDS = 20_000
OPEN_TRIES = 5


@dataclass(frozen=True)
class Brief:
    """What may be said to this party alone. Printing it shows nothing; it lives in memory only."""

    visit: str
    person: str
    contents: dict[str, Any] = field(repr=False)


@dataclass(frozen=True)
class Place:
    """Where a lock hangs: all ids as text."""

    agency: str
    device: str
    visit: str
    person: str


def find_lock(visit_body: Mapping[str, Any], person: str) -> dict[str, Any]:
    """Raises NotAllowed `unknown-person`."""
    for lock in visit_body.get("locks") or []:
        if lock.get("person") == person:
            return dict(lock)
    raise NotAllowed("unknown-person", "the visit has no locked part for this person")


def by_answers(lock: Mapping[str, Any], place: Place, answers: Mapping[str, str]) -> Brief | None:
    """The brief, or None where the answers are wrong. Two answers of one wrapped pair are needed: NotAllowed
    `two-answers-needed` is no try."""
    pairs = [w for w in lock["wraps"] if w["method"] == "answers" and set(w["kinds"]) <= set(answers)]
    if not pairs:
        raise NotAllowed("two-answers-needed", "of different groups, among the questions of this lock")
    stretched: dict[str, bytes | None] = {}
    for wrap in pairs:
        for kind in wrap["kinds"]:
            if kind not in stretched:
                stretched[kind] = _stretched(place, kind, answers[kind])
        first, second = (stretched[kind] for kind in wrap["kinds"])
        if first is not None and second is not None:
            kek = crypto.derive(first + second, BY_ANSWERS + nul(place.visit, place.person))
            if (brief := _open(lock, place, wrap, kek)) is not None:
                return brief
    return None


def by_code(lock: Mapping[str, Any], place: Place, code: str) -> Brief | None:
    """The brief, or None where the code is wrong. Raises NotAllowed `not-a-code` or `no-code`."""
    wraps = [wrap for wrap in lock["wraps"] if wrap["method"] == "code"]
    if not wraps:
        raise NotAllowed("no-code", "this lock has no code")
    info = BY_CODE + nul(place.visit, place.person, place.device)
    kek = crypto.derive(tidy(code, 13).encode("ascii"), info)
    return next((brief for wrap in wraps if (brief := _open(lock, place, wrap, kek)) is not None), None)


def _stretched(place: Place, kind: str, answer: str) -> bytes | None:
    try:
        normal = normal_answer(kind, answer)
    except NoAnswer:
        return None
    salt = crypto.sha256(ANSWER + nul(place.agency, place.person, kind))
    return crypto.stretch(normal.encode(), salt, ROUNDS)


def _open(lock: Mapping[str, Any], place: Place, wrap: Mapping[str, Any], kek: bytes) -> Brief | None:
    """None where the key does not fit. A key that fits a part that does not open is the office's fault: Untrusted."""
    associated = LOCK + nul(place.visit, place.person)
    try:
        key = crypto.unseal(kek, wire.binary(wrap, "wrap"), associated)
    except BadSeal:
        return None
    try:
        packed = crypto.unseal(key, wire.binary(lock, "ct"), associated)
    except BadSeal as error:
        raise wire.bad("a locked part does not open under its own key") from error
    return Brief(place.visit, place.person, dict(wire.unpack(packed)))
