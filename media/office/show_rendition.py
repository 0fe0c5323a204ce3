"""A developed picture for the one who may see it."""

from __future__ import annotations

from uuid import UUID

import structlog
from sqlalchemy.orm import Session

from field_api.domain.ports import ObjectAbsent
from field_api.platform.problems import Problem
from field_api.platform.sealing import Unsealable
from field_api.platform.tenancy import current_agency
from field_api.records.base import load
from media.office.darkroom import LARGE, Darkroom
from media.office.records import Photo, PhotoState
from media.photo_keys import KeyAbsent
from media.records import Upload

log = structlog.get_logger()


def show_rendition(session: Session, photo_id: UUID, size: str, room: Darkroom, *, actor: str) -> bytes:
    """The JPEG of this size (large, small). Every look is logged by ids.

    Raises Problem `not-found` (no such photo, or not developed) or `gone` (destroyed, or its stored bytes are lost).
    """
    photo = load(session, Photo, photo_id)
    if photo.state == PhotoState.DESTROYED:
        raise Problem("gone", "this photograph was destroyed")
    object_key = photo.large_key if size == LARGE else photo.small_key
    if object_key is None:
        raise Problem("not-found", "this photograph is not developed")
    upload = session.get_one(Upload, (current_agency(), photo.upload_id))
    try:
        jpeg = room.key_of(upload).open_rendition(size, room.objects.get(object_key))
    except (KeyAbsent, ObjectAbsent, Unsealable) as error:
        log.error("rendition-lost", photo=str(photo_id), size=size, error=type(error).__name__)
        raise Problem("gone", "the stored picture is missing or altered") from error
    log.info("photo-shown", photo=str(photo_id), size=size, actor=actor)
    return jpeg
