"""The next day on which nothing known today speaks against a visit and somebody works: searched by the pure engine."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from field_api.domain.account_books import Books, HoldRules, spoken_against
from field_api.domain.contact_rules import Refusal
from field_api.domain.eligibility import Candidate, Eligible, Law, decide, why_not_on
from field_api.domain.roster import Roster, somebody_could

HORIZON_DAYS = 370
"""A year, and the holidays at its end: what is not possible by then waits for somebody, not for a day."""


@dataclass(frozen=True)
class Known:
    """What speaks for and against one account; `candidate` None: nobody is known who owes it."""

    books: Books
    candidate: Candidate | None

    def reasons_on(self, day: date, law: Law, hold: HoldRules, no_obligor: Refusal) -> list[Refusal]:
        """Every reason against a visit on `day`: the books', then the law's; each once."""
        found = list(spoken_against(self.books, day, hold))
        found += why_not_on(self.candidate, day, law) if self.candidate is not None else [no_obligor]
        return list(dict.fromkeys(found))


def next_possible(
    account: Known, after: date, law: Law, hold: HoldRules, no_obligor: Refusal, roster: Roster
) -> date | None:
    """The first day after `after`, within HORIZON_DAYS, with nothing against it and on which somebody works who could
    be sent; None where only a change of what is known would make one possible (a hold lifted, an address placed)."""
    days = (after + timedelta(days=ahead) for ahead in range(1, HORIZON_DAYS + 1))
    free = (day for day in days if not account.reasons_on(day, law, hold, no_obligor))
    return next((day for day in free if _could_be_sent(account, day, law, roster)), None)


def _could_be_sent(account: Known, day: date, law: Law, roster: Roster) -> bool:
    found = decide(account.candidate, day, law) if account.candidate is not None else None
    return isinstance(found, Eligible) and somebody_could(roster, found, day)
