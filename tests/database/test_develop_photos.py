"""Several photographs developed by one worker: two in flight, settled in order, and none left in between."""

from __future__ import annotations

import sys
import threading
from contextlib import nullcontext
from dataclasses import replace
from uuid import UUID

import pytest

from field_api.domain.confidential import audience
from field_api.domain.disclosure import Audience
from field_api.domain.ports import Objects
from field_api.platform.database import transaction
from field_api.platform.store_trouble import StoreUnavailable
from field_api.platform.tenancy import acting_for
from media.office.darkroom import Darkroom, darkroom
from media.office.develop_photo import CLAIM_LIFETIME, MAX_ATTEMPTS
from media.office.develop_photos import IN_FLIGHT, develop_photos
from media.office.link_uploads import link_uploads
from media.sandbox.run import Renditions, Sandbox, develop_in_sandbox
from media.sandbox.starter import SandboxAbsent, SandboxLost
from tests.photo_world import PhotoWorld
from tests.pictures import encoded, patterned

pytest_plugins = ["tests.photo_fixtures"]


def declared(world: PhotoWorld, number: int) -> list[UUID]:
    """So many photographs of the same picture, each on a visit of its own, that wait to be developed."""
    for size in range(number):
        if size:
            world.goes_on()
        photo = world.seal(encoded(patterned(400 + 40 * size, 300 + 30 * size)))
        world.declare(photo, world.permit())
        world.upload(photo)
    with transaction(world.agency) as session, audience(Audience.OFFICE_JOB):
        link_uploads(session, world.clock.now())
    return [photo.id for photo in world.photos()]


def develop(world: PhotoWorld, ids: list[UUID], room: Darkroom) -> int:
    with audience(Audience.OFFICE_JOB):
        return develop_photos(world.agency, ids, world.clock.now(), room, nullcontext)


def test_two_are_in_flight_and_each_knows_those_before_it(world: PhotoWorld) -> None:
    ids, meeting = declared(world, 4), threading.Barrier(IN_FLIGHT, timeout=30)

    def together(image: bytes) -> Renditions:
        meeting.wait()  # broken, and so an error, where only one at a time gets here
        return develop_in_sandbox(image)

    assert develop(world, ids, replace(darkroom(), develop=together)) == 4
    assert [photo.state for photo in world.photos()] == ["developed"] * 4
    alike = [{"same-picture", "near-picture"} & set(photo.hints) for photo in world.photos()]
    assert [bool(hints) for hints in alike] == [False, True, True, True]


def test_trouble_with_one_leaves_none_in_flight(world: PhotoWorld) -> None:
    ids = declared(world, 3)

    def lost(image: bytes) -> Renditions:
        if image == encoded(patterned(400, 300)):
            raise SandboxLost("made up")
        return develop_in_sandbox(image)

    with pytest.raises(SandboxLost):
        develop(world, ids, replace(darkroom(), develop=lost))
    first, second, third = world.photos()
    assert (first.state, third.state) == ("developing", "awaiting")
    assert second.state == "developed"
    with acting_for(world.agency):
        assert darkroom().objects.get(second.large_key or "")


def test_a_machine_on_which_no_sandbox_begins_costs_a_photograph_no_try(world: PhotoWorld) -> None:
    ids, now = declared(world, 1), world.clock.now()
    with Sandbox((sys.executable, "-I", "-c", "raise SystemExit(1)")) as broken:
        for turn in range(MAX_ATTEMPTS + 1):
            with pytest.raises(SandboxAbsent), audience(Audience.OFFICE_JOB):
                later = now + turn * CLAIM_LIFETIME
                develop_photos(world.agency, ids, later, replace(darkroom(), develop=broken.develop), nullcontext)
            assert (world.only().state, world.only().attempts) == ("developing", 0)
    world.clock.advance((MAX_ATTEMPTS + 1) * CLAIM_LIFETIME)
    assert develop(world, ids, darkroom()) == 1
    assert world.only().state == "developed"


def test_a_store_that_takes_one_rendition_and_not_the_other_keeps_neither(world: PhotoWorld) -> None:
    """Each try left a large one that nothing named: the fuller the disk, the more of them."""
    ids, room = declared(world, 1), darkroom()
    objects = _Full(room.objects)
    with pytest.raises(StoreUnavailable):
        develop(world, ids, replace(room, objects=objects))
    assert objects.kept == 0
    assert world.only().state == "developing"


class _Full:
    """Has room for one object."""

    def __init__(self, objects: Objects) -> None:
        self._objects, self.kept = objects, 0

    def put(self, body: bytes) -> str:
        if self.kept:
            raise StoreUnavailable
        self.kept += 1
        return self._objects.put(body)

    def get(self, key: str) -> bytes:
        return self._objects.get(key)

    def delete(self, key: str) -> None:
        self.kept -= 1
        self._objects.delete(key)
