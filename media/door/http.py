"""The tus endpoints of the phone door (docs/photo-format.md §5)."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, Response, current_app, g, request
from werkzeug.http import http_date

from field_api.platform.database import transaction
from field_api.platform.problems import Problem
from field_api.platform.sealing import same, sha256
from field_api.platform.signatures import has_body, signed_by_device
from field_api.platform.wiring import clock, settings
from media.door.answers import PREFIX
from media.door.headers import (
    EXTENSIONS,
    MAX_PATCH_BYTES,
    TUS_VERSION,
    Piece,
    check_version,
    read_creation,
    read_first_piece,
    read_piece,
)
from media.door.uploads import append, append_at_once, append_first, create, end, take_place, tell_offset
from media.records import FORGOTTEN, QUARANTINED, RECEIVING, Upload
from media.sealed_photo import MAX_SEALED_BYTES
from media.stores import stores_of

blueprint = Blueprint("photo_uploads", __name__, url_prefix=PREFIX)


@blueprint.after_request
def _always(response: Response) -> Response:
    response.headers["Tus-Resumable"] = TUS_VERSION
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.route("", methods=["OPTIONS"], provide_automatic_options=False)
@blueprint.route("/<uuid:upload_id>", methods=["OPTIONS"], provide_automatic_options=False)
def say_what_is_offered(upload_id: UUID | None = None) -> Response:
    constants = {"Tus-Version": TUS_VERSION, "Tus-Extension": EXTENSIONS, "Tus-Checksum-Algorithm": "sha256"}
    return Response(status=204, headers={**constants, "Tus-Max-Size": str(MAX_SEALED_BYTES)})


def _create() -> None:
    """Before a body is waited for: a creation that stalls has then taken its place, as a PATCH has."""
    check_version(request.headers)
    wanted = read_creation(request.headers)
    g.first = None
    if has_body():
        g.first = read_first_piece(request.headers, request.content_length or 0, wanted.length_bytes)
    with transaction(g.device.agency_id) as session:
        upload, g.is_new = create(
            session, stores_of(settings()), g.device.id, wanted, clock().now(), g.device_request.answer_at
        )
        g.upload_id, g.fence, g.standing = upload.id, upload.fence, _standing(upload, 201)


@blueprint.post("")
@signed_by_device(revoked_ok=True, max_body_bytes=MAX_PATCH_BYTES, before_body=_create)
def create_upload() -> Response:
    response: Response = g.standing
    if g.first and g.is_new:
        body, now = _body_of(g.first), clock().now()
        with transaction(g.device.agency_id) as session:
            upload = append_first(session, stores_of(settings()), g.device.id, g.upload_id, g.fence, body, now)
            response, lost = _standing(upload, 201), upload.state == FORGOTTEN
        if lost:
            raise _lost()
    return response


BODIES_COME_WHOLE = "BODIES_COME_WHOLE"
"""In the application's configuration: the server hands a request over when all of its body is there. Then a PATCH takes
its place and appends in one transaction, which saves a sync of the database's log for each."""


def _take_place(upload_id: UUID) -> None:
    check_version(request.headers)
    if current_app.config.get(BODIES_COME_WHOLE):
        return
    with transaction(g.device.agency_id) as session:
        g.fence = take_place(session, g.device.id, upload_id, clock().now(), g.device_request.anchor_at)


@blueprint.route("/<uuid:upload_id>", methods=["HEAD"])
@signed_by_device(revoked_ok=True)
def tell_standing(upload_id: UUID) -> Response:
    check_version(request.headers)
    with transaction(g.device.agency_id) as session:
        upload = tell_offset(session, g.device.id, upload_id, clock().now(), g.device_request.answer_at)
        response = _standing(upload, 200)
    return response


@blueprint.patch("/<uuid:upload_id>")
@signed_by_device(revoked_ok=True, max_body_bytes=MAX_PATCH_BYTES, before_body=_take_place)
def append_piece(upload_id: UUID) -> Response:
    piece = read_piece(request.headers)
    body = _body_of(piece)
    where = stores_of(settings()), g.device.id, upload_id
    with transaction(g.device.agency_id) as session:
        if current_app.config.get(BODIES_COME_WHOLE):
            signed_at = g.device_request.anchor_at
            upload = append_at_once(session, *where, signed_at, piece.offset, body, clock().now())
        else:
            upload = append(session, *where, g.fence, piece.offset, body, clock().now())
        response, lost = _standing(upload, 204), upload.state == FORGOTTEN
    if lost:
        raise _lost()
    return response


@blueprint.delete("/<uuid:upload_id>")
@signed_by_device(revoked_ok=True)
def end_upload(upload_id: UUID) -> Response:
    check_version(request.headers)
    with transaction(g.device.agency_id) as session:
        end(session, stores_of(settings()), g.device.id, upload_id, clock().now())
    return Response(status=204)


def _body_of(piece: Piece) -> bytes:
    """The request's body. Raises Problem `digest-mismatch` where it is not what was announced."""
    body = request.get_data()
    if not same(sha256(body), piece.sha256):
        raise Problem("digest-mismatch", "the body is not what Upload-Checksum says", at="Upload-Checksum")
    return body


def _lost() -> Problem:
    """To raise once it is committed that the upload is forgotten."""
    return Problem("not-found", "the bytes before these, or the key, are lost: create the upload again")


def _standing(upload: Upload, status: int) -> Response:
    """The answer that tells where the upload stands."""
    response = Response(status=status)
    response.headers["Upload-Offset"] = str(upload.received_bytes)
    response.headers["Upload-Length"] = str(upload.length_bytes)
    if status == 201:
        response.headers["Location"] = f"{PREFIX}/{upload.id}"
    if upload.state == RECEIVING:
        response.headers["Upload-Expires"] = http_date(upload.expires_at)
    else:
        response.headers["Upload-State"] = "quarantined" if upload.state == QUARANTINED else "complete"
    return response
