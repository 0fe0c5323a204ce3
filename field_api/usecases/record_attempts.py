"""Keep what was tried on other channels, so that waits, notices and caps count it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from field_api.domain.confidential import Confidential, audience
from field_api.domain.disclosure import Audience
from field_api.domain.told_attempts import BadAttempt, ToldAttempt, read_attempt
from field_api.domain.vocabulary import OBLIGORS, Role, ToldOutcome
from field_api.platform.bounded_json import canonical
from field_api.platform.tenancy import current_agency
from field_api.queries.arrays import among
from field_api.queries.known_accounts import account_keys
from field_api.records.accounts import Party
from field_api.records.agency import Creditor
from field_api.records.base import load
from field_api.records.results import Attempt
from field_api.usecases.add_attempts import add_attempts

UNKNOWN = "the creditor has no account of this reference, or nobody owes it"
SAYS_ELSE = "an attempt of this id is recorded, and says something else"


@dataclass
class Kept:
    """`refused`: (index, field, why) of what was left out; the first fault of each."""

    recorded: int = 0
    known: int = 0
    refused: list[tuple[int, str, str]] = field(default_factory=list)


def record_attempts(
    session: Session, creditor_id: UUID, told: Sequence[Mapping[str, Any]], *, now: datetime, by: UUID | None
) -> Kept:
    """Keep each attempt once per its own id and account; what cannot be kept is said, and keeps no other out.

    The same id about the same account with another content is refused: what was recorded stays. An attempt is about
    whoever owes the account, the debtor where there is one. Six statements, whatever the number. Raises `not-found`.
    """
    load(session, Creditor, creditor_id)
    # Two who tell of the same attempts at once: the second sees what the first kept.
    lock = func.pg_advisory_xact_lock(func.hashtextextended(f"attempts:{creditor_id}", 0))
    session.execute(select(lock))
    kept = Kept()
    with audience(Audience.OFFICE_JOB):
        read = dict(_read(told, now, kept))
        wanted = {one.account for one in read.values()}
        accounts = {reference: key for reference, (key, _) in account_keys(session, creditor_id, wanted).items()}
        owing = _who_owes(session, accounts.values())
        before = _recorded(session, {one.op_id(creditor_id) for one in read.values()})
        rows: list[Attempt] = []
        for index, one in read.items():
            account_id = accounts.get(one.account)
            if account_id is None or account_id not in owing:
                kept.refused.append((index, "account", UNKNOWN))
                continue
            key, said = (one.op_id(creditor_id), account_id), _content(one)
            if key in before:
                _again(kept, index, before[key] == said)
                continue
            before[key] = said
            rows.append(_row(one, account_id, owing[account_id], key[0], now=now, by=by))
    add_attempts(session, rows)
    kept.recorded = len(rows)
    kept.refused.sort()
    return kept


def _read(told: Sequence[Mapping[str, Any]], now: datetime, kept: Kept) -> Iterator[tuple[int, ToldAttempt]]:
    for index, fields in enumerate(told):
        try:
            yield index, read_attempt(fields, now)
        except BadAttempt as fault:
            kept.refused.append((index, fault.at, fault.message))


def _again(kept: Kept, index: int, same: bool) -> None:
    if same:
        kept.known += 1
    else:
        kept.refused.append((index, "id", SAYS_ELSE))


def _content(one: ToldAttempt) -> tuple[str, datetime, str]:
    return one.channel.value, one.at, one.outcome.value


def _recorded(session: Session, op_ids: Collection[UUID]) -> dict[tuple[UUID, UUID], tuple[str, datetime, str]]:
    query = select(Attempt.op_id, Attempt.account_id, Attempt.channel, Attempt.at, Attempt.outcome).where(
        Attempt.agency_id == current_agency(), among(Attempt.op_id, op_ids)
    )
    return {(row.op_id, row.account_id): (row.channel, row.at, row.outcome) for row in session.execute(query)}


def _who_owes(session: Session, account_ids: Collection[UUID]) -> dict[UUID, UUID]:
    query = (
        select(Party.account_id, Party.person_id)
        .where(
            Party.agency_id == current_agency(),
            among(Party.account_id, account_ids),
            Party.role.in_([role.value for role in OBLIGORS]),
        )
        .order_by(Party.account_id, Party.role == Role.DEBTOR.value, Party.person_id.desc())
    )
    return {row.account_id: row.person_id for row in session.execute(query)}  # the last one of an account counts


def _row(
    one: ToldAttempt, account_id: UUID, person_id: UUID, op_id: UUID, *, now: datetime, by: UUID | None
) -> Attempt:
    said = {"outcome": one.outcome.value, "id": one.ref, "by": one.by.value, "told_by": str(by) if by else None}
    return Attempt(
        account_id=account_id,
        person_id=person_id,
        op_id=op_id,
        channel=one.channel.value,
        at=one.at,
        received_at=now,
        outcome=one.outcome.value,
        right_party=one.outcome is ToldOutcome.REACHED,
        detail=Confidential(canonical(said).decode()),
    )
