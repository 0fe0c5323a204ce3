"""What an agent records, verb by verb. Each is one operation, durably stored when the verb returns."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from sync.phone import locks, sheet
from sync.phone.errors import NotAllowed
from sync.phone.handset import Handset
from sync.phone.locks import OPEN_TRIES, Brief, Place
from sync.phone.operations import About, Recorded, record
from sync.phone.vocabulary import (
    DOCUMENTED,
    DOCUMENTS,
    LETTER_HANDLINGS,
    MAY_BE_CHECKED,
    OUTCOMES,
    PARTS,
    RELATIONS,
    SUBJECTS,
    THIRD_PARTIES,
    VERIFIED,
)
from sync.phone.work import Work, work_at, work_of_op

Body = dict[str, Any]


@dataclass(frozen=True)
class Check:
    """What a try at a lock gave. `brief` is there exactly when it passed and something was opened."""

    passed: bool
    tries_left: int
    recorded: Recorded
    brief: Brief | None = field(default=None, repr=False)


class Recorder:
    """The verbs at the door. Briefs that a check opened are held here, in memory, until somebody else answers."""

    def __init__(self, handset: Handset) -> None:
        self.handset = handset
        self._opened: dict[tuple[str, str], Brief] = {}

    def session(self, **body: Any) -> Recorded:
        body.setdefault("app_version", self.handset.app[:40])
        return record(self.handset, "session", body, About())

    def arrive(self, visit: str, position: Body | None = None, note: str | None = None) -> Recorded:
        return self._at(visit, "arrived", {"position": position, "note": note})

    def encounter(self, visit: str, relation: str, **body: Any) -> Recorded:
        """Who answers the door. Anybody but a party with rights locks every open part again, before it is written."""
        _one_of(relation, RELATIONS, "relation")
        work = work_at(self.handset, visit)
        if relation not in VERIFIED | DOCUMENTED:
            self.lock_again()
        if relation in VERIFIED and not work.passed:
            raise NotAllowed("no-identity-check", "first it must be checked who this is")

        def within(recorded: Recorded) -> None:
            work.encounter, work.relation = recorded.op, relation
            work.save(self.handset, recorded)

        body = {"relation": relation, **body}
        return record(self.handset, "encounter", body, About(visit, work.assignment_version), within=within)

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
        _one_of(document, DOCUMENTS, "document")
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
            _one_of(part, PARTS, "parts")
        self.brief(visit, person)
        return self._at(visit, "opened", {"parts": list(parts), "person": person, "shown_s": shown_s})

    def record_outcome(self, visit: str, kind: str, body: Mapping[str, Any] | None = None) -> Recorded:
        """What happened. `client_located` needs a passed check, `third_party_attended` its encounter."""
        _one_of(kind, OUTCOMES, "outcome")
        work = work_at(self.handset, visit)
        full: Body = {"outcome": kind, **(body or {})}
        if kind == "client_located":
            full = _located(work, full)
        if kind == "third_party_attended":
            if work.relation not in THIRD_PARTIES:
                raise NotAllowed("no-encounter", "first record who answered")
            full.setdefault("relation", work.relation)
        return self._record(work, "outcome", full)

    def letter(self, visit: str, handling: str, recipient: str | None = None, **body: Any) -> Recorded:
        """A letter handed over, into the hand of a checked debtor or obligor, or not delivered."""
        _one_of(handling, LETTER_HANDLINGS, "handling")
        work = work_at(self.handset, visit)
        if handling == "handed_over" and (recipient not in VERIFIED or not work.passed):
            raise NotAllowed("no-identity-check", "a letter goes into the hand of a checked debtor or obligor alone")
        return self._record(work, "letter", {"handling": handling, "recipient": recipient, **body})

    def contact(self, visit: str, source: str, contacts: Sequence[Body], **body: Any) -> Recorded:
        _one_of(source, RELATIONS, "source")
        return self._at(visit, "contact", {"source": source, "contacts": list(contacts), **body})

    def photo_permission(
        self, visit: str, granted: bool, by: str, subjects: Sequence[str] = (), **body: Any
    ) -> Recorded:
        """Somebody allows photographs of these subjects (none named: of all four), or takes that back."""
        _one_of(by, RELATIONS, "by")
        for subject in subjects:
            _one_of(subject, SUBJECTS, "subjects")
        work = work_at(self.handset, visit)

        def within(recorded: Recorded) -> None:
            named = list(subjects or SUBJECTS)
            work.permissions.append({"op": recorded.op, "granted": granted, "subjects": named})
            work.save(self.handset, recorded)

        full = {"granted": granted, "by": by, "subjects": list(subjects), **body}
        return record(self.handset, "photo_permission", _without_none(full), work.about(), within=within)

    def note(self, visit: str, words: str) -> Recorded:
        return self._at(visit, "note", {"words": words})

    def correction(self, corrects: str, words: str, outcome: Body | None = None) -> Recorded:
        """A new fact about an operation of this phone; the old one stays. Raises NotAllowed `unknown-operation`."""
        work = work_of_op(self.handset, corrects)
        return self._record(work, "correction", {"corrects": corrects, "words": words, "outcome": outcome}, corrects)

    def _at(self, visit: str, kind: str, body: Body) -> Recorded:
        return self._record(work_at(self.handset, visit), kind, body)

    def _record(self, work: Work, kind: str, body: Body, *deps: str) -> Recorded:
        return record(
            self.handset, kind, _without_none(body), work.about(deps), within=partial(work.save, self.handset)
        )


def _located(work: Work, body: Body) -> Body:
    party = {"relation": work.relation if work.relation in VERIFIED | DOCUMENTED else "sought", **body.get("party", {})}
    methods = [work.passed[party["person"]]] if party.get("person") in work.passed else list(work.passed.values())
    if not methods:
        raise NotAllowed("no-identity-check", "nobody here was checked")
    return {"identified_by": methods[-1], **body, "party": party}


def _one_of(value: str, words: Sequence[str] | frozenset[str], name: str) -> None:
    if value not in words:
        raise NotAllowed("unknown-word", f"{name} is none of the listed words")


def _without_none(body: Body) -> Body:
    return {name: value for name, value in body.items() if value is not None}
