"""`/photos`: what came, the pictures themselves, and destroying them. Managers alone."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response, g
from flask_smorest import Blueprint

from field_api.domain.disclosure import Audience, Label
from field_api.http.bodies import JPEG, sends
from field_api.http.paging import Page, page_schema, paged
from field_api.http.permits import answers, permitted
from field_api.platform.database import transaction
from field_api.platform.wiring import clock
from field_api.records.base import load
from field_api.usecases.note_visit_event import staff_actor
from media.office.allow_photo import allow_photo
from media.office.darkroom import darkroom
from media.office.destroy_photo import destroy_photo
from media.office.expected_photos import expected_photos
from media.office.list_photos import listed_photos
from media.office.look_alikes import look_alikes
from media.office.records import Photo
from media.office.schemas import (
    AllowSchema,
    DestroySchema,
    ExpectedPhotosSchema,
    ExpectedQuery,
    LookAlikesSchema,
    PhotoQuery,
    PhotoSchema,
)
from media.office.show_rendition import show_rendition

blueprint = Blueprint("photos", __name__, url_prefix="/photos", description="Photographs of visits")


@blueprint.get("")
@answers(Audience.MANAGER)
@permitted("photos.read")
@blueprint.arguments(PhotoQuery, location="query")
@blueprint.response(200, page_schema(PhotoSchema))
def show_list(query: dict[str, Any]) -> Page:
    """Photographs whose bytes came, in order of arrival; of one visit or in one state where asked."""
    with transaction(g.actor.agency_id) as session:
        statement = listed_photos(query["visit"], query["state"])
        return paged(session, statement, [Photo.id], limit=query["limit"], after=query["after"])


@blueprint.get("/expected")
@answers(Audience.MANAGER)
@permitted("photos.read")
@blueprint.arguments(ExpectedQuery, location="query")
@blueprint.response(200, ExpectedPhotosSchema)
def show_expected(query: dict[str, Any]) -> dict[str, Any]:
    """Photographs that were declared on a visit and have not arrived."""
    with transaction(g.actor.agency_id) as session:
        return {"items": expected_photos(session, query["visit"], Audience.MANAGER)}


@blueprint.get("/<uuid:photo_id>/rendition/<any(large, small):size>")
@answers(Audience.MANAGER)
@permitted("photos.read")
@sends(JPEG, Label.PLACE, Label.PERSONAL, name="photo.jpg")
@blueprint.response(200, {"type": "string", "format": "binary"}, content_type=JPEG)
def show_picture(photo_id: UUID, size: str) -> Response:
    """The picture: at most 2,048 (large) or 320 (small) pixels, JPEG, without metadata."""
    with transaction(g.actor.agency_id) as session:
        jpeg = show_rendition(session, photo_id, size, darkroom(), actor=staff_actor(g.actor.id))
    return Response(jpeg, mimetype=JPEG, headers={"Content-Disposition": 'inline; filename="photo.jpg"'})


@blueprint.get("/<uuid:photo_id>/alike")
@answers(Audience.MANAGER)
@permitted("photos.read")
@blueprint.response(200, LookAlikesSchema)
def show_look_alikes(photo_id: UUID) -> dict[str, Any]:
    """Photographs on other visits whose pictures are the same or nearly so, the nearest first; 50 at most."""
    with transaction(g.actor.agency_id) as session:
        return {"items": look_alikes(session, load(session, Photo, photo_id))}


@blueprint.post("/<uuid:photo_id>/destroy")
@answers(Audience.MANAGER)
@permitted("photos.write")
@blueprint.arguments(DestroySchema)
@blueprint.response(200, PhotoSchema)
def destroy(body: dict[str, str], photo_id: UUID) -> Photo:
    """Destroy the photograph's key and all that was made of it. Doing it again changes nothing."""
    with transaction(g.actor.agency_id) as session:
        photo = destroy_photo(
            session, photo_id, darkroom(), now=clock().now(), actor=staff_actor(g.actor.id), reason=body["reason"]
        )
        session.flush()
        session.expunge(photo)
        return photo


@blueprint.post("/<uuid:photo_id>/allow")
@answers(Audience.MANAGER)
@permitted("photos.write")
@blueprint.arguments(AllowSchema)
@blueprint.response(200, PhotoSchema)
def allow(body: dict[str, str], photo_id: UUID) -> Photo:
    """Develop a refused photograph after all. The reason goes on record, sealed; the log has its hash."""
    with transaction(g.actor.agency_id) as session:
        photo = allow_photo(session, photo_id, reason=body["reason"], by=g.actor.id, now=clock().now())
        session.flush()
        session.expunge(photo)
        return photo
