"""What happened about accounts with people: letters that came to them, visits, open promises and disputes, holds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from field_api.domain.confidential import Confidential
from field_api.domain.disclosure import Audience
from field_api.domain.letter_model import LetterKind, LetterState
from field_api.domain.letter_steps import CONFIRMS, DEMANDS, Stage
from field_api.domain.vocabulary import HoldKind, OutcomeKind, PromiseKind, PromiseState
from field_api.platform.tenancy import current_agency
from field_api.queries.arrays import among
from field_api.queries.blocked_accounts import open_holds_by_account
from field_api.records.accounts import Account
from field_api.records.results import Attempt, Dispute, Promise
from field_api.records.visits import Letter, LetterCustody

CAME = (LetterState.HANDED_OVER.value, LetterState.POSTED.value)
"""Of a letter that came to the person. One that is posted and comes back is `returned`."""
NEVER_CAME = (LetterState.REFUSED.value, LetterState.DESTROYED.value, LetterState.LOST.value)

Pair = tuple[UUID, UUID]
"""(account, person)."""


@dataclass(frozen=True)
class OpenPromise:
    """What a person promised at one time, and is not over: payments by day."""

    made_at: datetime
    payments: tuple[tuple[date, int], ...]  # (due day, minor units of the account's currency)
    as_plan: bool


@dataclass(frozen=True)
class OpenDispute:
    reason: str
    opened_at: datetime


@dataclass(frozen=True)
class Happened:
    stage: Stage
    promise: OpenPromise | None  # this person's, the latest
    dispute: OpenDispute | None  # this person's, the latest
    holds: frozenset[HoldKind]


def happened(session: Session, pairs: Collection[Pair]) -> dict[Pair, Happened]:
    """Of each pair. Five statements, whatever their number. Needs audience OFFICE_JOB."""
    accounts = {account for account, _ in pairs}
    letters = _letters(session, accounts)
    visits = _visits(session, accounts)
    promises = _promises(session, accounts)
    disputes = _disputes(session, accounts)
    holds = _holds(session, accounts)
    promised = {account for account, _ in promises}

    def of(pair: Pair) -> Happened:
        account = pair[0]
        promise, own = promises.get(pair), letters.get(pair, [])
        came = [letter.kind for letter in own if letter.came and letter.kind in DEMANDS]
        stage = Stage(
            demands=len(came),
            warnings=came.count(LetterKind.FINAL_WARNING),
            visits=visits.get(account, 0),
            promised=account in promised,
            unconfirmed=promise is not None and not any(_confirms(letter, promise) for letter in own),
            as_plan=promise is not None and promise.as_plan,
            held=bool(holds[account]),  # a dispute is one, until somebody lifts it
        )
        return Happened(stage, promise, disputes.get(pair), frozenset(holds[account]))

    return {pair: of(pair) for pair in pairs}


@dataclass(frozen=True)
class _Letter:
    kind: LetterKind
    came: bool
    written_at: datetime


def _confirms(letter: _Letter, promise: OpenPromise) -> bool:
    return letter.kind in CONFIRMS and letter.written_at >= promise.made_at


def _letters(session: Session, accounts: Collection[UUID]) -> dict[Pair, list[_Letter]]:
    """Those that stand. A letter that is refused, destroyed or lost says nothing to anybody."""
    query = (
        select(Letter.account_id, Letter.person_id, Letter.kind, Letter.state, func.min(LetterCustody.at))
        .join(LetterCustody, (LetterCustody.agency_id == Letter.agency_id) & (LetterCustody.letter_id == Letter.id))
        .where(
            Letter.agency_id == current_agency(),
            among(Letter.account_id, accounts),
            Letter.superseded_at.is_(None),
            Letter.state.not_in(NEVER_CAME),
        )
        .group_by(Letter.account_id, Letter.person_id, Letter.kind, Letter.state, Letter.id)
    )
    found: dict[Pair, list[_Letter]] = defaultdict(list)
    for account, person, kind, state, written_at in session.execute(query):
        found[account, person].append(_Letter(LetterKind(kind), state in CAME, written_at))
    return found


def _visits(session: Session, accounts: Collection[UUID]) -> dict[UUID, int]:
    """How often somebody went there about the account. A visit that three operations told of is one."""
    query = (
        select(Attempt.account_id, func.count(func.coalesce(Attempt.visit_id, Attempt.op_id).distinct()))
        .where(
            Attempt.agency_id == current_agency(),
            among(Attempt.account_id, accounts),
            Attempt.channel == "visit",
            Attempt.outcome != OutcomeKind.SKIPPED.value,
        )
        .group_by(Attempt.account_id)
    )
    return dict(session.execute(query).all())


def _promises(session: Session, accounts: Collection[UUID]) -> dict[Pair, OpenPromise]:
    """The latest of each person. One in another currency than the account's is a misunderstanding, and no promise of
    a letter's."""
    query = (
        select(
            Promise.account_id,
            Promise.person_id,
            Promise.op_id,
            Promise.made_at,
            Promise.kind,
            Promise.due_on,
            Promise.amount_minor,
        )
        .join(Account, (Account.agency_id == Promise.agency_id) & (Account.id == Promise.account_id))
        .where(
            Promise.agency_id == current_agency(),
            among(Promise.account_id, accounts),
            Promise.state == PromiseState.OPEN.value,
            Promise.currency == Account.currency,
        )
        .order_by(Promise.made_at, Promise.op_id, Promise.position, Promise.id)
    )
    by_operation: dict[Pair, dict[UUID, list[Any]]] = defaultdict(lambda: defaultdict(list))
    for row in session.execute(query):
        by_operation[row.account_id, row.person_id][row.op_id].append(row)
    return {pair: _promise(list(own.values())[-1]) for pair, own in by_operation.items()}


def _promise(rows: list[Any]) -> OpenPromise:
    payments = sorted((_open(row.due_on), _open(row.amount_minor)) for row in rows)
    as_plan = len(rows) > 1 or rows[0].kind == PromiseKind.PLAN.value
    return OpenPromise(rows[0].made_at, tuple(payments), as_plan)


def _disputes(session: Session, accounts: Collection[UUID]) -> dict[Pair, OpenDispute]:
    query = (
        select(Dispute.account_id, Dispute.person_id, Dispute.reason, Dispute.opened_at)
        .where(Dispute.agency_id == current_agency(), among(Dispute.account_id, accounts), Dispute.state == "open")
        .order_by(Dispute.opened_at, Dispute.id)
    )
    return {
        (account, person): OpenDispute(reason, opened_at)
        for account, person, reason, opened_at in session.execute(query)
    }


def _holds(session: Session, accounts: Collection[UUID]) -> Mapping[UUID, set[HoldKind]]:
    holds = open_holds_by_account().subquery()
    found: dict[UUID, set[HoldKind]] = defaultdict(set)
    for account, kind in session.execute(select(holds).where(among(holds.c.account_id, accounts))):
        found[account].add(HoldKind(kind))
    return found


def _open(value: Confidential[Any]) -> Any:
    return value.reveal(Audience.OFFICE_JOB)
