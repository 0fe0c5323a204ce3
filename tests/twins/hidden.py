"""What differs between twins: the secret half of a world, from a seed, a side and one kind of difference.

Every kind keeps the selection: both twins have the same people, addresses, plans and visits. `COUNTED` kinds give one
twin more rows than the other (invoices, promises, parties ...): who may see such rows sees their number, so these
pairs are compared for everybody else.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import date, timedelta

KINDS = (
    "digits", "zero", "null", "currency", "threshold", "names", "references", "dates", "options", "promises",
    "disputes", "holds", "letters", "history", "answers", "contacts", "events", "payments", "strategies",
    "everything",
)  # fmt: skip
COUNTED = ("more accounts", "more results", "more parties", "more attempts")
DUE = date(2026, 8, 1)
UNVISITED = 7
"""The number of the account that is on no plan."""


@dataclass(frozen=True)
class Owed:
    """One account's secrets; amounts in minor units."""

    reference: str
    product: str
    original_creditor: str | None
    currency: str
    principal_minor: int
    interest_minor: int
    fees_minor: int
    calculated_on: date
    due_on: date
    contract_on: date | None
    last_payment_on: date | None
    last_payment_minor: int | None
    options: str | None

    @property
    def balance_minor(self) -> int:
        return self.principal_minor + self.interest_minor + self.fees_minor


@dataclass(frozen=True)
class Hidden:
    """The secrets of one twin. `extra` is how many more rows than its twin it has, by what."""

    seed: int
    side: int
    kind: str
    extra: dict[str, int] = field(default_factory=dict)

    def differs(self, what: str) -> bool:
        return self.kind in (what, "everything")

    def _chance(self, what: str, *place: object) -> random.Random:
        """The same for both twins unless `what` is what differs between them."""
        side = self.side if self.differs(what) else 0
        return random.Random(f"{self.seed}|{what}|{side}|{place}")

    def owed(self, number: int) -> Owed:
        amounts, names, dates = self._amounts(number), self._chance("names", number), self._chance("dates", number)
        due_on = DUE - timedelta(days=dates.randrange(700))
        nothing = self.differs("null") and self.side == number % 2
        # Letters must name the original creditor: without one the letter is refused, which the office is told.
        unnamed = nothing and number == UNVISITED
        return Owed(
            reference=self._reference(number),
            product=_words(names),
            original_creditor=None if unnamed else _words(names),
            currency=self.currency,
            principal_minor=amounts[0],
            interest_minor=amounts[1],
            fees_minor=amounts[2],
            calculated_on=date(2026, 11, 1) - timedelta(days=dates.randrange(40)),
            due_on=due_on,
            contract_on=None if nothing else due_on - timedelta(days=dates.randrange(30, 2000)),
            last_payment_on=None if nothing else due_on + timedelta(days=dates.randrange(1, 90)),
            last_payment_minor=None if nothing else self._chance("payments", number).randrange(1, 10**6),
            options=None if nothing else _words(self._chance("options", number)),
        )

    def _amounts(self, number: int) -> tuple[int, int, int]:
        chance = self._chance("digits", number)
        if self.differs("zero"):
            owed = 0 if number == UNVISITED else 250_000  # nobody is sent a letter about nothing
            return ((owed, 0, 0), (250_000, 100, 5))[(self.side + number) % 2]
        if self.differs("threshold"):
            return (self.threshold_minor + (-1, 0, 1, 50_000)[(self.side + number) % 4], 0, 0)
        most = 10 ** chance.randrange(3, 11) if self.differs("digits") else 10**6
        return chance.randrange(20_000, 20_000 + most), chance.randrange(most), chance.randrange(most)

    def _reference(self, number: int) -> str:
        chance = self._chance("references", number)
        length = chance.randrange(1, 40) if self.differs("references") else 8
        return f"CT-{number}-" + "".join(chance.choice("0123456789") for _ in range(length))

    @property
    def currency(self) -> str:
        return ("MXN", "USD")[self.side] if self.differs("currency") else "MXN"

    @property
    def threshold_minor(self) -> int:
        return (10_000, 5_000_000)[self.side] if self.differs("threshold") else 10_000

    def strategy(self, which: str) -> dict[str, object]:
        """A creditor's, by which visits weigh more or less and guarantors are left alone sooner or later."""
        chance = self._chance("strategies", which)
        bands = [{"from": days, "weight": chance.randrange(1, 101)} for days in (360, 90, 30)]
        return {
            "bands": bands[: chance.randrange(1, 4)],
            "promise_grace_days": chance.randrange(31),
            "guarantor_first": chance.random() < 0.5,
            "debtor_after_guarantor": chance.random() < 0.5,
            "guarantor_visits_at_most": chance.randrange(1, 9),
            "letters": {
                "final_warning_after_visits": chance.randrange(1, 4),
                "confirm_promises": chance.random() < 0.5,
                "dispute_answer_days": chance.randrange(1, 61),
            },
        }

    def brand(self, which: str) -> dict[str, object]:
        """Which look a creditor's letters have, and in whose name they go out."""
        chance = self._chance("letters", "brand", which)
        return {
            "in_name_of": chance.choice(("agency", "creditor")),
            "colour": f"#{chance.randrange(0x40):02x}00{chance.randrange(0x60):02x}",
            "signature_name": self.text("letters", which, "signature"),
            "paragraphs": {"notification": {"es": [self.text("letters", which, "own words")]}},
        }

    def consented_on(self, number: int) -> date | None:
        chance = self._chance("strategies", "consent", number)
        return date(2026, 1, 1) + timedelta(days=chance.randrange(300)) if chance.random() < 0.5 else None

    def creditor_name(self) -> str:
        return "Casa " + _words(self._chance("names", "creditor"))

    def text(self, what: str, *place: object) -> str:
        """Some words of this twin's own length."""
        return _words(self._chance(what, *place))

    def pick(self, what: str, options: tuple[str, ...], *place: object) -> str:
        return self._chance(what, *place).choice(options)

    def number(self, what: str, most: int, *place: object) -> int:
        return self._chance(what, *place).randrange(1, most)

    def day(self, what: str, *place: object) -> date:
        return date(2026, 12, 1) + timedelta(days=self._chance(what, *place).randrange(200))

    def optional(self, what: str, text: str, *place: object) -> str | None:
        return None if self.differs("null") and self._chance("null", what, *place).random() < 0.5 else text


_SYLLABLES = ["ba", "ce", "di", "fo", "gu", "la", "me", "ni", "po", "ru", "sa", "te", "vi", "xo", "zu", "ñe"]


def _words(chance: random.Random) -> str:
    count = chance.randrange(1, 7)
    return " ".join(
        "".join(chance.choice(_SYLLABLES) for _ in range(chance.randrange(1, 6))).title() for _ in range(count)
    )


def twins(seed: int, kind: str) -> tuple[Hidden, Hidden]:
    """The two halves of a pair."""
    more = 1 + seed % 4 if kind in COUNTED else 0
    return Hidden(seed, 0, kind), Hidden(seed, 1, kind, {kind: more} if more else {})
