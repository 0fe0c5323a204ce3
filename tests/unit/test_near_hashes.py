"""Near hashes are found by exact look-ups of their bands, and only near ones are called so."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from media.office.near_hashes import (
    CERTAIN_BITS,
    NEAR_BITS,
    PATTERN_BITS,
    bands,
    bits_apart,
    has_pattern,
    probes,
)

HASHES = st.integers(0, 2**64 - 1).map(lambda value: f"{value:016x}")


def altered(dhash: str, bits: frozenset[int]) -> str:
    return f"{int(dhash, 16) ^ sum(1 << bit for bit in bits):016x}"


def is_found(stored: str, wanted: str) -> bool:
    """As the database looks: one of the bands is one of the probes of that band."""
    return any(band in probes(sought) for band, sought in zip(bands(stored), bands(wanted), strict=True))


@given(HASHES, st.frozensets(st.integers(0, 63), max_size=CERTAIN_BITS))
def test_every_hash_up_to_seven_bits_away_is_found(dhash: str, bits: frozenset[int]) -> None:
    other = altered(dhash, bits)
    assert bits_apart(dhash, other) == len(bits)
    assert is_found(other, dhash) and is_found(dhash, other)


def test_eight_bits_two_in_each_band_are_not_found() -> None:
    """Where the bands' certainty ends; the threshold lies below it."""
    far = altered("5a5a5a5a5a5a5a5a", frozenset({0, 1, 16, 17, 32, 33, 48, 49}))
    assert not is_found(far, "5a5a5a5a5a5a5a5a")
    assert NEAR_BITS <= CERTAIN_BITS < bits_apart(far, "5a5a5a5a5a5a5a5a")


@given(HASHES)
def test_bands_are_the_hash_and_probes_are_one_bit_away(dhash: str) -> None:
    assert "".join(bands(dhash)) == dhash
    for band in bands(dhash):
        found = probes(band)
        assert len(found) == len(set(found)) == 17
        assert {(int(one, 16) ^ int(band, 16)).bit_count() for one in found[1:]} == {1}
        assert all(len(one) == 4 for one in found)


def test_a_picture_without_a_pattern_is_not_compared() -> None:
    assert not has_pattern("0" * 16) and not has_pattern("f" * 16)
    least = (1 << PATTERN_BITS) - 1
    assert has_pattern(f"{least:016x}") and not has_pattern(f"{least >> 1:016x}")
    assert has_pattern("00ff" * 4)
