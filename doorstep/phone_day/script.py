"""Reading a day's script: exact errors before anything is done (docs/phone-script.md)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sync.phone import PhoneError
from sync.phone.wire import read_json

MAX_SCRIPT_BYTES = 4 * 1024 * 1024
VERBS: dict[str, frozenset[str]] = {
    "wait": frozenset({"file"}),
    "touch": frozenset({"file"}),
    "network": frozenset(),
    "kill": frozenset({"at"}),
    "pull": frozenset(),
    "push": frozenset(),
    "upload": frozenset(),
    "settle": frozenset(),
    "status": frozenset(),
    "session": frozenset(),
    "arrive": frozenset({"visit"}),
    "encounter": frozenset({"visit", "relation"}),
    "location": frozenset({"visit"}),
    "company": frozenset({"visit"}),
    "may_say": frozenset({"visit"}),
    "check": frozenset({"visit"}),
    "attest": frozenset({"visit", "document"}),
    "read_before_arrival": frozenset({"visit"}),
    "opened": frozenset({"visit"}),
    "outcome": frozenset({"visit", "outcome"}),
    "letter": frozenset({"visit", "handling"}),
    "contact": frozenset({"visit", "source", "contacts"}),
    "photo_permission": frozenset({"visit", "granted", "by"}),
    "photo": frozenset({"visit", "file", "subject"}),
    "note": frozenset({"visit", "words"}),
    "correction": frozenset({"corrects", "words"}),
}
"""Verb -> the keys that it cannot do without."""


class BadScript(ValueError):
    """Names the step and what is wrong with it."""


@dataclass(frozen=True)
class Script:
    """`digest` identifies the script, so that a killed run is taken up only by the same one."""

    steps: tuple[dict[str, Any], ...]
    digest: str
    clock: datetime | None = None


def read_script(path: Path) -> Script:
    """Raises BadScript."""
    data = path.read_bytes()
    try:
        document = read_json(data, MAX_SCRIPT_BYTES)
    except PhoneError as error:
        raise BadScript(f"{path.name}: {error.detail}") from error
    steps = document.get("steps") if isinstance(document, dict) else None
    if not isinstance(steps, list) or document.get("v") != 1:
        raise BadScript(f'{path.name}: {{"v": 1, "steps": […]}} is needed')
    for number, step in enumerate(steps):
        _check(number, step)
    return Script(tuple(steps), hashlib.sha256(data).hexdigest(), _clock(document.get("clock")))


def _check(number: int, step: Any) -> None:
    verb = step.get("do") if isinstance(step, dict) else None
    if verb not in VERBS:
        raise BadScript(f"step {number}: `do` is none of {', '.join(VERBS)}")
    if missing := VERBS[verb] - set(step):
        raise BadScript(f"step {number} ({verb}): {', '.join(sorted(missing))} missing")


def _clock(text: Any) -> datetime | None:
    if text is None:
        return None
    try:
        clock = datetime.fromisoformat(str(text))
    except ValueError as error:
        raise BadScript("clock: an ISO 8601 time with an offset is needed") from error
    if clock.tzinfo is None:
        raise BadScript("clock: an offset is needed")
    return clock
