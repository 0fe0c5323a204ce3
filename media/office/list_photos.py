"""The photographs of an agency, for lists."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import Select, select

from field_api.platform.tenancy import current_agency
from media.office.hints import Hint
from media.office.records import Photo, of_hint


def listed_photos(visit_id: UUID | None = None, state: str | None = None, hint: Hint | None = None) -> Select[Photo]:
    """A statement of photographs whose bytes came, of one visit, in one state, with one hint where given."""
    statement = select(Photo).where(Photo.agency_id == current_agency())
    if visit_id is not None:
        statement = statement.where(Photo.visit_id == visit_id)
    if state is not None:
        statement = statement.where(Photo.state == state)
    if hint is not None:
        statement = statement.where(of_hint(hint))
    return statement
