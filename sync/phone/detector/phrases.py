"""Phrases of the data, and where in a line of tokens they stand (docs/detector.md §5).

A phrase is a row of elements; each takes at most one token, or up to nine in a gap, so a match looks at a bounded
number of tokens however long the line is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

_GAP = re.compile(r"_(\d)")
_MACRO = re.compile(r"\{([A-Z]+)\}")
_SUFFIX = "*"


@dataclass(frozen=True)
class Element:
    exact: frozenset[str]
    starts: tuple[str, ...] = ()
    ends: tuple[str, ...] = ()
    gap: int = 0
    optional: bool = False
    context: bool = False
    """Must stand there, but does not become harmless itself."""
    negated: bool = False

    def takes(self, token: str) -> bool:
        found = token in self.exact or token.startswith(self.starts) or (token.isalpha() and token.endswith(self.ends))
        return found is not self.negated


@dataclass(frozen=True)
class Phrase:
    name: str
    elements: tuple[Element, ...]

    def match(self, line: list[str], place: int, number: int = 0) -> list[tuple[int, Element]] | None:
        """The places that its elements take, from `place` on, or None."""
        if number == len(self.elements):
            return []
        element = self.elements[number]
        if element.gap:
            return self._past_gap(line, place, number)
        if place < len(line) and element.takes(line[place]):
            rest = self.match(line, place + 1, number + 1)
            if rest is not None:
                return [(place, element), *rest]
        return self.match(line, place, number + 1) if element.optional else None

    def _past_gap(self, line: list[str], place: int, number: int) -> list[tuple[int, Element]] | None:
        element = self.elements[number]
        for size in range(element.gap + 1):
            if size and (place + size > len(line) or line[place + size - 1] == "."):
                return None
            rest = self.match(line, place + size, number + 1)
            if rest is not None:
                return [*((place + n, element) for n in range(size)), *rest]
        return None


@dataclass
class Index:
    """Phrases by how their first element begins, so that few are tried at each token."""

    exact: dict[str, list[Phrase]] = field(default_factory=dict)
    starts: dict[str, list[Phrase]] = field(default_factory=dict)
    anywhere: list[Phrase] = field(default_factory=list)
    sizes: frozenset[int] = frozenset()

    def at(self, line: list[str], place: int) -> Iterator[tuple[Phrase, list[tuple[int, Element]]]]:
        token = line[place]
        tried = [self.exact.get(token, [])]
        tried += [self.starts.get(token[:size], []) for size in self.sizes if size <= len(token)]
        for phrase in (phrase for phrases in [*tried, self.anywhere] for phrase in phrases):
            taken = phrase.match(line, place)
            if taken is not None:
                yield phrase, taken


def index(phrases: Iterable[Phrase]) -> Index:
    made = Index()
    for phrase in phrases:
        first = phrase.elements[0]
        if first.negated or first.ends or first.optional or first.gap:
            made.anywhere.append(phrase)
            continue
        for word in first.exact:
            made.exact.setdefault(word, []).append(phrase)
        for start in first.starts:
            made.starts.setdefault(start, []).append(phrase)
    made.sizes = frozenset(map(len, made.starts))
    return made


def phrase(name: str, text: str, macros: Mapping[str, str]) -> Phrase:
    return Phrase(name, tuple(_element(part, macros) for part in text.split()))


def _element(part: str, macros: Mapping[str, str]) -> Element:
    """`word|word*|*end|{MACRO}`; in front `!`: none of these, `=`: context; behind `?`: optional; `_2`: a gap."""
    if gap := _GAP.fullmatch(part):
        return Element(frozenset(), gap=int(gap.group(1)))
    context, negated, optional = part.startswith("="), part.startswith("!"), part.endswith("?") and part != "?"
    bare = part[1 if context or negated else 0 : -1 if optional else None]
    alternatives = [word for choice in bare.split("|") for word in _words(choice, macros)]
    return Element(
        exact=frozenset(word for word in alternatives if _SUFFIX not in word),
        starts=tuple(word[:-1] for word in alternatives if word.endswith(_SUFFIX)),
        ends=tuple(word[1:] for word in alternatives if word.startswith(_SUFFIX)),
        optional=optional,
        context=context,
        negated=negated,
    )


def _words(choice: str, macros: Mapping[str, str]) -> list[str]:
    macro = _MACRO.fullmatch(choice)
    return macros[macro.group(1)].split() if macro else [choice]
