"""Objects that are missing or altered: a clear answer, the visit's story says so, numbers count it; never a 500."""

from __future__ import annotations

import io
import json
import shutil
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from flask import Flask
from PIL import Image
from sqlalchemy import select
from werkzeug.test import TestResponse

from doorstep.worker_metrics import worker_text
from field_api.domain.confidential import audience
from field_api.domain.disclosure import Audience
from field_api.platform.database import transaction
from field_api.platform.measured import BOARD
from field_api.platform.settings import Settings
from field_api.records.planning import Route
from field_api.records.visits import VisitEvent
from field_api.usecases.want_letters import want_letters
from media.office.develop_photo import CLAIM_LIFETIME
from media.office.work import ASIDE_FOR, STORE_PAUSE, STORE_TRIES
from tests.office_client import OfficeClient
from tests.paper_world import paper_world, stating
from tests.photo_phone import announce, send_piece
from tests.photo_world import PhotoWorld
from tests.pictures import jpeg
from tests.planning_world import NOW

pytest_plugins = ["tests.photo_fixtures"]
PHOTOS = "/api/v1/photos"
FLAWS = pytest.mark.parametrize("flaw", ["missing", "differs"])


def damage(flaw: str, *directories: Path) -> None:
    """Every object below them is gone, or has one bit turned."""
    for path in (path for directory in directories for path in directory.rglob("*") if path.is_file()):
        if flaw == "missing":
            path.unlink()
        else:
            body = path.read_bytes()
            path.write_bytes(bytes([body[0] ^ 1]) + body[1:])


def opened(client: OfficeClient, photo_id: UUID, size: str = "large") -> TestResponse:
    link = client.post(f"{PHOTOS}/{photo_id}/links", json={"size": size})
    return client.get(link.json["url"]) if link.status_code == 201 else link


def story(agency: UUID, kind: str) -> list[tuple[str | None, str | None, list[str]]]:
    """Of events that are no operation's: state, reason, flags."""
    with audience(Audience.MANAGER), transaction(agency) as session:
        mine = (VisitEvent.kind == kind, VisitEvent.op_id.is_(None))
        events = session.scalars(select(VisitEvent).where(*mine).order_by(VisitEvent.id))
        bodies = [(json.loads(event.body.reveal(Audience.MANAGER)), event.flags) for event in events]
    return [(body.get("state"), body.get("reason"), flags) for body, flags in bodies]


def counted(app: Flask, name: str) -> float:
    (line,) = [line for line in app.extensions[BOARD].text().splitlines() if line.startswith(name)]
    return float(line.rpartition(" ")[2])


@FLAWS
def test_a_lost_rendition_is_developed_anew_by_itself(
    world: PhotoWorld, office: Flask, office_client: OfficeClient, settings: Settings, flaw: str
) -> None:
    photo = world.developed(jpeg(400, 300))
    damage(flaw, settings.office_objects)
    answer = opened(office_client, photo.id)
    assert (answer.status_code, answer.json["code"], answer.headers["Retry-After"]) == (503, "unavailable", "60")
    row = world.only()
    assert (row.state, row.reason, row.large_key) == ("awaiting", f"rendition-{flaw}", None)
    assert opened(office_client, photo.id).json["detail"] == "this photograph is not developed", "for now"
    kind = {"missing": "missing", "differs": "corrupt"}[flaw]
    assert counted(office, f'doorstep_objects_flawed_total{{store="office",flaw="{kind}"}}') == 1

    assert world.work() == 1
    for size, longest in (("large", 400), ("small", 320)):
        assert max(Image.open(io.BytesIO(opened(office_client, photo.id, size).data)).size) == longest
    again = world.only()
    assert (again.state, again.reason, again.hints, again.developed_at) == (
        "developed",
        None,
        photo.hints,
        photo.developed_at,
    )
    told = [(state, reason) for state, reason, _ in story(world.agency, "photo")]
    assert told == [("developed", None), ("awaiting", f"rendition-{flaw}"), ("developed", None)]
    assert len([path for path in settings.office_objects.rglob("*") if path.is_file()]) == 2, "nothing is left behind"


@pytest.mark.parametrize("also", ["bytes-missing", "bytes-differ", "key-missing"])
def test_a_rendition_that_cannot_be_made_again_leaves_the_other_and_says_why(
    world: PhotoWorld, office_client: OfficeClient, settings: Settings, also: str
) -> None:
    photo = world.developed(jpeg(400, 300))
    with transaction(world.agency) as session:
        large = session.get_one(type(photo), (world.agency, photo.id)).large_key
    (path,) = settings.office_objects.rglob(large)
    path.unlink()
    assert opened(office_client, photo.id).status_code == 503
    if also == "key-missing":
        shutil.rmtree(settings.photo_keys)
    else:
        damage(also.removeprefix("bytes-").replace("differ", "differs"), settings.door_objects)
    world.work()
    row = world.only()
    assert (row.state, row.reason, row.large_key) == ("developed", "rendition-missing", None)
    assert story(world.agency, "photo")[-1] == ("developed", "rendition-missing", [also])
    assert opened(office_client, photo.id).status_code == 410
    small = opened(office_client, photo.id, "small")
    assert small.status_code == (410 if also == "key-missing" else 200)
    assert world.work() == 0
    assert "doorstep_photos_lost 1" in worker_text(world.app, world.app.extensions[BOARD])


def test_a_store_that_is_away_is_told_as_later_and_costs_a_photograph_nothing(
    world: PhotoWorld, office_client: OfficeClient, settings: Settings
) -> None:
    photo = world.developed(jpeg(400, 300))
    waiting = world.seal(jpeg(200, 300))
    world.declare(waiting, world.permit())
    world.upload(waiting)
    for directory in (settings.office_objects, settings.door_objects):
        directory.rename(directory.with_suffix(".away"))
        directory.write_text("a file where a directory was: every call to the disk fails")
    answer = opened(office_client, photo.id)
    assert (answer.status_code, answer.json["code"]) == (503, "unavailable")
    assert office_client.post(f"{PHOTOS}/{photo.id}/destroy", json={"reason": "not-needed"}).status_code == 503
    for _ in range(5):  # more often than a photograph is tried that workers die on
        world.work()
        world.clock.moment += CLAIM_LIFETIME
    assert world.photos()[1].state == "developing"
    for directory in (settings.office_objects, settings.door_objects):
        directory.unlink()
        directory.with_suffix(".away").rename(directory)
    world.clock.moment += CLAIM_LIFETIME
    world.work()
    assert [row.state for row in world.photos()][1] == "developed"


def test_one_photograph_that_cannot_be_had_holds_up_no_other(world: PhotoWorld, settings: Settings) -> None:
    permission = world.permit()
    for size in (200, 300):
        photo = world.seal(jpeg(size, 200))
        world.declare(photo, permission)
        world.upload(photo)
    first = min(world.uploads(), key=lambda upload: upload.created_at)
    (path,) = settings.door_objects.rglob(first.id.hex)
    path.rename(path.with_suffix(".kept"))
    path.mkdir()  # every call for this one fails, and for no other
    world.work()
    states = {photo.upload_id: (photo.state, photo.attempts) for photo in world.photos()}
    assert states.pop(first.id) == ("developing", 0)
    assert [state for state, _ in states.values()] == ["developed"]
    path.rmdir()
    path.with_suffix(".kept").rename(path)
    world.clock.moment += CLAIM_LIFETIME
    world.work()
    assert {photo.state for photo in world.photos()} == {"developed"}


def test_photographs_that_cannot_be_deleted_save_no_others_key_and_keep_nothing_from_being_developed(
    world: PhotoWorld, settings: Settings
) -> None:
    permission = world.permit()
    for size in range(STORE_TRIES + 2):
        photo = world.seal(jpeg(200 + size, 200))
        world.declare(photo, permission)
        world.upload(photo)
    world.work()
    for upload in world.uploads():
        (path,) = settings.door_objects.rglob(upload.id.hex)
        path.unlink()
        path.mkdir()  # every call for it fails
    slow = world.seal(jpeg(110, 90))
    world.declare(slow, permission)
    world.permit(granted=False)
    later = world.seal(jpeg(100, 90))
    world.declare(later, world.permit())
    world.upload(later)
    world.work()
    world.upload(slow)
    world.clock.moment += STORE_PAUSE
    world.work()
    states = [state for state, _, _ in story(world.agency, "photo")]
    assert states.count("developed") == STORE_TRIES + 3, "what was taken back is not developed in between"
    assert len([path for path in settings.photo_keys.rglob("*") if path.is_file()]) == 1
    assert {photo.state for photo in world.photos() if photo.op_id == later.photo_id} == {"developed"}
    for path in [path for path in settings.door_objects.rglob("*") if len(path.name) == 32 and path.is_dir()]:
        path.rmdir()
    world.clock.moment += ASIDE_FOR
    world.work()
    assert sorted(photo.state for photo in world.photos()) == ["destroyed"] * (STORE_TRIES + 3) + ["developed"]


def test_an_incomplete_upload_that_cannot_be_deleted_keeps_no_other_from_being_forgotten(
    world: PhotoWorld, settings: Settings
) -> None:
    for _ in range(2):
        photo = world.seal(jpeg(600, 500))
        created = announce(world.phone, photo)
        send_piece(world.phone, created.headers["Location"], 0, photo.sealed[:1000])
    stuck = world.uploads()[0].id
    (path,) = settings.door_objects.rglob(stuck.hex)
    path.unlink()
    path.mkdir()  # every call for it fails
    world.clock.moment += timedelta(days=8)
    world.work()
    assert {upload.id == stuck: upload.state for upload in world.uploads()} == {True: "receiving", False: "forgotten"}
    path.rmdir()
    world.clock.moment += ASIDE_FOR
    world.work()
    assert {upload.state for upload in world.uploads()} == {"forgotten"}


@FLAWS
def test_lost_papers_are_gone_in_words_and_their_visit_says_so_once(
    agency: UUID, as_role, settings: Settings, flaw: str
) -> None:
    with transaction(agency) as session:
        world = paper_world(session)
        creditor = stating(world)
        route = world.route(world.agent())
        person = world.person(creditor)
        visit = world.visit(route, 1, world.address(person), person, world.account(person, 123_456))
        want_letters(session, [visit.id], NOW)
        plan_id, route_id = route.plan_id, session.get_one(Route, (agency, route.id)).id
    client: OfficeClient = as_role("dispatcher")
    assert client.post(f"/api/v1/plans/{plan_id}/papers").json["letters"] == 1
    (letter,) = client.get(f"/api/v1/routes/{route_id}/letters").json
    damage(flaw, settings.office_objects)
    for path in (f"routes/{route_id}/sheet", f"letters/{letter['id']}/document", f"letters/{letter['id']}/document"):
        answer = client.get(f"/api/v1/{path}")
        assert (answer.status_code, answer.json["code"]) == (410, "gone"), path
        assert "missing or altered" in answer.json["detail"]
    assert story(agency, "letter") == [(None, f"document-{flaw}", [f"document-{flaw}"])]
    assert client.post(f"/api/v1/routes/{route_id}/prints").status_code == 200, "laid out anew"
