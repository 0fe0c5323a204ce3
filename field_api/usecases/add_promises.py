"""Keep what a located client promised to pay the creditor, one row per instalment."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.orm import Session

from field_api.domain.confidential import Confidential
from field_api.domain.disclosure import Audience
from field_api.domain.vocabulary import LocatedResult, PromiseKind
from field_api.platform.tenancy import current_agency
from field_api.records.accounts import Account
from field_api.records.results import Promise
from field_api.usecases.operation_context import AtTheDoor


def add_promises(session: Session, door: AtTheDoor, results: Sequence[Mapping[str, Any]], *, person_id: UUID) -> int:
    """Add the promises among `results`; returns how many rows. Odd ones are flagged, never refused.

    One about an account that the visit is not about is kept in the story alone: it promises nothing on another account.
    """
    next_position: Counter[UUID] = Counter()
    for promise in (result for result in results if result["result"] is LocatedResult.PROMISE):
        account = _account_of(door, promise)
        if account is None:
            continue
        for amount, due_on in _instalments(promise):
            late, misfits = ["late"] if door.late else [], _misfits(account, amount)
            door.flag(*late)
            door.withhold(*misfits)
            session.add(
                Promise(
                    account_id=account.id,
                    person_id=person_id,
                    visit_id=door.visit.id,
                    op_id=door.operation.op_id,
                    position=next_position[account.id],
                    kind=promise["kind"].value,
                    amount_minor=Confidential(amount["minor"]),
                    currency=amount["currency"],
                    due_on=Confidential(due_on),
                    flags=late + misfits,
                    made_at=door.at,
                )
            )
            next_position[account.id] += 1
    return next_position.total()


def replace_promises(session: Session, door: AtTheDoor, corrected_op: UUID) -> None:
    """Promises of an operation that was corrected no longer stand."""
    session.execute(
        update(Promise)
        .where(
            Promise.agency_id == current_agency(),
            Promise.op_id == corrected_op,
            Promise.visit_id == door.visit.id,
            Promise.state == "open",
        )
        .values(state="replaced")
    )


def _account_of(door: AtTheDoor, promise: Mapping[str, Any]) -> Account | None:
    chosen = promise.get("account")
    if chosen is not None:
        return door.accounts.get(chosen)
    if len(door.accounts) > 1:
        door.withhold("account-not-named")
    return next(iter(door.accounts.values()), None)


def _instalments(promise: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], date]]:
    if promise["kind"] is PromiseKind.PLAN:
        yield from ((part["amount"], part["due_on"]) for part in promise["instalments"])
    else:
        yield promise["amount"], promise["due_on"]


def _misfits(account: Account, amount: Mapping[str, Any]) -> list[str]:
    if amount["currency"] != account.currency:
        return ["currency-differs"]
    owed = account.balance_minor.reveal(Audience.OFFICE_JOB)
    return ["more-than-owed"] if amount["minor"] > owed else []
