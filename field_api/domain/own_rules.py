"""An agency's own contact rules: narrower hours, lower caps, longer waits, more days without visits. Never the reverse.

`policy["contact_rules"]` is a table of jurisdictions ("MX", "US-MA", or "*" for all), each with the tables of a rules
file (field_api/rules/README.md). They stand beside the law's, and all rules hold together: whatever is written here,
nothing that the law refuses becomes possible. What would be looser than a rule of the law is refused all the same when
it is set, so that nobody believes in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import time
from typing import Any

from field_api.domain.contact_rules import FrequencyRule, HoursRule, JurisdictionRules, NoticeRule
from field_api.domain.rules_reader import ALL_DAY, TABLES, WEEKDAYS, BadRules, only, read_rules

EVERYWHERE = "*"
_OWN = {"source": "The agency's own rule", "confidence": "H"}
Lookup = Callable[[str], JurisdictionRules | None]
OwnRules = Mapping[str, JurisdictionRules]


def own_rules(policy: Mapping[str, Any]) -> OwnRules:
    """The agency's rules by jurisdiction. Raises BadRules naming the place: what is not understood is not ignored."""
    stored = policy.get("contact_rules") or {}
    if not isinstance(stored, Mapping):
        raise BadRules("contact_rules: a table of jurisdictions is wanted")
    return {str(code): _read(str(code), content) for code, content in stored.items()}


def _read(code: str, content: Any) -> JurisdictionRules:
    if not isinstance(content, Mapping):
        raise BadRules(f"contact_rules.{code}: a table is wanted")
    only(f"contact_rules.{code}", content, set(TABLES))
    named = {table: _all_named(code, table, entries) for table, entries in content.items()}
    return read_rules(f"contact_rules.{code}", named, unnamed_days_open=True)


def _all_named(code: str, table: str, entries: Any) -> Any:
    if not isinstance(entries, list):
        return entries
    return [_named(code, table, number, entry) for number, entry in enumerate(entries)]


def _named(code: str, table: str, number: int, entry: Any) -> Any:
    if not isinstance(entry, Mapping):
        return entry
    only(f"contact_rules.{code}.{table}.{number}", entry, TABLES[table] - set(_OWN))
    return {**entry, **_OWN, "id": f"agency:{code}:{entry.get('id', f'{table}-{number + 1}')}"}


def beside_the_law(law: Lookup, own: OwnRules) -> Lookup:
    """The rules of a place with the agency's for everywhere, for its country and for it."""
    known: dict[str, JurisdictionRules | None] = {}

    def of(jurisdiction: str) -> JurisdictionRules | None:
        if jurisdiction not in known:
            rules = law(jurisdiction)
            for code in _codes(jurisdiction, rules):
                rules = rules.and_also(own[code]) if rules is not None and code in own else rules
            known[jurisdiction] = rules
        return known[jurisdiction]

    return of if own else law


def _codes(jurisdiction: str, rules: JurisdictionRules | None) -> list[str]:
    country = jurisdiction.partition("-")[0]
    wider = [rules.jurisdiction] if rules is not None else []  # "EU" for a member state without a file, "GB" for UK
    return list(dict.fromkeys([EVERYWHERE, *wider, country, jurisdiction]))


def looser_than_the_law(own: OwnRules, law: Lookup) -> Iterator[str]:
    """In words, each rule that allows more than the law of its jurisdiction does, or is for a place without rules."""
    for code, rules in own.items():
        legal = None if code == EVERYWHERE else law(code)
        if legal is None:
            if code != EVERYWHERE:
                yield f"contact_rules.{code}: no rules are known for this place"
            continue
        yield from (text for hours in rules.hours for text in _wider_hours(hours, legal))
        yield from (text for cap in rules.frequency for text in _higher_cap(cap, legal))
        yield from (text for notice in rules.notice for text in _shorter_wait(notice, legal))


def _wider_hours(own: HoursRule, legal: JurisdictionRules) -> Iterator[str]:
    for law in legal.hours:
        if law.sector is not None and law.sector != own.sector:
            continue
        for name, mine, theirs in zip(WEEKDAYS, own.by_weekday, law.by_weekday, strict=True):
            if mine is None or mine == ALL_DAY:
                continue
            if theirs is None or mine[0] < theirs[0] or mine[1] > theirs[1]:
                yield f"{own.rule.id}: {name} {_span(mine)} is wider than {law.rule.id}, {_span(theirs)}"


def _span(span: tuple[time, time] | None) -> str:
    return "closed" if span is None else f"{span[0]:%H:%M}-{span[1]:%H:%M}"


def _higher_cap(own: FrequencyRule, legal: JurisdictionRules) -> Iterator[str]:
    for law in legal.frequency:
        alike = (law.counts, law.per) == (own.counts, own.per)
        if alike and own.at_most >= law.at_most and own.within_days <= law.within_days and _cap(own) != _cap(law):
            yield f"{own.rule.id}: more than {law.rule.id}, {law.at_most} in {law.within_days} days"


def _cap(rule: FrequencyRule) -> tuple[int, int]:
    return rule.at_most, rule.within_days


def _shorter_wait(own: NoticeRule, legal: JurisdictionRules) -> Iterator[str]:
    for law in legal.notice:
        same = own.channels & law.channels and own.only_transferred == law.only_transferred
        if same and own.at_least_days < law.at_least_days:
            yield f"{own.rule.id}: a shorter wait than {law.rule.id}, {law.at_least_days} days"
