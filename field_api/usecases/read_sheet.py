"""Read a visit sheet as it was issued."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from field_api.domain.ports import Objects
from field_api.queries.papers import latest_sheet
from field_api.usecases.kept_paper import kept_paper


def read_sheet(session: Session, route_id: UUID, *, objects: Objects) -> bytes:
    """The PDF of the sheet issued last. Raises Problem `not-found`, or `gone` where its object is no more."""
    return kept_paper(objects, latest_sheet(session, route_id).object_key)
