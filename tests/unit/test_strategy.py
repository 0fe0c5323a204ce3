"""A creditor's strategy is read strictly and refuses what it says, each time by its name."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from field_api.adapters.rules_toml import TomlRules
from field_api.domain.account_books import Books, spoken_against
from field_api.domain.strategy import BadStrategy, Strategy, read_strategy
from field_api.domain.vocabulary import HoldKind

DAY = date(2026, 11, 18)
HOLD = TomlRules().hold
OVERDUE = Books(UUID(int=1), DAY, "placed", "commercial", False, True, 45)


def reasons(books: Books, day: date = DAY) -> list[str]:
    return [refusal.rule.id for refusal in spoken_against(books, day, HOLD)]


def with_strategy(data: dict[str, Any], **more: Any) -> Books:
    return replace(OVERDUE, strategy=read_strategy(data), **more)


def test_nothing_speaks_against_an_overdue_account() -> None:
    assert reasons(OVERDUE) == [] and read_strategy({}) == Strategy()


@pytest.mark.parametrize(("books", "expected"), [
    (with_strategy({"days_past_due": {"from": 46}}), ["strategy:days-past-due"]),
    (with_strategy({"days_past_due": {"from": 45, "to": 45}}), []),
    (with_strategy({"days_past_due": {"to": 44}}), ["strategy:days-past-due"]),
    (with_strategy({"attempts_first": {"call": 2, "letter": 1}}, attempts={"call": 1}), ["strategy:call-first", "strategy:letter-first"]),
    (with_strategy({"attempts_first": {"call": 2}}, attempts={"call": 2}), []),
    (with_strategy({"visits_at_most": 3}, attempts={"visit": 3}), ["strategy:visits-at-most"]),
    (with_strategy({"visits_at_most": 3}, attempts={"visit": 2, "call": 9}), []),
    (with_strategy({"wait_for_promises": True}, promised_until=DAY), ["strategy:wait-for-promises"]),
    (with_strategy({"wait_for_promises": True}, promised_until=DAY - timedelta(days=1)), []),
    (with_strategy({}, promised_until=DAY), []),
    (replace(OVERDUE, auto_pays=True), ["auto-pay"]),
    (replace(OVERDUE, excluded=True), ["excluded"]),
    (replace(OVERDUE, published_on=frozenset({DAY})), ["same-day"]),
])  # fmt: skip
def test_each_part_refuses_by_its_name(books: Books, expected: list[str]) -> None:
    assert reasons(books) == expected


def test_every_reason_is_told_not_the_first_alone() -> None:
    books = with_strategy({"days_past_due": {"from": 90}}, above_threshold=False, state="closed", holds=("dispute", "paid", "dispute"), auto_pays=True)  # fmt: skip
    assert reasons(books) == ["closed", "threshold", "hold:dispute", "hold:paid", "auto-pay", "strategy:days-past-due"]


@pytest.mark.parametrize("kind", [kind.value for kind in HoldKind])
def test_every_kind_of_hold_refuses_with_its_source_and_confidence(kind: str) -> None:
    (refusal,) = spoken_against(replace(OVERDUE, holds=(kind,)), DAY, HOLD)
    assert refusal.reason == "on_hold" and refusal.rule.id == f"hold:{kind}"
    assert len(refusal.rule.source) > 15 and refusal.rule.confidence in ("H", "M", "L")


def test_the_first_band_that_holds_an_account_says_its_weight() -> None:
    strategy = read_strategy({"bands": [{"from": 90, "weight": 9}, {"from": 30, "to": 60, "broken_promises": 1, "weight": 4}, {"weight": 2}]})  # fmt: skip
    assert [strategy.weight(*at) for at in ((90, 0), (45, 1), (45, 0), (61, 5), (1, 0))] == [9, 4, 2, 2, 2]


@pytest.mark.parametrize(("wrong", "at"), [
    ({"from": 3}, "strategy"),
    ({"days_past_due": {"from": 0}}, "days_past_due.from"),
    ({"days_past_due": {"from": 9, "to": 8}}, "days_past_due.to"),
    ({"days_past_due": {"from": True}}, "days_past_due.from"),
    ({"attempts_first": {"fax": 1}}, "attempts_first"),
    ({"attempts_first": {"call": "2"}}, "attempts_first.call"),
    ({"visits_at_most": -1}, "visits_at_most"),
    ({"wait_for_promises": "yes"}, "wait_for_promises"),
    ({"bands": {}}, "bands"),
    ({"bands": [{"from": 3}]}, "bands.0.weight"),
    ({"bands": [{"weight": 101}]}, "bands.0.weight"),
    ([], "strategy"),
])  # fmt: skip
def test_what_is_not_understood_is_refused_naming_the_place(wrong: Any, at: str) -> None:
    with pytest.raises(BadStrategy) as refused:
        read_strategy(wrong)
    assert refused.value.at == at


@given(st.integers(-400, 400), st.integers(1, 300), st.one_of(st.none(), st.integers(0, 300)))
def test_nobody_is_visited_about_what_is_not_due_whatever_the_strategy(days: int, first: int, more: int | None) -> None:
    strategy = {"days_past_due": {"from": first} | ({} if more is None else {"to": first + more})}
    free = not reasons(with_strategy(strategy, days_past_due=days))
    assert free == (days >= first and (more is None or days <= first + more))
