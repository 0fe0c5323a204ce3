"""The doorstep lock's verbs: who is checked, what that opens, and how long it stays open (docs/protocol.md §7)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from sync.phone import sheet
from sync.phone.errors import NotAllowed
from sync.phone.handset import Handset
from sync.phone.letters import ShownLetter, letters_of
from sync.phone.locks import (
    BEFORE_ARRIVAL,
    BY_ATTESTATION,
    CLAIMS,
    CODE_TRIES,
    OPEN_TRIES,
    SOUGHT,
    Brief,
    Locks,
)
from sync.phone.operations import Recorded, record
from sync.phone.vocabulary import DOCUMENTS, MAY_BE_CHECKED, PARTS
from sync.phone.work import Work, work_at

Body = dict[str, Any]


@dataclass(frozen=True)
class Check:
    """What a try at a lock gave. `brief` is there exactly when it passed and something was opened."""

    passed: bool
    tries_left: int
    recorded: Recorded
    brief: Brief | None = field(default=None, repr=False)


@dataclass(frozen=True)
class _Door:
    """A visit at which somebody may be checked, and who they say to be."""

    work: Work
    claim: str
    locks: Locks


class Checks:
    """Briefs that a check opened are held here, in memory, until somebody else answers."""

    def __init__(self, handset: Handset) -> None:
        self.handset = handset
        self._opened: dict[tuple[str, str], Brief] = {}

    def lock_again(self, but: Collection[str] = ()) -> None:
        """Forget every opened part, except at the visits named."""
        self._opened = {key: brief for key, brief in self._opened.items() if key[0] in but}

    def lock_others(self, visit: str, relation: str) -> None:
        """Forget every opened part that is not of whoever is recorded at this visit now: a guarantor is told of their
        own obligations alone, and an attorney may stand for somebody else."""
        self._opened = {
            key: brief for key, brief in self._opened.items() if key[0] == visit and _is_theirs(brief, relation)
        }

    def _lock_for(self, visit: str, claim: str) -> None:
        """Whoever claims to be somebody is at the door: every open part that cannot be theirs is locked, tried or not.
        Of others nothing is known before a check, so that the parts of all others may stay."""
        self._opened = {
            key: brief
            for key, brief in self._opened.items()
            if key[0] == visit and (brief.lock == 0) == (claim == SOUGHT)
        }

    def check_identity(
        self,
        visit: str,
        whose: str = SOUGHT,
        answers: Mapping[str, str] | None = None,
        code: str | None = None,
        position: Body | None = None,
    ) -> Check:
        """One try, by two answers or a code; it is on record before the brief is handed out.

        `whose` is who somebody says to be: `sought` (or that person's id), or `other`, who is entitled as well. Raises
        NotAllowed `unknown-visit`, `visit-withdrawn`, `unknown-person`, `contact-ended`, `no-encounter`,
        `third-party`, `two-answers-needed`, `only-the-code` (after five wrong answers), `no-tries-left` (after ten
        wrong codes) or `not-a-code`: none of them is a try.
        """
        door = self._locks(visit, whose)
        if code is not None and answers is None:
            if door.work.wrong_codes.get(door.claim, 0) >= CODE_TRIES:
                raise NotAllowed("no-tries-left", "ten codes were wrong: this visit opens no more")
            return self._tried(door, "code", {"position": position}, door.locks.by_code(door.claim, code))
        if answers is None or code is not None:
            raise NotAllowed("two-answers-needed", "or one code")
        if door.work.wrong.get(door.claim, 0) >= OPEN_TRIES:
            raise NotAllowed("only-the-code", "five answers were wrong")
        brief = door.locks.by_answers(door.claim, answers)
        return self._tried(door, "answers", {"kinds": sorted(answers), "position": position}, brief)

    def attest(self, visit: str, whose: str, document: str, position: Body | None = None) -> Check:
        """The agent saw a document and signs for it. It is on record in any case; it opens something, and passes, only
        where the agency's policy laid the key under the sheet key."""
        one_of(document, DOCUMENTS, "document")
        door = self._locks(visit, whose)
        brief = door.locks.by_opener(door.claim, "attestation", BY_ATTESTATION)
        return self._tried(door, "attestation", {"document": document, "position": position}, brief)

    def read_before_arrival(self, visit: str) -> Brief:
        """The brief of the one sought on the way there, where the agency's policy lets agents read it: on record first.

        Raises NotAllowed `not-by-policy`, or `third-party` once somebody was met there.
        """
        body, work = sheet.visit_of(self.handset, visit), work_at(self.handset, visit)
        if work.relation is not None:
            raise NotAllowed("third-party", "somebody answered there: now it takes a check")
        brief = self._hung(visit, body).by_opener(SOUGHT, "before_arrival", BEFORE_ARRIVAL)
        if brief is None:
            raise NotAllowed("not-by-policy", "the agency lets nobody read before an identity check")
        self._record(work, "opened", {"parts": ["brief"], "person": brief.person, "before_arrival": True})
        self._opened[visit, brief.person] = brief
        return brief

    def _hung(self, visit: str, body: Mapping[str, Any]) -> Locks:
        return Locks(self.handset.agency, self.handset.device, visit, body)

    def _locks(self, visit: str, whose: str) -> _Door:
        body = sheet.visit_of(self.handset, visit)
        claim = SOUGHT if whose == body.get("person") else whose
        if claim not in CLAIMS:
            raise NotAllowed("unknown-person", "say the one sought, or another who is entitled")
        self._lock_for(visit, claim)
        work = work_at(self.handset, visit)
        if work.ended:
            raise NotAllowed("contact-ended", "whoever is there is not the person sought")
        if work.relation is None:
            raise NotAllowed("no-encounter", "first record who answers")
        if work.relation not in MAY_BE_CHECKED:
            raise NotAllowed("third-party", "who answers is not to be asked")
        return _Door(work, claim, self._hung(visit, body))

    def _tried(self, door: _Door, method: str, body: Body, brief: Brief | None) -> Check:
        """Write the try down, and only then let go of what it opened."""
        work, claim = door.work, door.claim
        if brief is not None:
            work.passed[brief.person] = method
        elif method in ("answers", "code"):
            wrong = work.wrong if method == "answers" else work.wrong_codes
            wrong[claim] = wrong.get(claim, 0) + 1
        tries_left = max(0, OPEN_TRIES - work.wrong.get(claim, 0))
        person = brief.person if brief else None
        full = {"method": method, "passed": brief is not None, "claim": claim, "person": person, **body}
        recorded = self._record(work, "identity_check", {**full, "tries_left": tries_left})
        if brief is not None:
            self._opened[work.visit, brief.person] = brief
        return Check(brief is not None, tries_left, recorded, brief)

    def brief(self, visit: str, person: str) -> Brief:
        """What a check opened and nobody locked again. Raises NotAllowed `locked`."""
        try:
            return self._opened[visit, person]
        except KeyError:
            raise NotAllowed("locked", "an identity check opens it") from None

    def letters(self, visit: str, person: str) -> tuple[ShownLetter, ...]:
        """The letters of an opened part, ready to be laid out. Raises NotAllowed `locked`."""
        return letters_of(self.brief(visit, person))

    def opened(
        self,
        visit: str,
        person: str,
        parts: Sequence[str] = ("brief",),
        shown_s: int | None = None,
        position: Body | None = None,
    ) -> Recorded:
        """What of a party's locked part was shown. Raises NotAllowed `locked`."""
        for part in parts:
            one_of(part, PARTS, "parts")
        self.brief(visit, person)
        body = {"parts": list(parts), "person": person, "shown_s": shown_s, "position": position}
        return self._at(visit, "opened", body)

    def opened_for(self, visit: str) -> list[str]:
        """The persons whose parts are open here now, in the order in which they were opened."""
        return [person for where, person in self._opened if where == visit]

    def _at(self, visit: str, kind: str, body: Body) -> Recorded:
        return self._record(work_at(self.handset, visit), kind, body)

    def _record(self, work: Work, kind: str, body: Body, *deps: str) -> Recorded:
        return record(self.handset, kind, without_none(body), work.about(deps), within=partial(work.save, self.handset))


def _is_theirs(brief: Brief, relation: str) -> bool:
    if relation == "sought":
        return brief.lock == 0
    role = brief.contents["party"].get("role")
    return brief.lock != 0 and role in (("debtor", "guarantor") if relation == "guarantor" else (relation,))


def one_of(value: str, words: Collection[str], name: str) -> None:
    """Raises NotAllowed `unknown-word`."""
    if value not in words:
        raise NotAllowed("unknown-word", f"{name} is none of the listed words")


def without_none(body: Body) -> Body:
    return {name: value for name, value in body.items() if value is not None}
