"""A developed picture for the one who may see it."""

from __future__ import annotations

from uuid import UUID

import structlog
from sqlalchemy.orm import Session

from field_api.domain.ports import ObjectAbsent
from field_api.platform.problems import Problem
from field_api.platform.sealing import Unsealable
from field_api.platform.tenancy import current_agency
from field_api.platform.wiring import clock
from field_api.records.base import load
from media.office.darkroom import LARGE, Darkroom
from media.office.develop_anew import DIFFERS, MISSING, develop_anew
from media.office.records import Photo, PhotoState
from media.photo_keys import KeyAbsent
from media.records import Upload

log = structlog.get_logger()


def show_rendition(session: Session, photo_id: UUID, size: str, room: Darkroom, *, actor: str) -> bytes:
    """The JPEG of this size (large, small). Every look is logged by ids.

    Raises Problem `not-found` (no such photo, or not developed), `gone` (destroyed, or its key or the picture is lost
    for good) or `unavailable` (the picture was lost and is developed anew, or the store is away).
    """
    photo = load(session, Photo, photo_id)
    if photo.state == PhotoState.DESTROYED:
        raise Problem("gone", "this photograph was destroyed")
    object_key = photo.large_key if size == LARGE else photo.small_key
    if object_key is None and photo.reason in (MISSING, DIFFERS):
        raise _lost(photo)
    if object_key is None:
        raise Problem("not-found", "this photograph is not developed")
    upload = session.get_one(Upload, (current_agency(), photo.upload_id))
    try:
        key = room.key_of(upload)
    except (KeyAbsent, Unsealable) as error:
        log.error("rendition-lost", photo=str(photo_id), size=size, error=type(error).__name__)
        raise Problem("gone", "this photograph's key is missing or altered") from error
    try:
        jpeg = key.open_rendition(size, room.objects.get(object_key))
    except (ObjectAbsent, Unsealable) as error:
        log.error("rendition-lost", photo=str(photo_id), size=size, error=type(error).__name__)
        reason = MISSING if isinstance(error, ObjectAbsent) else DIFFERS
        develop_anew(photo_id, size, object_key, reason, room, clock().now())
        raise _developed_anew() from error
    log.info("photo-shown", photo=str(photo_id), size=size, actor=actor)
    return jpeg


def _lost(photo: Photo) -> Problem:
    if photo.state == PhotoState.DEVELOPED:  # it could not be made again
        return Problem("gone", "this picture is lost, and so is what it could be made of")
    return _developed_anew()


def _developed_anew() -> Problem:
    return Problem("unavailable", "the stored picture was lost and is made anew", headers={"Retry-After": "60"})
