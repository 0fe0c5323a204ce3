"""Say of promises whether they were kept, by the payments that are known."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache, partial
from itertools import groupby
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import BigInteger, Date, Row, Select, or_, select, type_coerce, update
from sqlalchemy.orm import Session

from field_api.domain.ports import Calendars, RuleBook
from field_api.domain.promise_states import LONGEST_GRACE_DAYS, Promised, decided, last_day
from field_api.domain.strategy import BadStrategy, read_strategy
from field_api.domain.vocabulary import PromiseState
from field_api.platform.tenancy import current_agency
from field_api.queries.arrays import among
from field_api.records.accounts import Account, Payment
from field_api.records.agency import Creditor
from field_api.records.people import Address
from field_api.records.results import Promise
from field_api.records.visits import Visit

LOOK_BACK = timedelta(days=180)
"""So long a payment told late can still set a decision right."""
EVERYWHERE = timedelta(hours=12)
"""A day is over everywhere on Earth so long after it is in Greenwich."""


@dataclass(frozen=True)
class _Terms:
    """What a creditor gives: the last day for a due day."""

    last: Callable[[date], date]


def settle_promises(session: Session, *, rules: RuleBook, calendars: Calendars, now: datetime) -> int:
    """Set the states of promises that payments, or the end of their time, decide; returns how many changed.

    Set-based: four statements, and one for each state that some of them got. Repeated, it changes nothing. A strategy
    that is not understood gives no grace days here: planning refuses it by name.
    """
    today = (now - EVERYWHERE).date()
    rows = session.execute(_promises(today)).all()
    if not rows:
        return 0
    terms = _terms(session, rules, calendars)
    paid = _payments(session, {row.account_id for row in rows})
    changes: dict[PromiseState, list[UUID]] = {}
    for _, own in groupby(rows, key=lambda row: row.account_id):
        for promise_id, state in _of_account(list(own), paid, today, terms).items():
            changes.setdefault(state, []).append(promise_id)
    for state, promise_ids in changes.items():
        here = (Promise.agency_id == current_agency()) & among(Promise.id, promise_ids)
        # What an operation replaced meanwhile stays replaced.
        still = Promise.state != PromiseState.REPLACED.value
        session.execute(
            update(Promise).where(here, still).values(state=state.value),
            execution_options={"synchronize_session": False},
        )
    session.expire_all()
    return sum(map(len, changes.values()))


def _of_account(
    rows: list[Row[Any]], paid: Mapping[UUID, list[tuple[date, int]]], today: date, terms: Mapping[UUID, _Terms]
) -> Mapping[UUID, PromiseState]:
    first = rows[0]
    promises = [
        Promised(row.id, _made_on(row), row.due_on, row.position, row.amount_minor, PromiseState(row.state))
        for row in rows
    ]
    nothing_owed = bool(first.nothing_owed)
    return decided(
        promises, paid.get(first.account_id, []), today, terms[first.creditor_id].last, nothing_owed=nothing_owed
    )


def _made_on(row: Row[Any]) -> date:
    """Where it was made: whoever pays that evening pays on the same day, whatever day it is in Greenwich by then."""
    made_at: datetime = row.made_at
    return made_at.astimezone(ZoneInfo(row.timezone or "UTC")).date()


def _promises(today: date) -> Select[Any]:
    """Every standing promise of accounts of which one is not decided for good, account by account."""
    due_on = type_coerce(Promise.due_on, Date)
    undecided = (
        select(Promise.account_id)
        .where(
            Promise.agency_id == current_agency(),
            Promise.state.in_([PromiseState.OPEN.value, PromiseState.PARTLY.value, PromiseState.BROKEN.value]),
            or_(Promise.state == PromiseState.OPEN.value, due_on >= today - LOOK_BACK),
        )
        .distinct()
    )
    return (
        select(
            Promise.id,
            Promise.account_id,
            Promise.position,
            Promise.state,
            Promise.made_at,
            Address.timezone,
            due_on.label("due_on"),
            type_coerce(Promise.amount_minor, BigInteger).label("amount_minor"),
            Account.creditor_id,
            (type_coerce(Account.balance_minor, BigInteger) <= 0).label("nothing_owed"),
        )
        .join(Account, (Account.agency_id == Promise.agency_id) & (Account.id == Promise.account_id))
        .outerjoin(Visit, (Visit.agency_id == Promise.agency_id) & (Visit.id == Promise.visit_id))
        .outerjoin(Address, (Address.agency_id == Visit.agency_id) & (Address.id == Visit.address_id))
        .where(
            Promise.agency_id == current_agency(),
            Promise.account_id.in_(undecided),
            Promise.state != PromiseState.REPLACED.value,
        )
        .order_by(Promise.account_id)
    )


def _payments(session: Session, account_ids: Iterable[UUID]) -> dict[UUID, list[tuple[date, int]]]:
    query = select(
        Payment.account_id, type_coerce(Payment.paid_on, Date), type_coerce(Payment.amount_minor, BigInteger)
    ).where(Payment.agency_id == current_agency(), among(Payment.account_id, account_ids))
    found: dict[UUID, list[tuple[date, int]]] = {}
    for account_id, paid_on, minor in session.execute(query):
        found.setdefault(account_id, []).append((paid_on, minor))
    return found


def _terms(session: Session, rules: RuleBook, calendars: Calendars) -> dict[UUID, _Terms]:
    query = select(Creditor.id, Creditor.jurisdiction, Creditor.strategy).where(Creditor.agency_id == current_agency())
    found = {}
    for creditor_id, jurisdiction, strategy in session.execute(query):
        known = rules.of(jurisdiction)
        is_off = partial(_is_off, calendars, known.holidays if known else None)
        found[creditor_id] = _Terms(cache(partial(last_day, grace_days=_grace(strategy), is_off=is_off)))
    return found


def _grace(stored: Any) -> int:
    try:
        return min(read_strategy(stored).promise_grace_days, LONGEST_GRACE_DAYS)
    except BadStrategy:
        return 0


def _is_off(calendars: Calendars, place: str | None, day: date) -> bool:
    return day in calendars.days_off(place, day.year)["holidays"]
