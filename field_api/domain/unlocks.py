"""What an unlock at a door says about itself, and which ones a manager must look at (docs/outcomes.md, Unlocks).

Marks stand in the flags of the story's events, so that later operations can be compared without opening sealed bodies.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from field_api.domain.vocabulary import THIRD_PARTIES, IdentityMethod, LockClaim, Relation

WRONG_ANSWERS, WRONG_CODES = 5, 10
"""Wrong tries that a phone allows for each claim at a visit (docs/protocol.md §7)."""

IDENTITY_PASSED = "identity-passed"
THIRD_PARTY_MET = "third-party-met"
TOO_MANY_TRIES = "too-many-tries"
OPENED_WITHOUT_CHECK = "opened-without-check"
NOT_BY_POLICY = "not-by-policy"
_PASSED_FOR = "passed-for:"


class ReviewReason(StrEnum):
    AFTER_THIRD_PARTY = "after-third-party"
    OPENED_WITHOUT_CHECK = OPENED_WITHOUT_CHECK
    TOO_MANY_TRIES = TOO_MANY_TRIES
    NOT_BY_POLICY = NOT_BY_POLICY


class ReviewState(StrEnum):
    OPEN = "open"
    ACCEPTED = "accepted"
    OBJECTED = "objected"


def is_third_party(relation: Relation) -> bool:
    """Whether having met them puts later unlocks up for review. Who says to be the one sought is being checked."""
    return relation in (THIRD_PARTIES | {Relation.AUTHORITY}) - {Relation.CLAIMS_TO_BE_SOUGHT}


def passed_mark(person_id: UUID) -> str:
    return f"{_PASSED_FOR}{person_id}"


def persons_passed(flags: Iterable[str]) -> frozenset[UUID]:
    """The persons whom `passed_mark` names among these."""
    return frozenset(UUID(flag.removeprefix(_PASSED_FOR)) for flag in flags if flag.startswith(_PASSED_FOR))


def wrong_mark(method: IdentityMethod, claim: LockClaim) -> str:
    return f"wrong-{method.value}:{claim.value}"


def is_mark(flag: str) -> bool:
    """Whether a flag of an unlock's event is a mark for machines rather than something for a manager to look at."""
    return ":" in flag or flag in (IDENTITY_PASSED, THIRD_PARTY_MET)


@dataclass(frozen=True)
class Before:
    """What was on record about this visit when the operation came."""

    third_parties_met: int  # here, and by this agent at the other visits of the stop
    passed: bool  # by this agent, for this person
    wrong: int  # tries of this agent by this method under this claim


def too_many(method: IdentityMethod, wrong: int) -> bool:
    """Whether a phone of ours would not have let this try be."""
    allowed = {IdentityMethod.ANSWERS: WRONG_ANSWERS, IdentityMethod.CODE: WRONG_CODES}.get(method)
    return allowed is not None and wrong >= allowed


def review_reason(before: Before, flags: list[str]) -> ReviewReason | None:
    """Why an unlock is put up for review; None where nothing is odd about it."""
    if before.third_parties_met:
        return ReviewReason.AFTER_THIRD_PARTY
    odd = (ReviewReason.OPENED_WITHOUT_CHECK, ReviewReason.TOO_MANY_TRIES, ReviewReason.NOT_BY_POLICY)
    return next((reason for reason in odd if reason.value in flags), None)
