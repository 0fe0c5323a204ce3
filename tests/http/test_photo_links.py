"""Links to photographs: for one manager, one photograph, some minutes; each opening on record; headers of a file."""

from __future__ import annotations

import hashlib
import io
import json
from base64 import urlsafe_b64decode
from collections.abc import Callable
from datetime import timedelta
from http.client import HTTPConnection
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from PIL import Image
from sqlalchemy import select

from doorstep.http_server import served_beside
from field_api.domain.confidential import audience
from field_api.domain.disclosure import Audience
from field_api.platform.clock import SetClock
from field_api.platform.database import transaction
from field_api.platform.sealing import b64u
from field_api.platform.settings import UnsafeSettings, settings_from
from field_api.records.log import LogEntry
from field_api.records.visits import VisitEvent
from media.office.photo_links import PhotoLinks, Use
from tests.office_client import OfficeClient
from tests.photo_world import PhotoWorld
from tests.pictures import encoded, jpeg, jpeg_with_everything, patterned
from tests.planning_world import statements

pytest_plugins = ["tests.photo_fixtures"]

PHOTOS = "/api/v1/photos"
AsRole = Callable[..., OfficeClient]
STRICT = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "sandbox; default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
}


@pytest.fixture(autouse=True)
def at_the_office(office: Flask, clock: SetClock) -> None:
    office.extensions["doorstep.clock"] = clock


def link_to(client: OfficeClient, photo_id: UUID | str, size: str = "large") -> str:
    answer = client.post(f"{PHOTOS}/{photo_id}/links", json={"size": size})
    assert answer.status_code == 201, answer.text
    return str(answer.json["url"])


def ask_for_original(client: OfficeClient, photo_id: UUID, reason: str = "the court asks for the file") -> Any:
    return client.post(f"{PHOTOS}/{photo_id}/original", json={"reason": reason})


def refused(answer: Any) -> bool:
    return (answer.status_code, answer.json["code"], answer.json.get("at")) == (403, "not-permitted", "link")


def story(world: PhotoWorld, kind: str) -> list[dict[str, Any]]:
    with transaction(world.agency) as session, audience(Audience.MANAGER):
        lines = session.scalars(
            select(VisitEvent).where(VisitEvent.kind == kind, VisitEvent.op_id.is_(None)).order_by(VisitEvent.id)
        )
        return [
            {"actor": line.actor, "at": line.at, **json.loads(line.body.reveal(Audience.MANAGER))} for line in lines
        ]


def decisions(world: PhotoWorld, decision: str) -> list[dict[str, Any]]:
    with transaction(world.agency) as session:
        entries = session.scalars(select(LogEntry).where(LogEntry.kind == "decision").order_by(LogEntry.id))
        return [entry.detail for entry in entries if entry.detail and entry.detail.get("decision") == decision]


def logged_by_the_database(world: PhotoWorld) -> int:
    with transaction(world.agency) as session:
        return len(session.scalars(select(LogEntry).where(LogEntry.ref.like("visit_event/%"))).all())


def me(client: OfficeClient) -> str:
    return str(client.get("/api/v1/me").json["id"])


def test_a_link_opens_the_picture_with_the_headers_of_a_file(world: PhotoWorld, office_client: OfficeClient) -> None:
    photo = world.developed(jpeg_with_everything())
    for size, longest in (("large", 400), ("small", 320)):
        picture = office_client.get(link_to(office_client, photo.id, size))
        assert (picture.status_code, picture.headers["Content-Type"]) == (200, "image/jpeg")
        assert {name: picture.headers[name] for name in STRICT} == STRICT
        assert picture.headers["Content-Disposition"] == 'inline; filename="photo.jpg"'
        assert "ETag" not in picture.headers and "Last-Modified" not in picture.headers
        assert max(Image.open(io.BytesIO(picture.data)).size) == longest
    page = office_client.get(PHOTOS)
    assert page.headers["Content-Security-Policy"] != STRICT["Content-Security-Policy"], "a page's policy is its own"


def test_over_a_real_connection_it_is_the_same(world: PhotoWorld, office: Flask, office_client: OfficeClient) -> None:
    """Through the server that production has, which writes the head itself."""
    file = jpeg_with_everything()
    photo = world.developed(file)
    cookie = office_client.get_cookie("doorstep", domain="office.test")
    assert cookie is not None
    urls = link_to(office_client, photo.id), ask_for_original(office_client, photo.id).json["url"]
    with served_beside(office, host="127.0.0.1", port=0, ident="doorstep") as port:
        for url, name in zip(urls, ("photo.jpg", "original.jpg"), strict=True):
            connection = HTTPConnection("127.0.0.1", port, timeout=10)
            connection.request("GET", url, headers={"Cookie": f"doorstep={cookie.value}", "Host": "office.test"})
            answer = connection.getresponse()
            body = answer.read()
            assert (answer.status, answer.getheader("Content-Type")) == (200, "image/jpeg")
            assert {header: answer.getheader(header) for header in STRICT} == STRICT
            assert (answer.getheader("Content-Disposition") or "").endswith(f'; filename="{name}"')
            assert (body == file) is (name == "original.jpg")
            connection.request("GET", url, headers={"Host": "office.test"})
            stranger = connection.getresponse()
            assert (stranger.status, stranger.getheader("Content-Type")) == (401, "application/problem+json")
            connection.close()


@pytest.mark.parametrize(("said", "seconds"), [("", 300), ("30", 30), ("3600", 3600)])
def test_how_long_a_link_works_is_a_setting(said: str, seconds: int) -> None:
    address = {"DOORSTEP_DATABASE_URL": "postgresql+psycopg://nobody@127.0.0.1:1/nothing"}
    assert settings_from({**address, "DOORSTEP_PHOTO_LINK_S": said}).photo_link_s == seconds
    for unsafe in ("29", "3601", "-5", "5m", "٣٠٠"):
        with pytest.raises(UnsafeSettings, match="30 to 3600"):
            settings_from({**address, "DOORSTEP_PHOTO_LINK_S": unsafe})


def test_every_opening_is_a_line_in_the_story_and_a_leaf_of_the_log(
    world: PhotoWorld, office_client: OfficeClient, clock: SetClock
) -> None:
    photo = world.developed(jpeg())
    before = logged_by_the_database(world)
    url = link_to(office_client, photo.id)
    assert story(world, "photo_shown") == [], "a link alone shows nothing"
    for _ in range(2):
        assert office_client.get(url).status_code == 200
    lines = story(world, "photo_shown")
    assert [(line["photo"], line["shown"]) for line in lines] == [(str(photo.id), "large")] * 2
    assert {line["actor"] for line in lines} == {f"staff:{me(office_client)}"} and lines[0]["at"] == clock.now()
    assert logged_by_the_database(world) == before + 2
    seen = office_client.get(f"/api/v1/visits/{world.visit.visit_id}").json["events"]
    assert [event["body"]["shown"] for event in seen if event["kind"] == "photo_shown"] == ["large", "large"]


def test_a_link_is_for_one_person_one_photograph_and_one_use(
    world: PhotoWorld, office_client: OfficeClient, as_role: AsRole, anonymous: OfficeClient, other_agency: UUID
) -> None:
    photo, other = world.developed(jpeg()), world.developed(jpeg(300, 300))
    url = link_to(office_client, photo.id)
    assert refused(as_role("manager").get(url)), "a colleague"
    assert refused(as_role("manager", agency_id=other_agency).get(url)), "another agency's manager"
    assert as_role("dispatcher").get(url).status_code == 403
    assert as_role("integrator").get(url).status_code == 403, "no machine looks at photographs"
    assert anonymous.get(url).status_code == 401, "a leaked address opens nothing"
    assert refused(office_client.get(url.replace(str(photo.id), str(other.id))))
    assert refused(office_client.get(url.replace("/rendition", "/original")))
    payload, _, signature = url.rpartition(".")
    assert refused(office_client.get(f"{payload}.{signature[::-1]}"))
    original = ask_for_original(office_client, photo.id).json["url"]
    assert refused(office_client.get(original.replace("/original", "/rendition")))
    assert office_client.get(f"{PHOTOS}/{photo.id}/rendition").status_code == 422
    assert story(world, "photo_shown") == []


def test_a_link_ends_with_its_minutes(world: PhotoWorld, office_client: OfficeClient, clock: SetClock) -> None:
    photo = world.developed(jpeg())
    answer = office_client.post(f"{PHOTOS}/{photo.id}/links", json={"size": "small"}).json
    assert answer["expires_at"][:19] == (clock.now() + timedelta(minutes=5)).isoformat()[:19]
    clock.advance(timedelta(seconds=299))
    assert office_client.get(answer["url"]).status_code == 200
    clock.advance(timedelta(seconds=1))
    assert refused(office_client.get(answer["url"]))


def test_links_are_made_for_what_is_there(world: PhotoWorld, office_client: OfficeClient) -> None:
    photo = world.developed(jpeg())
    assert office_client.post(f"{PHOTOS}/{photo.id}/links", json={"size": "original"}).status_code == 422
    assert office_client.post(f"{PHOTOS}/{uuid4()}/links", json={"size": "small"}).status_code == 404
    url, original = link_to(office_client, photo.id), ask_for_original(office_client, photo.id).json["url"]
    office_client.post(f"{PHOTOS}/{photo.id}/destroy", json={"reason": "not-needed"})
    for gone in (
        office_client.get(url),
        office_client.get(original),
        ask_for_original(office_client, photo.id),
        office_client.post(f"{PHOTOS}/{photo.id}/links", json={"size": "small"}),
    ):
        assert (gone.status_code, gone.json["code"]) == (410, "gone")


def test_an_original_comes_as_it_was_with_a_reason_on_record(world: PhotoWorld, office_client: OfficeClient) -> None:
    file = jpeg_with_everything()
    photo = world.developed(file)
    for body in ({}, {"reason": ""}, {"reason": "x" * 501}):
        assert office_client.post(f"{PHOTOS}/{photo.id}/original", json=body).status_code == 422
    answer = ask_for_original(office_client, photo.id, "the court asks for the file")
    assert (answer.status_code, answer.json["warning"]) == (201, None)
    assert [line["decision"] for line in story(world, "photo") if "decision" in line] == [
        {"original": "the court asks for the file"}
    ]
    words = b64u(hashlib.sha256(b"the court asks for the file").digest())
    by = f"staff:{me(office_client)}"
    asked = {"decision": "photo-original", "photo": str(photo.id), "by": by, "reason_sha256": words}
    assert decisions(world, "photo-original") == [asked]
    got = office_client.get(answer.json["url"])
    assert got.data == file
    assert got.headers["Content-Type"] == "image/jpeg"
    assert got.headers["Content-Disposition"] == 'attachment; filename="original.jpg"'
    assert {name: got.headers[name] for name in STRICT} == STRICT
    assert [line["shown"] for line in story(world, "photo_shown")] == ["original"]


def test_an_original_has_the_type_of_its_bytes_or_none(world: PhotoWorld, office_client: OfficeClient) -> None:
    photo = world.developed(encoded(patterned(), "PNG"))
    got = office_client.get(ask_for_original(office_client, photo.id).json["url"])
    assert (got.headers["Content-Type"], got.headers["Content-Disposition"]) == (
        "image/png", 'attachment; filename="original.png"',
    )  # fmt: skip
    page = b"<!DOCTYPE html><script>alert(1)</script>"
    odd = world.developed(page)
    assert odd.state == "quarantined"
    answer = ask_for_original(office_client, odd.id)
    assert answer.json["warning"] == "not-a-picture"
    got = office_client.get(answer.json["url"])
    assert (got.data, got.headers["Content-Type"]) == (page, "application/octet-stream")
    assert got.headers["Content-Disposition"] == 'attachment; filename="original.bin"'
    cut = world.developed(jpeg_with_everything()[:120])
    assert cut.state == "quarantined"
    got = office_client.get(ask_for_original(office_client, cut.id).json["url"])
    assert got.headers["Content-Type"] == "application/octet-stream", "what nothing could read is called nothing"


def test_nobody_looks_at_what_nobody_allowed(
    world: PhotoWorld, office: Flask, office_client: OfficeClient, clock: SetClock
) -> None:
    photo = world.seal(jpeg())
    world.declare(photo, None)
    world.upload(photo)
    world.work()
    row = world.only()
    answer = ask_for_original(office_client, row.id)
    assert (answer.status_code, answer.json["code"]) == (409, "conflict")
    assert office_client.post(f"{PHOTOS}/{row.id}/links", json={"size": "small"}).status_code == 404
    assert decisions(world, "photo-original") == []
    signed = PhotoLinks(str(office.secret_key), world.agency, UUID(me(office_client)), timedelta(minutes=5))
    token = signed.write(row.id, Use.ORIGINAL, clock.now()).token
    assert office_client.get(f"{PHOTOS}/{row.id}/original?link={token}").status_code == 409, "whatever is signed"
    office_client.post(f"{PHOTOS}/{row.id}/allow", json={"reason": "the owner wrote to us"})
    assert office_client.get(ask_for_original(office_client, row.id).json["url"]).data == jpeg()


def test_an_original_that_is_lost_or_altered_is_told_and_is_no_error(
    world: PhotoWorld, office_client: OfficeClient
) -> None:
    photo = world.developed(jpeg())
    url = ask_for_original(office_client, photo.id).json["url"]
    (path,) = [path for path in world.settings.door_objects.rglob("*") if path.is_file()]
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    assert office_client.get(url).status_code == 409
    path.unlink()
    assert office_client.get(url).status_code == 410
    assert story(world, "photo_shown") == []


def test_a_page_of_thumbnails_is_one_entry_and_a_bounded_number_of_statements(
    world: PhotoWorld, office: Flask, office_client: OfficeClient
) -> None:
    permission = world.permit()
    asked = f"{PHOTOS}?visit={world.visit.visit_id}&thumbnails=true&limit=3"
    counts, shown = [], []
    for number in (1, 3):
        for _ in range(number):
            photo = world.seal(jpeg(60, 40))
            world.declare(photo, permission)
            world.upload(photo)
        world.work()
        with office.app_context(), statements() as seen:
            page = office_client.get(asked).json
        counts.append(len(seen))
        shown.append([item["id"] for item in page["items"]])
        assert set(page["thumbnails"]) == set(shown[-1])
    assert counts[0] == counts[1] and len(shown[1]) == 3 and page["next"]
    assert [entry["photos"] for entry in decisions(world, "photo-thumbnails-shown")] == shown
    per_picture = set()
    for link in page["thumbnails"].values():
        with office.app_context(), statements() as seen:
            picture = office_client.get(link["url"])
        assert max(Image.open(io.BytesIO(picture.data)).size) == 60
        per_picture.add(len(seen))
    assert per_picture == {5}, "who asks (2), photograph, upload, and the agency of their transaction"
    assert story(world, "photo_shown") == [] and len(decisions(world, "photo-thumbnails-shown")) == 2
    assert "thumbnails" in office_client.get(PHOTOS).json and not office_client.get(PHOTOS).json["thumbnails"]


def test_a_photographs_facts_say_who_allowed_it_when_for_what_in_which_words(
    world: PhotoWorld, office_client: OfficeClient
) -> None:
    said = {"name": "Tía Inventada", "words": "sí, claro", "notice": {"version": "1", "language": "es"}}
    op_id = world.permit("facade", by="relative", **said)
    photo = world.seal(jpeg())
    world.declare(photo, op_id)
    world.upload(photo)
    world.work()
    facts = office_client.get(f"{PHOTOS}/{world.only().id}").json
    permission = facts["permission"]
    assert facts["photo"]["state"] == "developed"
    assert (permission["op"], permission["by"], permission["subjects"]) == (str(op_id), "relative", ["facade"])
    assert (permission["name"], permission["words"]) == ("Tía Inventada", "sí, claro")
    assert permission["at"] is not None
    assert permission["notice"]["words"].startswith("Quisiera tomar una foto de la fachada")
    without = world.developed(jpeg())
    assert office_client.get(f"{PHOTOS}/{without.id}").json["permission"]["notice"] is None


def test_what_can_be_read_in_an_address_are_an_id_a_word_and_a_time(
    world: PhotoWorld, office_client: OfficeClient
) -> None:
    photo = world.developed(jpeg())
    payload = link_to(office_client, photo.id).partition("link=")[2].partition(".")[0]
    read = json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    assert read[:2] == [str(photo.id), "large"] and isinstance(read[2], int) and len(read) == 3
