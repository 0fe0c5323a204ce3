"""Visits of a span of days with what came of them, as plain rows that stream."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from field_api.domain.confidential import Confidential, declared_audience
from field_api.domain.disclosure import Audience, Label
from field_api.platform.egress import OutletKind, declare, require_audience
from field_api.platform.tenancy import current_agency
from field_api.queries.visits import DAY, joined_visits, of_days
from field_api.records.accounts import Account
from field_api.records.agency import Creditor
from field_api.records.people import Address, Person
from field_api.records.planning import Agent
from field_api.records.results import Attempt, Dispute, Promise
from field_api.records.visits import Visit, VisitAccount

# fmt: off
_LABELS: dict[str, Label] = {name: label for label, names in (
    (Label.INTERNAL, "day visit state agent_code"),
    (Label.OPEN, "agent"),
    (Label.CONFIDENTIAL, "creditor account_reference"),
    (Label.OPEN, "person"),
    (Label.CONFIDENTIAL, "role"),
    (Label.PLACE, "street number city postcode"),
    (Label.INTERNAL, "published_at done_at withdrawn_at"),
    (Label.CONFIDENTIAL, "attempt_number attempted_at received_at outcome right_party late flags distance_m"),
    (Label.CONFIDENTIAL, "from_paper promised_minor promised_currency promised_first_on dispute"),
) for name in names.split()}
# fmt: on
EXPORT = declare(OutletKind.EXPORT, "visits", Audience.MANAGER, shape=_LABELS)
COLUMNS: tuple[str, ...] = tuple(_LABELS)
"""One row per visit, account and attempt (and currency of promises); a visit without an attempt: one per account."""

_CHUNK = 1_000


def visit_rows(
    session: Session, first: date, last: date, *, creditor_id: UUID | None = None
) -> Iterator[tuple[Any, ...]]:
    """Rows in COLUMNS order for visits of the days from first to last, both included. One statement, streamed.

    Values are str, int, float, bool, date, aware datetime, UUID or None. Secret ones are revealed to the audience that
    was declared: raises EgressRefused where the export is not for it.
    """
    require_audience(EXPORT)
    who = declared_audience()
    statement = _statement(first, last)
    if creditor_id is not None:
        statement = statement.where(Account.creditor_id == creditor_id)
    for row in session.execute(statement.execution_options(yield_per=_CHUNK)):
        yield tuple(_plain(value, who) for _, value in zip(COLUMNS, row, strict=True))


def _statement(first: date, last: date) -> Any:
    promised = _promised().subquery("promised")
    statement = select(
        DAY, Visit.id, Visit.state, Agent.code, Agent.name, Creditor.name, Account.reference, Person.name,
        VisitAccount.role, Address.street, Address.number, Address.city, Address.postcode, Visit.published_at,
        Visit.done_at, Visit.withdrawn_at, Attempt.number, Attempt.at, Attempt.received_at, Attempt.outcome,
        Attempt.right_party, Attempt.late, Attempt.flags, Attempt.distance_m, Attempt.from_paper,
        promised.c.minor, promised.c.currency, promised.c.first_on, Dispute.reason,
    )  # fmt: skip
    of_attempt = and_(promised.c.op_id == Attempt.op_id, promised.c.account_id == Attempt.account_id)
    return (
        joined_visits(statement)
        .join(VisitAccount, and_(VisitAccount.agency_id == Visit.agency_id, VisitAccount.visit_id == Visit.id))
        .join(Account, and_(Account.agency_id == Visit.agency_id, Account.id == VisitAccount.account_id))
        .join(Creditor, and_(Creditor.agency_id == Visit.agency_id, Creditor.id == Account.creditor_id))
        .outerjoin(
            Attempt,
            and_(
                Attempt.agency_id == Visit.agency_id,
                Attempt.visit_id == Visit.id,
                Attempt.account_id == VisitAccount.account_id,
            ),
        )
        .outerjoin(promised, of_attempt)
        .outerjoin(
            Dispute,
            and_(
                Dispute.agency_id == Visit.agency_id,
                Dispute.op_id == Attempt.op_id,
                Dispute.account_id == Attempt.account_id,
            ),
        )
        .where(of_days(first, last))
        .order_by(DAY, Agent.code, Visit.id, Account.id, Attempt.number)
    )


def _promised() -> Any:
    """Promises added up per operation, account and currency; a plan's instalments count together."""
    return (
        select(
            Promise.op_id,
            Promise.account_id,
            Promise.currency,
            func.sum(Promise.amount_minor).label("minor"),
            func.min(Promise.due_on).label("first_on"),
        )
        .where(Promise.agency_id == current_agency())
        .group_by(Promise.op_id, Promise.account_id, Promise.currency)
    )


def _plain(value: Any, who: Any) -> Any:
    if isinstance(value, Confidential):
        value = value.reveal(who)
    return ",".join(value) if isinstance(value, list) else value
