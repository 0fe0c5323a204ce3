"""Which agency the running work belongs to. The database session reads it; nothing runs without one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from uuid import UUID

_agency: ContextVar[UUID | None] = ContextVar("agency", default=None)


class NoAgency(RuntimeError):
    """Work that touches tenant data began outside `acting_for`."""


@contextmanager
def acting_for(agency_id: UUID) -> Iterator[None]:
    """Run the block as this agency: row-level security and column keys follow it."""
    token = _agency.set(agency_id)
    try:
        yield
    finally:
        _agency.reset(token)


def current_agency() -> UUID:
    """The agency of the running work. Raises NoAgency outside `acting_for`."""
    agency_id = _agency.get()
    if agency_id is None:
        raise NoAgency("no agency is set for this work")
    return agency_id


def agency_or_none() -> UUID | None:
    return _agency.get()
