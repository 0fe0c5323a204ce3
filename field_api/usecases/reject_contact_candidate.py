"""Reject contact data from a door: they stay on record and are not used."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from field_api.records.people import ContactCandidate
from field_api.usecases.accept_contact_candidate import decide, undecided


def reject_contact_candidate(
    session: Session, candidate_id: UUID, *, decided_by: UUID | None, now: datetime
) -> ContactCandidate:
    """Raises Problem `not-found`, `already-done`."""
    return decide(undecided(session, candidate_id), "rejected", decided_by, now)
