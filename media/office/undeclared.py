"""Uploads that lie at the door whole while no operation declares them."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from field_api.platform.tenancy import current_agency
from media.records import COMPLETE, QUARANTINED, STRAY, Upload


def undeclared_uploads(session: Session) -> int:
    """How many, strays included: their operation is late, lost, or somebody made them up."""
    waiting = select(func.count()).where(
        Upload.agency_id == current_agency(),
        Upload.taken_at.is_(None),
        Upload.state.in_((COMPLETE, QUARANTINED, STRAY)),
    )
    return session.scalar(waiting) or 0
