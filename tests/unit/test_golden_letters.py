"""Letters as a person reads them, compared with what somebody read and kept. Made by tests/write_golden_letters.py."""

from __future__ import annotations

import pytest

from field_api.rules.letters import LANGUAGES, all_rules
from tests.letter_samples import KINDS, composed, golden, text_of
from tests.write_golden_letters import FOLDER

LETTERS = golden()


@pytest.mark.parametrize("name", sorted(LETTERS))
def test_a_letter_reads_as_it_did(name: str) -> None:
    assert text_of(LETTERS[name]) == (FOLDER / f"{name}.txt").read_text(encoding="utf-8")


def test_there_is_one_for_every_place_kind_and_language() -> None:
    contents = [composed(facts) for facts in LETTERS.values()]
    assert {path.stem for path in FOLDER.glob("*.txt")} == set(LETTERS)
    assert {content.jurisdiction for content in contents} == {rules.jurisdiction for rules in all_rules().values()}
    assert {content.kind for content in contents} == set(KINDS)
    assert {part.language for content in contents for part in content.parts} == set(LANGUAGES)
