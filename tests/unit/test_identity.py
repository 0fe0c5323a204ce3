"""Identity answers have one normal form, by the vectors that phones are held to as well."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from field_api.domain.identity import ANSWER_KINDS, AnswerKind, NoAnswer, independent_group, normalise

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "identity_answers.json").read_text())


def _result(kind: str, text: str) -> str | None:
    try:
        return normalise(AnswerKind(kind), text)
    except NoAnswer:
        return None


def test_every_vector_gives_its_normal_form() -> None:
    wrong = [v for v in VECTORS["answers"] if _result(v["kind"], v["input"]) != v["normalised"]]
    assert wrong == []


def test_every_kind_has_an_accepted_and_a_refused_vector() -> None:
    accepted = {v["kind"] for v in VECTORS["answers"] if v["normalised"]}
    refused = {v["kind"] for v in VECTORS["answers"] if v["normalised"] is None}
    assert accepted == refused == set(ANSWER_KINDS)


def test_groups_follow_the_vectors() -> None:
    for vector in VECTORS["groups"]:
        assert independent_group(AnswerKind(vector["kind"]), vector["country"]) == vector["group"]


def test_in_mexico_tax_id_curp_and_birth_date_count_as_one() -> None:
    kinds = (AnswerKind.TAX_ID, AnswerKind.CURP, AnswerKind.BIRTH_DATE)
    assert len({independent_group(kind, "MX") for kind in kinds}) == 1
    assert len({independent_group(kind, "US") for kind in (AnswerKind.BIRTH_DATE, AnswerKind.ACCOUNT_LAST4)}) == 2


@given(st.sampled_from(sorted(ANSWER_KINDS)), st.text(max_size=90))
def test_a_normal_form_is_its_own_normal_form(kind: AnswerKind, text: str) -> None:
    once = _result(kind, text)
    if once is not None:
        assert normalise(kind, once) == once


@given(st.sampled_from(sorted(ANSWER_KINDS)), st.text())
def test_a_refusal_never_quotes_the_text(kind: AnswerKind, text: str) -> None:
    try:
        normalise(kind, text)
    except NoAnswer as refusal:
        assert len(text) < 5 or text not in str(refusal)


@pytest.mark.parametrize("text", ["\ud800" * 4, "\ud800" * 400])
def test_broken_unicode_is_refused_not_crashed_on(text: str) -> None:
    with pytest.raises(NoAnswer):
        normalise(AnswerKind.AGREED_WORD, text)
