"""The office's detector and the phone's are two programs over one file: same bytes, same answers (docs/detector.md)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from field_api.domain.debt_words import find_debt_words as office_finds
from field_api.domain.detector.lexicon import lexicon
from field_api.domain.detector.normal import plain, tokens_of
from field_api.domain.detector.shapes import shaped
from sync.phone.debt_words import find_debt_words as phone_finds

ROOT = Path(__file__).parents[2]
VECTORS = json.loads((ROOT / "tests" / "vectors" / "detector.json").read_text(encoding="utf-8"))
PIECES = st.sampled_from(
    [vector["text"] for vector in VECTORS]
    + ["1 5 0 0", "d3bt", "frente al", "banco", "$", "mil", "metros", "owes", "doit", "\u200b"]
)


def test_the_data_are_the_same_bytes() -> None:
    ours, theirs = (ROOT / folder / "detector" / "detector.json" for folder in ("field_api/domain", "sync/phone"))
    assert ours.read_bytes() == theirs.read_bytes()


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["text"][:30])
def test_both_answer_as_the_vectors_say(vector: dict[str, object]) -> None:
    text = str(vector["text"])
    assert plain(text, lexicon()) == vector["plain"]
    assert shaped(tokens_of(text, lexicon()), lexicon()) == vector["line"]
    assert office_finds(text) == phone_finds(text) == vector["terms"]


def test_the_vectors_hold_found_and_harmless_ones() -> None:
    assert len(VECTORS) >= 40 and {bool(vector["terms"]) for vector in VECTORS} == {True, False}


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.text(max_size=80), st.lists(PIECES, max_size=4).map(" ".join)))
def test_both_answer_alike_whatever_is_written(text: str) -> None:
    assert office_finds(text) == phone_finds(text)
