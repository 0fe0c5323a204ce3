"""The detector's data (`detector.json`), read once and indexed. docs/detector.md says what each part means."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

FORMAT = "doorstep-detector-1"


@dataclass(frozen=True)
class Lexicon:
    """Everything that the tokens are made with."""

    dropped: tuple[tuple[int, int], ...]
    letters: dict[str, str]
    kept: frozenset[str]
    leet: dict[str, str]
    longest_word: int
    short: dict[str, str]
    spelled: frozenset[str]
    not_joined: frozenset[str]
    typos: dict[str, tuple[str, ...]]
    swaps: dict[str, str]
    left_alone: frozenset[str]
    numbers: dict[str, frozenset[str]]
    ordinals: frozenset[str]


@cache
def data() -> dict[str, Any]:
    """Raises ValueError for another format."""
    read: dict[str, Any] = json.loads(files(__package__).joinpath("detector.json").read_text(encoding="utf-8"))
    if read["format"] != FORMAT:
        raise ValueError(f"the detector's data are no {FORMAT}")
    return read


@cache
def lexicon() -> Lexicon:
    read = data()
    normal, fuzzy, spelled = read["normal"], words(read["fuzzy"]), words(read["spelled"])
    short = {written: word for word, line in read["short"].items() for written in line.split()}
    return Lexicon(
        dropped=tuple((first, last) for first, last in normal["dropped"]),
        letters={**{chr(upper): chr(upper + 32) for upper in range(65, 91)}, **normal["letters"]},
        kept=frozenset(normal["kept"]),
        leet=normal["leet"],
        longest_word=normal["longest_word"],
        short=short,
        spelled=spelled,
        not_joined=frozenset(read["not_joined"]),
        typos=_by_deletion(sorted(fuzzy)),
        swaps={swapped: word for word in sorted(spelled) if len(word) == 5 for swapped in _swapped(word)},
        left_alone=words(read["innocent"]) | fuzzy | spelled | _known(read) | short.keys(),
        numbers={kind: words([line]) for kind, line in read["numbers"].items()},
        ordinals=words([read["ordinals"]]),
    )


def words(lines: Iterable[str]) -> frozenset[str]:
    return frozenset(word for line in lines for word in line.split())


def deletions(word: str) -> list[str]:
    """The word, and the word without each of its letters."""
    return [word, *(word[:place] + word[place + 1 :] for place in range(len(word)))]


def _by_deletion(fuzzy: list[str]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for word in fuzzy:
        for shorter in deletions(word):
            found[shorter] = (*found.get(shorter, ()), word)
    return found


def _swapped(word: str) -> list[str]:
    """Two neighbouring letters changed places; the first letter stays."""
    return [
        word[:place] + word[place + 1] + word[place] + word[place + 2 :]
        for place in range(1, len(word) - 1)
        if word[place] != word[place + 1]
    ]


def _known(read: dict[str, Any]) -> frozenset[str]:
    listed = [
        word for step in read["steps"] for term in step.get("terms", {}).values() for word in words(term["words"])
    ]
    return frozenset(word for word in listed if not word.endswith("*"))
