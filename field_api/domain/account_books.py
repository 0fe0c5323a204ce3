"""What the books say about an account by itself, and what of it speaks against a visit: pure, over values."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from field_api.domain.contact_rules import Refusal, Rule
from field_api.domain.strategy import Strategy
from field_api.domain.vocabulary import NotPlannedReason

CLOSED = Rule("closed", "the account is closed", "H")
THRESHOLD = Rule("threshold", "the creditor's threshold: only above it", "H")
DUE_DATE = Rule("due-date", "the oldest unpaid due date is not past", "H")
ON_A_ROUTE = Rule("same-day", "it is on a published route of the same day", "H")
EXCLUDED = Rule("excluded", "the creditor's list of whom not to contact", "H")
AUTO_PAY = Rule("auto-pay", "Product rule: paid automatically, visited only after such a payment failed", "H")
TOO_EARLY = Rule("strategy:days-past-due", "the creditor's strategy: days past due from which on it is visited", "H")
TOO_LATE = Rule("strategy:days-past-due", "the creditor's strategy: days past due up to which it is visited", "H")
OFTEN_ENOUGH = Rule("strategy:visits-at-most", "the creditor's strategy: so many visits in all, and no more", "H")
PROMISED = Rule("strategy:wait-for-promises", "the creditor's strategy: a promise to pay is waited for", "H")

HoldRules = Callable[[str], Rule]


@dataclass(frozen=True)
class Books:
    """An account without anybody's name or amount. Days count as of `as_of`."""

    account_id: UUID
    as_of: date
    state: str  # placed | closed
    sector: str
    transferred: bool  # the creditor bought the debt
    above_threshold: bool
    days_past_due: int
    holds: tuple[str, ...] = ()  # kinds in force, its own and its obligors'
    published_on: frozenset[date] = frozenset()  # days of routes that it is on
    excluded: bool = False
    auto_pays: bool = False  # and no such payment failed since the last one
    guarantor_first: bool = False
    consented_on: date | None = None  # in writing, to more visits about this debt
    promised_until: date | None = None  # the last day of an open promise
    broken_promises: int = 0
    attempts: Mapping[str, int] = field(default_factory=dict)  # by channel, in all
    strategy: Strategy = field(default_factory=Strategy)

    def past_due_on(self, day: date) -> int:
        return self.days_past_due + (day - self.as_of).days

    def weight_on(self, day: date) -> int:
        return self.strategy.weight(self.past_due_on(day), self.broken_promises)


def spoken_against(books: Books, day: date, hold: HoldRules) -> Iterator[Refusal]:
    """Everything in the books that speaks against a visit on `day`."""
    if books.state != "placed":
        yield Refusal(NotPlannedReason.CLOSED, CLOSED)
    if not books.above_threshold:
        yield Refusal(NotPlannedReason.BELOW_THRESHOLD, THRESHOLD)
    if books.past_due_on(day) <= 0:
        yield Refusal(NotPlannedReason.NOT_DUE, DUE_DATE)
    for kind in sorted(set(books.holds)):
        yield Refusal(NotPlannedReason.ON_HOLD, hold(kind))
    if books.excluded:
        yield Refusal(NotPlannedReason.EXCLUDED, EXCLUDED)
    if day in books.published_on:
        yield Refusal(NotPlannedReason.ALREADY_ON_A_ROUTE, ON_A_ROUTE)
    if books.auto_pays:
        yield Refusal(NotPlannedReason.AUTO_PAY, AUTO_PAY)
    yield from _strategy(books, day)


def _strategy(books: Books, day: date) -> Iterator[Refusal]:
    strategy, late = books.strategy, books.past_due_on(day)
    if 0 < late < strategy.from_days:
        yield Refusal(NotPlannedReason.STRATEGY, TOO_EARLY)
    if strategy.to_days is not None and late > strategy.to_days:
        yield Refusal(NotPlannedReason.STRATEGY, TOO_LATE)
    for channel, wanted in strategy.attempts_first:
        if books.attempts.get(channel, 0) < wanted:
            yield Refusal(NotPlannedReason.STRATEGY, _first(channel))
    if strategy.visits_at_most is not None and books.attempts.get("visit", 0) >= strategy.visits_at_most:
        yield Refusal(NotPlannedReason.STRATEGY, OFTEN_ENOUGH)
    if strategy.wait_for_promises and books.promised_until is not None and day <= books.promised_until:
        yield Refusal(NotPlannedReason.STRATEGY, PROMISED)


def _first(channel: str) -> Rule:
    return Rule(f"strategy:{channel}-first", f"the creditor's strategy: attempts by {channel} come before a visit", "H")
