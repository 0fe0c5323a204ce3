"""The house's own templates as they are now, told so that a letter can be made again years later: their sources, what
fonts lie beside them, and which libraries lay out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import cache
from importlib.metadata import version
from pathlib import Path

from field_api.domain.ports import House

TEMPLATES = Path(__file__).parent / "papers"


@cache
def running_house() -> House:
    """Read once: the files of a package do not change while it runs."""
    fonts = sorted(path for path in (TEMPLATES / "fonts").rglob("*") if path.suffix in (".ttf", ".otf", ".ttc"))
    told = {
        "v": 1,
        "typst": version("typst"),
        "zxing-cpp": version("zxing-cpp"),
        "sources": {path.name: path.read_text(encoding="utf-8") for path in sorted(TEMPLATES.glob("*.typ"))},
        "fonts": {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in fonts},
    }
    body = json.dumps(told, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()
    return House(hashlib.sha256(body).hexdigest(), told["typst"], body)


def differences(then: Mapping[str, object], now: Mapping[str, object]) -> list[str]:
    """What is not as it was beside the sources, which are laid out as they were."""
    named = [
        f"{name} {then[name]} made it, {now[name]} is here"
        for name in ("typst", "zxing-cpp")
        if then[name] != now[name]
    ]
    return named + ([] if then["fonts"] == now["fonts"] else ["the fonts are others"])
