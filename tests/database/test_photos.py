"""Photographs from the door to the renditions: no permission, no photo; what is destroyed opens nowhere."""

from __future__ import annotations

import io
import json
import os
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from PIL import Image
from sqlalchemy import select

from doorstep.server import Server
from field_api.domain.confidential import audience
from field_api.domain.disclosure import Audience
from field_api.platform.database import transaction
from field_api.platform.ids import new_id
from field_api.platform.problems import Problem
from field_api.platform.settings import Settings
from field_api.records.log import LogEntry
from field_api.records.visits import VisitEvent
from media.office.darkroom import darkroom
from media.office.destroy_photo import destroy_photo
from media.office.develop_photo import CLAIM_LIFETIME, develop_photo
from media.office.expected_photos import expected_photos
from media.office.link_uploads import link_uploads
from media.office.records import Photo, PhotoState
from media.office.show_rendition import show_rendition
from tests.photo_phone import announce, head, send_piece
from tests.photo_world import PhotoWorld
from tests.pictures import MARK, encoded, jpeg, jpeg_with_everything, patterned
from tests.planning_world import statements

pytest_plugins = ["tests.photo_fixtures"]


def shown(world: PhotoWorld, photo: Photo, size: str = "large") -> bytes:
    with transaction(world.agency) as session:
        return show_rendition(session, photo.id, size, darkroom(), actor="staff:test")


def story(world: PhotoWorld) -> list[dict[str, object]]:
    """What the visit says became of its photographs."""
    with audience(Audience.MANAGER), transaction(world.agency) as session:
        events = session.scalars(
            select(VisitEvent).where(VisitEvent.kind == "photo", VisitEvent.op_id.is_(None)).order_by(VisitEvent.id)
        )
        return [json.loads(one.body.reveal(Audience.MANAGER)) | {"flags": one.flags} for one in events]


def files_below(directory: Path) -> list[Path]:
    return [path for path in directory.rglob("*") if path.is_file()]


def test_a_permitted_photo_is_developed_and_the_visit_says_so(world: PhotoWorld) -> None:
    photo = world.developed(jpeg_with_everything())
    assert (photo.state, photo.reason, photo.subject) == ("developed", None, "facade")
    assert (photo.width, photo.height, len(photo.dhash or "")) == (400, 300, 16)
    assert (photo.latitude, photo.longitude, photo.accuracy_m) == (19.4326, -99.1332, 8.0)
    assert photo.captured_at is not None and photo.captured_at.isoformat() == "2026-11-18T16:00:00+00:00"
    assert [(line["state"], line["photo"]) for line in story(world)] == [("developed", str(photo.id))]
    assert shown(world, photo).startswith(b"\xff\xd8\xff")
    assert len(shown(world, photo, "small")) < len(shown(world, photo))
    assert world.work() == 0


def test_the_operation_may_come_after_the_bytes(world: PhotoWorld) -> None:
    photo = world.seal(jpeg())
    world.upload(photo)
    assert world.work() == 0
    assert world.photos() == []
    world.declare(photo, world.permit())
    assert world.work() == 2  # taken, developed
    assert world.only().state == "developed"


def test_what_the_file_said_of_itself_is_sealed_in_its_column(world: PhotoWorld, database: Server) -> None:
    photo = world.developed(jpeg_with_everything())
    assert photo.evidence is not None
    with audience(Audience.MANAGER):
        evidence = json.loads(photo.evidence.reveal(Audience.MANAGER))
    assert evidence["position"] == {"latitude": 20.6736, "longitude": -103.344}
    with transaction(world.agency) as session:
        raw = session.connection().exec_driver_sql("SELECT evidence FROM office.photo").scalar_one()
    assert b"20.6736" not in raw and MARK.encode() not in raw


def test_nothing_on_disk_shows_a_picture(world: PhotoWorld, settings: Settings) -> None:
    world.developed(jpeg_with_everything())
    files = files_below(settings.home / "objects") + files_below(settings.photo_keys)
    assert len(files) == 4  # as it came, two renditions, one key
    for path in files:
        body = path.read_bytes()
        assert b"\xff\xd8\xff" not in body[:64] and MARK.encode() not in body and b"JFIF" not in body


def test_without_a_permission_a_photo_is_kept_sealed_and_never_developed(world: PhotoWorld, settings: Settings) -> None:
    photo = world.seal(jpeg())
    world.declare(photo, None)
    world.upload(photo)
    world.work()
    row = world.only()
    assert (row.state, row.reason, row.large_key) == ("refused", "no-permission", None)
    assert story(world)[0]["reason"] == "no-permission"
    assert files_below(settings.office_objects) == []
    assert len(files_below(settings.door_objects)) == len(files_below(settings.photo_keys)) == 1
    assert world.work() == 0
    with pytest.raises(Problem, match="not-found"):
        shown(world, row)
    assert develop_photo(world.agency, row.id, world.clock.now(), darkroom()) is None


@pytest.mark.parametrize(
    ("by", "subjects", "reason"),
    [
        ("minor", (), "cannot-allow"),
        ("nobody", (), "cannot-allow"),
        ("sought", ("meter", "street"), "other-subject"),
        ("sought", ("facade",), None),
        ("spouse", (), None),
    ],
)
def test_a_permission_must_cover_the_photo(
    world: PhotoWorld, by: str, subjects: tuple[str, ...], reason: str | None
) -> None:
    photo = world.seal(jpeg())
    world.declare(photo, world.permit(*subjects, by=by))
    world.upload(photo)
    world.work()
    assert world.only().reason == reason
    assert world.only().state == ("refused" if reason else "developed")


def test_a_permission_of_another_visit_is_none(world: PhotoWorld) -> None:
    permission = world.permit()

    world.goes_on()
    photo = world.seal(jpeg())
    world.declare(photo, permission)
    world.upload(photo)
    world.work()
    assert world.only().reason == "no-permission"


def test_a_permission_taken_back_destroys_what_it_allowed(world: PhotoWorld, settings: Settings) -> None:
    before = world.developed(jpeg(300, 300))
    world.permit(granted=False)
    assert world.work() == 1
    row = world.only()
    assert (row.id, row.state, row.reason) == (before.id, "destroyed", "permission-withdrawn")
    assert files_below(settings.home / "objects") == files_below(settings.photo_keys) == []
    after = world.developed(jpeg(200, 300))
    assert after.state == "developed"
    assert world.work() == 0


def test_a_permission_taken_back_before_the_bytes_come(world: PhotoWorld) -> None:
    photo = world.seal(jpeg())
    world.declare(photo, world.permit())
    world.permit(granted=False)
    world.upload(photo)
    world.work()
    assert world.only().state == "destroyed"


def test_destroying_leaves_a_hash_and_nothing_that_opens(world: PhotoWorld, settings: Settings) -> None:
    photo = world.developed(jpeg_with_everything())
    (key_file,) = files_below(settings.photo_keys)
    wrap = key_file.read_bytes()
    link = settings.home / "second-name"
    os.link(key_file, link)  # a second name of the same bytes shows that they were overwritten, not only unlinked
    with transaction(world.agency) as session:
        destroy_photo(session, photo.id, darkroom(), now=world.clock.now(), actor="staff:1", reason="erasure-order")
        destroy_photo(session, photo.id, darkroom(), now=world.clock.now(), actor="staff:1", reason="not-needed")
    assert len(link.read_bytes()) == len(wrap) and link.read_bytes() != wrap
    assert files_below(settings.home / "objects") == files_below(settings.photo_keys) == []
    row = world.only()
    assert (row.state, row.reason) == ("destroyed", "erasure-order")
    assert (row.dhash, row.evidence, row.large_key, row.latitude, row.captured_at) == (None,) * 5
    assert row.sha256 == photo.sha256
    assert [line["state"] for line in story(world)] == ["developed", "destroyed"]
    with pytest.raises(Problem, match="gone"):
        shown(world, row)
    with transaction(world.agency) as session:
        kinds = [entry.kind for entry in session.scalars(select(LogEntry).order_by(LogEntry.id))]
    assert [kind for kind in kinds if kind in ("photo", "erasure")] == ["photo", "erasure"]


def test_a_destroyed_photo_does_not_come_back(world: PhotoWorld) -> None:
    photo = world.seal(jpeg())
    world.declare(photo, world.permit())
    location = world.upload(photo)
    world.work()
    with transaction(world.agency) as session:
        destroy_photo(session, world.only().id, darkroom(), now=world.clock.now(), actor="system", reason="not-needed")
    assert head(world.phone, location).status_code == 410
    assert announce(world.phone, photo).status_code == 410


@pytest.mark.parametrize(("image", "reason"), [(b"no picture at all", "not-a-picture"), (jpeg()[:3000], "undecodable")])
def test_what_cannot_be_read_is_quarantined_and_the_visit_says_so(
    world: PhotoWorld, settings: Settings, image: bytes, reason: str
) -> None:
    row = world.developed(image)
    assert (row.state, row.reason) == ("quarantined", reason)
    assert [(line["state"], line["reason"]) for line in story(world)] == [("quarantined", reason)]
    assert len(files_below(settings.door_objects)) == len(files_below(settings.photo_keys)) == 1
    assert world.work() == 0


def test_bytes_sealed_for_another_photo_are_quarantined(world: PhotoWorld) -> None:
    """The wrapped key opens, the chunks are bound to another id: nothing of them is decoded."""
    photo = world.seal(jpeg())
    stranger = world.seal(jpeg(), photo_id=None)
    mixed = replace(photo, sealed=stranger.sealed)
    world.declare(mixed, world.permit())
    world.upload(mixed)
    world.work()
    assert (world.only().state, world.only().reason) == ("quarantined", "not-authentic")


def test_a_key_wrapped_for_another_photo_is_quarantined(world: PhotoWorld) -> None:
    photo, stranger = world.seal(jpeg()), world.seal(jpeg())
    mixed = replace(photo, wrap=stranger.wrap)
    world.declare(mixed, world.permit())
    world.upload(mixed)
    world.work()
    assert world.only().reason == "wrap"


def test_bytes_that_rotted_on_disk_are_quarantined(world: PhotoWorld, settings: Settings) -> None:
    photo = world.seal(jpeg())
    world.upload(photo)
    (path,) = files_below(settings.door_objects)
    body = bytearray(path.read_bytes())
    body[1000] ^= 1
    path.write_bytes(body)
    world.declare(photo, world.permit())
    world.work()
    assert world.only().reason == "bytes-differ"


@pytest.mark.parametrize(("where", "reason"), [("photo_keys", "key-missing"), ("door_objects", "bytes-missing")])
def test_what_was_lost_is_named(world: PhotoWorld, settings: Settings, where: str, reason: str) -> None:
    photo = world.seal(jpeg())
    world.upload(photo)
    for path in files_below(getattr(settings, where)):
        path.unlink()
    world.declare(photo, world.permit())
    world.work()
    assert (world.only().state, world.only().reason) == ("quarantined", reason)


def test_an_upload_that_hashes_otherwise_is_quarantined_on_its_visit(world: PhotoWorld) -> None:
    photo = world.seal(jpeg())
    world.declare(photo, world.permit())
    location = announce(world.phone, photo).headers["Location"]
    send_piece(world.phone, location, 0, bytes(len(photo.sealed)))
    world.work()
    assert (world.only().state, world.only().reason) == ("quarantined", "upload-differs")
    assert head(world.phone, location).headers["Upload-State"] == "quarantined"


def test_an_upload_under_a_foreign_operation_is_set_aside(world: PhotoWorld) -> None:
    """Another phone uploads bytes of its own under the id of an operation that is not its own."""
    photo = world.seal(jpeg())
    world.declare(photo, world.permit())
    thief = replace(world, visit=replace(world.visit))
    stray = thief.seal(jpeg(100, 100), photo_id=photo.photo_id)
    thief.upload(stray)
    world.work()
    assert world.photos() == []
    assert [row.state for row in world.uploads()] == ["stray"]
    world.upload(photo)
    world.work()
    assert world.only().state == "developed"


def test_a_photo_offered_for_two_visits_is_flagged(world: PhotoWorld) -> None:
    world.developed(encoded(patterned()))
    world.goes_on()
    world.developed(encoded(patterned()))
    assert ["same-picture" in line["flags"] for line in story(world)] == [False, True]


def test_a_dead_workers_photo_is_taken_over_and_given_up_after_three(world: PhotoWorld) -> None:
    photo = world.seal(jpeg())
    world.declare(photo, world.permit())
    world.upload(photo)

    def dies(_: bytes) -> None:
        raise KeyboardInterrupt

    with transaction(world.agency) as session, audience(Audience.OFFICE_JOB):
        link_uploads(session, world.clock.now())
    room = replace(darkroom(), develop=dies)
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            develop_photo(world.agency, world.only().id, world.clock.now(), room)
        assert world.only().state == "developing"
        assert world.work() == 0  # somebody has it
        world.clock.advance(CLAIM_LIFETIME)
    assert world.work() == 1
    assert (world.only().state, world.only().attempts) == ("developed", 3)


def test_a_photo_destroyed_while_it_is_developed_stays_destroyed(world: PhotoWorld, settings: Settings) -> None:
    photo = world.seal(jpeg())
    world.declare(photo, world.permit())
    world.upload(photo)
    with transaction(world.agency) as session, audience(Audience.OFFICE_JOB):
        link_uploads(session, world.clock.now())
    row, room = world.only(), darkroom()

    def destroyed_meanwhile(image: bytes):
        with transaction(world.agency) as session:
            destroy_photo(session, row.id, room, now=world.clock.now(), actor="system", reason="not-needed")
        return room.develop(image)

    state = develop_photo(world.agency, row.id, world.clock.now(), replace(room, develop=destroyed_meanwhile))
    assert state == PhotoState.DESTROYED == world.only().state
    assert files_below(settings.home / "objects") == []


def test_a_photo_that_is_not_here_yet_is_expected(world: PhotoWorld) -> None:
    photo = world.seal(jpeg())
    world.declare(photo, world.permit())
    for count in (1, 0):
        with audience(Audience.MANAGER), transaction(world.agency) as session:
            found = expected_photos(session, world.visit.visit_id, Audience.MANAGER)
        assert [one.op_id for one in found] == [photo.photo_id] * count
        if count:
            world.upload(photo)
            world.work()


def test_abandoned_uploads_are_forgotten_after_seven_days(world: PhotoWorld, settings: Settings) -> None:
    photo = world.seal(jpeg())
    location = announce(world.phone, photo).headers["Location"]
    send_piece(world.phone, location, 0, photo.sealed[:1000])
    world.clock.advance(timedelta(days=7) - timedelta(seconds=1))
    assert world.work() == 0
    world.clock.advance(timedelta(seconds=1))
    assert world.work() == 1
    assert files_below(settings.door_objects) == files_below(settings.photo_keys) == []
    assert world.work() == 0


def test_linking_many_takes_a_fixed_number_of_statements(world: PhotoWorld) -> None:
    permission = world.permit()
    counts = []
    for number in (1, 6):
        for _ in range(number):
            photo = world.seal(b"not developed here")
            world.declare(photo, permission)
            world.upload(photo)
        with audience(Audience.OFFICE_JOB), transaction(world.agency) as session, statements() as seen:
            assert link_uploads(session, world.clock.now()) == number
        counts.append(len(seen))
    assert counts[0] == counts[1] <= 7


def test_another_agencys_photo_is_not_found(world: PhotoWorld) -> None:
    photo = world.developed(jpeg())

    with transaction(new_id()) as session, pytest.raises(Problem, match="not-found"):
        show_rendition(session, photo.id, "large", darkroom(), actor="staff:x")


def test_the_doors_role_neither_reads_photos_nor_deletes_uploads(world: PhotoWorld, database: Server) -> None:

    with psycopg.connect(database.conninfo("door"), autocommit=True) as door:
        for statement in (
            "SELECT * FROM office.photo",
            "DELETE FROM mailbox.upload",
            "UPDATE mailbox.upload SET sha256 = ''",
            "UPDATE mailbox.upload SET device_id = gen_random_uuid()",
            "UPDATE mailbox.upload SET taken_at = null",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                door.execute(statement)


def test_names_bind_the_rendition_too(world: PhotoWorld) -> None:
    """A rendition moved to another photo's place does not open, although both lie in one store."""
    first, second = world.developed(jpeg(300, 200)), world.developed(jpeg(200, 300))
    with transaction(world.agency) as session:
        session.get_one(Photo, (world.agency, second.id)).large_key = first.large_key
    with pytest.raises(Problem, match="unavailable"):
        shown(world, second)
    world.work()
    assert Image.open(io.BytesIO(shown(world, second))).size == (200, 300), "made anew from its own bytes"
