"""The door takes a sealed photograph whole, in pieces that count whole or not at all."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select
from upload_world import (
    PIECE,
    RawRequest,
    agency_key,
    by_streaming,
    by_waitress,
    code,
    keys,
    row,
    stored,
    wait_for_fence,
)

from field_api.platform.clock import SetClock
from field_api.platform.database import transaction
from field_api.platform.devices import Device
from field_api.platform.settings import Settings
from field_api.platform.store_trouble import store_unavailable
from media.door import uploads
from media.office.work import forget_expired
from media.records import Upload
from media.sealed_files import SealedFiles
from media.stores import stores_of
from tests.door_client import Phone, sha256
from tests.photo_phone import (
    PHOTOS,
    TUS,
    SealedPhoto,
    announce,
    announce_with,
    base64_text,
    enrolled_phone,
    head,
    piece_headers,
    seal_for,
    send_piece,
    upload,
)


def test_options_need_no_signature_and_tell_the_profile(door: Flask) -> None:
    for path in (PHOTOS, f"{PHOTOS}/b2f7c1de-4a39-4c58-9d1e-0123456789ab"):
        response = door.test_client().options(path)
        assert response.status_code == 204
        assert response.headers["Tus-Version"] == "1.0.0"
        assert set(response.headers["Tus-Extension"].split(",")) == {
            "creation",
            "creation-with-upload",
            "expiration",
            "checksum",
            "termination",
        }
        assert response.headers["Tus-Max-Size"] == "12582912"
        assert response.headers["Tus-Checksum-Algorithm"] == "sha256"


def test_a_photo_arrives_whole_and_its_key_lies_apart(
    phone: Phone, photo: SealedPhoto, agency: UUID, settings: Settings
) -> None:
    location = upload(phone, photo)
    (file,), (key,) = stored(settings), keys(settings)
    assert file.read_bytes() == photo.sealed
    assert key.read_bytes() == photo.wrap
    assert key.stat().st_mode & 0o777 == 0o600
    assert row(agency).state == "complete"
    response = head(phone, location)
    assert response.headers["Upload-Offset"] == response.headers["Upload-Length"] == str(len(photo.sealed))
    assert response.headers["Upload-State"] == "complete"
    assert "Upload-Expires" not in response.headers
    assert response.headers["Cache-Control"] == "no-store"


def test_creating_again_finds_the_upload_where_it_stands(phone: Phone, photo: SealedPhoto) -> None:
    first = announce(phone, photo)
    location = first.headers["Location"]
    assert first.headers["Upload-Offset"] == "0"
    assert "Upload-Expires" in first.headers
    assert send_piece(phone, location, 0, photo.sealed[:PIECE]).headers["Upload-Offset"] == str(PIECE)
    again = announce(phone, photo)
    assert (again.status_code, again.headers["Location"]) == (201, location)
    assert again.headers["Upload-Offset"] == str(PIECE)
    other_key = replace(photo, wrap=os.urandom(113))
    assert code(announce(phone, other_key)) == "conflict"


def test_another_device_neither_sees_nor_shares_an_upload(
    phone: Phone, photo: SealedPhoto, door: Flask, agency: UUID, clock: SetClock
) -> None:
    location = upload(phone, photo)
    other = enrolled_phone(door, agency, clock)
    assert head(other, location).status_code == 404
    assert code(send_piece(other, location, 0, b"x")) == "not-found"
    assert announce(other, photo).headers["Location"] != location


@pytest.mark.parametrize(
    ("changes", "status", "at"),
    [
        ({"Upload-Length": "-1"}, 400, "Upload-Length"),
        ({"Upload-Length": "1e3"}, 400, "Upload-Length"),
        ({"Upload-Length": "24"}, 400, "Upload-Length"),
        ({"Upload-Length": "12582913"}, 413, "Upload-Length"),
        ({"Upload-Defer-Length": "1"}, 400, "Upload-Defer-Length"),
        ({"Upload-Metadata": "photo"}, 400, "photo"),
        ({"Upload-Metadata": "photo !!"}, 400, "Upload-Metadata"),
        ({"Upload-Metadata": "photo QQ==,photo QQ=="}, 400, "Upload-Metadata"),
        ({"Upload-Metadata": "x " + "A" * 4000}, 400, "Upload-Metadata"),
    ],
)
def test_a_bad_creation_names_its_place_and_leaves_nothing(
    phone: Phone, photo: SealedPhoto, settings: Settings, changes: dict[str, str], status: int, at: str
) -> None:
    response = announce(phone, photo, **changes)
    assert (response.status_code, response.json.get("at")) == (status, at)
    assert keys(settings) == []


def test_each_metadata_value_is_checked(phone: Phone, photo: SealedPhoto) -> None:
    for name, bad in (
        ("photo", "X"),
        ("photo", str(photo.photo_id).upper()),
        ("sha256", "AA"),
        ("key", "AA"),
        ("keyid", "XY"),
    ):
        metadata = ",".join(
            f"{key} {base64_text(bad if key == name else value)}" for key, value in photo.metadata.items()
        )
        response = announce(phone, photo, **{"Upload-Metadata": metadata})
        assert (response.status_code, response.json["at"]) == (400, name)


def test_another_tus_version_or_none_is_told_the_right_one(phone: Phone, photo: SealedPhoto) -> None:
    response = announce(phone, photo, **{"Tus-Resumable": "0.2.2"})
    assert (response.status_code, response.headers["Tus-Version"]) == (412, "1.0.0")
    location = announce(phone, photo).headers["Location"]
    assert phone.call("HEAD", location).status_code == 412


def test_a_piece_that_is_not_what_it_says_counts_for_nothing(
    phone: Phone, photo: SealedPhoto, settings: Settings
) -> None:
    location = announce(phone, photo).headers["Location"]
    piece = photo.sealed[:1000]
    wrong = {"Upload-Checksum": f"sha256 {base64_text(sha256(b'other'))}"}
    response = send_piece(phone, location, 0, piece, **wrong)
    assert (response.status_code, code(response)) == (460, "digest-mismatch")
    assert send_piece(phone, location, 0, piece, **{"Upload-Checksum": "md5 AAAA"}).status_code == 400
    assert send_piece(phone, location, 0, piece, **{"Upload-Checksum": ""}).status_code == 400
    assert code(send_piece(phone, location, 0, piece, **{"Content-Type": "application/json"})) == "media-type"
    assert code(send_piece(phone, location, 5, piece)) == "conflict"
    assert code(send_piece(phone, location, 0, bytes(PIECE + 1))) == "too-large"
    assert send_piece(phone, location, 0, b"").status_code == 400
    assert head(phone, location).headers["Upload-Offset"] == "0"
    assert stored(settings) == []


def test_a_piece_past_the_end_is_refused(phone: Phone, photo: SealedPhoto) -> None:
    location = announce(phone, photo).headers["Location"]
    end = len(photo.sealed) // PIECE * PIECE
    for offset in range(0, end, PIECE):
        send_piece(phone, location, offset, photo.sealed[offset : offset + PIECE])
    assert send_piece(phone, location, end, photo.sealed[end:] + b"x").status_code == 400
    assert send_piece(phone, location, end, photo.sealed[end:]).headers["Upload-State"] == "complete"
    assert code(send_piece(phone, location, len(photo.sealed), b"x")) == "conflict"


def test_bytes_that_hash_to_something_else_are_kept_in_quarantine(
    phone: Phone, photo: SealedPhoto, agency: UUID, settings: Settings
) -> None:
    location = announce(phone, photo).headers["Location"]
    other = bytes(len(photo.sealed))
    for offset in range(0, len(other), PIECE):
        response = send_piece(phone, location, offset, other[offset : offset + PIECE])
    assert (response.status_code, response.headers["Upload-State"]) == (204, "quarantined")
    assert row(agency).state == "quarantined"
    assert stored(settings)[0].read_bytes() == other
    assert announce(phone, photo).headers["Upload-State"] == "quarantined"


def test_an_incomplete_upload_ends_with_its_key_and_may_begin_anew(
    phone: Phone, photo: SealedPhoto, settings: Settings
) -> None:
    location = announce(phone, photo).headers["Location"]
    send_piece(phone, location, 0, photo.sealed[:PIECE])
    assert phone.call("DELETE", location, headers=TUS).status_code == 204
    assert stored(settings) == keys(settings) == []
    assert head(phone, location).status_code == 404
    assert phone.call("DELETE", location, headers=TUS).status_code == 404
    assert announce(phone, photo).headers["Upload-Offset"] == "0"
    upload(phone, photo)
    assert code(phone.call("DELETE", location, headers=TUS)) == "already-done"
    assert stored(settings)[0].read_bytes() == photo.sealed


def test_an_abandoned_upload_expires_seven_days_after_its_last_piece(
    phone: Phone, photo: SealedPhoto, clock: SetClock
) -> None:
    location = announce(phone, photo).headers["Location"]
    clock.advance(timedelta(days=6))
    phone.take_anchor()
    assert send_piece(phone, location, 0, photo.sealed[:PIECE]).status_code == 204
    clock.advance(timedelta(days=6))
    phone.take_anchor()
    assert head(phone, location).headers["Upload-Offset"] == str(PIECE)
    clock.advance(timedelta(days=1))
    phone.take_anchor()
    assert head(phone, location).status_code == 404
    assert announce(phone, photo).headers["Upload-Offset"] == "0"
    upload(phone, photo)


@pytest.mark.parametrize(("limit", "most"), [("MAX_WAITING_BYTES", 5_000), ("MAX_WAITING", 1)])
def test_a_device_that_fills_the_door_is_told_to_come_later(
    phone: Phone, agency: UUID, settings: Settings, monkeypatch: pytest.MonkeyPatch, limit: str, most: int
) -> None:
    monkeypatch.setattr(uploads, limit, most)
    public = agency_key(settings, agency)
    assert announce(phone, seal_for(phone, public, bytes(3000))).status_code == 201
    assert code(announce(phone, seal_for(phone, public, bytes(3000)))) == "quota-exceeded"


def test_a_destroyed_photo_is_gone_for_good(phone: Phone, photo: SealedPhoto, agency: UUID) -> None:
    location = upload(phone, photo)
    with transaction(agency) as session:
        session.scalars(select(Upload)).one().state = "destroyed"
    assert head(phone, location).status_code == 410
    assert code(announce(phone, photo)) == "gone"


def test_a_revoked_phones_photographs_are_taken(phone: Phone, photo: SealedPhoto, agency: UUID) -> None:
    with transaction(agency) as session:
        session.get_one(Device, (agency, phone.device)).state = "revoked"
    upload(phone, photo)


def test_bytes_left_by_a_crash_between_disk_and_offset_are_overwritten(
    phone: Phone, photo: SealedPhoto, settings: Settings, agency: UUID
) -> None:
    location = announce(phone, photo).headers["Location"]
    send_piece(phone, location, 0, photo.sealed[:PIECE])
    with stored(settings)[0].open("ab") as file:
        file.write(os.urandom(400_000))  # longer than what is still to come
    for offset in range(PIECE, len(photo.sealed), PIECE):
        response = send_piece(phone, location, offset, photo.sealed[offset : offset + PIECE])
    assert response.headers["Upload-State"] == "complete"
    assert stored(settings)[0].read_bytes() == photo.sealed


def test_an_upload_whose_bytes_were_lost_begins_anew(phone: Phone, photo: SealedPhoto, settings: Settings) -> None:
    location = announce(phone, photo).headers["Location"]
    send_piece(phone, location, 0, photo.sealed[:PIECE])
    stored(settings)[0].unlink()
    assert code(send_piece(phone, location, PIECE, photo.sealed[PIECE : 2 * PIECE])) == "not-found"
    upload(phone, photo)


def test_a_disk_that_refuses_acknowledges_nothing(
    phone: Phone, photo: SealedPhoto, monkeypatch: pytest.MonkeyPatch
) -> None:
    location = announce(phone, photo).headers["Location"]

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("media.sealed_files.os.pwrite", full)
        response = send_piece(phone, location, 0, photo.sealed[:PIECE])
    assert response.status_code == 503 and 60 <= int(response.headers["Retry-After"]) <= 90
    assert head(phone, location).headers["Upload-Offset"] == "0"
    upload(phone, photo)


def test_an_upload_without_its_key_is_never_complete(phone: Phone, small: SealedPhoto, settings: Settings) -> None:
    """Whoever is told that it is may delete its own."""
    location = announce(phone, small).headers["Location"]
    keys(settings)[0].unlink()
    assert code(send_piece(phone, location, 0, small.sealed)) == "not-found"
    assert stored(settings) == []
    upload(phone, small)
    assert keys(settings)[0].read_bytes() == small.wrap


def test_a_store_that_is_away_ends_no_upload_by_halves(
    phone: Phone, photo: SealedPhoto, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    location = announce(phone, photo).headers["Location"]
    send_piece(phone, location, 0, photo.sealed[:PIECE])

    def away(*_: object) -> None:
        raise store_unavailable("door", OSError())

    with monkeypatch.context() as patch:
        patch.setattr(SealedFiles, "delete", away)
        assert code(phone.call("DELETE", location, headers=TUS)) == "unavailable"
    assert len(keys(settings)) == 1 and head(phone, location).headers["Upload-Offset"] == str(PIECE)
    assert phone.call("DELETE", location, headers=TUS).status_code == 204
    assert stored(settings) == keys(settings) == []


def test_what_ends_or_expires_gives_its_room_back(
    phone: Phone, agency: UUID, settings: Settings, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bytes and keys are gone with it; an upload that only expired counts until they are."""
    monkeypatch.setattr(uploads, "MAX_WAITING_BYTES", 5_000)
    first, second, third = (seal_for(phone, agency_key(settings, agency), bytes(3000)) for _ in range(3))
    location = announce_with(phone, first, first.sealed[:1000]).headers["Location"]
    assert code(announce(phone, second)) == "quota-exceeded"
    assert phone.call("DELETE", location, headers=TUS).status_code == 204
    assert announce_with(phone, second, second.sealed[:1000]).status_code == 201
    clock.advance(timedelta(days=7))
    phone.take_anchor()
    assert code(announce(phone, third)) == "quota-exceeded"
    with transaction(agency) as session:
        assert forget_expired(session, stores_of(settings), clock.now()) == 1
    assert stored(settings) == keys(settings) == []
    upload(phone, third)


def raw_patch(phone: Phone, port: int, location: str, piece: bytes) -> RawRequest:
    return RawRequest(phone, port, "PATCH", location, piece, piece_headers(0, piece))


def test_a_body_cut_off_on_the_way_changes_nothing(
    phone: Phone, photo: SealedPhoto, door: Flask, settings: Settings
) -> None:
    """Over real sockets, through the server we ship and through one that hands over bodies as they come."""
    location = announce(phone, photo).headers["Location"]
    with by_waitress(door) as port:
        for sent in (0, 1, 4096, PIECE - 1):
            request = raw_patch(phone, port, location, photo.sealed[:PIECE])
            request.send(sent)
            request.connection.close()
        assert head(phone, location).headers["Upload-Offset"] == "0"
    with by_streaming(door) as port:
        request = raw_patch(phone, port, location, photo.sealed[:PIECE])
        request.send(4096)
        request.connection.shutdown(socket.SHUT_WR)
        assert b" 400 " in request.answer().split(b"\r\n")[0]
    assert head(phone, location).headers["Upload-Offset"] == "0"
    assert stored(settings) == []


def test_a_newer_request_pre_empts_a_stalled_one(phone: Phone, photo: SealedPhoto, door: Flask) -> None:
    """The stalled PATCH took its place before its body came; a HEAD beside it ends its right to move the offset."""
    location = announce(phone, photo).headers["Location"]
    with by_streaming(door) as port:
        stalled = raw_patch(phone, port, location, photo.sealed[:PIECE])
        stalled.send(1000)
        wait_for_fence(phone, 2)
        assert head(phone, location).headers["Upload-Offset"] == "0"
        stalled.send(PIECE)
        answer = stalled.answer()
    assert b" 409 " in answer.split(b"\r\n")[0]
    assert b'"code": "conflict"' in answer
    assert head(phone, location).headers["Upload-Offset"] == "0"
    assert send_piece(phone, location, 0, photo.sealed[:PIECE]).status_code == 204


def test_a_creation_pre_empts_as_well(phone: Phone, photo: SealedPhoto, door: Flask) -> None:
    """Whoever creates again goes on from the offset it is told: an older request must not move it meanwhile."""
    location = announce(phone, photo).headers["Location"]
    with by_streaming(door) as port:
        stalled = raw_patch(phone, port, location, photo.sealed[:PIECE])
        stalled.send(1000)
        wait_for_fence(phone, 2)
        assert announce(phone, photo).headers["Upload-Offset"] == "0"
        stalled.send(PIECE)
        assert b" 409 " in stalled.answer().split(b"\r\n")[0]
    assert send_piece(phone, location, 0, photo.sealed[:PIECE]).status_code == 204


def test_a_piece_that_stalls_does_not_outlive_its_upload(
    phone: Phone, photo: SealedPhoto, door: Flask, settings: Settings
) -> None:
    location = announce(phone, photo).headers["Location"]
    with by_streaming(door) as port:
        stalled = raw_patch(phone, port, location, photo.sealed[:PIECE])
        stalled.send(1000)
        wait_for_fence(phone, 2)
        assert phone.call("DELETE", location, headers=TUS).status_code == 204
        stalled.send(PIECE)
        assert b" 404 " in stalled.answer().split(b"\r\n")[0]
    assert stored(settings) == keys(settings) == []


def test_what_was_signed_before_the_offset_was_told_moves_it_no_more(
    phone: Phone, photo: SealedPhoto, door: Flask, clock: SetClock, settings: Settings
) -> None:
    """The server we ship hands a request over when its body is whole, a proxy may do so as well: what stalls on its way
    comes after the HEAD that was sent after it. Its anchor tells."""
    location = announce(phone, photo).headers["Location"]
    with by_waitress(door) as port:
        stalled = raw_patch(phone, port, location, photo.sealed[:PIECE])
        stalled.send(PIECE - 1)
        clock.advance(timedelta(milliseconds=1))
        assert head(phone, location).headers["Upload-Offset"] == "0"
        stalled.send(PIECE)
        assert b" 409 " in stalled.answer().split(b"\r\n")[0]
    assert head(phone, location).headers["Upload-Offset"] == "0" and stored(settings) == []
    assert send_piece(phone, location, 0, photo.sealed[:PIECE]).status_code == 204


def at_once(phone: Phone, door: Flask, number: int, call: Callable[[Phone], Any]) -> list[Any]:
    """The same call from so many connections of one phone, released together."""
    start = threading.Barrier(number)
    clients = [replace(phone, client=door.test_client()) for _ in range(number)]

    def run(one: Phone) -> Any:
        start.wait(10)
        return call(one)

    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(run, clients))


def test_of_pieces_sent_side_by_side_one_counts(
    phone: Phone, photo: SealedPhoto, door: Flask, settings: Settings
) -> None:
    location = announce(phone, photo).headers["Location"]
    for offset in range(0, len(photo.sealed), PIECE):
        piece = photo.sealed[offset : offset + PIECE]
        answers = at_once(phone, door, 4, lambda one, at=offset, body=piece: send_piece(one, location, at, body))
        statuses = sorted(answer.status_code for answer in answers)
        assert set(statuses) <= {204, 409} and statuses.count(204) <= 1
        if 204 not in statuses:  # each was pre-empted by a newer one: the phone asks and goes on
            assert head(phone, location).headers["Upload-Offset"] == str(offset)
            assert send_piece(phone, location, offset, piece).status_code == 204
    assert head(phone, location).headers["Upload-State"] == "complete"
    assert stored(settings)[0].read_bytes() == photo.sealed


def test_creations_side_by_side_make_one_upload(phone: Phone, photo: SealedPhoto, door: Flask, agency: UUID) -> None:
    answers = at_once(phone, door, 4, lambda one: announce(one, photo))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.headers["Location"] for answer in answers}) == 1
    assert row(agency).received_bytes == 0


def test_two_creations_at_once_do_not_share_the_last_room(
    phone: Phone, agency: UUID, door: Flask, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each alone would fit; they are counted one after the other."""
    monkeypatch.setattr(uploads, "MAX_WAITING_BYTES", 10_000)
    public = agency_key(settings, agency)
    photos = [seal_for(phone, public, bytes(4000)) for _ in range(4)]
    answers = at_once(phone, door, 4, lambda one: announce(one, photos.pop()))
    assert sorted(answer.status_code for answer in answers) == [201, 201, 413, 413]
    assert len(keys(settings)) == 2
