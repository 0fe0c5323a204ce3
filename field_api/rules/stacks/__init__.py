"""The words of the page between a sheet and its letters: TOML beside this file, read once."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from field_api.domain.stacks import SeparatorWords


def separator_words(language: str) -> SeparatorWords:
    """The words of a language (BCP 47, its primary part counts); English where the office has none of its own."""
    known = _words()
    primary = language.partition("-")[0].lower()
    return known.get(primary, known["en"])


@cache
def _words() -> Mapping[str, SeparatorWords]:
    stored = tomllib.loads((files(__name__) / "words.toml").read_text(encoding="utf-8"))
    return {language: SeparatorWords(language, **words) for language, words in stored.items()}
