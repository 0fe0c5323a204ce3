"""Photographs that operations declared and the door has not brought whole."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from field_api.domain.disclosure import Audience
from field_api.platform.tenancy import current_agency
from field_api.queries.photo_declarations import PhotoDeclaration, declared_photos
from media.office.records import Photo


def expected_photos(session: Session, visit_id: UUID, to: Audience) -> list[PhotoDeclaration]:
    """Declared on the visit, without a photo row yet. Two statements."""
    rows = select(Photo.device_id, Photo.op_id).where(Photo.agency_id == current_agency(), Photo.visit_id == visit_id)
    here = {(device_id, op_id) for device_id, op_id in session.execute(rows)}
    return [one for one in declared_photos(session, visit_id, to) if (one.device_id, one.op_id) not in here]
