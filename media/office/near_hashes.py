"""Which difference hashes are near one another, and how an index finds them. Pure.

A hash is cut into four bands of 16 bits. Two hashes that differ in at most 7 bits differ in at most one bit in one of
the bands: so whoever looks for each band's own value and the 16 values one bit away finds them all, with 4 x 17 exact
look-ups, however many photographs there are.
"""

from __future__ import annotations

NEAR_BITS = 5
"""Of 64. Neal Krawetz, who described the hash ("Kind of Like That", The Hacker Factor Blog, 2013), takes 1 to 10 for a
variation and more for another picture; rows of like houses make ten too many, so half of it."""
CERTAIN_BITS = 7
"""Up to here the bands find every hash."""
PATTERN_BITS = 6
"""With fewer bits set, or fewer unset, a hash says only that the picture is dark, blank or evenly lit: all such are
alike, and are not compared."""


def bits_apart(one: str, other: str) -> int:
    """Hamming distance of two hashes of 16 hex digits."""
    return (int(one, 16) ^ int(other, 16)).bit_count()


def has_pattern(dhash: str) -> bool:
    """Whether there is enough in the picture to compare."""
    return PATTERN_BITS <= int(dhash, 16).bit_count() <= 64 - PATTERN_BITS


def bands(dhash: str) -> tuple[str, str, str, str]:
    """The four parts, as `office.photo` keeps them."""
    return dhash[:4], dhash[4:8], dhash[8:12], dhash[12:]


def probes(band: str) -> list[str]:
    """The band's own value, and those one bit away from it."""
    value = int(band, 16)
    return [band, *(f"{value ^ 1 << bit:04x}" for bit in range(16))]
