"""Let the visit's story say what became of a photograph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from field_api.domain.vocabulary import VisitEventKind
from field_api.usecases.note_visit_event import note_visit_event
from media.office.records import Photo


def note_photo(
    session: Session,
    photo: Photo,
    now: datetime,
    *,
    actor: str = "system",
    flags: Sequence[str] = (),
    decision: Mapping[str, Any] | None = None,
) -> None:
    """One line, without an operation of its own: the declaring one is named in the body, with a person's decision."""
    body = {
        "photo": str(photo.id),
        "declared_by": str(photo.op_id),
        "state": photo.state,
        "reason": photo.reason,
        "sha256": photo.sha256.hex(),
        **({"decision": dict(decision)} if decision else {}),
    }
    note_visit_event(session, photo.visit_id, VisitEventKind.PHOTO, now, actor, body, None, flags)
