"""Stop collecting: on one account, or on everything a person owes."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from field_api.domain.confidential import audience
from field_api.domain.disclosure import Audience
from field_api.domain.vocabulary import PERSON_HOLDS, HoldKind, VisitEventKind
from field_api.platform.ids import new_id
from field_api.platform.problems import Problem
from field_api.platform.restore_journal import EntryKind, enter, journal_or_none
from field_api.platform.tenancy import current_agency
from field_api.records.accounts import Account, Hold
from field_api.records.base import load
from field_api.records.people import Person
from field_api.usecases.lock_visit import accounts_owed_by, lock_accounts
from field_api.usecases.note_visit_event import note_visit_event, staff_actor
from field_api.usecases.withdraw_visit import withdraw_blocked_visits

JOURNALED_CHARACTERS = 2_000  # of a reason: a line of the journal has a bound


def place_hold(
    session: Session,
    *,
    kind: HoldKind,
    reason: str,
    now: datetime,
    account_id: UUID | None = None,
    person_id: UUID | None = None,
    placed_by: UUID | None = None,
    op_id: UUID | None = None,
    hold_id: UUID | None = None,
) -> Hold:
    """Place a hold at once and take back every visit that has nothing left to be about.

    With `account_id` it holds that account (`person_id` then only says whom it came from); with `person_id` alone
    everything the person is debtor or guarantor of, which only kinds in PERSON_HOLDS can. `op_id` names the operation
    that caused it: the same operation, kind and account place one hold, however often they come.
    `hold_id` is for a hold that was placed before (field_api.platform.restore_journal).
    A visit during which the cause arose is to be marked done before, or it is taken back as well.
    Account rows are locked in id order first; publishing locks the same rows, so a hold always wins.
    Raises `bad-request`, `not-found`.
    """
    affected = _affected(session, kind, account_id, person_id)
    lock_accounts(session, affected)
    row = {
        "agency_id": current_agency(),
        "id": hold_id or new_id(),
        "account_id": account_id,
        "person_id": person_id,
        "kind": kind.value,
        "reason": reason,
        "placed_at": now,
        "placed_by": placed_by,
        "op_id": op_id or new_id(),
    }
    placed = session.scalar(insert(Hold).values(row).on_conflict_do_nothing().returning(Hold.id))
    if placed is None:
        return _standing(session, row)
    hold = load(session, Hold, placed)
    if journal_or_none() is not None:
        enter(session, EntryKind.HOLD_PLACED, _journaled(session, row), at=now)
    actor = staff_actor(placed_by)
    visits = withdraw_blocked_visits(session, affected, reason=f"hold:{kind.value}", now=now, actor=actor, op_id=op_id)
    for visit in visits:
        body = {"hold_id": str(hold.id), "kind": kind.value, "account_id": str(account_id) if account_id else None}
        note_visit_event(session, visit.id, VisitEventKind.HOLD, now, actor, body, op_id)
    return hold


def _affected(session: Session, kind: HoldKind, account_id: UUID | None, person_id: UUID | None) -> set[UUID]:
    if person_id is not None:
        load(session, Person, person_id)
    if account_id is not None:
        return {load(session, Account, account_id).id}
    if person_id is None:
        raise Problem("bad-request", "a hold needs an account or a person", at="account_id")
    if kind not in PERSON_HOLDS:
        raise Problem("bad-request", f"a {kind.value} hold concerns one account: name it", at="account_id")
    return accounts_owed_by(session, person_id)


def _journaled(session: Session, row: dict[str, Any]) -> dict[str, Any]:
    """What a restore needs to place it again, on an account that it may know by the creditor's number alone."""
    of_account = select(Account.creditor_id, Account.reference).where(
        Account.agency_id == current_agency(), Account.id == row["account_id"]
    )
    account = session.execute(of_account).one_or_none() if row["account_id"] else None
    ids = {name: str(row[name]) if row[name] else None for name in ("id", "account_id", "person_id", "op_id")}
    by = str(row["placed_by"]) if row["placed_by"] else None
    named = {}
    if account is not None:
        with audience(Audience.OFFICE_JOB):  # the line is sealed: whoever places the hold sees nothing of it
            reference = account.reference.reveal(Audience.OFFICE_JOB)
        named = {"creditor": str(account.creditor_id), "reference": reference}
    return {**ids, "kind": row["kind"], "reason": row["reason"][:JOURNALED_CHARACTERS], "placed_by": by, **named}


def _standing(session: Session, row: dict[str, object]) -> Hold:
    return session.scalars(
        select(Hold).where(
            Hold.agency_id == row["agency_id"],
            Hold.op_id == row["op_id"],
            Hold.kind == row["kind"],
            Hold.account_id.is_not_distinct_from(row["account_id"]),
        )
    ).one()
