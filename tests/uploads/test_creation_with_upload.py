"""A photograph may begin with its creation: the first bytes come along, and count as those of a PATCH do."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from upload_world import PIECE, RawRequest, by_streaming, code, keys, row, stored, wait_for_fence

from field_api.platform.settings import Settings
from media.photo_keys import PhotoKeys
from tests.door_client import Phone, sha256
from tests.photo_phone import (
    PHOTOS,
    TUS,
    SealedPhoto,
    announce,
    announce_with,
    base64_text,
    first_headers,
    head,
    send_piece,
)

WRONG = {"Upload-Checksum": f"sha256 {base64_text(sha256(b'other'))}"}


def goes_on(phone: Phone, location: str, photo: SealedPhoto, offset: int) -> None:
    for at in range(offset, len(photo.sealed), PIECE):
        response = send_piece(phone, location, at, photo.sealed[at : at + PIECE])
    assert response.headers["Upload-State"] == "complete"


def test_the_first_bytes_come_with_the_creation(phone: Phone, photo: SealedPhoto, settings: Settings) -> None:
    response = announce_with(phone, photo, photo.sealed[:PIECE])
    assert response.status_code == 201
    assert response.headers["Upload-Offset"] == str(PIECE)
    assert "Upload-Expires" in response.headers
    assert stored(settings)[0].read_bytes() == photo.sealed[:PIECE]
    goes_on(phone, response.headers["Location"], photo, PIECE)
    assert stored(settings)[0].read_bytes() == photo.sealed


def test_a_small_photograph_is_complete_with_its_creation(phone: Phone, small: SealedPhoto, settings: Settings) -> None:
    response = announce_with(phone, small, small.sealed)
    assert (response.status_code, response.headers["Upload-State"]) == (201, "complete")
    assert stored(settings)[0].read_bytes() == small.sealed
    assert keys(settings)[0].read_bytes() == small.wrap


def test_repeating_it_appends_nothing_twice(phone: Phone, photo: SealedPhoto, settings: Settings) -> None:
    """Its answer was lost: the phone sends the same again, or no body, or goes on; each is told where it stands."""
    first = announce_with(phone, photo, photo.sealed[:PIECE])
    for again in (announce_with(phone, photo, photo.sealed[:PIECE]), announce(phone, photo)):
        assert (again.status_code, again.headers["Upload-Offset"]) == (201, str(PIECE))
        assert again.headers["Location"] == first.headers["Location"]
    assert stored(settings)[0].read_bytes() == photo.sealed[:PIECE]
    goes_on(phone, first.headers["Location"], photo, PIECE)
    done = announce_with(phone, photo, photo.sealed[:PIECE])
    assert (done.status_code, done.headers["Upload-State"]) == (201, "complete")
    assert stored(settings)[0].read_bytes() == photo.sealed


def test_an_upload_that_is_there_passes_the_bytes_over(phone: Phone, photo: SealedPhoto, settings: Settings) -> None:
    """Also at its beginning: an older creation, held back on the way, looks the same. The answer tells where to go on."""
    announce(phone, photo)
    again = announce_with(phone, photo, photo.sealed[:1000])
    assert (again.status_code, again.headers["Upload-Offset"]) == (201, "0")
    assert stored(settings) == []


def test_a_body_that_is_not_what_it_says_counts_for_nothing(
    phone: Phone, photo: SealedPhoto, settings: Settings
) -> None:
    """The creation counts, as it would without a body; the body does not."""
    response = announce_with(phone, photo, photo.sealed[:PIECE], **WRONG)
    assert (response.status_code, code(response)) == (460, "digest-mismatch")
    assert stored(settings) == [] and row(phone.agency).received_bytes == 0
    swapped = phone.call(
        "POST", PHOTOS, photo.sealed[:PIECE], headers=first_headers(photo, photo.sealed[:PIECE]), sent_body=bytes(PIECE)
    )
    assert code(swapped) == "digest-mismatch" and stored(settings) == []
    again = announce_with(phone, photo, photo.sealed[:PIECE])
    assert (again.status_code, again.headers["Upload-Offset"]) == (201, "0")
    goes_on(phone, again.headers["Location"], photo, 0)


@pytest.mark.parametrize(
    ("changes", "status", "at"),
    [
        ({"Content-Type": "application/json"}, 415, "Content-Type"),
        ({"Upload-Checksum": ""}, 400, "Upload-Checksum"),
        ({"Upload-Checksum": "sha1 AAAA"}, 400, "Upload-Checksum"),
        ({"Upload-Offset": "5"}, 400, "Upload-Offset"),
        ({"Upload-Length": "999"}, 400, "Upload-Length"),
    ],
)
def test_a_body_that_cannot_be_taken_makes_no_upload(
    phone: Phone, photo: SealedPhoto, settings: Settings, changes: dict[str, str], status: int, at: str
) -> None:
    response = announce_with(phone, photo, photo.sealed[:1000], **changes)
    assert (response.status_code, response.json.get("at")) == (status, at)
    assert keys(settings) == stored(settings) == []


def test_more_than_a_piece_is_not_waited_for(phone: Phone, photo: SealedPhoto, settings: Settings) -> None:
    assert code(announce_with(phone, photo, photo.sealed[: PIECE + 1])) == "too-large"
    assert keys(settings) == stored(settings) == []


def test_creations_side_by_side_append_once(phone: Phone, photo: SealedPhoto, door: Flask, settings: Settings) -> None:
    """Each is told a true offset: 0 where a newer one pre-empted it, the piece's end else."""
    clients = [replace(phone, client=door.test_client()) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda one: announce_with(one, photo, photo.sealed[:PIECE]), clients))
    assert {answer.status_code for answer in answers} == {201}
    assert {answer.headers["Upload-Offset"] for answer in answers} <= {"0", str(PIECE)}
    location = answers[0].headers["Location"]
    offset = int(head(phone, location).headers["Upload-Offset"])
    assert offset == max(int(answer.headers["Upload-Offset"]) for answer in answers)
    goes_on(phone, location, photo, offset)
    assert stored(settings)[0].read_bytes() == photo.sealed


def test_a_creation_that_stalls_in_its_body_moves_nothing_after_a_newer_request(
    phone: Phone, photo: SealedPhoto, door: Flask, settings: Settings
) -> None:
    """It took its place before its body came, so the HEAD beside it tells what stays true."""
    piece = photo.sealed[:PIECE]
    with by_streaming(door) as port:
        stalled = RawRequest(phone, port, "POST", PHOTOS, piece, first_headers(photo, piece))
        stalled.send(1000)
        wait_for_fence(phone, 1)
        location = announce(phone, photo).headers["Location"]
        assert head(phone, location).headers["Upload-Offset"] == "0"
        stalled.send(len(piece))
        answer = stalled.answer()
    assert b" 201 " in answer.split(b"\r\n")[0] and b"Upload-Offset: 0\r\n" in answer
    assert head(phone, location).headers["Upload-Offset"] == "0"
    assert stored(settings) == []
    goes_on(phone, location, photo, 0)


def test_a_disk_without_room_for_the_key_makes_no_upload(
    phone: Phone, photo: SealedPhoto, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(PhotoKeys, "put", full)
        response = announce_with(phone, photo, photo.sealed[:PIECE])
    assert response.status_code == 503 and 60 <= int(response.headers["Retry-After"]) <= 90
    assert keys(settings) == stored(settings) == []
    response = announce_with(phone, photo, photo.sealed[:PIECE])
    goes_on(phone, response.headers["Location"], photo, PIECE)


def test_an_ended_upload_begins_anew_with_its_first_bytes(phone: Phone, photo: SealedPhoto, settings: Settings) -> None:
    location = announce_with(phone, photo, photo.sealed[:PIECE]).headers["Location"]
    assert phone.call("DELETE", location, headers=TUS).status_code == 204
    assert announce_with(phone, photo, photo.sealed[:999]).headers["Upload-Offset"] == "999"
    assert stored(settings)[0].read_bytes() == photo.sealed[:999]


def test_a_creation_whose_key_was_lost_before_its_bytes_came_is_not_called_complete(
    phone: Phone, small: SealedPhoto, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(PhotoKeys, "put", lambda *_: None)
        response = announce_with(phone, small, small.sealed)
    assert (response.status_code, code(response)) == (404, "not-found")
    assert "Upload-State" not in response.headers and stored(settings) == []
    assert announce_with(phone, small, small.sealed).headers["Upload-State"] == "complete"
