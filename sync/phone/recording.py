"""What an agent records, verb by verb. Each is one operation, durably stored when the verb returns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sync.phone import script
from sync.phone.checks import Body, one_of, without_none
from sync.phone.debt_words import find_debt_words
from sync.phone.encounters import Encounters
from sync.phone.errors import NotAllowed
from sync.phone.notice import LANGUAGES as NOTICE_LANGUAGES
from sync.phone.notice import Notice, photo_notice
from sync.phone.operations import About, Recorded, oldest_seq, record
from sync.phone.vocabulary import (
    ABOUT_PERSON,
    ASKED,
    DOCUMENTED,
    HAZARDS,
    LETTER_HANDLINGS,
    OUTCOMES,
    RELATIONS,
    SAID_BY,
    SUBJECTS,
    THIRD_PARTIES,
    VERIFIED,
)
from sync.phone.work import Work, work_at, work_of_op


class Recorder(Encounters):
    """The verbs at the door; those of meeting somebody are `Encounters`', those of the doorstep lock `Checks`'."""

    def session(self, **body: Any) -> Recorded:
        body.setdefault("app_version", self.handset.app[:40])
        body.setdefault("oldest_seq", oldest_seq(self.handset))
        return record(self.handset, "session", body, About())

    def arrive(
        self,
        visit: str,
        position: Body | None = None,
        note: str | None = None,
        house_found: bool | None = None,
        hazards: Sequence[str] = (),
        hazards_gone: Sequence[str] = (),
    ) -> Recorded:
        """`house_found`: the agent says that this is the house, so that nobody looks for it again. `hazards`: what
        whoever comes next should know of the place; `hazards_gone`: what was told of it and is so no more."""
        work = work_at(self.handset, visit)
        hours = self._against(work)
        body: Body = {"position": position, "note": note, "house_found": house_found}
        body |= _hazards(hazards=hazards, hazards_gone=hazards_gone)
        return replace(self._record(work, "arrived", body), hours=hours)

    def record_outcome(self, visit: str, kind: str, body: Mapping[str, Any] | None = None) -> Recorded:
        """What happened. `client_located` needs a passed check; what somebody said needs the encounter with them.

        "I am not that person" (`wrong_person`) ends contact: nobody is met or checked at this visit any more.
        Raises NotAllowed `no-identity-check`, `no-encounter`, `contact-ended` or `may-not-be-asked`.
        """
        one_of(kind, OUTCOMES, "outcome")
        work = work_at(self.handset, visit)
        full: Body = {"outcome": kind, **(body or {})}
        _hazards(hazards=full.get("hazards") or (), hazards_gone=full.get("hazards_gone") or ())
        if work.ended and kind in ("client_located", "third_party_attended"):
            raise NotAllowed("contact-ended", "whoever is there is not the person sought")
        if kind == "client_located":
            full = _located(work, full)
            self._name_the_guarantor(work, full["party"])
            relation = full["party"].get("relation")
            if relation in VERIFIED and not self._was_checked(work, relation):
                raise NotAllowed("no-identity-check", "somebody else was checked, not they")
            results = full.get("results") or []
            work.counsel = work.counsel or any(result.get("result") == "attorney_named" for result in results)
        if kind == "third_party_attended":
            if work.relation not in THIRD_PARTIES:
                raise NotAllowed("no-encounter", "first record who answered")
            full.setdefault("relation", work.relation)
        _needs_who_said_it(work, full)
        self._needs_leave_to_ask(work, full.get("relation") or full.get(SAID_BY.get(kind, "")), full)
        if kind == "wrong_person":
            work.ended = True
            self.lock_again()
        work.visited = work.visited or kind != "skipped"
        return self._record(work, "outcome", full)

    def _name_the_guarantor(self, work: Work, party: Body) -> None:
        """Who was checked last beside the one sought: without a person the office takes the one sought to be meant."""
        body = self._published(work.visit)
        if party.get("relation") == "guarantor" and body is not None:
            others = [person for person in work.passed if person != body.get("person")]
            party.update({"person": others[-1]} if others and not party.get("person") else {})

    def _needs_leave_to_ask(self, work: Work, relation: str | None, body: Body) -> None:
        """Raises NotAllowed `may-not-be-asked` where the body holds what this person is not asked."""
        rules = self.rules_at(work.visit)
        if relation is None or relation not in RELATIONS or rules is None:
            return
        given = {key for key in ASKED if body.get(key) not in (None, [])}
        unnamed = rules.cell(relation, "name_sought") == "never"
        if given and (script.ends(relation) or (given & ABOUT_PERSON and unnamed)):
            raise NotAllowed("may-not-be-asked", "the rules ask nothing of this person that would be such an answer")

    def letter(self, visit: str, handling: str, recipient: str | None = None, **body: Any) -> Recorded:
        """A letter handed over, into the hand of a checked debtor or obligor, or not delivered."""
        one_of(handling, LETTER_HANDLINGS, "handling")
        work = work_at(self.handset, visit)
        if handling == "handed_over" and (recipient not in VERIFIED or not self._was_checked(work, recipient)):
            raise NotAllowed("no-identity-check", "a letter goes into the hand of a checked debtor or obligor alone")
        return self._record(work, "letter", {"handling": handling, "recipient": recipient, **body})

    def contact(self, visit: str, source: str, contacts: Sequence[Body], **body: Any) -> Recorded:
        """Raises NotAllowed `may-not-be-asked` where the source is nobody to ask."""
        one_of(source, RELATIONS, "source")
        self._needs_leave_to_ask(work_at(self.handset, visit), source, {"contacts": list(contacts)})
        return self._at(visit, "contact", {"source": source, "contacts": list(contacts), **body})

    def photo_notice(self, visit: str, language: str | None = None) -> Notice:
        """What is shown or read out before anybody allows a photograph: in `language` (es, en, fr, de), or in that of
        the door. Raises NotAllowed `unknown-word`."""
        if language is not None:
            one_of(language, NOTICE_LANGUAGES, "language")
        body = self._published(visit)
        return photo_notice(language or (self._setting(body).language if body else "en"))

    def photo_permission(
        self,
        visit: str,
        granted: bool,
        by: str,
        subjects: Sequence[str] = (),
        *,
        language: str | None = None,
        **body: Any,
    ) -> Recorded:
        """Somebody allows photographs of these subjects (none named: of all four), or takes that back.

        Who allows was shown the notice in `language` (see `photo_notice`): its version goes on record with their word.
        """
        one_of(by, RELATIONS, "by")
        if granted:
            notice = self.photo_notice(visit, language)
            body["notice"] = {"version": notice.version, "language": notice.language}
        for subject in subjects:
            one_of(subject, SUBJECTS, "subjects")
        work = work_at(self.handset, visit)

        def within(recorded: Recorded) -> None:
            named = list(subjects or SUBJECTS)
            work.permissions.append({"op": recorded.op, "granted": granted, "subjects": named})
            work.save(self.handset, recorded)

        full = {"granted": granted, "by": by, "subjects": list(subjects), **body}
        return record(self.handset, "photo_permission", without_none(full), work.about(), within=within)

    def words_in(self, text: str) -> list[str]:
        """Terms that a third party must not read: to warn the agent while typing. Nothing is refused for them."""
        return find_debt_words(text)

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


def _needs_who_said_it(work: Work, body: Body) -> None:
    """Raises NotAllowed `no-encounter` where an outcome presupposes somebody who was not recorded."""
    kind = body["outcome"]
    if kind == "wrong_person" and not set(work.met) - {"nobody"}:
        raise NotAllowed("no-encounter", "first record who says so")
    said_by = body.get(SAID_BY.get(kind, ""))
    if said_by not in (None, "nobody") and said_by not in work.met:
        raise NotAllowed("no-encounter", "first record who says so")
    if kind == "address_not_found" and body.get("neighbours_asked") and not work.asked:
        raise NotAllowed("no-encounter", "first record each neighbour asked, with the question put to them")


def _hazards(**said: Sequence[str]) -> Body:
    """Those keys of a body that say anything. Raises NotAllowed `unknown-word`."""
    for name, hazards in said.items():
        for hazard in hazards:
            one_of(hazard, HAZARDS, name)
    return {name: list(hazards) for name, hazards in said.items() if hazards}
