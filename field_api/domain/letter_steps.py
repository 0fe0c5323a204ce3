"""Which letter goes with a visit, and which ones the office may ask for: pure, closed, and with its reason.

A letter demands (notification, reminder, final warning) or answers (promise confirmation, payment plan, dispute
acknowledgement). Nobody who may not be collected from is sent one that demands, or one that confirms a payment to
come.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from field_api.domain.letter_model import LetterKind
from field_api.domain.strategy import LetterSteps
from field_api.domain.vocabulary import HoldKind

DEMANDS = frozenset({LetterKind.NOTIFICATION, LetterKind.REMINDER, LetterKind.FINAL_WARNING})
CONFIRMS = frozenset({LetterKind.PROMISE_CONFIRMATION, LetterKind.PAYMENT_PLAN})
WITH_A_VISIT = DEMANDS | CONFIRMS
"""One of these goes with a visit, chosen by `next_letter`."""
ASKED_FOR = CONFIRMS | {LetterKind.DISPUTE_ACKNOWLEDGEMENT}
"""What the office asks for by itself."""

_NO_VISITS = frozenset({HoldKind.DO_NOT_VISIT, HoldKind.UNSAFE_PLACE})
_OF_A_DISPUTE = frozenset({HoldKind.DISPUTE, HoldKind.CLARIFICATION, HoldKind.PAID, HoldKind.COMPLAINT})
_UNDER: dict[LetterKind, frozenset[HoldKind]] = {
    **dict.fromkeys(CONFIRMS, _NO_VISITS),
    LetterKind.DISPUTE_ACKNOWLEDGEMENT: _NO_VISITS | _OF_A_DISPUTE,
}
"""Holds under which a letter may still be sent: those against visits stop no letter by post, and a dispute is answered.
Any other, such as cease contact (15 USC 1692c(c)) or an attorney (15 USC 1692c(a)(2)), stops every letter."""


class Why(StrEnum):
    """Why a letter is of its kind, or why there is none."""

    HELD = "held"
    FIRST = "first"  # nothing came into this person's hand about the account yet
    PROMISED = "promised"  # and not confirmed yet
    PROMISE_RUNS = "promise-runs"  # whoever promised is not warned before its day
    OFTEN_ENOUGH = "often-enough"  # as often as the strategy says
    GIVEN_BEFORE = "given-before"
    WARNED = "warned"  # a last warning was given: another would be none


@dataclass(frozen=True)
class Stage:
    """What happened about one account with one person."""

    demands: int = 0  # letters that demand: handed over, or posted and not returned
    warnings: int = 0  # final warnings among them
    visits: int = 0  # visits made about the account, to anybody
    promised: bool = False  # a promise about the account is open, this person's or another's
    unconfirmed: bool = False  # one of this person's, and no letter that confirms it is written
    as_plan: bool = False  # which is several payments
    held: bool = False  # by any hold, such as that of a dispute


@dataclass(frozen=True)
class Step:
    kind: LetterKind | None
    why: Why


def next_letter(stage: Stage, steps: LetterSteps) -> Step:
    """The letter that goes with the next visit: the first one is always the notification, which says all that the law
    wants said once."""
    if stage.held:
        return Step(None, Why.HELD)
    if not stage.demands:
        return Step(LetterKind.NOTIFICATION, Why.FIRST)
    if stage.unconfirmed and steps.confirm_promises:
        return Step(confirmation(stage), Why.PROMISED)
    if stage.promised:
        return Step(LetterKind.REMINDER, Why.PROMISE_RUNS)
    if stage.warnings:
        return Step(LetterKind.REMINDER, Why.WARNED)
    if _often_enough(stage, steps):
        return Step(LetterKind.FINAL_WARNING, Why.OFTEN_ENOUGH)
    return Step(LetterKind.REMINDER, Why.GIVEN_BEFORE)


def confirmation(stage: Stage) -> LetterKind:
    return LetterKind.PAYMENT_PLAN if stage.as_plan else LetterKind.PROMISE_CONFIRMATION


def holds_against(kind: LetterKind, holds: Collection[HoldKind]) -> list[HoldKind]:
    """Those of the holds in force that forbid sending a letter of this kind, in the vocabulary's order."""
    allowed = _UNDER.get(kind, frozenset())
    return [hold for hold in HoldKind if hold in holds and hold not in allowed]


def _often_enough(stage: Stage, steps: LetterSteps) -> bool:
    """Both bounds where both are set; without any there is no final warning."""
    asked = [
        (stage.visits, steps.final_warning_after_visits),
        (stage.demands, steps.final_warning_after_letters),
    ]
    bounds = [(made, least) for made, least in asked if least is not None]
    return bool(bounds) and all(made >= least for made, least in bounds)
