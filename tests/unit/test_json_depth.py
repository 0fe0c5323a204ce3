"""How deep JSON is nested is known before it is parsed, on both sides of the wire, whatever its strings hold."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from field_api.platform import bounded_json
from sync.phone import wire

AWKWARD = st.text(alphabet='[]{}"\\\n,:a1', max_size=60).map(str.encode) | st.binary(max_size=60)


def depth_letter_by_letter(data: bytes) -> int:
    """The plain way, as a yardstick."""
    deepest = depth = 0
    inside = escaped = False
    for byte in data:
        if inside:
            inside, escaped = escaped or byte != 0x22, not escaped and byte == 0x5C
        elif byte == 0x22:
            inside = True
        elif byte in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif byte in b"]}":
            depth -= 1
    return deepest


def refused_as_deep(data: bytes, max_depth: int) -> bool:
    try:
        bounded_json.loads(data, max_bytes=1_000, max_depth=max_depth)
    except bounded_json.BadJson as refusal:
        return "deeper" in str(refusal)
    return False


@given(AWKWARD)
def test_both_sides_count_as_one_would_by_hand(data: bytes) -> None:
    depth = depth_letter_by_letter(data)
    assert wire._depth(data) == depth
    assert not refused_as_deep(data, depth)
    assert depth == 0 or refused_as_deep(data, depth - 1)


@pytest.mark.parametrize(
    "text", ["]" * 40 + "[" * 40, '"' + "[" * 40 + '"', '"\\\\"[', '"\\"[[[', '["\\\\\\"[[["]', '"a\\']
)
def test_strings_and_broken_ends_are_no_brackets(text: str) -> None:
    assert wire._depth(text.encode()) == depth_letter_by_letter(text.encode())


def test_the_deepest_that_passes_is_the_bound() -> None:
    fits = json.dumps("x").join(["[" * wire.MAX_DEPTH, "]" * wire.MAX_DEPTH]).encode()
    wire.read_json(fits)
    with pytest.raises(wire.Untrusted):
        wire.read_json(b"[" + fits + b"]")
