"""Words and amounts that would tell a third party why somebody is sought, in Spanish, English and French.

A help, not the guarantee: what third parties are shown comes from closed vocabularies; this finds what slipped into
free text (a location hint, a note). The rules are data, `detector/detector.json`; docs/detector.md is their contract
and has the figures.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from field_api.domain.detector.lexicon import data, lexicon, words
from field_api.domain.detector.normal import tokens_of
from field_api.domain.detector.phrases import Index, Phrase, index, phrase
from field_api.domain.detector.shapes import shaped

AMOUNT = "amount"
_HARMLESS = "_"


@dataclass(frozen=True)
class _Rules:
    steps: tuple[tuple[bool, Index], ...]
    """Whether what is found becomes harmless, or is told."""
    weak: dict[str, str]
    window: int
    order: tuple[str, ...]


def find_debt_words(text: str) -> list[str]:
    """The terms that `text` contains, in the data's order, `amount` last. Never the matched text: it may be secret.

    Takes time in proportion to the text's length.
    """
    rules = _rules()
    line = shaped(tokens_of(text, lexicon()), lexicon())
    found: set[str] = set()
    for harmless, step in rules.steps:
        for place in range(len(line)):
            for hit, taken in list(step.at(line, place)):
                if not harmless:
                    found.add(hit.name)
                    continue
                for at, element in taken:
                    if not element.context:
                        line[at] = _HARMLESS
    found |= _weak(line, rules)
    return [term for term in rules.order if term in found]


def _weak(line: list[str], rules: _Rules) -> set[str]:
    """Terms that tell something only together: two different ones within the window, in one sentence."""
    found: set[str] = set()
    recent: dict[str, int] = {}
    for place, piece in enumerate(line):
        if piece == ".":
            recent.clear()
        term = rules.weak.get(piece)
        if term is None:
            continue
        near = {other for other, at in recent.items() if other != term and place - at <= rules.window}
        if near - {AMOUNT} or (near and term != AMOUNT):
            found |= {term, *near}
        recent[term] = place
    return found


@cache
def _rules() -> _Rules:
    read = data()
    steps = tuple(("harmless" in step, index(_phrases(step, read["macros"]))) for step in read["steps"])
    weak = {word: term for term, line in read["weak"]["terms"].items() for word in line.split()}
    named = [term for step in read["steps"] for term in step.get("terms", {})] + list(read["weak"]["terms"])
    order = tuple(dict.fromkeys(term for term in named if term != AMOUNT))
    return _Rules(steps, weak, read["weak"]["window"], (*order, AMOUNT))


def _phrases(step: dict[str, Any], macros: dict[str, str]) -> list[Phrase]:
    if "harmless" in step:
        return [phrase("", text, macros) for text in step["harmless"]]
    return [
        phrase(name, text, macros)
        for name, term in step["terms"].items()
        for text in [*sorted(words(term["words"])), *term["phrases"]]
    ]
