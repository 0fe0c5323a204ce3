"""The doorstep lock: what two right answers, or a code, open (docs/protocol.md §7). Nothing here writes anything.

A visit's locks all look alike and are known by number alone. Number 0 is the person's who is sought; who is behind the
others, if anybody, is told by what an opened part says of its party.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sync.phone import crypto, wire
from sync.phone.answers import ANSWER_KINDS, NoAnswer, normal_answer
from sync.phone.crockford import tidy
from sync.phone.crypto import BadSeal
from sync.phone.errors import NotAllowed
from sync.phone.feed import nul

LOCK = b"doorstep-lock-v1"
ANSWER = b"doorstep-answer-v1"
BY_ANSWERS = b"doorstep-lock-answers-v1"
BY_CODE = b"doorstep-lock-code-v1"
BY_ATTESTATION = b"doorstep-lock-attestation-v1"
BEFORE_ARRIVAL = b"doorstep-lock-before-arrival-v1"
ROUNDS = 20_000
OPEN_TRIES = 5
CODE_TRIES = 10
CODE_LENGTH = 13
SOUGHT, OTHER = "sought", "other"
CLAIMS = (SOUGHT, OTHER)
"""Who somebody says to be: the one sought, or another who is entitled."""


@dataclass(frozen=True)
class Brief:
    """What may be said to this party alone. Printing it shows nothing; it lives in memory only."""

    visit: str
    person: str
    lock: int
    contents: dict[str, Any] = field(repr=False)


@dataclass(frozen=True)
class Place:
    """Where a lock hangs: all ids as text, `sought` the person sought."""

    agency: str
    device: str
    visit: str
    sought: str
    number: int

    @property
    def hung(self) -> bytes:
        return nul(self.visit, str(self.number))


@dataclass(frozen=True)
class Locks:
    """A visit's locks, as last published."""

    agency: str
    device: str
    visit: str
    body: Mapping[str, Any] = field(repr=False)

    def meant(self, claim: str) -> Iterator[tuple[Place, Mapping[str, Any]]]:
        """The locks that this claim may be tried at."""
        locks: Sequence[Mapping[str, Any]] = wire.field(self.body, "locks", list)
        sought = str(wire.field(self.body, "person", str))
        for number, lock in enumerate(locks):
            if (number == 0) == (claim == SOUGHT):
                yield Place(self.agency, self.device, self.visit, sought, number), lock

    def by_answers(self, claim: str, answers: Mapping[str, str]) -> Brief | None:
        """The brief, or None where the answers are wrong. Raises NotAllowed `two-answers-needed`: that is no try.

        Of the one sought the questions are known. Of others they are not, since that would tell who is tied to a debt:
        any two kinds are tried, and what is not on file is wrong.
        """
        kinds = sorted(answers)
        if len(kinds) != 2 or not set(kinds) <= ANSWER_KINDS or (claim == SOUGHT and not self._independent(kinds)):
            raise NotAllowed("two-answers-needed", "of different groups, among the questions of this visit")
        for place, lock in self.meant(claim):
            pair = [_stretched(place, kind, answers[kind]) for kind in kinds]
            if None in pair:
                return None
            kek = crypto.derive(b"".join(filter(None, pair)), BY_ANSWERS + place.hung)
            if (brief := _open(lock, place, wire.field(lock, "answers", list), kek)) is not None:
                return brief
        return None

    def _independent(self, kinds: Sequence[str]) -> bool:
        groups = {question["kind"]: question["group"] for question in wire.field(self.body, "questions", list)}
        first, second = (groups.get(kind) for kind in kinds)
        return None not in (first, second) and first != second

    def by_code(self, claim: str, code: str) -> Brief | None:
        """The brief, or None where the code is wrong. Raises NotAllowed `not-a-code`: that is no try."""
        secret = tidy(code, CODE_LENGTH).encode("ascii")
        return self._first(claim, "code", lambda place: crypto.derive(secret, _bound_to_device(place)))

    def by_opener(self, claim: str, opener: str, context: bytes) -> Brief | None:
        """What the agency's policy lays under the sheet key; None where it lays nothing there."""
        given = wire.field(self.body, "openers", dict).get(opener)
        if given is None:
            return None
        secret = wire.binary({opener: given}, opener)
        return self._first(claim, opener, lambda place: crypto.derive(secret, context + place.hung))

    def _first(self, claim: str, name: str, kek_of: Callable[[Place], bytes]) -> Brief | None:
        for place, lock in self.meant(claim):
            if (brief := _open(lock, place, [lock.get(name)], kek_of(place))) is not None:
                return brief
        return None


def _bound_to_device(place: Place) -> bytes:
    return BY_CODE + place.hung + nul(place.device)


def _stretched(place: Place, kind: str, answer: str) -> bytes | None:
    try:
        normal = normal_answer(kind, answer)
    except NoAnswer:
        return None
    salt = crypto.sha256(ANSWER + nul(place.agency, place.sought, str(place.number), kind))
    return crypto.stretch(normal.encode(), salt, ROUNDS)


def _open(lock: Mapping[str, Any], place: Place, wraps: Iterable[Any], kek: bytes) -> Brief | None:
    """None where the key does not fit. A key that fits a part that does not open is the office's fault: Untrusted."""
    associated = LOCK + place.hung
    for wrap in wraps:
        try:
            key = crypto.unseal(kek, wire.binary({"wrap": wrap}, "wrap"), associated)
        except BadSeal:
            continue
        try:
            packed = crypto.unseal(key, wire.binary(lock, "ct"), associated)
        except BadSeal as error:
            raise wire.bad("a locked part does not open under its own key") from error
        contents = dict(wire.unpack(packed))
        person = wire.field(wire.field(contents, "party", dict), "person", str)
        return Brief(place.visit, person, place.number, contents)
    return None
