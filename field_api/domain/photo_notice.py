"""The privacy notices that phones show before somebody allows a photograph: every version there ever was.

Packaged constant data, read once. Phones carry a copy of the file (field_api/rules/photo_notice.json).
"""

from __future__ import annotations

import json
from importlib.resources import files

_DATA = json.loads(files("field_api").joinpath("rules", "photo_notice.json").read_text(encoding="utf-8"))
VERSIONS: dict[str, dict[str, str]] = _DATA["versions"]
CURRENT: str = _DATA["current"]


def notice_words(version: str, language: str) -> str | None:
    """What stood on the phone; None where this office has no such version or language."""
    return VERSIONS.get(version, {}).get(language)
