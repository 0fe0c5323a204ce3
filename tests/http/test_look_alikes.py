"""Photographs that were offered elsewhere already: by whom, how near, and found by an index."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from field_api.platform.database import transaction
from media.office.look_alikes import LOOK_ALIKES, look_alikes, search_for
from media.office.records import Photo
from tests.office_client import OfficeClient
from tests.photo_phone import enrolled_phone
from tests.photo_world import PhotoWorld
from tests.pictures import encoded, jpeg, jpeg_with_everything, patterned

pytest_plugins = ["tests.photo_fixtures"]


def test_a_photo_is_measured_against_its_visit_and_its_file(world: PhotoWorld, office_client: OfficeClient) -> None:
    world.visit.outcome("vacant")
    photo = world.developed(jpeg_with_everything())
    assert photo.hints == ["file-elsewhere", "file-other-time"]
    assert photo.from_address_m is not None and photo.from_visit_m == 0.0
    (item,) = office_client.get("/api/v1/photos").json["items"]
    assert (item["hints"], item["from_address_m"]) == (photo.hints, photo.from_address_m)
    destroyed = office_client.post(f"/api/v1/photos/{photo.id}/destroy", json={"reason": "not-needed"}).json
    assert (destroyed["hints"], destroyed["from_address_m"], destroyed["from_visit_m"]) == ([], None, None)


def test_a_picture_offered_again_is_found_from_both_sides(world: PhotoWorld, office_client: OfficeClient) -> None:
    first = world.developed(encoded(patterned(), quality=95))
    again_here = world.developed(encoded(patterned(), quality=60))
    assert {"same-picture", "near-picture"}.isdisjoint(first.hints + again_here.hints), "of one visit there are several"
    world.goes_on()
    second = world.developed(encoded(patterned().resize((300, 225)), quality=60))
    assert {"same-picture", "near-picture"} & set(second.hints)
    assert "other-agents-picture" not in second.hints
    items = office_client.get(f"/api/v1/photos/{second.id}/alike").json["items"]
    assert {item["id"] for item in items} == {str(first.id), str(again_here.id)}
    assert all(item["bits_apart"] <= 5 and item["agent_id"] == str(world.visit.agent_id) for item in items)
    (back,) = office_client.get(f"/api/v1/photos/{first.id}/alike").json["items"]
    assert (back["id"], back["visit_id"]) == (str(second.id), str(world.visit.visit_id))


def test_another_agents_picture_is_told_as_such(world: PhotoWorld) -> None:
    world.developed(encoded(patterned(), quality=95))
    world.goes_on()
    world.phone = enrolled_phone(world.door, world.agency, world.clock, UUID(int=99))
    world.visit.device_id = world.phone.device
    assert {"same-picture", "other-agents-picture"} <= set(world.developed(encoded(patterned(), quality=95)).hints)


def test_pictures_without_a_pattern_are_not_compared(world: PhotoWorld) -> None:
    first = world.developed(jpeg())
    assert first.dhash == "0" * 16
    world.goes_on()
    assert "same-picture" not in world.developed(jpeg()).hints


@pytest.mark.parametrize("many", [20_000, pytest.param(100_000, marks=pytest.mark.prove)])
def test_among_many_thousands_the_near_ones_are_found_by_the_bands(world: PhotoWorld, many: int) -> None:
    photo = world.developed(encoded(patterned(), quality=95))
    assert photo.dhash is not None
    world.goes_on()
    chance, value = random.Random(20261122), int(photo.dhash, 16)
    near = [value ^ sum(1 << bit for bit in chance.sample(range(64), bits)) for bits in (0, 1, 3, 5, 6, 7)]
    hashes = [*near, *(chance.getrandbits(64) for _ in range(many - len(near)))]
    _insert(world, [f"{one:016x}" for one in hashes])
    with transaction(world.agency) as session:
        session.execute(text("ANALYZE office.photo"))
        found = look_alikes(session, photo)
        assert [one.bits_apart for one in found] == [0, 1, 3, 5]
        plan = session.scalar(
            text(f"EXPLAIN (FORMAT JSON) {LOOK_ALIKES.text}"), search_for(photo.dhash, photo.visit_id)
        )
    used = set(_indexes(plan[0]["Plan"] if isinstance(plan, list) else json.loads(plan)[0]["Plan"]))
    assert {f"ix_photo_band_{number}" for number in (1, 2, 3, 4)} <= used, plan


def _indexes(node: dict[str, Any]) -> Iterator[str]:
    if "Index Name" in node:
        yield node["Index Name"]
    assert (node["Node Type"], node.get("Relation Name")) != ("Seq Scan", "photo")
    for inner in node.get("Plans", ()):
        yield from _indexes(inner)


def _insert(world: PhotoWorld, hashes: list[str]) -> None:
    """Rows of another visit, by one statement."""
    with transaction(world.agency) as session:
        session.execute(
            text("""
                INSERT INTO office.photo (agency_id, id, visit_id, op_id, device_id, upload_id, state, attempts,
                    subject, sha256, dhash, received_at)
                SELECT :agency, gen_random_uuid(), :visit, gen_random_uuid(), :device, gen_random_uuid(), 'developed',
                    1, 'facade', '', one, now() FROM unnest(CAST(:hashes AS text[])) one
            """),
            {"agency": world.agency, "visit": world.visit.visit_id, "device": world.phone.device, "hashes": hashes},
        )


def test_the_search_names_no_photograph_of_another_agency(world: PhotoWorld, other_agency: UUID) -> None:
    photo = world.developed(encoded(patterned(), quality=95))
    stranger = Photo(dhash=photo.dhash, visit_id=UUID(int=1))
    with transaction(other_agency) as session:
        assert look_alikes(session, stranger) == []
