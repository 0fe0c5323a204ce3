"""Place at once the holds and disputes that an outcome calls for, late or not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from field_api.domain.confidential import Confidential
from field_api.domain.vocabulary import (
    HOLD_OF_OUTCOME,
    HOLD_OF_RESULT,
    PERSON_HOLDS,
    DisputeReason,
    HoldKind,
    LocatedResult,
)
from field_api.records.results import Dispute
from field_api.usecases.operation_context import AtTheDoor
from field_api.usecases.place_hold import place_hold


@dataclass(frozen=True)
class WantedHold:
    """A hold on one account, or (account None) on everything of the person."""

    kind: HoldKind
    account_id: UUID | None
    reason: str


def wanted_holds(door: AtTheDoor, outcome: Mapping[str, Any]) -> list[WantedHold]:
    """What the outcome places, each kind once per account."""
    found: dict[tuple[HoldKind, UUID | None], WantedHold] = {}
    for hold in _called_for(door, outcome):
        found.setdefault((hold.kind, hold.account_id), hold)
    return list(found.values())


def _called_for(door: AtTheDoor, outcome: Mapping[str, Any]) -> Iterator[WantedHold]:
    kind = outcome["outcome"]
    if kind in HOLD_OF_OUTCOME:
        yield WantedHold(HOLD_OF_OUTCOME[kind], None, _because(kind.value, outcome.get("note")))
    if outcome.get("sought_is_minor"):
        yield WantedHold(HoldKind.MINOR, None, _because(kind.value, outcome.get("note")))
    for result in outcome.get("results", ()):
        accounts: list[UUID] = door.accounts_meant(result.get("account"))
        hold = HOLD_OF_RESULT.get(result["result"])
        if hold is None:
            continue
        reason = _because(result["result"].value, result.get("words"))
        for account in [None] if hold in PERSON_HOLDS else accounts:
            yield WantedHold(hold, account, reason)


def _because(code: str, words: str | None) -> str:
    return f"said at the door: {code}" + (f": {words}" if words else "")


def place_outcome_holds(session: Session, door: AtTheDoor, holds: list[WantedHold], *, person_id: UUID) -> None:
    """Place them in the operation's name. A visit that is to stay done must be marked so before."""
    for hold in holds:
        place_hold(
            session,
            kind=hold.kind,
            reason=hold.reason,
            now=door.now,
            account_id=hold.account_id,
            person_id=person_id,
            op_id=door.operation.op_id,
        )


def open_disputes(session: Session, door: AtTheDoor, results: Sequence[Mapping[str, Any]], *, person_id: UUID) -> int:
    """One dispute per account and operation: several about one account keep the first reason and all words."""
    disputes: dict[UUID, tuple[DisputeReason, list[str]]] = {}
    for result in results:
        if result["result"] is not LocatedResult.DISPUTE:
            continue
        for account_id in door.accounts_meant(result.get("account")):
            words = disputes.setdefault(account_id, (result["reason"], []))[1]
            words.extend([result["words"]] if "words" in result else [])
    for account_id, (reason, words) in disputes.items():
        session.add(
            Dispute(
                account_id=account_id,
                person_id=person_id,
                visit_id=door.visit.id,
                op_id=door.operation.op_id,
                reason=reason.value,
                words=Confidential("\n".join(words)) if words else None,
                opened_at=door.at,
            )
        )
    return len(disputes)
