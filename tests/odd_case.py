"""One picture of the corpus of hostile and odd pictures, and what must become of it."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.pictures import BLUE, GREEN, RED, WHITE, quarters

WIDTH, HEIGHT = 96, 64
QUARTERS = (RED, GREEN, BLUE, WHITE)
PLAIN = quarters(WIDTH, HEIGHT)

UNREADABLE = ("not-a-picture", "undecodable")
"""Which of the two depends on whether the damage stands in a header: both say that the file is at fault."""

Colours = tuple[tuple[int, int, int], ...]


@dataclass(frozen=True)
class Shown:
    """What a developed picture must show; None where the file itself leaves it open."""

    size: tuple[int, int] | None = (WIDTH, HEIGHT)
    corners: Colours | None = QUARTERS
    evidence: dict[str, Any] = field(default_factory=dict)  # these keys with these values, others as they come


@dataclass(frozen=True)
class Case:
    """`shown` alone: must be developed. `refused` alone: must be refused with one of these codes. Both: either."""

    name: str
    make: Callable[[], bytes]
    shown: Shown | None = None
    refused: tuple[str, ...] = ()
    costly: bool = False  # takes more than a second of CPU time, or more than 200 MB


def good(name: str, data: bytes, **shown: Any) -> Case:
    return Case(name, lambda: data, Shown(**shown))


def bad(name: str, data: bytes, *codes: str) -> Case:
    return Case(name, lambda: data, None, codes or UNREADABLE)


def either(name: str, data: bytes, *codes: str) -> Case:
    """Damage that a decoder may or may not notice: then pixels are wrong, and nothing else may be."""
    return Case(name, lambda: data, Shown(None, None), codes or UNREADABLE)


def cut(name: str, data: bytes, pieces: int) -> Iterator[Case]:
    """Cut after each of `pieces` equal parts; what is cut near its end may still be a whole picture."""
    for part in range(1, pieces):
        at = len(data) * part // pieces
        yield either(f"{name}-cut-{at}", data[:at])


def flipped(name: str, data: bytes, times: int, *more_codes: str) -> Iterator[Case]:
    """One bit turned, at places drawn from a fixed seed, each in its own part of the file."""
    places = random.Random(name)
    for number in range(times):
        at = (len(data) * number + places.randrange(len(data))) // times
        turned = bytearray(data)
        turned[at] ^= 1 << places.randrange(8)
        yield either(f"{name}-flip-{at}", bytes(turned), *UNREADABLE, *more_codes)


def turned(orientation: int, quarters: Colours = QUARTERS) -> Colours:
    """What stored quarters (top left, top right, bottom left, bottom right) show upright (EXIF 2.3, tag 0x0112)."""
    order = ("0123", "1032", "3210", "2301", "0213", "2031", "3120", "1302")[orientation - 1]
    return tuple(quarters[int(index)] for index in order)
