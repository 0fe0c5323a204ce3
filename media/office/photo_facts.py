"""One photograph as a manager sees it: the row, and who allowed it when, for what and in which words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session

from field_api.domain.disclosure import Audience
from field_api.queries.photo_declarations import PhotoPermission, photo_permissions
from field_api.records.base import load
from media.office.records import Photo


@dataclass(frozen=True)
class PhotoFacts:
    photo: Photo
    permission: PhotoPermission | None


def photo_facts(session: Session, photo_id: UUID, to: Audience) -> PhotoFacts:
    """Two statements. Raises Problem `not-found`."""
    photo = load(session, Photo, photo_id)
    return PhotoFacts(photo, permissions_of(session, [photo], to).get(photo.id))


def permissions_of(session: Session, photos: Iterable[Photo], to: Audience) -> dict[UUID, PhotoPermission]:
    """By photograph: the permission that its declaration names, of the same visit. One statement."""
    named = {photo: photo.permission_op_id for photo in photos if photo.permission_op_id}
    found = photo_permissions(session, set(named.values()), to) if named else {}
    return {
        photo.id: permission
        for photo, op_id in named.items()
        for permission in found.get(op_id, ())
        if permission.visit_id == photo.visit_id
    }
