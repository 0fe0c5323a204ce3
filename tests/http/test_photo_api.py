"""What managers see of photographs, what others do not, and destroying one."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID, uuid4

from flask import Flask
from werkzeug.test import TestResponse

from tests.office_client import OfficeClient
from tests.photo_world import PhotoWorld
from tests.pictures import jpeg, jpeg_with_everything
from tests.planning_world import statements

pytest_plugins = ["tests.photo_fixtures"]

PHOTOS = "/api/v1/photos"


def opened(client: OfficeClient, photo_id: object, size: str = "large") -> TestResponse:
    """What a link leads to, or why there is none."""
    link = client.post(f"{PHOTOS}/{photo_id}/links", json={"size": size})
    return client.get(link.json["url"]) if link.status_code == 201 else link


def test_a_manager_lists_the_photos_of_a_visit_and_sees_them(world: PhotoWorld, office_client: OfficeClient) -> None:
    photo = world.developed(jpeg_with_everything())
    answer = office_client.get(f"{PHOTOS}?visit={world.visit.visit_id}")
    (item,) = answer.json["items"]
    assert (item["id"], item["state"], item["subject"]) == (str(photo.id), "developed", "facade")
    assert (item["op"], item["captured_at"][:19]) == (str(photo.op_id), "2026-11-18T16:00:00")
    assert item["evidence"]["camera"][0] == "Testmaker"
    assert opened(office_client, photo.id).status_code == 200


def test_refused_photos_are_listed_for_a_manager(world: PhotoWorld, office_client: OfficeClient) -> None:
    photo = world.seal(jpeg())
    world.declare(photo, None)
    world.upload(photo)
    world.work()
    (item,) = office_client.get(f"{PHOTOS}?state=refused").json["items"]
    assert item["reason"] == "no-permission"
    assert opened(office_client, item["id"]).status_code == 404
    assert office_client.get(f"{PHOTOS}?state=developed").json["items"] == []
    assert office_client.get(f"{PHOTOS}?state=nonsense").status_code == 422


def test_declared_photos_that_did_not_come_are_expected(world: PhotoWorld, office_client: OfficeClient) -> None:
    photo = world.seal(jpeg())
    world.declare(photo, world.permit(), subject="meter")
    (item,) = office_client.get(f"{PHOTOS}/expected?visit={world.visit.visit_id}").json["items"]
    assert (item["op"], item["subject"], item["permission_stands"]) == (str(photo.photo_id), "meter", True)


def test_nobody_else_sees_photographs(world: PhotoWorld, as_role: Callable[..., OfficeClient]) -> None:
    photo = world.developed(jpeg())
    for role in ("agent", "dispatcher", "admin", "controller", "integrator"):
        client = as_role(role)
        assert client.get(f"{PHOTOS}?visit={world.visit.visit_id}").status_code == 403, role
        assert opened(client, photo.id).status_code == 403, role
        assert client.post(f"{PHOTOS}/{photo.id}/destroy", json={"reason": "not-needed"}).status_code == 403, role
        assert client.post(f"{PHOTOS}/{photo.id}/allow", json={"reason": "r"}).status_code == 403, role


def test_a_manager_allows_a_refused_photo_with_a_reason(world: PhotoWorld, office_client: OfficeClient) -> None:
    photo = world.seal(jpeg())
    world.declare(photo, None)
    world.upload(photo)
    world.work()
    (item,) = office_client.get(f"{PHOTOS}?state=refused").json["items"]
    assert item["decide_by"] is not None
    path = f"{PHOTOS}/{item['id']}/allow"
    assert office_client.post(path, json={}).status_code == 422
    assert office_client.post(path, json={"reason": ""}).status_code == 422
    answer = office_client.post(path, json={"reason": "the owner allowed it in writing"})
    assert (answer.status_code, answer.json["state"], answer.json["decide_by"]) == (200, "awaiting", None)
    assert answer.json["allowed_at"] is not None and answer.json["allowed_by"] is not None
    world.work()
    assert opened(office_client, item["id"], "small").status_code == 200
    assert office_client.post(path, json={"reason": "again"}).json["state"] == "developed"
    assert office_client.post(f"{PHOTOS}/{uuid4()}/allow", json={"reason": "r"}).status_code == 404


def test_a_manager_destroys_a_refused_photo_at_once(world: PhotoWorld, office_client: OfficeClient) -> None:
    photo = world.seal(jpeg())
    world.declare(photo, None)
    world.upload(photo)
    world.work()
    path = f"{PHOTOS}/{world.only().id}"
    answer = office_client.post(f"{path}/destroy", json={"reason": "not-allowed"})
    assert (answer.json["state"], answer.json["reason"], answer.json["decide_by"]) == ("destroyed", "not-allowed", None)
    assert office_client.post(f"{path}/allow", json={"reason": "too late"}).status_code == 410
    assert office_client.post(f"{path}/destroy", json={"reason": "not-decided"}).status_code == 422, "nobody's decision"


def test_another_agencys_manager_finds_nothing(
    world: PhotoWorld, as_role: Callable[..., OfficeClient], other_agency: UUID
) -> None:
    photo = world.developed(jpeg())
    stranger = as_role("manager", agency_id=other_agency)
    assert stranger.get(PHOTOS).json["items"] == []
    assert opened(stranger, photo.id).status_code == 404
    assert stranger.post(f"{PHOTOS}/{photo.id}/destroy", json={"reason": "not-needed"}).status_code == 404
    assert stranger.post(f"{PHOTOS}/{photo.id}/allow", json={"reason": "r"}).status_code == 404


def test_destroying_needs_a_reason_and_lasts(world: PhotoWorld, office_client: OfficeClient) -> None:
    photo = world.developed(jpeg())
    path = f"{PHOTOS}/{photo.id}"
    assert office_client.post(f"{path}/destroy", json={}).status_code == 422
    assert office_client.post(f"{path}/destroy", json={"reason": "I felt like it"}).status_code == 422
    for _ in range(2):
        answer = office_client.post(f"{path}/destroy", json={"reason": "erasure-order"})
        assert (answer.status_code, answer.json["state"], answer.json["evidence"]) == (200, "destroyed", None)
    gone = opened(office_client, photo.id)
    assert (gone.status_code, gone.json["code"]) == (410, "gone")
    assert office_client.post(f"{PHOTOS}/{uuid4()}/destroy", json={"reason": "not-needed"}).status_code == 404


def test_a_page_takes_the_same_statements_however_long(
    world: PhotoWorld, office: Flask, office_client: OfficeClient
) -> None:
    permission = world.permit()
    counts = []
    for number in (1, 4):
        for _ in range(number):
            photo = world.seal(b"unread")
            world.declare(photo, permission)
            world.upload(photo)
        world.work()
        with office.app_context(), statements() as seen:
            page = office_client.get(f"{PHOTOS}?limit=3")
        counts.append(len(seen))
        assert len(page.json["items"]) == min(3, number)
    assert counts[0] == counts[1]
    second = office_client.get(f"{PHOTOS}?limit=3&after={page.json['next']}").json
    assert len(second["items"]) == 2
    assert second["next"] is None
