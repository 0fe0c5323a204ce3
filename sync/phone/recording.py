"""What an agent records, verb by verb. Each is one operation, durably stored when the verb returns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sync.phone.checks import Body, Checks, one_of, without_none
from sync.phone.errors import NotAllowed
from sync.phone.operations import About, Recorded, record
from sync.phone.vocabulary import (
    DOCUMENTED,
    LETTER_HANDLINGS,
    OUTCOMES,
    RELATIONS,
    SUBJECTS,
    THIRD_PARTIES,
    VERIFIED,
)
from sync.phone.work import Work, work_at, work_of_op


class Recorder(Checks):
    """The verbs at the door; those of the doorstep lock are `Checks`'."""

    def session(self, **body: Any) -> Recorded:
        body.setdefault("app_version", self.handset.app[:40])
        return record(self.handset, "session", body, About())

    def arrive(self, visit: str, position: Body | None = None, note: str | None = None) -> Recorded:
        return self._at(visit, "arrived", {"position": position, "note": note})

    def encounter(self, visit: str, relation: str, **body: Any) -> Recorded:
        """Who answers the door. Anybody but a party with rights locks every open part again, before it is written."""
        one_of(relation, RELATIONS, "relation")
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

    def record_outcome(self, visit: str, kind: str, body: Mapping[str, Any] | None = None) -> Recorded:
        """What happened. `client_located` needs a passed check, `third_party_attended` its encounter."""
        one_of(kind, OUTCOMES, "outcome")
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
        one_of(handling, LETTER_HANDLINGS, "handling")
        work = work_at(self.handset, visit)
        if handling == "handed_over" and (recipient not in VERIFIED or not work.passed):
            raise NotAllowed("no-identity-check", "a letter goes into the hand of a checked debtor or obligor alone")
        return self._record(work, "letter", {"handling": handling, "recipient": recipient, **body})

    def contact(self, visit: str, source: str, contacts: Sequence[Body], **body: Any) -> Recorded:
        one_of(source, RELATIONS, "source")
        return self._at(visit, "contact", {"source": source, "contacts": list(contacts), **body})

    def photo_permission(
        self, visit: str, granted: bool, by: str, subjects: Sequence[str] = (), **body: Any
    ) -> Recorded:
        """Somebody allows photographs of these subjects (none named: of all four), or takes that back."""
        one_of(by, RELATIONS, "by")
        for subject in subjects:
            one_of(subject, SUBJECTS, "subjects")
        work = work_at(self.handset, visit)

        def within(recorded: Recorded) -> None:
            named = list(subjects or SUBJECTS)
            work.permissions.append({"op": recorded.op, "granted": granted, "subjects": named})
            work.save(self.handset, recorded)

        full = {"granted": granted, "by": by, "subjects": list(subjects), **body}
        return record(self.handset, "photo_permission", without_none(full), work.about(), within=within)

    def note(self, visit: str, words: str) -> Recorded:
        return self._at(visit, "note", {"words": words})

    def correction(self, corrects: str, words: str, outcome: Body | None = None) -> Recorded:
        """A new fact about an operation of this phone; the old one stays. Raises NotAllowed `unknown-operation`."""
        work = work_of_op(self.handset, corrects)
        return self._record(work, "correction", {"corrects": corrects, "words": words, "outcome": outcome}, corrects)


def _located(work: Work, body: Body) -> Body:
    party = {"relation": work.relation if work.relation in VERIFIED | DOCUMENTED else "sought", **body.get("party", {})}
    methods = [work.passed[party["person"]]] if party.get("person") in work.passed else list(work.passed.values())
    if not methods:
        raise NotAllowed("no-identity-check", "nobody here was checked")
    return {"identified_by": methods[-1], **body, "party": party}
