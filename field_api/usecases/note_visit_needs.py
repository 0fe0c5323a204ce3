"""What is known of visits at a place: when somebody is there, and what the agent must bring along."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.orm import Session

from field_api.domain.known_times import MOST, read_known_time
from field_api.platform.problems import Problem
from field_api.records.base import load
from field_api.records.people import Address
from field_api.usecases.change_agent import checked_skills


def note_visit_needs(
    session: Session,
    address_id: UUID,
    *,
    known_times: Sequence[str] | None = None,
    skills: Sequence[str] | None = None,
) -> Address:
    """Change what is given and leave the rest, for plans from now on: `known_times` as field_api.domain.known_times
    reads them, none for any; `skills` that whoever is sent there must have. Raises `not-found`, `invalid-fields`."""
    address = load(session, Address, address_id, lock=True)
    if known_times is not None:
        address.known_times = _times(known_times)
    if skills is not None:
        address.needed_skills = checked_skills(skills)
    session.flush()
    return address


def _times(texts: Sequence[str]) -> list[str]:
    try:
        for text in texts:
            read_known_time(text)
    except ValueError as error:
        raise Problem("invalid-fields", "a known time is written like mon-fri 18:00-21:00", at="known_times") from error
    if len(texts) > MOST:
        raise Problem("invalid-fields", "at most 10 known times", at="known_times")
    return [text.strip().lower() for text in texts]
