"""The database session: one way to open a transaction, tenancy set by itself in every one of them.

`transaction(agency_id)` is used by views, jobs and commands alike, inside a Flask application context. The agency is
set with SET LOCAL, so a pooled connection never carries it over; where none is set the policies see NULL and no row.
"""

from __future__ import annotations

import select
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import DateTime, MetaData, Text, event, text
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.orm import DeclarativeBase, Session, SessionTransaction, registry

from field_api.platform.driver_errors import forget_locals
from field_api.platform.overload import later_s
from field_api.platform.problems import Problem
from field_api.platform.tenancy import acting_for, agency_or_none

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    registry = registry(
        metadata=MetaData(naming_convention=NAMING),
        type_annotation_map={datetime: DateTime(timezone=True), str: Text},  # aware UTC; no arbitrary lengths
    )


# Rows stay readable after their transaction, so that a view can present what a use case returned; each transaction
# has a session of its own, so nothing stale is ever used again.
db = SQLAlchemy(model_class=Base, disable_autonaming=True, session_options={"expire_on_commit": False})


RESTORING = "doorstep.restoring"
"""A setting of the database itself, on while a backup is being restored into it: nothing of it is used or served."""
IS_RESTORING = "SELECT current_setting('doorstep.restoring', true) IS NOT DISTINCT FROM 'on'"
_BEGIN = text(IS_RESTORING + " FROM set_config('doorstep.agency', :agency, true)")


@event.listens_for(Session, "after_begin")
def _set_agency(_session: Session, _transaction: SessionTransaction, connection: Any) -> None:
    agency_id = agency_or_none()
    restoring = connection.execute(_BEGIN, {"agency": str(agency_id) if agency_id else ""}).scalar()
    if restoring:
        connection.invalidate()  # a connection keeps the setting it began with: the next one asks anew
        raise Problem("unavailable", "a backup is being restored", headers={"Retry-After": later_s(30, 60)})


_joined: ContextVar[Session | None] = ContextVar("joined_transaction", default=None)


@contextmanager
def transaction(agency_id: UUID) -> Iterator[Session]:
    """One unit of work for one agency: commits at the end, rolls back on any error, gives the connection back.

    Needs an application context. Not re-entrant: pass the session on to whatever needs it. Inside
    `joint_transaction` it is a part of that one: an error undoes this part, the commit comes at the outer end.
    """
    outer = _joined.get()
    with acting_for(agency_id):
        if outer is not None:
            with _part_of(outer, agency_id):
                yield outer
            return
        session = db.session()
        if session.in_transaction():
            raise RuntimeError("a transaction is already open: pass its session on")
        try:
            yield session
            session.commit()
        except BaseException as error:
            session.rollback()
            forget_locals(error)
            raise
        finally:
            db.session.remove()


@contextmanager
def transaction_beside(agency_id: UUID) -> Iterator[Session]:
    """A unit of work on a connection of its own, for what must stand although the running one ends with a refusal.

    It must wait for no lock that the running one may hold: say SKIP LOCKED.
    """
    with acting_for(agency_id), db.session.session_factory() as session, session.begin():
        yield session


@contextmanager
def joint_transaction(agency_id: UUID) -> Iterator[Session]:
    """A transaction that every `transaction(agency_id)` inside the block joins, so that all of it commits or nothing.

    For what must stand or fall with a whole view, such as the stored answer of an Idempotency-Key.
    """
    with transaction(agency_id) as session:
        session.info["agency_id"] = agency_id
        token = _joined.set(session)
        try:
            yield session
        finally:
            _joined.reset(token)


@contextmanager
def _part_of(outer: Session, agency_id: UUID) -> Iterator[None]:
    if outer.info.get("agency_id") != agency_id:
        raise RuntimeError("a joint transaction is for one agency")
    with outer.begin_nested():
        yield


@contextmanager
def across_agencies(reason: str) -> Iterator[Session]:
    """A read without an agency, for the few things that come before one is known; say why, loudly.

    Row-level security still holds: only what a policy of its own lets through is seen (the e-mail of a sign-in).
    """
    if agency_or_none() is not None:
        raise RuntimeError(f"an agency is set already: {reason}")
    session = db.session()
    if session.in_transaction():
        raise RuntimeError("a transaction is already open: pass its session on")
    try:
        yield session
    finally:
        session.rollback()
        db.session.remove()


def _refuse_hung_up(connection: psycopg.Connection, _record: object, _fairy: object) -> None:
    """Asks the kernel whether the server hung up. Asking the server itself, as `pool_pre_ping` does, took 4 to 10 %
    of a phone's call. Nothing comes on an idle connection but its end; if it were a notice, a new one does as well.
    """
    waiting = select.poll()
    if not connection.closed:
        waiting.register(connection.fileno(), select.POLLIN)
    if connection.closed or waiting.poll(0):
        raise InvalidatePoolError("the server closed the connection")


def engine_options() -> dict[str, Any]:
    """Pool settings shared by all processes: small, looked at before use, never older than half an hour.

    Parameters never appear in the text of an error: a failed insert would print balances and names. What the server's
    text would quote is field_api.platform.driver_errors' business.
    """
    return {
        "pool_size": 8,
        "max_overflow": 8,
        "pool_timeout": 5,  # seconds; who waits longer is told to come again, and frees a thread
        "pool_events": [(_refuse_hung_up, "checkout")],
        "pool_recycle": 1800,
        "hide_parameters": True,
    }
