"""Promises are kept, partly kept or broken by payments in their time, the time's end on a working day."""

from __future__ import annotations

from datetime import date, timedelta
from functools import partial
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from field_api.domain.promise_states import Promised, decided, last_day
from field_api.domain.vocabulary import PromiseState

OPEN, KEPT, PARTLY, BROKEN = PromiseState.OPEN, PromiseState.KEPT, PromiseState.PARTLY, PromiseState.BROKEN
MADE, DUE = date(2026, 11, 2), date(2026, 11, 11)  # a Wednesday
HOLIDAYS = {date(2026, 11, 16)}
LAST = partial(last_day, grace_days=0, is_off=HOLIDAYS.__contains__)


def promised(number: int, minor: int, due: date = DUE, state: PromiseState = OPEN) -> Promised:
    return Promised(UUID(int=number), MADE, due, number, minor, state)


@pytest.mark.parametrize(("due", "grace", "until"), [
    (date(2026, 11, 11), 0, date(2026, 11, 11)),
    (date(2026, 11, 11), 2, date(2026, 11, 13)),
    (date(2026, 11, 13), 1, date(2026, 11, 17)),  # over a weekend and the Monday that is a holiday
    (date(2026, 11, 14), 0, date(2026, 11, 17)),
    (date(2026, 11, 14), 1, date(2026, 11, 18)),
])  # fmt: skip
def test_the_time_ends_on_a_working_day(due: date, grace: int, until: date) -> None:
    assert last_day(due, grace, HOLIDAYS.__contains__) == until


@pytest.mark.parametrize(("payments", "days_after", "state"), [
    ([], 0, OPEN), ([], 1, BROKEN), ([(DUE, 100)], 0, KEPT), ([(DUE, 60), (DUE, 40)], 1, KEPT), ([(DUE, 60)], 0, OPEN),
    ([(DUE, 60)], 1, PARTLY), ([(DUE + timedelta(days=1), 100)], 2, BROKEN), ([(MADE - timedelta(days=1), 100)], 1, BROKEN),
])  # fmt: skip
def test_what_was_paid_in_time_decides(payments: list[tuple[date, int]], days_after: int, state: PromiseState) -> None:
    changed = decided([promised(1, 100)], payments, DUE + timedelta(days=days_after), LAST, nothing_owed=False)
    assert changed == ({} if state is OPEN else {UUID(int=1): state})


def test_money_counts_once_for_the_promise_that_is_due_first() -> None:
    plan = [promised(1, 100), promised(2, 100, DUE + timedelta(days=7)), promised(3, 100, DUE + timedelta(days=14))]
    changed = decided(plan, [(DUE, 150)], DUE + timedelta(days=8), LAST, nothing_owed=False)
    assert changed == {UUID(int=1): KEPT, UUID(int=2): PARTLY}


def test_a_payment_told_late_sets_right_what_was_decided_and_nothing_takes_a_kept_promise_back() -> None:
    late = DUE + timedelta(days=9)
    assert decided([promised(1, 100, state=BROKEN)], [(DUE, 100)], late, LAST, nothing_owed=False) == {
        UUID(int=1): KEPT
    }
    assert decided([promised(1, 100, state=KEPT)], [], late, LAST, nothing_owed=False) == {}
    assert decided([promised(1, 100)], [], DUE, LAST, nothing_owed=True) == {UUID(int=1): KEPT}
    assert decided([promised(1, 100, state=PromiseState.REPLACED)], [], late, LAST, nothing_owed=False) == {}


ROWS = st.lists(st.tuples(st.integers(1, 50), st.integers(0, 20)), max_size=5)


@given(ROWS, ROWS, st.integers(0, 40))
def test_more_money_never_breaks_a_promise_and_none_is_counted_twice(
    promises: list[tuple[int, int]], paid: list[tuple[int, int]], days: int
) -> None:
    rows = [promised(n, minor, DUE + timedelta(days=after)) for n, (minor, after) in enumerate(promises)]
    payments = [(MADE + timedelta(days=after), minor) for minor, after in paid]
    today = DUE + timedelta(days=days)
    found = decided(rows, payments, today, LAST, nothing_owed=False)
    kept = sum(row.amount_minor for row in rows if found.get(row.id) is KEPT)
    assert kept <= sum(minor for _, minor in payments)
    more = decided(rows, [*payments, (MADE, 1_000)], today, LAST, nothing_owed=False)
    assert {key for key, state in found.items() if state is KEPT} <= {
        key for key, state in more.items() if state is KEPT
    }
    settled = [Promised(r.id, r.made_on, r.due_on, r.position, r.amount_minor, found.get(r.id, r.state)) for r in rows]
    assert decided(settled, payments, today, LAST, nothing_owed=False) == {}
