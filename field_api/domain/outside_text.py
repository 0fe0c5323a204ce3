"""Third parties' words on their way out of the agency: to a creditor's controller or to another system.

Free text that speaks of a debt may have been told by or to somebody who must not know of one. What leaves holds a mark
in its place; a manager reads it word for word in the visit's story.
"""

from __future__ import annotations

from typing import Any

from field_api.domain.debt_words import find_debt_words
from field_api.domain.disclosure import Audience
from field_api.domain.vocabulary import OutcomeKind

OUTSIDE = frozenset({Audience.CONTROLLER, Audience.INTEGRATOR})
OPEN_TEXTS = frozenset({"note", "hint", "where"})
"""Keys of recorded bodies that hold free text about place and people (docs/outcomes.md)."""
WITHHELD = "[withheld: debt words]"


def for_outside(recorded: dict[str, Any]) -> dict[str, Any]:
    """A recorded outcome with a mark for each open text that speaks of a debt. What a located client said stays."""
    located = recorded.get("outcome") == OutcomeKind.CLIENT_LOCATED.value
    return {name: part if located and name == "note" else _masked(name, part) for name, part in recorded.items()}


def _masked(name: str, part: Any) -> Any:
    if isinstance(part, str):
        return WITHHELD if name in OPEN_TEXTS and find_debt_words(part) else part
    if isinstance(part, dict):
        return {inner: _masked(inner, value) for inner, value in part.items()}
    if isinstance(part, list):
        return [_masked(name if isinstance(value, str) else "", value) for value in part]
    return part
