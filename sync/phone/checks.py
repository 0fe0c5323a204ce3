"""The doorstep lock's verbs: who is checked, what that opens, and how long it stays open (docs/protocol.md §7)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from sync.phone import locks, sheet
from sync.phone.errors import NotAllowed
from sync.phone.handset import Handset
from sync.phone.locks import OPEN_TRIES, Brief, Place
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


class Checks:
    """Briefs that a check opened are held here, in memory, until somebody else answers."""

    def __init__(self, handset: Handset) -> None:
        self.handset = handset
        self._opened: dict[tuple[str, str], Brief] = {}

    def lock_again(self, but: Collection[str] = ()) -> None:
        """Forget every opened part, except at the visits named."""
        self._opened = {key: brief for key, brief in self._opened.items() if key[0] in but}

    def check_identity(
        self, visit: str, person: str, answers: Mapping[str, str] | None = None, code: str | None = None
    ) -> Check:
        """One try at a party's lock, by two answers or a code; it is on record before the brief is handed out.

        Raises NotAllowed `unknown-visit`, `visit-withdrawn`, `unknown-person`, `no-encounter`, `third-party`,
        `two-answers-needed`, `only-the-code` (after five wrong answers) or `not-a-code`: none of them is a try.
        """
        work, lock = self._lock(visit, person)
        place = Place(self.handset.agency, self.handset.device, visit, person)
        if code is not None and answers is None:
            method, kinds, brief = "code", [], locks.by_code(lock, place, code)
        elif answers is not None and code is None and len(answers) == 2:
            if work.wrong.get(person, 0) >= OPEN_TRIES:
                raise NotAllowed("only-the-code", "five answers were wrong")
            method, kinds, brief = "answers", sorted(answers), locks.by_answers(lock, place, answers)
        else:
            raise NotAllowed("two-answers-needed", "or one code")
        return self._checked(work, person, method, {"kinds": kinds} if kinds else {}, brief)

    def attest(self, visit: str, person: str, document: str) -> Check:
        """The agent saw a document. Opens nothing: an agency that lets it would lay the key under the sheet key."""
        one_of(document, DOCUMENTS, "document")
        work, _ = self._lock(visit, person)
        return self._checked(work, person, "attestation", {"document": document}, None, attested=True)

    def _lock(self, visit: str, person: str) -> tuple[Work, dict[str, Any]]:
        lock = locks.find_lock(sheet.visit_of(self.handset, visit), person)
        work = work_at(self.handset, visit)
        if work.relation is None:
            raise NotAllowed("no-encounter", "first record who answers")
        if work.relation not in MAY_BE_CHECKED:
            raise NotAllowed("third-party", "who answers is not to be asked")
        return work, lock

    def _checked(
        self, work: Work, person: str, method: str, body: Body, brief: Brief | None, attested: bool = False
    ) -> Check:
        passed = attested or brief is not None
        if passed:
            work.passed[person] = method
        elif method == "answers":
            work.wrong[person] = work.wrong.get(person, 0) + 1
        tries_left = max(0, OPEN_TRIES - work.wrong.get(person, 0))
        full = {"method": method, "passed": passed, "person": person, "tries_left": tries_left, **body}
        recorded = self._record(work, "identity_check", full)
        if brief is not None:
            self._opened[work.visit, person] = brief
        return Check(passed, tries_left, recorded, brief)

    def brief(self, visit: str, person: str) -> Brief:
        """Raises NotAllowed `locked`."""
        try:
            return self._opened[visit, person]
        except KeyError:
            raise NotAllowed("locked", "an identity check opens it") from None

    def opened(
        self, visit: str, person: str, parts: Sequence[str] = ("brief",), shown_s: int | None = None
    ) -> Recorded:
        """What of a party's locked part was shown. Raises NotAllowed `locked`."""
        for part in parts:
            one_of(part, PARTS, "parts")
        self.brief(visit, person)
        return self._at(visit, "opened", {"parts": list(parts), "person": person, "shown_s": shown_s})

    def _at(self, visit: str, kind: str, body: Body) -> Recorded:
        return self._record(work_at(self.handset, visit), kind, body)

    def _record(self, work: Work, kind: str, body: Body, *deps: str) -> Recorded:
        return record(self.handset, kind, without_none(body), work.about(deps), within=partial(work.save, self.handset))


def one_of(value: str, words: Collection[str], name: str) -> None:
    """Raises NotAllowed `unknown-word`."""
    if value not in words:
        raise NotAllowed("unknown-word", f"{name} is none of the listed words")


def without_none(body: Body) -> Body:
    return {name: value for name, value in body.items() if value is not None}
