"""`/photos`: what came, the pictures themselves, and destroying them. Managers alone."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response, g
from flask_smorest import Blueprint

from field_api.domain.disclosure import Audience, Label
from field_api.http.bodies import BYTES, JPEG, sends
from field_api.http.paging import paged
from field_api.http.permits import answers, permitted
from field_api.platform.database import transaction
from field_api.platform.wiring import clock
from field_api.records.base import load
from field_api.usecases.note_visit_event import staff_actor
from media.office.allow_photo import allow_photo
from media.office.darkroom import darkroom
from media.office.destroy_photo import destroy_photo
from media.office.expected_photos import expected_photos
from media.office.file_type import NAMES
from media.office.link_rendition import link_rendition
from media.office.link_thumbnails import link_thumbnails
from media.office.list_photos import listed_photos
from media.office.look_alikes import look_alikes
from media.office.open_link import open_link
from media.office.open_original import open_original
from media.office.own_links import own_links, sends_originals, shown_link
from media.office.photo_facts import PhotoFacts, photo_facts
from media.office.photo_links import Use
from media.office.records import Photo
from media.office.request_original import request_original
from media.office.schemas import (
    AllowSchema,
    DestroySchema,
    ExpectedPhotosSchema,
    ExpectedQuery,
    LinkQuery,
    LinkSchema,
    LookAlikesSchema,
    OriginalLinkSchema,
    OriginalSchema,
    PhotoFactsSchema,
    PhotoPageSchema,
    PhotoQuery,
    PhotoSchema,
    SizeSchema,
)

blueprint = Blueprint("photos", __name__, url_prefix="/photos", description="Photographs of visits")


@blueprint.get("")
@answers(Audience.MANAGER)
@permitted("photos.read")
@blueprint.arguments(PhotoQuery, location="query")
@blueprint.response(200, PhotoPageSchema)
def show_list(query: dict[str, Any]) -> dict[str, Any]:
    """Photographs whose bytes came, in order of arrival; of one visit, in one state, with one hint where asked."""
    with transaction(g.actor.agency_id) as session:
        statement = listed_photos(query["visit"], query["state"], query["hint"])
        page = paged(session, statement, [Photo.id], limit=query["limit"], after=query["after"])
        links = link_thumbnails(session, page.items, own_links(), clock().now()) if query["thumbnails"] else {}
        thumbnails = {photo_id: shown_link(link) for photo_id, link in links.items()}
        return {"items": page.items, "next": page.next, "thumbnails": thumbnails}


@blueprint.get("/expected")
@answers(Audience.MANAGER)
@permitted("photos.read")
@blueprint.arguments(ExpectedQuery, location="query")
@blueprint.response(200, ExpectedPhotosSchema)
def show_expected(query: dict[str, Any]) -> dict[str, Any]:
    """Photographs that were declared on a visit and have not arrived."""
    with transaction(g.actor.agency_id) as session:
        return {"items": expected_photos(session, query["visit"], Audience.MANAGER)}


@blueprint.get("/<uuid:photo_id>")
@answers(Audience.MANAGER)
@permitted("photos.read")
@blueprint.response(200, PhotoFactsSchema)
def show(photo_id: UUID) -> PhotoFacts:
    """One photograph, with who allowed it, when, for what and in which words."""
    with transaction(g.actor.agency_id) as session:
        facts = photo_facts(session, photo_id, Audience.MANAGER)
        session.expunge(facts.photo)
        return facts


@blueprint.post("/<uuid:photo_id>/links")
@answers(Audience.MANAGER)
@permitted("photos.read", replay=False)
@blueprint.arguments(SizeSchema)
@blueprint.response(201, LinkSchema)
def make_link(body: dict[str, str], photo_id: UUID) -> dict[str, Any]:
    """A link to the picture in this size, for some minutes and for you alone. Opening it goes on record."""
    with transaction(g.actor.agency_id) as session:
        link = link_rendition(session, photo_id, Use(body["size"]), own_links(), clock().now())
    return shown_link(link)


@blueprint.get("/<uuid:photo_id>/rendition")
@answers(Audience.MANAGER)
@permitted("photos.read")
@sends(JPEG, Label.PLACE, Label.PERSONAL, name="photo.jpg")
@blueprint.arguments(LinkQuery, location="query")
@blueprint.response(200, {"type": "string", "format": "binary"}, content_type=JPEG)
def show_picture(query: dict[str, str], photo_id: UUID) -> Response:
    """The picture that a link of yours opens: at most 2,048 or 320 pixels, JPEG, without metadata."""
    with transaction(g.actor.agency_id) as session:
        jpeg = open_link(session, photo_id, query["link"], own_links(), darkroom(), now=clock().now())
    return Response(jpeg, mimetype=JPEG, headers={"Content-Disposition": 'inline; filename="photo.jpg"'})


@blueprint.post("/<uuid:photo_id>/original")
@answers(Audience.MANAGER)
@permitted("photos.write", replay=False)
@blueprint.arguments(OriginalSchema)
@blueprint.response(201, OriginalLinkSchema)
def ask_for_original(body: dict[str, str], photo_id: UUID) -> dict[str, Any]:
    """A link to the file as it came from the phone. The reason goes on record, sealed; the log has its hash."""
    with transaction(g.actor.agency_id) as session:
        link, warning = request_original(session, photo_id, body["reason"], own_links(), clock().now())
    return {**shown_link(link), "warning": warning}


@blueprint.get("/<uuid:photo_id>/original")
@answers(Audience.MANAGER)
@permitted("photos.write")
@sends_originals
@blueprint.arguments(LinkQuery, location="query")
@blueprint.response(200, {"type": "string", "format": "binary"}, content_type=BYTES)
def show_original(query: dict[str, str], photo_id: UUID) -> Response:
    """The file that a link of yours opens, byte for byte as it came, to be saved: with all that is in it."""
    with transaction(g.actor.agency_id) as session:
        original = open_original(session, photo_id, query["link"], own_links(), darkroom(), now=clock().now())
    name = NAMES[original.media_type]
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(original.file, mimetype=original.media_type, headers=headers)


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
