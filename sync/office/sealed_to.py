"""Which sealing keys operations need that have had no effect yet."""

from __future__ import annotations

from collections import Counter

from sqlalchemy import select
from sqlalchemy.orm import Session

from field_api.platform.tenancy import current_agency
from sync.mailbox import InboxOp
from sync.office.kept import claims_of

WAITING = ("received", "held", "quarantined")
ROWS = 500


def operations_waiting_by_key(session: Session) -> Counter[str]:
    """Operations that were received and not applied, by the id of the key that they say they are sealed to."""
    waiting = select(InboxOp.protected).where(
        InboxOp.agency_id == current_agency(), InboxOp.state.in_(WAITING), InboxOp.closed_at.is_(None)
    )
    rows = session.scalars(waiting.execution_options(yield_per=ROWS))
    return Counter(claims_of(protected).key or "" for protected in rows)
