"""Any JSON body is either read or refused with a reason and a place; nothing else comes out."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from field_api.domain.operations import UnreadableOperation
from field_api.domain.vocabulary import LocatedResult, OpKind, OutcomeKind
from field_api.usecases.operation_schemas import MAX_BODY_BYTES, read_body
from field_api.usecases.operation_schemas.kinds import KINDS
from field_api.usecases.operation_schemas.outcomes import OUTCOMES, RESULTS

WORDS = sorted(
    {name for schema in (*KINDS.values(), *OUTCOMES.values(), *RESULTS.values()) for name in schema().fields}
    | {kind.value for kind in OutcomeKind}
    | {result.value for result in LocatedResult}
)
leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.sampled_from(WORDS)
json_values = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(WORDS) | st.text(max_size=9), inner),
    max_leaves=25,
)
MONEY = {"minor": 150_000, "currency": "MXN"}


def located(*results: dict[str, Any], **more: Any) -> dict[str, Any]:
    party = {"relation": "sought"}
    return {"outcome": "client_located", "party": party, "identified_by": "answers", "results": list(results), **more}


@given(st.sampled_from(OpKind), json_values)
def test_any_json_is_read_or_refused_with_a_reason(kind: OpKind, body: Any) -> None:
    try:
        assert isinstance(read_body(kind, body), dict)
    except UnreadableOperation as refusal:
        assert refusal.reason in {"invalid-body", "too-large"}


@given(st.sampled_from(OutcomeKind), st.dictionaries(st.sampled_from(WORDS), json_values, max_size=8))
def test_any_outcome_is_read_or_refused_with_a_reason(outcome: OutcomeKind, body: dict[str, Any]) -> None:
    try:
        read_body(OpKind.OUTCOME, {**body, "outcome": outcome.value})
    except UnreadableOperation as refusal:
        assert refusal.reason == "invalid-body"


def test_every_kind_and_every_outcome_has_a_schema() -> None:
    assert set(KINDS) == set(OpKind) - {OpKind.OUTCOME}
    assert set(OUTCOMES) == set(OutcomeKind)
    assert set(RESULTS) == set(LocatedResult)


@pytest.mark.parametrize(
    ("kind", "body", "place"),
    [
        (OpKind.OUTCOME, {"outcome": "vanished"}, "outcome"),
        (OpKind.OUTCOME, {"outcome": ["moved"]}, "outcome"),
        (OpKind.OUTCOME, located({"result": "promise", "kind": "full", "due_on": "2026-12-01"}), "results.0.amount"),
        (OpKind.OUTCOME, located({"result": "promise", "kind": "plan"}), "results.0.instalments"),
        (
            OpKind.OUTCOME,
            located({"result": "promise", "kind": "full", "amount": {**MONEY, "minor": 1.5}, "due_on": "2026-12-01"}),
            "results.0.amount.minor",
        ),
        (
            OpKind.OUTCOME,
            located({"result": "promise", "kind": "full", "amount": {**MONEY, "minor": -1}, "due_on": "2026-12-01"}),
            "results.0.amount.minor",
        ),
        (OpKind.OUTCOME, located({"result": "taken_cash"}), "results.0.result"),
        (
            OpKind.OUTCOME,
            located({"result": "refusal"}, {"result": "call_back", "at": "2026-12-01T10:00"}),
            "results.1.at",
        ),
        (OpKind.OUTCOME, located(*[{"result": "refusal"}] * 13), "results"),
        (OpKind.OUTCOME, {**located(), "party": {"relation": "neighbour"}}, "party.relation"),
        (OpKind.OUTCOME, {"outcome": "third_party_attended", "relation": "sought"}, "relation"),
        (OpKind.OUTCOME, {"outcome": "moved", "position": {"lat": 91, "lon": 0}}, "position.lat"),
        (OpKind.NOTE, {"words": ""}, "words"),
        (OpKind.NOTE, {"words": "x" * 2001}, "words"),
        (OpKind.NOTE, {"words": "a\x00b"}, "words"),
        (OpKind.LETTER, {"handling": "handed_over"}, "recipient"),
        (OpKind.CONTACT, {"source": "spouse", "contacts": []}, "contacts"),
        (OpKind.CONTACT, {"source": "spouse", "contacts": [{"kind": "fax", "value": "1"}]}, "contacts.0.kind"),
        (OpKind.CONTACT, {"source": "spouse", "contacts": [{"kind": "person", "name": "A"}]}, "contacts.0.relation"),
        (OpKind.CORRECTION, {"corrects": "no-id", "words": "x"}, "corrects"),
        (OpKind.PHOTO, {"sha256": "x", "subject": "facade"}, "sha256"),
        (OpKind.PHOTO_PERMISSION, {"granted": True, "by": "spouse", "notice": "1"}, "notice"),
        (OpKind.PHOTO_PERMISSION, {"granted": True, "by": "spouse", "notice": {"language": "es"}}, "notice.version"),
        (
            OpKind.PHOTO_PERMISSION,
            {"granted": True, "by": "spouse", "notice": {"version": "1", "language": "Español"}},
            "notice.language",
        ),
    ],
)
def test_a_refusal_names_the_place(kind: OpKind, body: dict[str, Any], place: str) -> None:
    with pytest.raises(UnreadableOperation) as refused:
        read_body(kind, body)
    assert (refused.value.reason, refused.value.place) == ("invalid-body", place)


def test_a_refusal_repeats_no_value() -> None:
    with pytest.raises(UnreadableOperation) as refused:
        read_body(OpKind.OUTCOME, located({"result": "promise", "kind": "adeudo-4711"}))
    assert "4711" not in str(refused.value)


@pytest.mark.parametrize("body", [[], "x", None, 7, {"words": "\ud800"}, {"words": "x", "more": float("nan")}])
def test_what_is_no_keepable_object_is_refused(body: Any) -> None:
    with pytest.raises(UnreadableOperation, match="invalid-body"):
        read_body(OpKind.NOTE, body)


def test_a_body_beyond_the_limit_is_refused_even_where_the_extra_is_unknown() -> None:
    with pytest.raises(UnreadableOperation, match="too-large"):
        read_body(OpKind.NOTE, {"words": "x", "more": "y" * MAX_BODY_BYTES})


def test_unknown_fields_are_kept_and_null_is_absent() -> None:
    read = read_body(OpKind.ARRIVED, {"note": None, "position": None, "mood": ["sunny"]})
    assert read == {"position": None, "mood": ["sunny"]}


def test_the_example_of_the_documentation_is_read() -> None:
    import json
    import re
    from pathlib import Path

    text = (Path(__file__).parents[2] / "docs" / "outcomes.md").read_text()
    [example] = re.findall(r"```json\n(.*?)```", text, re.S)
    assert len(read_body(OpKind.OUTCOME, json.loads(example))["results"]) == 2


def test_every_code_of_the_vocabulary_stands_in_the_documentation() -> None:
    from pathlib import Path

    from field_api.domain import vocabulary as v

    text = (Path(__file__).parents[2] / "docs" / "outcomes.md").read_text()
    closed = [
        v.OutcomeKind, v.LocatedResult, v.PromiseKind, v.DisputeReason, v.SkipReason, v.NonPaymentReason,
        v.OfferedOption, v.Relation, v.Danger, v.LivesHere, v.TimeOfDay, v.NeighbourAnswer, v.LetterHandling,
        v.NotDeliveredReason, v.IdentityMethod, v.IdentityDocument, v.LockedPart, v.PhotoSubject, v.ContactKind, v.OpKind,
    ]  # fmt: skip
    assert [code.value for words in closed for code in words if f"`{code.value}`" not in text] == []
