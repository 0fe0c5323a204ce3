"""What waits for a decision is destroyed when nobody takes it, and never while something may still come for it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select

from doorstep.backup.replay import replay
from field_api.domain.confidential import audience
from field_api.domain.disclosure import Audience
from field_api.domain.vocabulary import OpKind
from field_api.platform.database import transaction
from field_api.platform.devices import Device
from field_api.platform.problems import Problem
from field_api.platform.restore_journal import RestoreJournal
from field_api.platform.settings import Settings
from field_api.platform.wiring import office_keys
from field_api.records.log import LogEntry
from field_api.records.visits import VisitEvent
from media.office.allow_photo import allow_photo
from media.office.darkroom import darkroom
from media.office.destroy_photo import destroy_photo
from media.office.destroy_undecided import destroy_undecided, undecided_photos
from media.office.records import Photo
from media.records import Upload
from sync.mailbox import DeviceContact, Durable, InboxOp
from tests.photo_phone import SealedPhoto, announce
from tests.photo_world import PhotoWorld
from tests.pictures import jpeg

pytest_plugins = ["tests.photo_fixtures"]

HOURS_72 = timedelta(hours=72)
SECOND = timedelta(seconds=1)
DAY = timedelta(days=1)


@pytest.fixture
def journal(app: Flask, tmp_path: Path) -> Iterator[RestoreJournal]:
    journal = RestoreJournal(tmp_path / "elsewhere")
    journal.make()
    app.extensions["doorstep.journal"] = journal
    yield journal
    app.extensions.pop("doorstep.journal", None)


def refused(world: PhotoWorld) -> Photo:
    photo = world.seal(jpeg())
    world.declare(photo, None)
    world.upload(photo)
    world.work()
    return world.only()


def announced_again(world: PhotoWorld, photo: SealedPhoto) -> int:
    """What the door says, days after the phone was there last."""
    announce(world.phone, photo)  # its anchor is days old; the answer brings a new one
    return announce(world.phone, photo).status_code


def allow(world: PhotoWorld, photo_id: UUID, reason: str = "the owner wrote to us") -> Photo:
    with audience(Audience.MANAGER), transaction(world.agency) as session:
        return allow_photo(session, photo_id, reason=reason, by=None, now=world.clock.now())


def story(world: PhotoWorld) -> list[dict[str, object]]:
    with audience(Audience.MANAGER), transaction(world.agency) as session:
        events = session.scalars(
            select(VisitEvent).where(VisitEvent.kind == "photo", VisitEvent.op_id.is_(None)).order_by(VisitEvent.id)
        )
        return [json.loads(one.body.reveal(Audience.MANAGER)) for one in events]


def decisions(world: PhotoWorld) -> list[dict[str, object]]:
    with transaction(world.agency) as session:
        return list(session.scalars(select(LogEntry.detail).where(LogEntry.kind == "decision").order_by(LogEntry.id)))


def files_left(settings: Settings) -> int:
    below = (settings.home / "objects", settings.photo_keys)
    return sum(path.is_file() for directory in below for path in directory.rglob("*"))


def test_a_manager_allows_what_was_refused_and_it_is_developed(world: PhotoWorld) -> None:
    photo = refused(world)
    assert photo.decide_by == world.clock.now() + HOURS_72
    allowed = allow(world, photo.id)
    assert (allowed.state, allowed.reason, allowed.decide_by, allowed.allowed_at) == (
        "awaiting", None, None, world.clock.now(),
    )  # fmt: skip
    allow(world, photo.id, "a second time")
    assert world.work() == 1
    assert world.only().state == "developed"
    told = story(world)
    assert [line["state"] for line in told] == ["refused", "awaiting", "developed"]
    assert told[1]["decision"] == {"allowed": "the owner wrote to us", "overruled": "no-permission"}
    (decision,) = decisions(world)
    assert (decision["decision"], decision["photo"], decision["overruled"]) == (
        "photo-allowed", str(photo.id), "no-permission",
    )  # fmt: skip
    assert "wrote" not in json.dumps(decision)
    world.clock.advance(HOURS_72)
    assert world.work() == 0, "what was allowed is not destroyed for want of a decision"


def test_only_what_was_refused_is_allowed(world: PhotoWorld) -> None:
    photo = world.developed(jpeg())
    with pytest.raises(Problem, match="conflict"):
        allow(world, photo.id)
    with transaction(world.agency) as session:
        destroy_photo(session, photo.id, darkroom(), now=world.clock.now(), actor="system", reason="not-allowed")
    with pytest.raises(Problem, match="gone"):
        allow(world, photo.id)


def test_nobody_decided_in_72_hours_and_it_is_destroyed(world: PhotoWorld, settings: Settings) -> None:
    photo = refused(world)
    world.clock.advance(HOURS_72 - SECOND)
    assert world.work() == 0
    assert world.only().state == "refused"
    world.clock.advance(SECOND)
    assert world.work() == 1
    row = world.only()
    assert (row.state, row.reason, row.sha256) == ("destroyed", "not-decided", photo.sha256)
    assert files_left(settings) == 0
    assert [(line["state"], line["reason"]) for line in story(world)][-1] == ("destroyed", "not-decided")
    (decision,) = decisions(world)
    assert decision == {
        "decision": "photo-destroyed", "photo": str(photo.id), "by": "system", "reason": "not-decided",
    }  # fmt: skip
    assert world.work() == 0


def test_the_72_hours_run_from_when_a_manager_can_see_it(world: PhotoWorld) -> None:
    photo = world.seal(jpeg())
    world.upload(photo)
    world.clock.advance(5 * DAY)
    world.declare(photo, None)
    world.work()
    assert (world.only().state, world.only().decide_by) == ("refused", world.clock.now() + HOURS_72)


def test_a_manager_who_was_quicker_keeps_it(world: PhotoWorld) -> None:
    photo = refused(world)
    world.clock.advance(HOURS_72)
    with transaction(world.agency) as session:
        assert list(undecided_photos(session, world.clock.now())) == [photo.id]
    allow(world, photo.id)
    with transaction(world.agency) as session:
        assert not destroy_undecided(session, photo.id, darkroom(), world.clock.now())
    assert world.only().state == "awaiting"


def test_a_destruction_for_want_of_a_decision_survives_a_restore(
    world: PhotoWorld, journal: RestoreJournal, settings: Settings
) -> None:
    refused(world)
    stray = a_stray(world)
    kept = [path for path in settings.photo_keys.rglob("*") if path.is_file()]
    backup = {path: path.read_bytes() for path in kept}
    before, uploads = world.photos(), world.uploads()
    world.clock.advance(HOURS_72)
    assert world.work() == 2
    assert not any(path.exists() for path in kept)
    for path, body in backup.items():  # as a backup of before would bring it all back
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
    with transaction(world.agency) as session:
        for photo in before:
            session.get_one(Photo, (world.agency, photo.id)).state = "refused"
        for upload in uploads:
            session.get_one(Upload, (world.agency, upload.id)).state = upload.state
    keys = office_keys().of(world.agency)
    with audience(Audience.OFFICE_JOB), transaction(world.agency) as session:
        done = replay(session, keys, journal.read(keys), darkroom(), world.clock.now())
    assert done.erasures == 2
    assert {upload.state for upload in world.uploads()} == {"destroyed"}
    assert world.only().state == "destroyed"
    assert not any(path.exists() for path in kept)
    assert announced_again(world, stray) == 410


def test_a_restore_gives_managers_their_72_hours_anew(world: PhotoWorld) -> None:
    """What they allowed since the backup is forgotten: it must not be destroyed for want of a decision at once."""
    refused(world)
    world.clock.advance(4 * DAY)
    with audience(Audience.OFFICE_JOB), transaction(world.agency) as session:
        replay(session, office_keys().of(world.agency), [], darkroom(), world.clock.now())
    world.work()
    assert (world.only().state, world.only().decide_by) == ("refused", world.clock.now() + HOURS_72)


def a_stray(world: PhotoWorld) -> SealedPhoto:
    """Bytes under the id of an operation that declares others."""
    declared = world.seal(jpeg(300, 300))
    world.declare(declared, world.permit())
    stray = world.seal(jpeg(100, 100), photo_id=declared.photo_id)
    world.upload(stray)
    world.work()
    return stray


def test_bytes_that_were_declared_otherwise_are_destroyed_after_72_hours(world: PhotoWorld, settings: Settings) -> None:
    stray = a_stray(world)
    assert [row.state for row in world.uploads()] == ["stray"]
    world.clock.advance(HOURS_72 - SECOND)
    assert world.work() == 0
    world.clock.advance(SECOND)
    assert world.work() == 1
    (row,) = world.uploads()
    assert row.state == "destroyed"
    assert files_left(settings) == 0
    (decision,) = decisions(world)
    assert decision == {
        "decision": "upload-destroyed", "upload": str(row.id), "sha256": stray.sha256.hex(),
        "reason": "declared-otherwise",
    }  # fmt: skip
    assert announced_again(world, stray) == 410


def test_a_stray_whose_own_operation_came_after_all_is_taken(world: PhotoWorld) -> None:
    """Another phone had declared this id first."""
    mine = world.seal(jpeg())
    permission = world.permit()
    other = replace(world.visit, device_id=UUID(int=7))
    body = {"sha256": "A" * 43, "subject": "facade", "permission": str(permission)}
    other.records(OpKind.PHOTO, body, op_id=mine.photo_id)
    world.upload(mine)
    world.work()
    assert [row.state for row in world.uploads()] == ["stray"]
    world.declare(mine, permission)
    world.clock.advance(HOURS_72)
    world.work()
    world.work()
    assert world.only().state == "developed"


def undeclared(world: PhotoWorld) -> SealedPhoto:
    photo = world.seal(jpeg())
    world.upload(photo)
    world.work()
    return photo


def tells(world: PhotoWorld, newest: int, held_through: int, excepted: tuple[int, ...] = ()) -> None:
    """The phone says how many operations it made; the office states how many of them it holds."""
    now = world.clock.now()
    of = {"agency_id": world.agency, "device_id": world.phone.device}
    with transaction(world.agency) as session:
        session.merge(DeviceContact(**of, heard_at=now, newest_seq=newest, newest_told_at=now, clock_ahead_s=0))
        session.merge(
            Durable(**of, durable_seq=held_through, excepted=list(excepted), number=1, statement=b"", sig=b"")
        )


def upload_state(world: PhotoWorld) -> str:
    (row,) = world.uploads()
    return row.state


def test_bytes_of_a_phone_that_is_silent_wait_for_ever(world: PhotoWorld) -> None:
    undeclared(world)
    tells_before_the_upload = world.clock.now()
    for _ in range(40):
        world.clock.advance(10 * DAY)
        assert world.work() == 0
    assert upload_state(world) == "complete"
    assert world.clock.now() - tells_before_the_upload == 400 * DAY


def test_bytes_that_their_phone_never_declared_are_destroyed_after_30_days(world: PhotoWorld) -> None:
    photo = undeclared(world)
    world.clock.advance(DAY)
    tells(world, newest=12, held_through=12)
    world.clock.advance(29 * DAY - SECOND)
    assert world.work() == 0
    world.clock.advance(DAY + SECOND)  # it is looked at once a day
    assert world.work() == 1
    assert upload_state(world) == "destroyed"
    assert decisions(world)[0]["reason"] == "not-declared"
    assert announced_again(world, photo) == 410


@pytest.mark.parametrize(
    ("newest", "held", "excepted"), [(12, 11, ()), (12, 12, (4,)), (12, 0, ())], ids=["gap", "spoiled", "nothing held"]
)
def test_bytes_whose_operation_may_still_lie_on_the_phone_wait_on(
    world: PhotoWorld, newest: int, held: int, excepted: tuple[int, ...]
) -> None:
    photo = undeclared(world)
    world.clock.advance(DAY)
    tells(world, newest, held, excepted)
    world.clock.advance(60 * DAY)
    assert world.work() == 0
    world.declare(photo, world.permit())
    world.work()
    assert world.only().state == "developed"


def test_what_the_phone_said_before_the_upload_proves_nothing(world: PhotoWorld) -> None:
    tells(world, newest=12, held_through=12)
    undeclared(world)
    world.clock.advance(60 * DAY)
    assert world.work() == 0
    assert upload_state(world) == "complete"


def test_bytes_whose_operation_waits_for_a_person_wait_with_it(world: PhotoWorld) -> None:
    photo = undeclared(world)
    world.clock.advance(DAY)
    tells(world, newest=1, held_through=1)
    kept = InboxOp(
        agency_id=world.agency, device_id=world.phone.device, op_id=photo.photo_id, seq=1, protected=b"", ct=b"",
        sig=b"", link=b"", receipt=b"", receipt_sig=b"", received_at=world.clock.now(), state="quarantined",
    )  # fmt: skip
    with transaction(world.agency) as session:
        session.add(kept)
    world.clock.advance(60 * DAY)
    assert world.work() == 0
    close(world, photo, world.clock.now())
    world.clock.advance(DAY)
    assert world.work() == 1
    assert upload_state(world) == "destroyed"


def close(world: PhotoWorld, photo: SealedPhoto, now: datetime) -> None:
    """A person looked: there is nothing to do."""
    with transaction(world.agency) as session:
        session.get_one(InboxOp, (world.agency, world.phone.device, photo.photo_id)).closed_at = now


def test_bytes_of_a_revoked_phone_end_after_180_days(world: PhotoWorld) -> None:
    undeclared(world)
    world.clock.advance(DAY)
    with transaction(world.agency) as session:
        device = session.get_one(Device, (world.agency, world.phone.device))
        device.state, device.revoked_at = "revoked", world.clock.now()
    world.clock.advance(180 * DAY - SECOND)
    assert world.work() == 0
    world.clock.advance(DAY + SECOND)
    assert world.work() == 1
    assert upload_state(world) == "destroyed"
