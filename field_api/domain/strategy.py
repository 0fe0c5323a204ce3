"""A creditor's strategy: which overdue accounts are visited, and which of them matter more. Data, checked on reading.

    {"days_past_due": {"from": 30, "to": 360},
     "attempts_first": {"call": 2, "letter": 1},
     "visits_at_most": 6,
     "wait_for_promises": true,
     "promise_grace_days": 2,
     "guarantor_first": false,
     "debtor_after_guarantor": true,
     "guarantor_visits_at_most": 3,
     "letters": {"final_warning_after_visits": 3, "final_warning_after_letters": 2, "confirm_promises": true,
                 "dispute_answer_days": 10},
     "bands": [{"from": 90, "weight": 5}, {"from": 30, "broken_promises": 1, "weight": 3}]}

What is left out is not asked for. Amounts stand in the creditor's threshold alone. A weight says which visits are
worth more where not all fit: it chooses the set, never the order.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

LONGEST_DAYS = 36_600
MOST_WEIGHT = 100
MOST_BANDS = 20
CHANNELS = ("visit", "call", "letter", "email", "message")


class BadStrategy(ValueError):
    """A strategy cannot be understood. `at` names the place, the text says what is wanted there."""

    def __init__(self, at: str, message: str) -> None:
        super().__init__(message)
        self.at, self.message = at, message


@dataclass(frozen=True)
class Band:
    """Accounts of so many days past due (both ends included) and so many broken promises weigh so much."""

    from_days: int
    to_days: int | None
    broken_promises: int
    weight: int


@dataclass(frozen=True)
class LetterSteps:
    """Which letter goes when (field_api.domain.letter_steps)."""

    final_warning_after_visits: int | None = None  # so many visits were made about the account
    final_warning_after_letters: int | None = None  # so many letters that demand came to the person
    confirm_promises: bool = False  # whoever promises gets it in writing
    dispute_answer_days: int = 10  # working days within which a dispute is answered; letters say the day
    """Unless the creditor says otherwise, as for complaints in Mexico (CONDUSEF, art. 122)."""


@dataclass(frozen=True)
class Strategy:
    from_days: int = 1
    to_days: int | None = None
    attempts_first: tuple[tuple[str, int], ...] = ()
    visits_at_most: int | None = None
    wait_for_promises: bool = False
    promise_grace_days: int = 0  # working days after a promise's day
    guarantor_first: bool = False
    debtor_after_guarantor: bool = False  # where the guarantor cannot be visited, the debtor is
    guarantor_visits_at_most: int | None = None  # so many visits to the guarantor about an account
    bands: tuple[Band, ...] = ()
    letters: LetterSteps = LetterSteps()

    def weight(self, days_past_due: int, broken_promises: int) -> int:
        """Of the first band that holds the account; 1 without one."""
        for band in self.bands:
            late_enough = band.from_days <= days_past_due and (band.to_days is None or days_past_due <= band.to_days)
            if late_enough and broken_promises >= band.broken_promises:
                return band.weight
        return 1


def read_strategy(stored: Any) -> Strategy:
    """The strategy that the data say. Raises BadStrategy for what is not understood, naming the place."""
    known = {"days_past_due", "attempts_first", "visits_at_most", "wait_for_promises", "guarantor_first", "bands"}
    known |= {"promise_grace_days", "debtor_after_guarantor", "guarantor_visits_at_most", "letters"}
    data = _table("strategy", stored, known)
    from_days, to_days = _days("days_past_due", data.get("days_past_due", {}), {"from", "to"})
    first = _table("attempts_first", data.get("attempts_first", {}), set(CHANNELS))
    visits = data.get("visits_at_most")
    of_guarantor = data.get("guarantor_visits_at_most")
    bands = data.get("bands", [])
    if not isinstance(bands, list) or len(bands) > MOST_BANDS:
        raise BadStrategy("bands", f"a list of at most {MOST_BANDS} is wanted")
    return Strategy(
        from_days=from_days,
        to_days=to_days,
        attempts_first=tuple((name, _number(f"attempts_first.{name}", first[name], 0, 1000)) for name in sorted(first)),
        visits_at_most=None if visits is None else _number("visits_at_most", visits, 0, 1000),
        promise_grace_days=_number("promise_grace_days", data.get("promise_grace_days", 0), 0, 30),
        wait_for_promises=_flag("wait_for_promises", data.get("wait_for_promises", False)),
        debtor_after_guarantor=_flag("debtor_after_guarantor", data.get("debtor_after_guarantor", False)),
        guarantor_visits_at_most=None
        if of_guarantor is None
        else _number("guarantor_visits_at_most", of_guarantor, 0, 1000),
        guarantor_first=_flag("guarantor_first", data.get("guarantor_first", False)),
        bands=tuple(_band(f"bands.{number}", band) for number, band in enumerate(bands)),
        letters=_letters(data.get("letters", {})),
    )


def _letters(stored: Any) -> LetterSteps:
    bounds = {"final_warning_after_visits": 100, "final_warning_after_letters": 100, "dispute_answer_days": 60}
    data = _table("letters", stored, {*bounds, "confirm_promises"})
    numbers = {name: _number(f"letters.{name}", data[name], 1, most) for name, most in bounds.items() if name in data}
    return LetterSteps(
        **numbers, confirm_promises=_flag("letters.confirm_promises", data.get("confirm_promises", False))
    )


def _band(at: str, stored: Any) -> Band:
    from_days, to_days = _days(at, stored, {"from", "to", "broken_promises", "weight"})
    broken = _number(f"{at}.broken_promises", stored.get("broken_promises", 0), 0, 1000)
    return Band(from_days, to_days, broken, _number(f"{at}.weight", stored.get("weight"), 1, MOST_WEIGHT))


def _days(at: str, stored: Any, known: set[str]) -> tuple[int, int | None]:
    data = _table(at, stored, known)
    # Never below one: nobody is visited about what is not overdue.
    from_days = _number(f"{at}.from", data.get("from", 1), 1, LONGEST_DAYS)
    to = data.get("to")
    return from_days, None if to is None else _number(f"{at}.to", to, from_days, LONGEST_DAYS)


def _table(at: str, stored: Any, known: set[str]) -> Mapping[str, Any]:
    if not isinstance(stored, Mapping):
        raise BadStrategy(at, "a table is wanted")
    unknown = sorted(str(name) for name in set(stored) - known)
    if unknown:
        raise BadStrategy(at, f"known here: {', '.join(sorted(known))}")
    return stored


def _number(at: str, value: Any, low: int, high: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise BadStrategy(at, f"a number from {low} to {high} is wanted")
    return value


def _flag(at: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise BadStrategy(at, "true or false is wanted")
    return value
