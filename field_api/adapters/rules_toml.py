"""Contact rules from TOML files, read once, checked on reading (field_api/rules/README.md)."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import time
from functools import cache
from pathlib import Path
from typing import Any

from field_api.domain.contact_rules import (
    FrequencyRule,
    HoursRule,
    JurisdictionRules,
    NoticeRule,
    NoVisitRule,
    PlaceRule,
    Rule,
)

SHIPPED = Path(__file__).parent.parent / "rules"
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
CALENDARS = frozenset({"holidays", "mx_rest_days", "mx_bank_days"})
MEMBER_STATES = frozenset(  # of the EU and the EEA, as of 2026
    "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IS IT LI LT LU LV MT NL NO PL PT RO SE SI SK".split()  # noqa: SIM905 a table reads better as words
)
_KEYS = {
    "hours": {"id", "source", "confidence", "sector", "days"},
    "no_visit": {"id", "source", "confidence", "sector", "days"},
    "frequency": {"id", "source", "confidence", "at_most", "within_days", "counts"},
    "notice": {
        "id",
        "source",
        "confidence",
        "sector",
        "channels",
        "at_least_days",
        "at_most_days",
        "only_transferred",
    },
    "place": {"id", "source", "confidence", "refuse_kinds"},
}


class BadRules(ValueError):
    """A rules file cannot be understood; the text names file and rule."""


class TomlRules:
    """The rule book of a directory. Keeps the promise of field_api.domain.ports.RuleBook."""

    def __init__(self, directory: Path = SHIPPED) -> None:
        self._directory = directory
        self.of = cache(self._of)

    def _of(self, jurisdiction: str) -> JurisdictionRules | None:
        for code in _ever_wider(jurisdiction):
            path = self._directory / f"{code}.toml"
            if code.replace("-", "").isalnum() and path.is_file():
                rules = self._read(path)
                # The EU has no holidays of its own: they are those of the member state.
                return rules if rules.holidays else replace(rules, holidays=jurisdiction.partition("-")[0])
        return None

    def _read(self, path: Path) -> JurisdictionRules:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
        _only(path.name, content, {"jurisdiction", "inherits", "holidays", *_KEYS})
        own = JurisdictionRules(
            jurisdiction=content["jurisdiction"],
            holidays=content.get("holidays"),
            hours=tuple(_hours(path.name, entry) for entry in content.get("hours", [])),
            no_visit=tuple(_no_visit(path.name, entry) for entry in content.get("no_visit", [])),
            frequency=tuple(_frequency(path.name, entry) for entry in content.get("frequency", [])),
            notice=tuple(_notice(path.name, entry) for entry in content.get("notice", [])),
            place=tuple(_place(path.name, entry) for entry in content.get("place", [])),
        )
        parent = content.get("inherits")
        return _merged(self._read(self._directory / f"{parent}.toml"), own) if parent else own


def _ever_wider(jurisdiction: str) -> Iterator[str]:
    yield jurisdiction
    country = jurisdiction.partition("-")[0]
    country = "GB" if country == "UK" else country
    yield country
    if country in MEMBER_STATES:
        yield "EU"


def _merged(parent: JurisdictionRules, own: JurisdictionRules) -> JurisdictionRules:
    return JurisdictionRules(
        jurisdiction=own.jurisdiction,
        holidays=own.holidays or parent.holidays,
        hours=parent.hours + own.hours,
        no_visit=parent.no_visit + own.no_visit,
        frequency=parent.frequency + own.frequency,
        notice=parent.notice + own.notice,
        place=parent.place + own.place,
    )


def _rule(file: str, table: str, entry: Mapping[str, Any]) -> Rule:
    _only(f"{file} {entry.get('id', '?')}", entry, _KEYS[table])
    rule = Rule(str(entry["id"]), str(entry["source"]), str(entry["confidence"]))
    if rule.confidence not in {"H", "M", "L"}:
        raise BadRules(f"{file} {rule.id}: confidence is H, M or L")
    return rule


def _only(where: str, entry: Mapping[str, Any], allowed: set[str]) -> None:
    unknown = set(entry) - allowed
    if unknown:
        raise BadRules(f"{where}: unknown {', '.join(sorted(unknown))}")


def _hours(file: str, entry: Mapping[str, Any]) -> HoursRule:
    rule = _rule(file, "hours", entry)
    spans: list[tuple[time, time] | None] = [None] * 7
    for days, readings in entry["days"].items():
        for weekday in _weekdays(f"{file} {rule.id}", days):
            spans[weekday] = _span(f"{file} {rule.id}", readings, rule.confidence)
    return HoursRule(rule, entry.get("sector"), tuple(spans))


def _weekdays(where: str, days: str) -> range:
    first, _, last = days.partition("-")
    try:
        return range(WEEKDAYS.index(first), WEEKDAYS.index(last or first) + 1)
    except ValueError as error:
        raise BadRules(f"{where}: {days} is not a span of weekdays") from error


def _span(where: str, readings: Sequence[Sequence[str]], confidence: str) -> tuple[time, time]:
    """An H rule applies its first reading, others the intersection of all: the stricter one."""
    used = readings[:1] if confidence == "H" else readings
    opens = max(time.fromisoformat(reading[0]) for reading in used)
    closes = min(time.fromisoformat(reading[1]) for reading in used)
    if opens >= closes:
        raise BadRules(f"{where}: opens at or after it closes")
    return opens, closes


def _no_visit(file: str, entry: Mapping[str, Any]) -> NoVisitRule:
    rule = _rule(file, "no_visit", entry)
    if entry["days"] not in CALENDARS:
        raise BadRules(f"{file} {rule.id}: no such calendar")
    return NoVisitRule(rule, entry.get("sector"), entry["days"])


def _frequency(file: str, entry: Mapping[str, Any]) -> FrequencyRule:
    rule = _rule(file, "frequency", entry)
    if entry["counts"] not in {"visits", "attempts"}:
        raise BadRules(f"{file} {rule.id}: counts visits or attempts")
    return FrequencyRule(rule, int(entry["at_most"]), int(entry["within_days"]), entry["counts"])


def _notice(file: str, entry: Mapping[str, Any]) -> NoticeRule:
    return NoticeRule(
        _rule(file, "notice", entry),
        entry.get("sector"),
        frozenset(entry["channels"]),
        int(entry["at_least_days"]),
        entry.get("at_most_days"),
        bool(entry.get("only_transferred", False)),
    )


def _place(file: str, entry: Mapping[str, Any]) -> PlaceRule:
    return PlaceRule(_rule(file, "place", entry), frozenset(entry["refuse_kinds"]))
