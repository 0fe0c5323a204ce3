"""Number contact attempts so that whoever polls them loses none."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from field_api.platform.tenancy import current_agency
from field_api.records.results import Attempt, AttemptHead


def add_attempts(session: Session, attempts: Sequence[Attempt]) -> None:
    """Give the attempts the agency's next numbers and add them, in this order.

    The head row stays locked until the transaction ends, so numbers are dense and in commit order; a rolled back
    transaction gives its numbers back. Everything else is flushed first: nobody waits for a row while holding the head.
    """
    if not attempts:
        return
    session.flush()
    last = session.scalars(
        insert(AttemptHead)
        .values(agency_id=current_agency(), last_number=len(attempts))
        .on_conflict_do_update(
            index_elements=[AttemptHead.agency_id],
            set_={"last_number": AttemptHead.last_number + len(attempts)},
        )
        .returning(AttemptHead.last_number)
    ).one()
    for number, attempt in enumerate(attempts, start=last - len(attempts) + 1):
        attempt.number = number
    session.add_all(attempts)
    session.flush()
