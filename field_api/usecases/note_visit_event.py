"""Write one line of a visit's story."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from field_api.domain.confidential import Confidential
from field_api.domain.vocabulary import VisitEventKind
from field_api.platform.bounded_json import canonical
from field_api.platform.ids import new_id
from field_api.records.visits import VisitEvent


def note_visit_event(
    session: Session,
    visit_id: UUID,
    kind: VisitEventKind,
    at: datetime,
    actor: str,
    body: Mapping[str, Any],
    op_id: UUID | None = None,
    flags: Sequence[str] = (),
) -> VisitEvent:
    """Add an event to the visit's story.

    `actor` is "staff:<id>", "agent:<id>" or "system"; `body` is plain JSON data (ids as strings) and is sealed in its
    column; `flags` are stable words such as "late" or "clock". The id is given here, so that events of one moment keep
    the order in which they were noted.
    """
    event = VisitEvent(
        id=new_id(),
        visit_id=visit_id,
        at=at,
        kind=kind.value,
        actor=actor,
        op_id=op_id,
        body=Confidential(canonical(dict(body)).decode()),
        flags=list(flags),
    )
    session.add(event)
    return event


def staff_actor(staff_id: UUID | None) -> str:
    """The actor word of a decision taken in the office; "system" where no person took it."""
    return f"staff:{staff_id}" if staff_id else "system"
