"""Which of an operation's words the agent is warned about before they are kept (docs/detector.md §8).

A warning, never a refusal: what an agent recorded is kept as it was written.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sync.phone.debt_words import find_debt_words

OPEN_TEXTS = frozenset({"note", "hint", "where"})
"""Free text about places and people, which may be read out at a door or printed."""
LOCATED = "client_located"


def warnings(kind: str, body: Mapping[str, Any]) -> tuple[str, ...]:
    """The detector's terms in the operation's open texts, each once; never the words themselves."""
    return tuple(dict.fromkeys(term for text in open_texts(kind, body) for term in find_debt_words(text)))


def open_texts(kind: str, body: Mapping[str, Any]) -> Iterator[str]:
    """What should hold nothing of a debt. What a located client said may, and is left out."""
    if kind == "note":
        yield str(body.get("words", ""))
    located = body.get("outcome") == LOCATED
    yield from _texts({name: part for name, part in body.items() if not (located and name == "note")})


def _texts(part: Any) -> Iterator[str]:
    if isinstance(part, Mapping):
        for name, inner in part.items():
            if name in OPEN_TEXTS and isinstance(inner, str):
                yield inner
            else:
                yield from _texts(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from _texts(inner)
