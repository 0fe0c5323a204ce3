"""Which placed accounts come into question on a day: set-based, in a fixed number of statements."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import (
    BigInteger,
    Select,
    Subquery,
    Text,
    case,
    column,
    func,
    literal,
    null,
    or_,
    select,
    type_coerce,
    values,
)
from sqlalchemy import Uuid as UuidType
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from field_api.domain.amounts import minor_digits
from field_api.domain.contact_rules import PastAttempt
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

_OBLIGORS = [role.value for role in OBLIGORS]
LOOK_BACK_DAYS = 62
"""Longer than the longest frequency window of any rules file."""


def screened_accounts(session: Session, day: date) -> Subquery:
    """Every placed account as (account_id, reason, rule): `reason` is null where nothing in the books speaks against a
    visit on `day`. The threshold is in the account's own currency."""
    thresholds = _thresholds(session)
    holds = open_holds_by_account().subquery()
    held = select(holds.c.account_id, func.min(holds.c.kind).label("kind")).group_by(holds.c.account_id).subquery()
    above = type_coerce(Account.balance_minor, BigInteger) > thresholds.c.threshold_minor
    on_route = Account.id.in_(_accounts_on_routes(day))
    owed_by_nobody = Account.id.not_in(select(Party.account_id).where(Party.role.in_(_OBLIGORS)))
    reason = case(
        (~above, NotPlannedReason.BELOW_THRESHOLD.value),
        (Account.due_on >= day, NotPlannedReason.NOT_DUE.value),
        (held.c.kind.is_not(None), NotPlannedReason.ON_HOLD.value),
        (on_route, NotPlannedReason.ALREADY_ON_A_ROUTE.value),
        (owed_by_nobody, NotPlannedReason.NO_COORDINATES.value),
        else_=null(),
    )
    rule = case(
        (~above, literal("the creditor's threshold", Text)),
        (Account.due_on >= day, literal("the oldest unpaid due date", Text)),
        (held.c.kind.is_not(None), literal("hold:", Text) + held.c.kind),
        (on_route, literal("a route of the same day", Text)),
        (owed_by_nobody, literal("nobody is known to owe it", Text)),
        else_=null(),
    )
    return (
        select(Account.id.label("account_id"), reason.label("reason"), rule.label("rule"))
        .join(
            thresholds,
            (thresholds.c.creditor_id == Account.creditor_id) & (thresholds.c.currency == Account.currency),
        )
        .outerjoin(held, held.c.account_id == Account.id)
        .where(Account.agency_id == current_agency(), Account.state == "placed")
        .subquery("screened")
    )


def candidates(session: Session, day: date, screened: Subquery, calendars: Calendars) -> list[Candidate]:
    """The screened accounts that nothing speaks against yet, with whom to seek, where, and what was tried before.

    The debtor is sought; a guarantor only where the account has no debtor.
    """
    rows = session.execute(_sought(screened)).all()
    places = _places(session, {row.person_id for row in rows}, calendars)
    zone_of = {row.account_id: _zone(places.get(row.person_id, ())) for row in rows}
    past = _past(session, day, zone_of)
    return [
        Candidate(
            account_id=row.account_id,
            sector=row.sector,
            transferred=row.transferred,
            person_id=row.person_id,
            role=row.role,
            is_minor=row.is_minor,
            language=row.language,
            places=tuple(places.get(row.person_id, ())),
            past=tuple(sorted(past.get(row.account_id, ()), key=lambda attempt: (attempt.on, attempt.channel))),
        )
        for row in rows
    ]


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


def _sought(screened: Subquery) -> Select[Any]:
    # "debtor" sorts before "guarantor".
    return (
        select(
            Account.id.label("account_id"),
            Account.original_creditor.is_not(None).label("transferred"),
            Creditor.sector,
            Party.person_id,
            Party.role,
            Person.is_minor,
            Person.language,
        )
        .ext(distinct_on(Account.id))
        .join(screened, screened.c.account_id == Account.id)
        .join(Creditor, (Creditor.agency_id == Account.agency_id) & (Creditor.id == Account.creditor_id))
        .join(Party, (Party.agency_id == Account.agency_id) & (Party.account_id == Account.id))
        .join(Person, (Person.agency_id == Party.agency_id) & (Person.id == Party.person_id))
        .where(
            Account.agency_id == current_agency(),
            screened.c.reason.is_(None),
            Party.role.in_(_OBLIGORS),
        )
        .order_by(Account.id, Party.role, Party.person_id)
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
    ).where(Address.agency_id == current_agency(), among(Address.person_id, person_ids))
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
