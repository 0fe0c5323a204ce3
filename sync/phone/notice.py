"""The privacy notice that is shown or read out before somebody allows a photograph: photo_notice.json read.

The file is a copy of the office's (field_api/rules/photo_notice.json); its words of a version never change.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any

_DATA: dict[str, Any] = json.loads((files("sync.phone") / "photo_notice.json").read_text(encoding="utf-8"))
_WORDS: dict[str, str] = _DATA["versions"][_DATA["current"]]
LANGUAGES = frozenset(_WORDS)


@dataclass(frozen=True)
class Notice:
    version: str
    language: str
    words: str = field(repr=False)


def photo_notice(language: str) -> Notice:
    """The present one. Raises KeyError for a language that it has not."""
    return Notice(_DATA["current"], language, _WORDS[language])
