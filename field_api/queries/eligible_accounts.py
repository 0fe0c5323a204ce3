"""Which placed accounts come into question on a day: set-based, in a fixed number of statements."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import (
    BigInteger,
    Row,
    Select,
    Subquery,
    Text,
    column,
    func,
    or_,
    select,
    type_coerce,
    values,
)
from sqlalchemy import Uuid as UuidType
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from field_api.domain.amounts import minor_digits
from field_api.domain.contact_rules import PastAttempt, Refusal, Rule
from field_api.domain.eligibility import Candidate, Place
from field_api.domain.ports import Calendars
from field_api.domain.routing import Point
from field_api.domain.vocabulary import OBLIGORS, NotPlannedReason, OutcomeKind
from field_api.platform.tenancy import current_agency
from field_api.queries.arrays import among
from field_api.queries.blocked_accounts import open_holds_by_account
from field_api.records.accounts import Account, Party
from field_api.records.agency import Creditor
from field_api.records.people import Address, Person
from field_api.records.planning import Plan, Route, Stop
from field_api.records.results import Attempt
from field_api.records.visits import Visit, VisitAccount

THRESHOLD = Rule("threshold", "the creditor's threshold: only above it", "H")
DUE_DATE = Rule("due-date", "the oldest unpaid due date is not past", "H")
ON_A_ROUTE = Rule("same-day", "it is on a published route of the same day", "H")
OWED_BY_NOBODY = Rule("no-obligor", "no debtor or guarantor is known", "H")
LOOK_BACK_DAYS = 62
"""Longer than the longest frequency window of any rules file."""


def eligible_accounts(
    session: Session, day: date, calendars: Calendars
) -> tuple[list[Candidate], list[tuple[UUID, Refusal]]]:
    """Every placed account: those that nothing in the books speaks against, with whom to seek, where, and what was
    tried before; and the others, with the reason. Eight statements.

    The debtor is sought; a guarantor only where the account has no debtor. Thresholds hold in the account's currency.
    """
    held, on_routes = _held(session), set(session.scalars(_accounts_on_routes(day)))
    free: dict[UUID, Row[Any]] = {}
    refused: list[tuple[UUID, Refusal]] = []
    for row in session.execute(_books(session, day)):
        why = _spoken_against(row, held, on_routes)
        if why is None:
            free[row.account_id] = row
        else:
            refused.append((row.account_id, why))
    sought = {row.account_id: row for row in session.execute(_sought(free))}
    places = _places(session, {row.person_id for row in sought.values()}, calendars)
    past = _past(session, day, {key: _zone(places.get(row.person_id, ())) for key, row in sought.items()})
    refused += [(key, Refusal(NotPlannedReason.NO_COORDINATES, OWED_BY_NOBODY)) for key in free if key not in sought]
    return [_candidate(free[key], row, places, past) for key, row in sought.items()], refused


def _spoken_against(row: Row[Any], held: dict[UUID, str], on_routes: set[UUID]) -> Refusal | None:
    if not row.above:
        return Refusal(NotPlannedReason.BELOW_THRESHOLD, THRESHOLD)
    if not row.overdue:
        return Refusal(NotPlannedReason.NOT_DUE, DUE_DATE)
    if row.account_id in held:
        return Refusal(NotPlannedReason.ON_HOLD, Rule(f"hold:{held[row.account_id]}", "a hold in force", "H"))
    if row.account_id in on_routes:
        return Refusal(NotPlannedReason.ALREADY_ON_A_ROUTE, ON_A_ROUTE)
    return None


def _candidate(
    books: Row[Any], sought: Row[Any], places: dict[UUID, list[Place]], past: dict[UUID, list[PastAttempt]]
) -> Candidate:
    return Candidate(
        account_id=books.account_id,
        sector=books.sector,
        transferred=books.transferred,
        person_id=sought.person_id,
        role=sought.role,
        is_minor=sought.is_minor,
        language=sought.language,
        places=tuple(places.get(sought.person_id, ())),
        past=tuple(past.get(books.account_id, ())),
    )


def _books(session: Session, day: date) -> Select[Any]:
    thresholds = _thresholds(session)
    return (
        select(
            Account.id.label("account_id"),
            Account.original_creditor.is_not(None).label("transferred"),
            Creditor.sector,
            (type_coerce(Account.balance_minor, BigInteger) > thresholds.c.threshold_minor).label("above"),
            (Account.due_on < day).label("overdue"),
        )
        .join(Creditor, (Creditor.agency_id == Account.agency_id) & (Creditor.id == Account.creditor_id))
        .join(
            thresholds,
            (thresholds.c.creditor_id == Account.creditor_id) & (thresholds.c.currency == Account.currency),
        )
        .where(Account.agency_id == current_agency(), Account.state == "placed")
        .order_by(Account.id)
    )


def _held(session: Session) -> dict[UUID, str]:
    """By account: one of the kinds of hold in force, always the same one."""
    held: dict[UUID, str] = {}
    for account_id, kind in session.execute(open_holds_by_account()):
        held[account_id] = min(kind, held.get(account_id, kind))
    return held


def _thresholds(session: Session) -> Subquery:
    """(creditor_id, currency, threshold_minor), the creditor's threshold carried over to each currency in use."""
    in_use = session.execute(
        select(Creditor.id, Creditor.currency, Creditor.threshold_minor, Account.currency.label("used"))
        .join(Account, (Account.agency_id == Creditor.agency_id) & (Account.creditor_id == Creditor.id))
        .where(Creditor.agency_id == current_agency(), Account.state == "placed")
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


def _accounts_on_routes(day: date) -> Select[tuple[UUID]]:
    return (
        select(VisitAccount.account_id)
        .join(Visit, (Visit.agency_id == VisitAccount.agency_id) & (Visit.id == VisitAccount.visit_id))
        .join(Stop, (Stop.agency_id == Visit.agency_id) & (Stop.id == Visit.stop_id))
        .join(Route, (Route.agency_id == Stop.agency_id) & (Route.id == Stop.route_id))
        .join(Plan, (Plan.agency_id == Route.agency_id) & (Plan.id == Route.plan_id))
        .where(Plan.for_day == day, Visit.state.in_(["published", "done"]))
    )


def _sought(account_ids: Iterable[UUID]) -> Select[Any]:
    # "debtor" sorts before "guarantor".
    return (
        select(Party.account_id, Party.person_id, Party.role, Person.is_minor, Person.language)
        .ext(distinct_on(Party.account_id))
        .join(Person, (Person.agency_id == Party.agency_id) & (Person.id == Party.person_id))
        .where(
            Party.agency_id == current_agency(),
            among(Party.account_id, account_ids),
            Party.role.in_([role.value for role in OBLIGORS]),
        )
        .order_by(Party.account_id, Party.role, Party.person_id)
    )


def _places(session: Session, person_ids: Iterable[UUID], calendars: Calendars) -> dict[UUID, list[Place]]:
    columns = select(
        Address.id,
        Address.person_id,
        Address.kind,
        Address.latitude,
        Address.longitude,
        Address.timezone,
        Address.jurisdiction,
        Address.visits_opted_out,
        Address.fingerprint,
    ).where(
        Address.agency_id == current_agency(),
        Address.retired_at.is_(None),
        among(Address.person_id, person_ids),
    )
    found: dict[UUID, list[Place]] = {}
    for row in session.execute(columns):
        located = row.latitude is not None and row.longitude is not None
        point = Point(row.latitude, row.longitude) if located else None
        zones = {row.timezone} if row.timezone else set()
        if point:
            zones.update(calendars.zones_at(point.latitude, point.longitude))
        place = Place(
            row.id, row.kind, point, tuple(sorted(zones)), row.jurisdiction, row.visits_opted_out, row.fingerprint
        )
        found.setdefault(row.person_id, []).append(place)
    return found


def _zone(places: Iterable[Place]) -> ZoneInfo:
    return ZoneInfo(next((zone for place in places for zone in place.zones), "UTC"))


def _past(session: Session, day: date, zone_of: dict[UUID, ZoneInfo]) -> dict[UUID, list[PastAttempt]]:
    # By account and cause (the visit, or the attempt itself): corrections of one visit count once.
    found: dict[UUID, dict[UUID, PastAttempt]] = {}
    since = datetime.combine(day - timedelta(days=LOOK_BACK_DAYS), time(), UTC)
    attempts = select(
        Attempt.account_id, func.coalesce(Attempt.visit_id, Attempt.id).label("cause"), Attempt.channel, Attempt.at
    ).where(
        Attempt.agency_id == current_agency(),
        among(Attempt.account_id, zone_of),
        Attempt.outcome != OutcomeKind.SKIPPED.value,
        or_(Attempt.at >= since, Attempt.channel != "visit"),  # a notice counts however old it is
    )
    for row in session.execute(attempts):
        on = row.at.astimezone(zone_of[row.account_id]).date()
        found.setdefault(row.account_id, {})[row.cause] = PastAttempt(on, row.channel)
    for row in session.execute(_not_reported_yet(day, zone_of)):
        found.setdefault(row.account_id, {}).setdefault(row.visit_id, PastAttempt(row.for_day, "visit"))
    return {account_id: list(causes.values()) for account_id, causes in found.items()}


def _not_reported_yet(day: date, account_ids: Iterable[UUID]) -> Select[Any]:
    """Visits out on phones that may have taken place: they count until somebody says otherwise."""
    near = timedelta(days=LOOK_BACK_DAYS)
    return (
        select(VisitAccount.account_id, VisitAccount.visit_id, Plan.for_day)
        .join(Visit, (Visit.agency_id == VisitAccount.agency_id) & (Visit.id == VisitAccount.visit_id))
        .join(Stop, (Stop.agency_id == Visit.agency_id) & (Stop.id == Visit.stop_id))
        .join(Route, (Route.agency_id == Stop.agency_id) & (Route.id == Stop.route_id))
        .join(Plan, (Plan.agency_id == Route.agency_id) & (Plan.id == Route.plan_id))
        .where(
            Visit.agency_id == current_agency(),
            Visit.state == "published",
            Plan.for_day.between(day - near, day + near),
            among(VisitAccount.account_id, account_ids),
        )
    )
