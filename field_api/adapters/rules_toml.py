"""Contact rules from TOML files, read once, checked on reading (field_api/rules/README.md)."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from field_api.domain.contact_rules import JurisdictionRules, Rule
from field_api.domain.rules_reader import TABLES, BadRules, only, read_rules
from field_api.domain.vocabulary import HoldKind

__all__ = ["SHIPPED", "BadRules", "TomlRules"]

SHIPPED = Path(__file__).parent.parent / "rules"
MEMBER_STATES = frozenset(  # of the EU and the EEA, as of 2026
    "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IS IT LI LT LU LV MT NL NO PL PT RO SE SI SK".split()  # noqa: SIM905 a table reads better as words
)


class TomlRules:
    """The rule book of a directory. Keeps the promise of field_api.domain.ports.RuleBook."""

    def __init__(self, directory: Path = SHIPPED) -> None:
        self._directory = directory
        self.of = cache(self._of)
        self._holds = cache(self._read_holds)

    def hold(self, kind: str) -> Rule:
        return self._holds()[kind]

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
        only(path.name, content, {"jurisdiction", "inherits", "holidays", *TABLES})
        own = read_rules(path.name, content, holidays=content.get("holidays"))
        if "inherits" not in content:
            return own
        parent = self._read(self._directory / f"{content['inherits']}.toml")
        merged = parent.and_also(own)
        return replace(merged, jurisdiction=own.jurisdiction, holidays=own.holidays or parent.holidays)

    def _read_holds(self) -> Mapping[str, Rule]:
        content = tomllib.loads((self._directory / "holds.toml").read_text(encoding="utf-8"))
        only("holds.toml", content, {"hold"})
        rules = dict(_hold(entry) for entry in content["hold"])
        if set(rules) != {kind.value for kind in HoldKind}:
            raise BadRules("holds.toml: one entry for each kind of hold is wanted")
        return rules


def _hold(entry: Mapping[str, Any]) -> tuple[str, Rule]:
    kind = str(entry.get("kind", "?"))
    only(f"holds.toml {kind}", entry, {"kind", "source", "confidence"})
    if entry.get("confidence") not in ("H", "M", "L") or not entry.get("source"):
        raise BadRules(f"holds.toml {kind}: a source and a confidence (H, M or L) are wanted")
    return kind, Rule(f"hold:{kind}", str(entry["source"]), str(entry["confidence"]))


def _ever_wider(jurisdiction: str) -> Iterator[str]:
    yield jurisdiction
    country = jurisdiction.partition("-")[0]
    country = "GB" if country == "UK" else country
    yield country
    if country in MEMBER_STATES:
        yield "EU"
