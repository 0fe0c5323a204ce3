"""Who is at the door: first recorded, then exactly what may be said to them (docs/outcomes.md)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sync.phone import script, sheet, wire
from sync.phone.checks import Body, Checks, one_of, without_none
from sync.phone.contact_hours import against
from sync.phone.errors import NotAllowed
from sync.phone.operations import About, Recorded, record
from sync.phone.script import Line, MaySay, Rules, Setting
from sync.phone.vocabulary import HOME_OF, MAY_BE_CHECKED, RELATIONS, VERIFIED
from sync.phone.work import Work, work_at


@dataclass(frozen=True)
class Met(Recorded):
    """A recorded encounter, with what may be said now."""

    now: MaySay = field(repr=False, kw_only=True)


@dataclass(frozen=True)
class Asked(Recorded):
    """A recorded location question: only now it may be put, in these words."""

    line: Line = field(repr=False, kw_only=True)


class Encounters(Checks):
    """The verbs of meeting somebody. What is to be said is told only after who answers is on record."""

    def who_may_be_there(self) -> list[dict[str, str]]:
        """Every relation that can be recorded, in plain words of the agent's language."""
        return script.relations(self._agent_language())

    def may_say(self, visit: str) -> MaySay:
        """What may be said at this visit now: before an encounter the opening line alone.

        Raises NotAllowed `unknown-visit`, `visit-withdrawn` or `contact-ended`.
        """
        body = sheet.visit_of(self.handset, visit)
        return self._may_say(work_at(self.handset, visit), body)

    def encounter(
        self, visit: str, relation: str, *, location_asked: bool = False, whom: str | None = None, **body: Any
    ) -> Met:
        """Who answers the door. Every open part but their own is locked again, before it is written.

        With `location_asked` the one question that may be put to them; `whom` says where that person is found.
        Raises NotAllowed `contact-ended`, `no-identity-check`, `attorney-known`, `location-may-not-be-asked`,
        `location-already-asked` or `unknown-word`.
        """
        one_of(relation, RELATIONS, "relation")
        work = work_at(self.handset, visit)
        if work.ended:
            raise NotAllowed("contact-ended", "whoever is there is not the person sought: nobody is asked any more")
        self.lock_others(visit, relation)
        if relation in VERIFIED and not self._was_checked(work, relation):
            raise NotAllowed("no-identity-check", "first it must be checked who this is, by a check of their own")
        whom = self._whom(visit, work, relation, whom) if location_asked else None
        full = {"relation": relation, "location_asked": location_asked or None, "whom": whom, **body}
        if location_asked:
            work.asked.append([relation, whom])
            work.person, work.place = self._person_and_place(visit)

        def within(recorded: Recorded) -> None:
            work.meet(recorded.op, relation, bool(full.get("asked_for_company")))
            work.save(self.handset, recorded)

        hours = self._against(work)
        recorded = record(
            self.handset, "encounter", without_none(full), About(visit, work.assignment_version), within=within
        )
        now = self._may_say(work, self._published(visit))
        return Met(**{**vars(recorded), "hours": hours}, now=now)

    def asked_for_company(self, visit: str) -> Met:
        """They expressly asked which company: on record first, then its name may be told, and nothing more.

        Raises NotAllowed `no-encounter` or `company-may-not-be-told`.
        """
        relation = _met(work_at(self.handset, visit))
        body = sheet.visit_of(self.handset, visit)
        if _rules(body).cell(relation, "agency") not in ("yes", "asked"):
            raise NotAllowed("company-may-not-be-told", "this person is told nothing, asked or not")
        return self.encounter(visit, relation, asked_for_company=True)

    def ask_location(self, visit: str, whom: str | None = None) -> Asked:
        """Put the location question to who answers: on record first, then the words. Raises as `encounter`."""
        relation = _met(work_at(self.handset, visit))
        met = self.encounter(visit, relation, location_asked=True, whom=whom)
        line = script.location_line(self._setting(sheet.visit_of(self.handset, visit)), relation)
        recorded = {name: value for name, value in vars(met).items() if name != "now"}
        return Asked(**recorded, line=line)

    def _was_checked(self, work: Work, relation: str) -> bool:
        """Whether a check passed for the one sought, or for somebody else: the one's does not stand for the other."""
        body = self._published(work.visit)
        if body is None:  # taken back meanwhile: whose check it was cannot be told any more
            return bool(work.passed)
        return any((person == body.get("person")) == (relation == "sought") for person in work.passed)

    def _may_say(self, work: Work, body: Mapping[str, Any] | None) -> MaySay:
        if body is None:
            # Taken back meanwhile: what happened is recorded, but there is nobody to ask for any more.
            return MaySay(work.relation, None, "en", (), {}, False, False, True, None)
        if work.ended:
            raise NotAllowed("contact-ended", "whoever is there is not the person sought")
        setting = self._setting(body)
        if work.relation is None:
            return script.before_anybody(setting)
        return script.may_say(
            setting,
            work.relation,
            agent_language=self._agent_language(),
            asked_company=work.company_asked,
            may_check=work.relation in MAY_BE_CHECKED and bool(body.get("locks")),
            may_ask=self._still_askable(work, body, work.relation),
        )

    def _still_askable(self, work: Work, body: Mapping[str, Any], relation: str) -> bool:
        """Whether there is anybody of this relation left who was not asked, and the question is not closed."""
        if work.counsel or _location(body).get("closed") is True:
            return False
        if not _rules(body).asks_once(relation):
            return True
        asked = set(self._asked(work.visit, body))
        places = [HOME_OF[relation]] if relation in HOME_OF else script.WHOM
        return not all(script.is_same_person(relation, whom, asked) for whom in places)

    def _whom(self, visit: str, work: Work, relation: str, whom: str | None) -> str | None:
        """Where the person asked is found; None where a question is not counted. Raises NotAllowed."""
        body = sheet.visit_of(self.handset, visit)
        if work.counsel:
            raise NotAllowed("attorney-known", "whoever has counsel is sought through counsel: nobody is asked")
        if _location(body).get("closed") is True or not _rules(body).may_ask_location(relation):
            raise NotAllowed("location-may-not-be-asked", "nobody here is asked where anybody is")
        whom = whom or HOME_OF.get(relation)
        if whom is not None:
            one_of(whom, script.WHOM, "whom")
        if not _rules(body).asks_once(relation):
            return whom
        if whom is None:
            raise NotAllowed("whom-needed", "say where the person asked is found, so that nobody is asked twice")
        if script.is_same_person(relation, whom, set(self._asked(visit, body))):
            raise NotAllowed("location-already-asked", "one person is asked once about one person sought")
        return whom

    def _asked(self, visit: str, body: Mapping[str, Any]) -> Iterator[tuple[str, str | None]]:
        """(relation, whom) asked about this person before: as the office knows, and as this phone does."""
        for entry in _location(body).get("asked") or []:
            yield entry["relation"], entry.get("whom")
        person, place = self._person_and_place(visit)
        for _, kept in self.handset.store.all("work"):
            if kept.get("asked") and person is not None and kept.get("person") == person:
                for relation, whom in kept["asked"]:
                    if relation not in script.NEIGHBOURHOOD or kept.get("place") == place:
                        yield relation, whom

    def _person_and_place(self, visit: str) -> tuple[str | None, str]:
        """Who is sought and where, as text: two visits to one person at one address have the same."""
        body = sheet.visit_of(self.handset, visit)
        address = wire.field(body, "open", dict).get("address") or {}
        named = [str(address.get(part) or "") for part in ("street", "number", "interior", "postcode", "city")]
        person = _location(body).get("person") or body.get("person")
        return person, "\n".join(named)

    def against_visit(self, visit: str) -> tuple[str, ...]:
        """What speaks against being at this door now (`sync.phone.contact_hours`): to be shown, never to be refused.
        Raises NotAllowed `unknown-visit`, `visit-withdrawn`."""
        stop = sheet.visit_of(self.handset, visit).get("stop")
        return against(stop, work_at(self.handset, visit), self.handset.best_now())

    def _against(self, work: Work) -> tuple[str, ...]:
        """The same for a visit that may have been taken back meanwhile."""
        body = self._published(work.visit)
        return () if body is None else against(body.get("stop"), work, self.handset.best_now())

    def _published(self, visit: str) -> dict[str, Any] | None:
        try:
            return sheet.visit_of(self.handset, visit)
        except NotAllowed:
            return None

    def _setting(self, body: Mapping[str, Any]) -> Setting:
        opened = wire.field(body, "open", dict)
        address = opened.get("address") or {}
        return Setting(
            rules=_rules(body),
            language=script.language_at(_rules(body).jurisdiction, opened.get("language")),
            agent=str(self.handset.agent.get("name", "")),
            name=str(opened.get("name", "")),
            agency=self.handset.agency_name,
            street=str(address.get("street") or ""),
            number=address.get("number"),
            at_work=opened.get("place") == "work",
        )

    def rules_at(self, visit: str) -> Rules | None:
        """What may be told and asked at the visit; None where the office took it back meanwhile."""
        body = self._published(visit)
        return None if body is None else _rules(body)

    def _agent_language(self) -> str:
        return next(iter(self.handset.agent.get("languages") or []), "en")


def _met(work: Work) -> str:
    """The relation of the last encounter. Raises NotAllowed `no-encounter`."""
    if work.relation is None:
        raise NotAllowed("no-encounter", "first record who answers")
    return work.relation


def _rules(body: Mapping[str, Any]) -> Rules:
    """The packaged matrix at the visit's place, with what the agency made stricter."""
    jurisdiction = wire.field(body, "open", dict).get("jurisdiction") or ""
    return Rules(str(jurisdiction), wire.field(body, "narrower", dict) if "narrower" in body else {})


def _location(body: Mapping[str, Any]) -> Body:
    """What the office says of location questions about this person; nothing where it is older."""
    found = body.get("location")
    return found if isinstance(found, dict) else {}
