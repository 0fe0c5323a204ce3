"""Who looked at a photograph: the lines that opening its links left in the visit's story."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from field_api.domain.disclosure import Audience
from field_api.domain.vocabulary import VisitEventKind
from field_api.platform.tenancy import current_agency
from field_api.records.staff import Staff
from field_api.records.visits import VisitEvent
from media.office.photo_links import Use
from media.office.records import Photo

MOST = 200
"""Lines of the visit that are looked through, the newest: a manager who leafs for hours makes the page no longer."""


@dataclass(frozen=True)
class Look:
    at: datetime
    who: str
    use: Use


def looks_at(session: Session, photo: Photo, to: Audience) -> tuple[list[Look], bool]:
    """The newest first, and whether all of the visit's lines were looked through. Two statements."""
    lines = session.scalars(
        select(VisitEvent)
        .where(
            VisitEvent.agency_id == current_agency(),
            VisitEvent.visit_id == photo.visit_id,
            VisitEvent.kind == VisitEventKind.PHOTO_SHOWN.value,
        )
        .order_by(VisitEvent.at.desc(), VisitEvent.id.desc())
        .limit(MOST + 1)
    ).all()
    told = [(line, json.loads(line.body.reveal(to))) for line in lines[:MOST]]
    ours = [(line, body) for line, body in told if body["photo"] == str(photo.id)]
    names = staff_names(session, {line.actor for line, _ in ours})
    looks = [Look(line.at, names.get(line.actor, line.actor), Use(body["shown"])) for line, body in ours]
    return looks, len(lines) <= MOST


def staff_names(session: Session, actors: set[str]) -> dict[str, str]:
    """By actor word, `staff:ID`. One statement."""
    ids = [UUID(actor.removeprefix("staff:")) for actor in actors if actor.startswith("staff:")]
    rows = session.execute(select(Staff.id, Staff.name).where(Staff.agency_id == current_agency(), Staff.id.in_(ids)))
    return {f"staff:{staff_id}": name for staff_id, name in rows}
