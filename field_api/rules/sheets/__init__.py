"""The visit sheet's words by language: TOML beside this file, read once."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files

from field_api.domain.sheets import SheetWords

LANGUAGES = ("de", "en", "es", "fr", "it", "nl", "pt")


@cache
def words_for(language: str) -> SheetWords:
    """The words of a language (BCP 47, its primary part counts); English where the office has none of its own."""
    primary = language.partition("-")[0].lower()
    name = f"words_{primary if primary in LANGUAGES else 'en'}.toml"
    stored = tomllib.loads((files(__name__) / name).read_text(encoding="utf-8"))
    tables = {key: stored.pop(key) for key in ("script", "outcomes", "envelopes", "letters")}
    return SheetWords(language=primary if primary in LANGUAGES else "en", words=stored, **tables)
