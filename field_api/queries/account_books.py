"""What the books say about accounts, without anybody's name or amount: set-based, in a fixed number of statements."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    Date,
    Integer,
    Row,
    Select,
    Subquery,
    Text,
    and_,
    column,
    func,
    literal,
    or_,
    select,
    true,
    type_coerce,
    values,
)
from sqlalchemy import Uuid as UuidType
from sqlalchemy.orm import Session

from field_api.domain.account_books import Books
from field_api.domain.amounts import minor_digits
from field_api.domain.promise_states import last_day
from field_api.domain.strategy import BadStrategy, Strategy, read_strategy
from field_api.domain.vocabulary import OutcomeKind, PromiseState, ToldOutcome
from field_api.platform.problems import Problem
from field_api.platform.tenancy import current_agency
from field_api.queries.arrays import among
from field_api.queries.blocked_accounts import excluded_accounts, open_holds_by_account
from field_api.records.accounts import Account
from field_api.records.agency import Creditor
from field_api.records.planning import Plan, Route, Stop
from field_api.records.results import Attempt, Promise
from field_api.records.visits import Visit, VisitAccount


def account_books(session: Session, day: date, only: Collection[UUID] | None = None) -> list[Books]:
    """Every placed account, or those of `only` whatever their state, by id, as of `day`. Seven statements at most.

    Thresholds hold in the account's currency. Raises `conflict` where a creditor's strategy is not understood.
    """
    strategies = _strategies(session)
    aside = _Aside(
        holds=_holds(session, only),
        published_on=_published_on(session, day, only),
        excluded=set(session.scalars(excluded_accounts(only))),
        attempts=_attempts(session, [key for key, strategy in strategies.items() if _counts(strategy)], only),
        promises=_promises(session, [key for key, strategy in strategies.items() if _promises_matter(strategy)]),
    )
    return [_books(row, day, strategies[row.creditor_id], aside) for row in session.execute(_rows(session, day, only))]


@dataclass(frozen=True)
class _Aside:
    """By account, what stands in other tables."""

    holds: Mapping[UUID, list[str]]
    published_on: Mapping[UUID, set[date]]
    excluded: set[UUID]
    attempts: Mapping[UUID, dict[str, int]]
    promises: Mapping[UUID, tuple[date | None, int]]


def _books(row: Row[Any], day: date, strategy: Strategy, aside: _Aside) -> Books:
    promised_until, broken = aside.promises.get(row.account_id, (None, 0))
    return Books(
        account_id=row.account_id,
        as_of=day,
        state=row.state,
        sector=row.sector,
        transferred=row.transferred,
        above_threshold=row.above,
        days_past_due=row.days_past_due,
        holds=tuple(aside.holds.get(row.account_id, ())),
        published_on=frozenset(aside.published_on.get(row.account_id, ())),
        excluded=row.account_id in aside.excluded,
        auto_pays=row.auto_pays,
        consented_on=row.consented_on,
        guarantor_first=row.guarantor_first or strategy.guarantor_first,
        promised_until=_waited_for(promised_until, strategy),
        broken_promises=broken,
        attempts=aside.attempts.get(row.account_id, {}),
        strategy=strategy,
    )


def _waited_for(due_on: date | None, strategy: Strategy) -> date | None:
    """A promise in its days of grace is one that is still waited for."""
    return due_on and last_day(due_on, strategy.promise_grace_days, lambda _day: False)


def _rows(session: Session, day: date, only: Collection[UUID] | None) -> Select[Any]:
    thresholds = _thresholds(session)
    failed_on, paid_on = (
        type_coerce(Account.auto_pay_failed_on, Date),
        type_coerce(Account.last_payment_on, Date),
    )
    failed = and_(failed_on.is_not(None), or_(paid_on.is_(None), paid_on <= failed_on))
    return (
        select(
            Account.id.label("account_id"),
            Account.creditor_id,
            Account.state,
            Account.original_creditor.is_not(None).label("transferred"),
            Creditor.sector,
            (type_coerce(Account.balance_minor, BigInteger) > thresholds.c.threshold_minor).label("above"),
            type_coerce(literal(day, Date) - type_coerce(Account.due_on, Date), Integer).label("days_past_due"),
            type_coerce(and_(Account.auto_pay, ~failed), Boolean).label("auto_pays"),
            Account.guarantor_first,
            type_coerce(Account.visits_consented_on, Date).label("consented_on"),
        )
        .join(Creditor, (Creditor.agency_id == Account.agency_id) & (Creditor.id == Account.creditor_id))
        .join(
            thresholds,
            (thresholds.c.creditor_id == Account.creditor_id) & (thresholds.c.currency == Account.currency),
        )
        .where(Account.agency_id == current_agency(), _in_question(only))
        .order_by(Account.id)
    )


def _in_question(only: Collection[UUID] | None) -> ColumnElement[bool]:
    return Account.state == "placed" if only is None else among(Account.id, only)


def _of(only: Collection[UUID] | None, account_id: Any) -> ColumnElement[bool]:
    return true() if only is None else among(account_id, only)


def _strategies(session: Session) -> dict[UUID, Strategy]:
    found = {}
    for key, stored in session.execute(
        select(Creditor.id, Creditor.strategy).where(Creditor.agency_id == current_agency())
    ):
        try:
            found[key] = read_strategy(stored)
        except BadStrategy as error:
            raise Problem("conflict", "a creditor's strategy is not understood", at="strategy") from error
    return found


def _counts(strategy: Strategy) -> bool:
    return bool(strategy.attempts_first) or strategy.visits_at_most is not None


def _promises_matter(strategy: Strategy) -> bool:
    return strategy.wait_for_promises or any(band.broken_promises for band in strategy.bands)


def _holds(session: Session, only: Collection[UUID] | None) -> dict[UUID, list[str]]:
    open_holds = open_holds_by_account().subquery()
    query = select(open_holds.c.account_id, open_holds.c.kind).where(_of(only, open_holds.c.account_id))
    return _grouped(session.execute(query))


def _grouped(pairs: Iterable[Any]) -> dict[UUID, list[Any]]:
    found: dict[UUID, list[Any]] = {}
    for key, value in pairs:
        found.setdefault(key, []).append(value)
    return found


def _thresholds(session: Session) -> Subquery:
    """(creditor_id, currency, threshold_minor), the creditor's threshold carried over to each currency in use."""
    in_use = session.execute(
        select(Creditor.id, Creditor.currency, Creditor.threshold_minor, Account.currency.label("used"))
        .join(Account, (Account.agency_id == Creditor.agency_id) & (Account.creditor_id == Creditor.id))
        .where(Creditor.agency_id == current_agency())
        .distinct()
    )
    rows = [(row.id, row.used, _in_minor_of(row.threshold_minor, row.currency, row.used)) for row in in_use]
    table = values(
        column("creditor_id", UuidType),
        column("currency", Text),
        column("threshold_minor", BigInteger),
        name="threshold",
    )
    # VALUES needs a row even where there is no account at all; a nil creditor has none.
    return table.data(rows or [(UUID(int=0), "", 0)]).alias("thresholds")


def _in_minor_of(threshold_minor: int, currency: str, used: str) -> int:
    """The same number of major units: 100.00 MXN is 100 JPY. Rounded down, so that the bound is never raised."""
    shift = minor_digits(used) - minor_digits(currency)
    return threshold_minor * 10**shift if shift >= 0 else threshold_minor // 10**-shift


def _published_on(session: Session, day: date, only: Collection[UUID] | None) -> dict[UUID, set[date]]:
    """Days, from `day` on, of published routes that an account is on: one day where all accounts are asked about."""
    when = Plan.for_day == day if only is None else Plan.for_day >= day - timedelta(days=1)
    query = (
        select(VisitAccount.account_id, Plan.for_day)
        .join(Visit, (Visit.agency_id == VisitAccount.agency_id) & (Visit.id == VisitAccount.visit_id))
        .join(Stop, (Stop.agency_id == Visit.agency_id) & (Stop.id == Visit.stop_id))
        .join(Route, (Route.agency_id == Stop.agency_id) & (Route.id == Stop.route_id))
        .join(Plan, (Plan.agency_id == Route.agency_id) & (Plan.id == Route.plan_id))
        .where(
            VisitAccount.agency_id == current_agency(),
            when,
            Visit.state.in_(["published", "done"]),
            _of(only, VisitAccount.account_id),
        )
    )
    return {key: set(days) for key, days in _grouped(session.execute(query)).items()}


def _attempts(session: Session, creditor_ids: list[UUID], only: Collection[UUID] | None) -> dict[UUID, dict[str, int]]:
    """How often each account was tried by each channel, of creditors whose strategy counts. A visit that three
    operations told about is one, and what came back is the fate of one that counts already."""
    if not creditor_ids:
        return {}
    cause = func.coalesce(Attempt.visit_id, Attempt.op_id)
    query = (
        select(Attempt.account_id, Attempt.channel, func.count(cause.distinct()))
        .join(Account, (Account.agency_id == Attempt.agency_id) & (Account.id == Attempt.account_id))
        .where(
            Attempt.agency_id == current_agency(),
            among(Account.creditor_id, creditor_ids),
            _in_question(only),
            Attempt.outcome.not_in([OutcomeKind.SKIPPED.value, ToldOutcome.RETURNED.value]),
        )
        .group_by(Attempt.account_id, Attempt.channel)
    )
    found: dict[UUID, dict[str, int]] = {}
    for account_id, channel, count in session.execute(query):
        found.setdefault(account_id, {})[channel] = count
    return found


def _promises(session: Session, creditor_ids: list[UUID]) -> dict[UUID, tuple[date | None, int]]:
    """By account: the last due day of its open promises, and how many were broken (`settle_promises` says which)."""
    if not creditor_ids:
        return {}
    query = (
        select(
            Promise.account_id,
            func.max(type_coerce(Promise.due_on, Date)).filter(Promise.state == PromiseState.OPEN.value),
            func.count().filter(Promise.state == PromiseState.BROKEN.value),
        )
        .join(Account, (Account.agency_id == Promise.agency_id) & (Account.id == Promise.account_id))
        .where(Promise.agency_id == current_agency(), among(Account.creditor_id, creditor_ids))
        .group_by(Promise.account_id)
    )
    return {account_id: (until, broken) for account_id, until, broken in session.execute(query)}
