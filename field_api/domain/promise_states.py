"""Whether promises were kept, by the payments that the creditor told of: pure, over values.

A payment counts for the promises of its account in the order in which they fall due, each unit of it once, where it was
made between the promise and the end of its grace. What is promised for a day on which banks are closed may be paid on
the next one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from field_api.domain.vocabulary import PromiseState

LONGEST_GRACE_DAYS = 30
WEEKEND = (5, 6)


@dataclass(frozen=True)
class Promised:
    """One row of a promise, an instalment of a plan or all of it. `made_on` is the day at the door."""

    id: UUID
    made_on: date
    due_on: date
    position: int
    amount_minor: int
    state: PromiseState


@dataclass
class _Paid:
    on: date
    left_minor: int


def last_day(due_on: date, grace_days: int, is_off: Callable[[date], bool]) -> date:
    """The last day on which a payment keeps the promise: the due day, or the next working one, and so many working
    days after it. `is_off`: public holidays where the creditor is; Saturdays and Sundays always are."""
    day, left = due_on, grace_days
    while _closed(day, is_off):
        day += timedelta(days=1)
    while left:
        day += timedelta(days=1)
        left -= not _closed(day, is_off)
    return day


def decided(
    promises: Iterable[Promised],
    payments: Iterable[tuple[date, int]],
    today: date,
    last: Callable[[date], date],
    *,
    nothing_owed: bool,
) -> dict[UUID, PromiseState]:
    """The states that change, of one account's promises. `last`: `last_day` of a due day; `today`: nobody anywhere is
    still on an earlier one.

    Kept once all of it is paid, or nothing is owed any more while its time ran; partly or broken when that time is
    over. A payment that is told later sets right what was decided without it. Replaced promises are none.
    """
    standing = [one for one in promises if one.state is not PromiseState.REPLACED]
    money = [_Paid(on, minor) for on, minor in sorted(payments)]
    found = {}
    for one in sorted(standing, key=lambda one: (one.due_on, one.made_on, one.position, str(one.id))):
        until = last(one.due_on)
        paid = _taken(money, one, until)
        state = _state(one, paid, over=until < today, nothing_owed=nothing_owed)
        if state is not one.state:
            found[one.id] = state
    return found


def _state(one: Promised, paid_minor: int, *, over: bool, nothing_owed: bool) -> PromiseState:
    if paid_minor >= one.amount_minor:
        return PromiseState.KEPT
    if one.state is PromiseState.KEPT:  # by what was known then: a payment is never taken back
        return PromiseState.KEPT
    if not over:
        return PromiseState.KEPT if nothing_owed else PromiseState.OPEN
    return PromiseState.PARTLY if paid_minor else PromiseState.BROKEN


def _taken(money: list[_Paid], one: Promised, until: date) -> int:
    """How much of the payments in its time falls to the promise; it is gone for later ones."""
    wanted = one.amount_minor
    for payment in money:
        if one.made_on <= payment.on <= until:
            taken = min(wanted, payment.left_minor)
            payment.left_minor -= taken
            wanted -= taken
    return one.amount_minor - wanted


def _closed(day: date, is_off: Callable[[date], bool]) -> bool:
    return day.weekday() in WEEKEND or is_off(day)
