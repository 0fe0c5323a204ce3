"""Letter rules by jurisdiction and letter words by language: TOML beside this file, read once, checked as a whole."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import fields
from functools import cache
from importlib.resources import files
from typing import Any

from field_api.domain.letters import LetterFacts, LetterRules, Notice, Texts

LANGUAGES = ("de", "en", "es", "fr")


class BadLetterRules(ValueError):
    """A shipped or overridden rules file is wrong; the text names the file and the place."""


def rules_for(jurisdiction: str) -> LetterRules | None:
    """The rules of a place: its own file, its country's, the EEA's; None where no rule is known (nothing is issued)."""
    known = all_rules()
    return known.get(jurisdiction) or known.get(jurisdiction.partition("-")[0])


@cache
def all_rules() -> Mapping[str, LetterRules]:
    """Every jurisdiction's rules. Raises BadLetterRules."""
    names = [entry.name for entry in files(__name__).iterdir() if entry.name.endswith(".toml")]
    found = [_rules(name) for name in sorted(names) if not name.startswith("texts_")]
    shared = {place: rules for rules in found for place in rules.also}
    return {**shared, **{rules.jurisdiction: rules for rules in found}}


@cache
def all_texts() -> Mapping[str, Texts]:
    """The words of every language that the office writes letters in."""
    return {language: Texts(language, _read(f"texts_{language}.toml")) for language in LANGUAGES}


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads((files(__name__) / name).read_text(encoding="utf-8"))


def _rules(name: str) -> LetterRules:
    stored = _read(name)
    notices = [Notice(**entry) for entry in stored.pop("notice", [])]
    rules = LetterRules(**{"notices": notices, "forbidden": {}, **stored})
    _check(name, rules)
    return rules


def _check(name: str, rules: LetterRules) -> None:
    known = {entry.name for entry in fields(LetterFacts)} | {"itemisation"}
    for field in rules.required:
        if field not in known:
            raise BadLetterRules(f"{name}: required field {field} is not a fact of letters")
    for pattern in rules.forbidden:
        re.compile(pattern)
    for notice in rules.notices:
        if rules.default_language not in notice.text:
            raise BadLetterRules(f"{name}: notice {notice.id} lacks {rules.default_language}")
