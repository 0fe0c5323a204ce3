"""Creditors: who hands accounts over, and how their files are read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from field_api.domain.amounts import read_currency
from field_api.domain.column_map import MapRefused, column_map_from
from field_api.domain.places import jurisdiction_of, read_country, read_language
from field_api.domain.row_errors import CellRefused, RowCode
from field_api.domain.strategy import BadStrategy, read_strategy
from field_api.platform.problems import Problem
from field_api.platform.tenancy import current_agency
from field_api.queries.blocked_accounts import excluded_accounts
from field_api.records.agency import Creditor
from field_api.records.base import load
from field_api.usecases.lock_visit import lock_accounts
from field_api.usecases.withdraw_visit import withdraw_blocked_visits

CHANGEABLE = frozenset(
    {
        "name",
        "sector",
        "threshold_minor",
        "language",
        "address",
        "phone",
        "complaints_unit",
        "payment_ways",
        "column_map",
        "strategy",
        "exclusions",
    }
)
"""Currency and jurisdiction are not: accounts were read under them."""
UNIT = ("address", "email", "phone")
MOST_WAYS, LONGEST_TEXT = 20, 500


def create_creditor(
    session: Session, *, name: str, jurisdiction: str, currency: str, language: str, **others: Any
) -> Creditor:
    """A new creditor; `others` are columns of the record. Raises `invalid-fields` naming the field, `conflict`."""
    creditor = Creditor(
        name=name,
        jurisdiction=_jurisdiction(jurisdiction),
        currency=_read("currency", lambda: read_currency(currency)),
        language=_read("language", lambda: read_language(language)),
    )
    _set(session, creditor, {"name": name, **others})
    session.add(creditor)
    session.flush()
    return creditor


def change_creditor(session: Session, creditor_id: UUID, changes: Mapping[str, Any], *, now: datetime) -> Creditor:
    """Set the columns in `changes` (of CHANGEABLE). Raises `not-found`, `invalid-fields`, `conflict`.

    Visits about accounts that are excluded by now come back from phones; a strategy holds for plans from now on.
    """
    creditor = load(session, Creditor, creditor_id, lock=True)
    _set(session, creditor, changes)
    session.flush()
    if changes.get("exclusions"):
        excluded = set(session.scalars(excluded_accounts()))
        lock_accounts(session, excluded)
        withdraw_blocked_visits(session, excluded, reason="excluded", now=now, actor="office")
    return creditor


def _set(session: Session, creditor: Creditor, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        if name not in CHANGEABLE:
            raise Problem("invalid-fields", "cannot be set", at=name)
        if name == "column_map":
            _check_map(value, creditor.jurisdiction)
        elif name == "strategy":
            _check_strategy(value)
        elif name == "complaints_unit":
            _check_unit(value)
        elif name == "payment_ways":
            _check_ways(value)
        elif name in ("address", "phone"):
            _check_text(name, value)
        elif name == "exclusions":
            value = sorted(set(value))
        elif name == "language":
            value = _read("language", partial(read_language, value))
        setattr(creditor, name, value)
    with session.no_autoflush:
        taken = select(Creditor.id).where(Creditor.agency_id == current_agency(), Creditor.name == creditor.name)
        if any(other != creditor.id for other in session.scalars(taken)):
            raise Problem("conflict", "a creditor of this name exists", at="name")


def _check_map(stored: Any, jurisdiction: str) -> None:
    try:
        column_map_from(stored, jurisdiction)
    except MapRefused as refusal:
        raise Problem(
            "invalid-fields", refusal.message, at=f"column_map.{refusal.at}", extra={"reason": refusal.code}
        ) from refusal


def _check_unit(stored: Any) -> None:
    """Whatever stands here stands on letters."""
    if not isinstance(stored, Mapping) or set(stored) - set(UNIT):
        raise Problem("invalid-fields", f"known here: {', '.join(UNIT)}", at="complaints_unit")
    for name, text in stored.items():
        _check_text(f"complaints_unit.{name}", text)


def _check_ways(stored: Any) -> None:
    if not isinstance(stored, list | tuple) or len(stored) > MOST_WAYS:
        raise Problem("invalid-fields", f"a list of at most {MOST_WAYS}", at="payment_ways")
    for index, text in enumerate(stored):
        _check_text(f"payment_ways.{index}", text)


def _check_text(at: str, text: Any) -> None:
    if not isinstance(text, str) or len(text) > LONGEST_TEXT or not text.isprintable():
        raise Problem("invalid-fields", f"at most {LONGEST_TEXT} printable characters", at=at)


def _check_strategy(stored: Any) -> None:
    try:
        read_strategy(stored)
    except BadStrategy as refusal:
        raise Problem("invalid-fields", refusal.message, at=f"strategy.{refusal.at}") from refusal


def _jurisdiction(text: str) -> str:
    country, _, state = text.partition("-")

    def read() -> str:
        if len(country) != 2:
            raise CellRefused(RowCode.UNKNOWN_COUNTRY, "a country's code, with a state's where it has rules of its own")
        return jurisdiction_of(read_country(country), state or None)

    return _read("jurisdiction", read)


def _read(name: str, reader: Callable[[], str]) -> str:
    try:
        return reader()
    except CellRefused as refusal:
        raise Problem("invalid-fields", refusal.message, at=name) from refusal
