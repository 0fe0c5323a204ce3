"""Letter rules by jurisdiction and letter words by language: TOML beside this file, read once, checked as a whole.

A place's file may build on another (`base`, whose name begins with `_`): its keys come on top, its `required` are
merged by field, its `forbidden` and `notice` are added. `_words.toml` holds the groups of words that files name.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from functools import cache
from importlib.resources import files
from typing import Any

from field_api.domain.letter_model import LetterFacts
from field_api.domain.letter_rules import (
    GROUPS,
    NOTICE_PLACES,
    ORDER,
    Forbidden,
    LetterRules,
    Notice,
    Requirement,
    Texts,
    ValidationPeriod,
)
from field_api.domain.letter_words import plain

LANGUAGES = ("de", "en", "es", "fr", "it", "nl", "pt")
_FACTS = frozenset(entry.name for entry in fields(LetterFacts)) | {"itemisation", "transferred"}


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
    found = [_rules(name) for name in sorted(names) if not name.startswith(("texts_", "_"))]
    shared = {place: _serving(place, rules) for rules in found for place in rules.also}
    return {**shared, **{rules.jurisdiction: rules for rules in found}}


@cache
def all_texts() -> Mapping[str, Texts]:
    """The words of every language that the office writes letters in."""
    return {language: Texts(language, _read(f"texts_{language}.toml")) for language in LANGUAGES}


def _serving(place: str, rules: LetterRules) -> LetterRules:
    """Rules that name no territory write amounts and days as the addressee's own country does."""
    return rules if rules.territory else replace(rules, territory=place)


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads((files(__name__) / name).read_text(encoding="utf-8"))


def _stored(name: str) -> dict[str, Any]:
    stored = _read(name)
    base = stored.pop("base", None)
    if base is None:
        return stored
    below = _stored(f"{base}.toml")
    return {
        **below,
        **stored,
        "required": {**below.get("required", {}), **stored.get("required", {})},
        **{key: [*below.get(key, []), *stored.get(key, [])] for key in ("forbidden", "notice")},
    }


def _rules(name: str) -> LetterRules:
    stored = _stored(name)
    try:
        rules = LetterRules(
            required=[_requirement(field, entry) for field, entry in stored.pop("required").items()],
            forbidden=[_forbidden(entry) for entry in stored.pop("forbidden")],
            notices=[Notice(**_with_kinds(entry)) for entry in stored.pop("notice", [])],
            validation=ValidationPeriod(**stored.pop("validation")) if "validation" in stored else None,
            order=tuple(stored.pop("order", ORDER)),
            revealing=_every("revealing"),
            asking=_every("asking"),
            **stored,
        )
    except (KeyError, TypeError) as error:
        raise BadLetterRules(f"{name}: {error}") from None
    _check(name, rules)
    return rules


def _requirement(field: str, entry: str | dict[str, Any]) -> Requirement:
    return Requirement(field, entry) if isinstance(entry, str) else Requirement(field, **_with_kinds(entry))


def _with_kinds(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {**entry, "kinds": GROUPS[entry.get("kinds", "")]}


def _forbidden(entry: Mapping[str, Any]) -> Forbidden:
    groups = [_group(name) for name in entry.get("groups", [])]
    words = [word for group in groups for word in group["words"]]
    return Forbidden(
        words=tuple(dict.fromkeys([*words, *entry.get("words", [])])),
        source=entry["source"],
        fields=frozenset(entry.get("fields", [])),
        harmless=tuple(word for group in groups for word in group.get("harmless", [])),
    )


def _group(name: str) -> Mapping[str, Sequence[str]]:
    kind, _, language = name.partition(".")
    group: Mapping[str, Sequence[str]] = _groups()[kind][language]
    return group


@cache
def _every(kind: str) -> tuple[str, ...]:
    """The words of this kind in all languages."""
    return tuple(word for group in _groups()[kind].values() for word in group["words"])


@cache
def _groups() -> Mapping[str, Any]:
    return _read("_words.toml")


def _check(name: str, rules: LetterRules) -> None:
    """Raises BadLetterRules."""
    named = [entry.field for entry in rules.required]
    named += [entry.when for entry in rules.required if entry.when]
    named += [notice.when for notice in rules.notices if notice.when]
    for field in named:
        if field not in _FACTS:
            raise BadLetterRules(f"{name}: {field} is not a fact of letters")
    if set(rules.order) != set(ORDER):
        raise BadLetterRules(f"{name}: order does not name every section")
    for notice in rules.notices:
        if rules.default_language not in notice.text:
            raise BadLetterRules(f"{name}: notice {notice.id} lacks {rules.default_language}")
        if notice.place not in NOTICE_PLACES:
            raise BadLetterRules(f"{name}: notice {notice.id} has no place {notice.place}")
    _check_words(name, [word for entry in rules.forbidden for word in (*entry.words, *entry.harmless)])
    _check_words(name, [*rules.revealing, *rules.asking])


def _check_words(name: str, words: Sequence[str]) -> None:
    """Raises BadLetterRules for a word that would never be found."""
    for word in words:
        if plain(word.removesuffix("*")) != " " + word.removesuffix("*"):
            raise BadLetterRules(f"{name}: {word} is not written as words are compared")
