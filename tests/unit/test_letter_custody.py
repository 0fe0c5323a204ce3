"""A letter's custody: what may follow what, where its paper lies then, and that no paper is ever in two places."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from field_api.domain.letter_custody import PRINTABLE, Place, ToDo, may_follow, misplaced, stays_in_stack
from field_api.domain.letters import LetterState
from field_api.domain.stacks import Separator
from field_api.rules.letters import LANGUAGES
from field_api.rules.stacks import separator_words

S = LetterState
ENDS = {S.HANDED_OVER, S.DESTROYED}
HERE, THERE = Place(UUID(int=1), date(2026, 11, 18), 3), Place(UUID(int=2), date(2026, 11, 18), 9)


@given(st.lists(st.tuples(st.sampled_from(list(S)), st.booleans()), max_size=30))
def test_whatever_is_tried_a_letter_ends_once_and_what_has_no_paper_lies_nowhere(tries: list[tuple[S, bool]]) -> None:
    """A model of the office: a printed paper is put into a stack; every other step leaves it there or takes it out."""
    state, place, story = S.WANTED, None, [S.WANTED]
    for to, from_the_door in tries:
        if not may_follow(state, to):
            continue
        place = HERE if to is S.PRINTED else place if stays_in_stack(to, told_from_the_door=from_the_door) else None
        state = to
        story.append(to)
        assert place is None or state in (S.PRINTED, S.RETURNED), "only a paper that somebody carries lies in a stack"
    assert not ENDS & set(story[:-1]), "what was handed over or destroyed stays so"
    assert S.ISSUED in story or set(story) <= {S.WANTED, S.REFUSED}, "nothing is printed that was not issued"


def test_a_copy_may_be_made_of_what_the_office_can_still_give_to_somebody() -> None:
    assert set(PRINTABLE) == {S.ISSUED, S.PRINTED, S.RETURNED, S.PULLED, S.LOST}
    assert all(may_follow(state, S.DESTROYED) for state in PRINTABLE), "and each may be shredded"
    assert all(may_follow(S.LOST, found) for found in (S.RETURNED, S.HANDED_OVER, S.DESTROYED)), "what turns up"


@pytest.mark.parametrize(
    ("belongs", "to_do"), [(None, ToDo.DESTROY), (THERE, ToDo.MOVE), (HERE, None)], ids=["withdrawn", "moved", "right"]
)
def test_a_paper_in_a_stack_is_destroyed_moved_or_right(belongs: Place | None, to_do: ToDo | None) -> None:
    assert misplaced(HERE, belongs) is to_do


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_between_counts_letters_and_names_their_stops_in_every_language(language: str) -> None:
    words = separator_words(language)
    assert words.language == language and all(vars(words).values())
    page = Separator("MX-1", "miércoles", [1, 2, 2, 5], 1).data(words)
    assert page["rows"] == [
        [words.letters, "4"], [words.stops, "1, 2\N{NO-BREAK SPACE}(2), 5"], [words.copies, "1"],
    ]  # fmt: skip
    assert [label for label, _ in Separator("MX-1", "miércoles", [], 0).data(words)["rows"]] == [words.letters]
