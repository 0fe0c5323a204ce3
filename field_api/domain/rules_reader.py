"""Contact rules from plain tables: a TOML file's, or an agency's own from its policy (field_api/rules/README.md)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import time
from typing import Any, TypeVar

from field_api.domain.contact_rules import (
    LONGEST_WINDOW_DAYS,
    PER,
    FrequencyRule,
    HoursRule,
    JurisdictionRules,
    NoticeRule,
    NoVisitRule,
    PlaceRule,
    Rule,
)

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
CALENDARS = frozenset({"holidays", "mx_rest_days", "mx_bank_days"})
CHANNELS = frozenset({"visit", "call", "letter", "email", "message"})
SECTORS = frozenset({"financial", "commercial"})
ADDRESS_KINDS = frozenset({"home", "work", "other"})
ALL_DAY = (time.min, time.max)
_NAMES = {"id", "source", "confidence"}
TABLES = {
    "hours": _NAMES | {"sector", "days"},
    "no_visit": _NAMES | {"sector", "days", "dates"},
    "frequency": _NAMES | {"at_most", "within_days", "counts", "per", "unless_consented"},
    "notice": _NAMES | {"sector", "channels", "at_least_days", "at_most_days", "only_transferred"},
    "place": _NAMES | {"refuse_kinds"},
    "represented": _NAMES,
}
_DATE = re.compile(r"(\d{4}-)?(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])")
Made = TypeVar("Made")


class BadRules(ValueError):
    """Rules cannot be understood; the text names the file (or the agency's part) and the rule."""


def read_rules(
    where: str, content: Mapping[str, Any], *, unnamed_days_open: bool = False, holidays: str | None = None
) -> JurisdictionRules:
    """The rules that stand in `content`'s tables. Raises BadRules, naming `where` and the rule.

    `unnamed_days_open`: weekdays that an hours rule does not name are left to the other rules, not closed. That is how
    an agency narrows some days of a law that stands beside.
    """

    def all_of(table: str, read: Callable[[str, Mapping[str, Any], Rule], Made]) -> tuple[Made, ...]:
        return tuple(read(*_entry(where, table, entry)) for entry in _list(where, table, content.get(table, [])))

    def hours(place: str, entry: Mapping[str, Any], rule: Rule) -> HoursRule:
        return _hours(place, entry, rule, ALL_DAY if unnamed_days_open else None)

    return JurisdictionRules(
        jurisdiction=str(content.get("jurisdiction", where)),
        holidays=holidays,
        hours=all_of("hours", hours),
        no_visit=all_of("no_visit", _no_visit),
        frequency=all_of("frequency", _frequency),
        notice=all_of("notice", _notice),
        place=all_of("place", _place),
        represented=all_of("represented", lambda _place, _entry, rule: rule),
    )


def only(where: str, entry: Mapping[str, Any], allowed: set[str]) -> None:
    """Raises BadRules for keys that nobody reads: a misspelt rule must not be no rule."""
    unknown = set(entry) - allowed
    if unknown:
        raise BadRules(f"{where}: unknown {', '.join(sorted(map(str, unknown)))}")


def _list(where: str, table: str, entries: Any) -> Sequence[Any]:
    if not isinstance(entries, list):
        raise BadRules(f"{where} {table}: a list is wanted")
    return entries


def _entry(where: str, table: str, entry: Any) -> tuple[str, Mapping[str, Any], Rule]:
    if not isinstance(entry, Mapping):
        raise BadRules(f"{where} {table}: a table is wanted")
    place = f"{where} {entry.get('id', '?')}"
    only(place, entry, TABLES[table])
    missing = _NAMES - set(entry)
    if missing:
        raise BadRules(f"{place}: {', '.join(sorted(missing))} is missing")
    rule = Rule(str(entry["id"]), str(entry["source"]), str(entry["confidence"]))
    if rule.confidence not in {"H", "M", "L"}:
        raise BadRules(f"{place}: confidence is H, M or L")
    return place, entry, rule


def _hours(place: str, entry: Mapping[str, Any], rule: Rule, unnamed: tuple[time, time] | None) -> HoursRule:
    spans: list[tuple[time, time] | None] = [unnamed] * 7
    days = entry.get("days")
    if not isinstance(days, Mapping) or not days:
        raise BadRules(f"{place}: days is a table of weekdays")
    for named, readings in days.items():
        for weekday in _weekdays(place, named):
            spans[weekday] = _span(place, readings, rule.confidence)
    return HoursRule(rule, _one_of(place, "sector", entry.get("sector"), SECTORS), tuple(spans))


def _weekdays(place: str, days: str) -> range:
    first, _, last = days.partition("-")
    try:
        found = range(WEEKDAYS.index(first), WEEKDAYS.index(last or first) + 1)
    except ValueError as error:
        raise BadRules(f"{place}: {days} is not a span of weekdays") from error
    if not found:
        raise BadRules(f"{place}: {days} goes backwards")
    return found


def _span(place: str, readings: Any, confidence: str) -> tuple[time, time] | None:
    """An H rule applies its first reading, others the intersection of all: the stricter one. No reading: closed."""
    if readings == []:
        return None
    try:
        used = [(time.fromisoformat(opens), time.fromisoformat(closes)) for opens, closes in readings]
    except (TypeError, ValueError) as error:
        raise BadRules(f'{place}: hours are [["08:00", "21:00"]]') from error
    used = used[:1] if confidence == "H" else used
    opens, closes = max(span[0] for span in used), min(span[1] for span in used)
    if opens.tzinfo or closes.tzinfo:
        raise BadRules(f"{place}: hours are local to the address, without an offset")
    if opens >= closes:
        raise BadRules(f"{place}: opens at or after it closes")
    return opens, closes


def _no_visit(place: str, entry: Mapping[str, Any], rule: Rule) -> NoVisitRule:
    days, dates = entry.get("days"), entry.get("dates", [])
    if days is not None and days not in CALENDARS:
        raise BadRules(f"{place}: no such calendar")
    if not isinstance(dates, list) or not all(isinstance(day, str) and _DATE.fullmatch(day) for day in dates):
        raise BadRules(f"{place}: dates are 2026-12-24 or 12-24")
    if days is None and not dates:
        raise BadRules(f"{place}: days or dates are missing")
    return NoVisitRule(rule, _one_of(place, "sector", entry.get("sector"), SECTORS), days, frozenset(dates))


def _frequency(place: str, entry: Mapping[str, Any], rule: Rule) -> FrequencyRule:
    counts = entry.get("counts")
    if counts not in ("visits", "attempts"):
        raise BadRules(f"{place}: counts visits or attempts")
    per = entry.get("per", "account")
    if per not in PER:
        raise BadRules(f"{place}: per account, creditor or person")
    at_most = _number(place, entry, "at_most", 0, 1000)
    within_days = _number(place, entry, "within_days", 1, LONGEST_WINDOW_DAYS)
    unless = entry.get("unless_consented", False)
    if not isinstance(unless, bool):
        raise BadRules(f"{place}: unless_consented is true or false")
    return FrequencyRule(rule, at_most, within_days, counts, per, unless)


def _notice(place: str, entry: Mapping[str, Any], rule: Rule) -> NoticeRule:
    channels = _some_of(place, "channels", entry.get("channels"), CHANNELS)
    at_most = _number(place, entry, "at_most_days", 1, 3660) if entry.get("at_most_days") is not None else None
    return NoticeRule(
        rule,
        _one_of(place, "sector", entry.get("sector"), SECTORS),
        channels,
        _number(place, entry, "at_least_days", 0, 3660),
        at_most,
        bool(entry.get("only_transferred", False)),
    )


def _place(place: str, entry: Mapping[str, Any], rule: Rule) -> PlaceRule:
    return PlaceRule(rule, _some_of(place, "refuse_kinds", entry.get("refuse_kinds"), ADDRESS_KINDS))


def _number(place: str, entry: Mapping[str, Any], name: str, low: int, high: int) -> int:
    value = entry.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise BadRules(f"{place}: {name} is a number from {low} to {high}")
    return value


def _one_of(place: str, name: str, value: Any, known: frozenset[str]) -> str | None:
    if value is not None and value not in known:
        raise BadRules(f"{place}: {name} is one of {', '.join(sorted(known))}")
    return value if value is None else str(value)


def _some_of(place: str, name: str, values: Any, known: frozenset[str]) -> frozenset[str]:
    if not isinstance(values, list) or not values or not all(value in known for value in values):
        raise BadRules(f"{place}: {name} are of {', '.join(sorted(known))}")
    return frozenset(values)
