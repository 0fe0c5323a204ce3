"""Who may be at a door, and exactly what may be said to them: at_the_door.json read, and the decisions over it.

The file is a copy of the office's (field_api/rules/at_the_door.json), so that a phone knows the rule without a network.
Everything here is pure: no store, no clock. Where a jurisdiction is unknown the default row holds, and English.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any

_DATA: dict[str, Any] = json.loads((files("sync.phone") / "at_the_door.json").read_text(encoding="utf-8"))
LANGUAGES = frozenset(_DATA["lines"]["open"]["words"])
WHOM = tuple(_DATA["whom"])
"""Where the person asked is found, so that one person is known again without any datum of theirs."""
COUNTED = frozenset({"once", "place_only"})
"""Cells of a location question that is put once to a person, for each person sought."""
_REFUSED = frozenset({"never", "off"})
_WITHIN = {
    "yes": frozenset({"yes", "asked", "verified", "documented", "once", "place_only"}),
    "asked": frozenset({"asked"}),
    "verified": frozenset({"verified", "documented"}),
    "documented": frozenset({"documented"}),
    "once": frozenset({"once", "place_only"}),
    "place_only": frozenset({"place_only"}),
}
"""For each cell those that tell nothing that it does not; the refused ones always do."""
NEIGHBOURHOOD = frozenset({"neighbour", "guard"})
"""People of a place: at another address they are others. Everybody else asked is known again wherever it was."""
ONE_PERSON = frozenset({"spouse"})
"""Of these there is one: wherever they are met, it is the same person."""
_NO_NUMBER = frozenset({"", "0", "SN", "S/N", "S.N.", "S N"})
"""How an address says that the house has no number: no question names that as one."""
_LOCATION = "location_question"


@dataclass(frozen=True)
class Line:
    """A line of the script: the moment it is for, and the words."""

    moment: str
    text: str = field(repr=False)


@dataclass(frozen=True)
class Rules:
    """The disclosure matrix at one place. `narrower`: relation → item → cell that the agency made stricter there,
    as it came."""

    jurisdiction: str
    narrower: Mapping[str, Any] = field(default_factory=dict)

    def cell(self, relation: str, item: str) -> str:
        """`yes`, `asked`, `verified`, `documented`, `once`, `place_only`, `off` or `never`; unknown means never.

        The agency's cell holds where it is the stricter one: an item that says otherwise loosens nothing here.
        """
        told, cell = self.narrower.get(relation, {}), self._packaged(relation, item)
        if not isinstance(told, Mapping):
            return "never"
        return _stricter(str(told[item]), cell) if item in told else cell

    def _packaged(self, relation: str, item: str) -> str:
        table, may = next(key for key in _keys(self.jurisdiction) if key in _DATA["may"]), _DATA["may"]
        for cells in (may[table], may["default"]):
            if item in cells.get(relation, {}):
                return str(cells[relation][item])
        return "never"

    def may_ask_location(self, relation: str) -> bool:
        return self.cell(relation, _LOCATION) not in _REFUSED

    def asks_once(self, relation: str) -> bool:
        return self.cell(relation, _LOCATION) in COUNTED

    def asks_of_place(self, relation: str) -> bool:
        """Whether the question is about the place alone and names nobody."""
        return self.cell(relation, _LOCATION) == "place_only"


@dataclass(frozen=True)
class Setting:
    """What a script is made of. `at_work`: the address is a workplace, where everybody but the one sought is a
    co-worker. `street` and `number` are those of the address."""

    rules: Rules
    language: str
    agent: str = field(repr=False)
    name: str = field(repr=False)
    agency: str = field(repr=False)
    street: str = field(repr=False)
    number: str | None = field(default=None, repr=False)
    at_work: bool = False


@dataclass(frozen=True)
class MaySay:
    """What may be said now, and nothing else.

    `relation` is None before anybody was recorded. `fields` may be told: `name_sought`, `agent_name`, `agency`.
    `ends`: the visit ends politely, nothing more is asked. `proposes`: the outcome that follows from that.
    """

    relation: str | None
    words: str | None
    language: str
    lines: tuple[Line, ...]
    fields: dict[str, str] = field(repr=False)
    may_check: bool
    may_ask_location: bool
    ends: bool
    proposes: str | None


def relations(language: str) -> list[dict[str, str]]:
    """Everybody who may be there, in the order in which an agent reads the list: `relation` and plain `words`."""
    return [
        {"relation": entry["relation"], "words": entry["words"][known_language(language)]}
        for entry in _DATA["relations"]
    ]


def known_language(language: str) -> str:
    """The primary part of a BCP 47 language where there are words of it, else English."""
    primary = language.partition("-")[0].lower()
    return primary if primary in LANGUAGES else "en"


def language_at(jurisdiction: str, spoken: str | None) -> str:
    """The language to speak at a door: that of the person sought, or the place's where there are no words of it."""
    primary = (spoken or "").partition("-")[0].lower()
    if primary in LANGUAGES:
        return primary
    by_place = _DATA["language_of"]
    return str(next(by_place[key] for key in _keys(jurisdiction) if key in by_place))


def ends(relation: str) -> bool:
    """Whether the visit ends politely with this person: nothing is asked of them."""
    return relation in _DATA["ends"]


def is_same_person(relation: str, whom: str | None, asked: Collection[tuple[str, str | None]]) -> bool:
    """Whether this person was asked before. An earlier question that does not say whom stands for anybody of that
    relation: the stricter reading."""
    anybody = relation in ONE_PERSON
    return any(before == relation and (anybody or where is None or where == whom) for before, where in asked)


def before_anybody(setting: Setting) -> MaySay:
    """The opening line alone: to whoever opens at the address; at a workplace without the name."""
    moment = "greet" if setting.at_work else "open"
    told = {"agent_name": setting.agent, **({} if setting.at_work else {"name_sought": setting.name})}
    return MaySay(None, None, setting.language, (_line(moment, setting),), told, False, False, False, None)


def may_say(
    setting: Setting, relation: str, *, agent_language: str, asked_company: bool, may_check: bool, may_ask: bool
) -> MaySay:
    """What may be said to whom the agent recorded. `may_check` and `may_ask` are the phone's own state: whether a check
    may still begin at all, and whether a location question may still be put."""
    told = _told(setting, relation, asked_company)
    ask = may_ask and setting.rules.may_ask_location(relation)
    sayable = {*told, _LOCATION} if ask and setting.rules.asks_once(relation) else set(told)
    moments = [_moment(moment, setting, relation, told) for moment in _DATA["script"][relation]]
    lines = [_line(moment, setting) for moment in moments if set(_DATA["lines"][moment]["needs"]) <= sayable]
    return MaySay(
        relation=relation,
        words=next((r["words"] for r in relations(agent_language) if r["relation"] == relation), None),
        language=setting.language,
        lines=tuple(lines),
        fields=told,
        may_check=may_check,
        may_ask_location=ask,
        ends=ends(relation),
        proposes=_DATA["proposes"].get(relation),
    )


def location_line(setting: Setting, relation: str) -> Line:
    """The one question: about the place alone where the place's law or the person asked calls for it."""
    return _line(_moment("location", setting, relation, _told(setting, relation, False)), setting)


def _told(setting: Setting, relation: str, asked_company: bool) -> dict[str, str]:
    values = {"name_sought": setting.name, "agent_name": setting.agent, "agency": setting.agency}
    allowed = {"yes", "asked"} if asked_company else {"yes"}
    return {item: value for item, value in values.items() if setting.rules.cell(relation, item) in allowed}


def _moment(moment: str, setting: Setting, relation: str, told: Mapping[str, str]) -> str:
    """The line that a moment of the script means here."""
    if moment == "open" and "name_sought" not in told:
        return "greet"
    if moment != "location":
        return moment
    by_place = _DATA["location_line"]
    chosen = str(next(by_place[key] for key in _keys(setting.rules.jurisdiction) if key in by_place))
    if chosen == "location_of_person" and "name_sought" in told and not setting.rules.asks_of_place(relation):
        return chosen
    has_number = (setting.number or "").strip().upper() not in _NO_NUMBER
    return "location_of_place" if has_number else "location_of_street"


def _line(moment: str, setting: Setting) -> Line:
    words: str = _DATA["lines"][moment]["words"][setting.language]
    return Line(
        moment,
        words.format(
            agent=setting.agent,
            name=setting.name,
            agency=setting.agency,
            street=setting.street,
            number=setting.number or "",
        ),
    )


def _stricter(one: str, other: str) -> str:
    """The stricter of two cells; `never` where neither is, or one is no known cell."""
    if one in _WITHIN.get(other, ()):
        return one
    return other if other in _WITHIN.get(one, ()) else "never"


def _keys(jurisdiction: str) -> tuple[str, ...]:
    """The names under which a table may have an entry, the narrowest first: US-MD, US, default; LI, EU, default."""
    country = jurisdiction.partition("-")[0]
    wider = (_DATA["same_as"][country],) if country in _DATA["same_as"] else ()
    return tuple(dict.fromkeys((jurisdiction, country, *wider, "default")))
