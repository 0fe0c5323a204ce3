"""Rotation reaches every wrapped key and no photograph; a key that came back goes again; what ends leaves a hash."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from click.testing import CliRunner
from flask import Flask
from sqlalchemy import inspect, select, text
from sqlalchemy.orm import Session
from structlog.testing import capture_logs

import doorstep.commands.agency
import doorstep.commands.keys
import doorstep.commands.photo
from field_api.domain.photo_retention import photo_retention
from field_api.platform.clock import SystemClock
from field_api.platform.database import db, transaction, transaction_beside
from field_api.platform.ids import new_id
from field_api.platform.key_rotation import KeyFiles
from field_api.platform.problems import Problem
from field_api.platform.root_keys import certify_request
from field_api.platform.sealing import sha256
from field_api.platform.tenancy import acting_for
from field_api.platform.wiring import office_keys
from field_api.records.agency import Agency
from field_api.records.log import LogEntry
from field_api.records.visits import Visit
from media import photo_keys
from media.office.darkroom import darkroom
from media.office.destroy_photo import destroy_photo
from media.office.destroy_undecided import DECIDE_WITHIN
from media.office.develop_photo import CLAIM_LIFETIME, MAX_ATTEMPTS
from media.office.photos_about import Subject, visits_about
from media.office.records import Photo
from media.office.rewrap_keys import rewrap_keys
from media.office.show_rendition import show_rendition
from media.photo_keys import PhotoKeys
from media.records import Upload
from tests.photo_phone import SealedPhoto, announce, send_piece
from tests.photo_world import PhotoWorld
from tests.pictures import jpeg

pytest_plugins = ["tests.photo_fixtures"]

DAY = timedelta(days=1)


def rotate(world: PhotoWorld) -> str:
    """A new sealing key, as `doorstep keys rotate sealing` makes it; the id of the one before."""
    before = office_keys().fresh(world.agency).sealing_certificate.key_id
    files, now = KeyFiles(world.settings.home / "keys", world.agency), SystemClock().now()
    root = world.settings.home / "keys" / "root" / f"{world.agency}.json"
    files.install(certify_request(root, files.request("sealing", now), now), now)
    assert newest(world) != before
    return before


def newest(world: PhotoWorld) -> str:
    return office_keys().fresh(world.agency).sealing_certificate.key_id


def forget_key(world: PhotoWorld, key_id: str) -> None:
    """Take the private half of a sealing key out of the office's file."""
    path = world.settings.office_keys / f"{world.agency}.json"
    stored = json.loads(path.read_text())
    stored["sealing"] = [entry for entry in stored["sealing"] if entry["kid"] != key_id]
    path.write_text(json.dumps(stored))
    office_keys().fresh(world.agency)


def files_below(*folders: Path) -> dict[Path, tuple[bytes, int]]:
    """Path -> bytes and when they were written."""
    paths = (path for folder in folders for path in folder.rglob("*") if path.is_file())
    return {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in paths}


def stored_key_ids(world: PhotoWorld) -> list[str | None]:
    keys = PhotoKeys(world.settings.photo_keys)
    return [keys.get(world.agency, upload.id).key_id for upload in world.uploads()]


def shown(world: PhotoWorld, photo_id: UUID) -> bytes:
    with transaction(world.agency) as session:
        return show_rendition(session, photo_id, "large", darkroom(), actor="staff:test")


def uploaded(world: PhotoWorld, permission: UUID | None = None) -> SealedPhoto:
    photo = world.seal(jpeg())
    world.declare(photo, permission)
    world.upload(photo)
    return photo


def taken(world: PhotoWorld) -> Photo:
    """A photograph of the office's, quickly: without a permission none is developed."""
    uploaded(world)
    world.work()
    return world.photos()[-1]


def run(group: object, *arguments: str, agency: UUID, answer: str | None = None, code: int = 0) -> str:
    """A command's output; it acts for this agency in the running application."""

    @contextmanager
    def here() -> Iterator[UUID]:
        yield agency

    with pytest.MonkeyPatch.context() as patch:
        for module in (doorstep.commands.keys, doorstep.commands.photo, doorstep.commands.agency):
            patch.setattr(module, "office_context", here)
        done = CliRunner().invoke(group, arguments, input=answer)  # type: ignore[arg-type]
    assert done.exit_code == code, (done.output, done.exception)
    return done.output


def destroy(world: PhotoWorld, photo_id: UUID, reason: str = "not-needed") -> None:
    with transaction(world.agency) as session:
        destroy_photo(session, photo_id, darkroom(), now=world.clock.now(), actor="staff:1", reason=reason)


def decisions(world: PhotoWorld) -> list[dict[str, object]]:
    with transaction(world.agency) as session:
        return list(session.scalars(select(LogEntry.detail).where(LogEntry.kind == "decision").order_by(LogEntry.id)))


def test_after_a_rotation_no_wrap_needs_the_old_key_and_no_photograph_was_written(world: PhotoWorld) -> None:
    developed = world.developed(jpeg())
    refused = uploaded(world)
    world.work()
    pictures = files_below(world.settings.home / "objects")
    old = rotate(world)
    assert uploaded(world).key_id == newest(world)
    assert world.work() == 3  # the new one is taken, the keys of the two older ones are sealed anew
    assert stored_key_ids(world).count(newest(world)) == 2
    assert {path: pictures[path] for path in pictures} == {
        path: found for path, found in files_below(world.settings.home / "objects").items() if path in pictures
    }
    assert world.work() == 0
    forget_key(world, old)
    assert shown(world, developed.id).startswith(b"\xff\xd8\xff")
    run(
        doorstep.commands.photo.photo, "allow", str(world.photos()[1].id), "--reason", "in writing", agency=world.agency
    )
    world.work()
    assert world.photos()[1].state == "developed"
    assert announce(world.phone, refused).status_code == 201, "what its phone sent once is what it says again"


def test_what_phones_still_seal_to_the_old_key_is_sealed_anew_as_it_is_taken(world: PhotoWorld) -> None:
    photo = world.seal(jpeg())
    old = rotate(world)
    assert photo.key_id == old
    world.declare(photo, None)
    location = announce(world.phone, photo).headers["Location"]
    send_piece(world.phone, location, 0, photo.sealed[:1000])
    world.work()
    assert stored_key_ids(world) == [None], "an upload that is not the office's yet stays as it came"
    assert "photographs 0  uploads 1" in needed(world)[old]
    send_piece(world.phone, location, 1000, photo.sealed[1000:])
    assert world.work() == 2  # taken, sealed anew
    assert stored_key_ids(world) == [newest(world)]
    assert needed(world) == {
        old: f"sealing  {old}  retired  photographs 0  uploads 0  operations 0  nothing here waits for it",
        newest(world): f"sealing  {newest(world)}  in use   photographs 1  uploads 0  operations 0",
    }
    row = world.uploads()[0]
    assert (row.sealing_key_id, row.wrap_sha256) == (old, sha256(photo.wrap))


def needed(world: PhotoWorld) -> dict[str, str]:
    lines = run(doorstep.commands.keys.keys, "needed", agency=world.agency).splitlines()
    return {line.split()[1]: line for line in lines if line.startswith("sealing")}


def test_a_worker_that_dies_between_file_and_row_is_followed_by_another(world: PhotoWorld) -> None:
    taken(world)
    old = rotate(world)
    with pytest.raises(KeyboardInterrupt), transaction(world.agency) as session:
        assert rewrap_keys(session, darkroom()) == 1
        raise KeyboardInterrupt
    assert (world.only().wrap_key_id, stored_key_ids(world)) == (old, [newest(world)])
    before = files_below(world.settings.photo_keys)
    assert world.work() == 1
    assert world.only().wrap_key_id == newest(world)
    assert files_below(world.settings.photo_keys) == before


def test_rotating_and_destroying_at_once_brings_no_key_back(world: PhotoWorld) -> None:
    photo = taken(world)
    rotate(world)
    with transaction(world.agency) as session:
        destroy_photo(session, photo.id, darkroom(), now=world.clock.now(), actor="system", reason="not-needed")
        with transaction_of_another(world) as other:
            assert rewrap_keys(other, darkroom()) == 0, "somebody has it"
    assert files_below(world.settings.photo_keys) == {}
    second = taken(world)
    rotate(world)
    with transaction(world.agency) as session:
        assert rewrap_keys(session, darkroom()) == 1
        destroyer = threading.Thread(target=in_context(world.app, lambda: destroy(world, second.id)))
        destroyer.start()
        destroyer.join(0.3)
        assert destroyer.is_alive(), "it waits for the row"
        assert len(files_below(world.settings.photo_keys)) == 1
    destroyer.join(10)
    assert world.photos()[-1].state == "destroyed"
    assert files_below(world.settings.photo_keys) == {}


@contextmanager
def transaction_of_another(world: PhotoWorld) -> Iterator[object]:
    """A session of its own while one is open here."""
    with acting_for(world.agency), Session(db.engine) as session:
        session.execute(text("SELECT set_config('doorstep.agency', :agency, true)"), {"agency": str(world.agency)})
        yield session
        session.rollback()


def in_context(app: Flask, work: object) -> object:
    def runs() -> None:
        with app.app_context():
            work()  # type: ignore[operator]

    return runs


def test_what_opens_under_no_key_is_told_and_not_tried_for_ever(world: PhotoWorld) -> None:
    taken(world)
    lost = taken(world)
    old = rotate(world)
    for path in files_below(world.settings.photo_keys):
        if path.name == lost.upload_id.hex:
            path.unlink()
    kept = (world.settings.office_keys / f"{world.agency}.json").read_text()
    stored = json.loads(kept)
    stored["sealing"][0]["private"] = stored["sealing"][1]["private"]  # the certificate is there, its key is not
    (world.settings.office_keys / f"{world.agency}.json").write_text(json.dumps(stored))
    office_keys().fresh(world.agency)
    assert world.work() == 2
    assert world.work() == 0
    assert sorted(photo.wrap_key_id for photo in world.photos()) == ["absent", "unopenable"]
    assert stored_key_ids_of(world, world.photos()[0]) is None, "it lies there as it was"
    (world.settings.office_keys / f"{world.agency}.json").write_text(kept)
    office_keys().fresh(world.agency)
    told = run(doorstep.commands.keys.keys, "rewrap", agency=world.agency)
    assert told.endswith("2 looked at; 0 do not open under any key here, 1 have no key\n")
    assert sorted(photo.wrap_key_id for photo in world.photos()) == sorted([newest(world), "absent"])
    assert needed(world)[old].endswith("nothing here waits for it")


def stored_key_ids_of(world: PhotoWorld, photo: Photo) -> str | None:
    return PhotoKeys(world.settings.photo_keys).get(world.agency, photo.upload_id).key_id


def copied_back(saved: Path, store: Path) -> None:
    """As an operator does it: times kept, also those of directories."""
    shutil.copytree(saved, store, dirs_exist_ok=True, copy_function=shutil.copy2)


def test_a_key_that_somebody_copied_back_is_destroyed_again(world: PhotoWorld, tmp_path: Path) -> None:
    kept, gone = taken(world), taken(world)
    store = world.settings.photo_keys
    shutil.copytree(store, tmp_path / "old", copy_function=shutil.copy2)
    destroy(world, gone.id)
    world.work()
    copied_back(tmp_path / "old", store)
    assert len(files_below(store)) == 2
    with capture_logs() as lines:
        assert world.work() == 1
    upload = next(row for row in world.uploads() if row.id == gone.upload_id)
    assert [path.name for path in files_below(store)] == [kept.upload_id.hex]
    told = {"upload": str(upload.id), "sha256": upload.sha256.hex()}
    assert decisions(world)[-1] == {"decision": "photo-key-returned", **told}
    assert [line for line in lines if line["event"] == "photo-key-returned"] == [
        {"event": "photo-key-returned", "log_level": "warning", **told}
    ]
    assert world.work() == 0
    shutil.rmtree(store)
    shutil.copytree(tmp_path / "old", store, copy_function=shutil.copy2)  # the whole store, and again
    assert world.work() == 1
    assert [path.name for path in files_below(store)] == [kept.upload_id.hex]


def test_a_leftover_of_a_destroyed_photographs_key_goes_with_it(world: PhotoWorld) -> None:
    photo = taken(world)
    destroy(world, photo.id)
    (world.settings.photo_keys / str(world.agency) / photo.upload_id.hex[:2] / f"{photo.upload_id.hex}.part").write_bytes(
        b"what a worker left that died while it sealed the key anew"
    )  # fmt: skip
    assert world.work() == 1
    assert files_below(world.settings.photo_keys) == {}


def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """What lies in the key store has lain there for longer than its clock ticks."""
    monkeypatch.setattr("media.office.sweep_keys.SETTLED_NS", -DAY // timedelta(microseconds=1) * 1000)


def test_a_key_that_is_back_goes_also_where_its_phone_asked_at_that_moment(
    world: PhotoWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settled(monkeypatch)
    photo = taken(world)
    store = world.settings.photo_keys
    shutil.copytree(store, tmp_path / "old", copy_function=shutil.copy2)
    destroy(world, photo.id)
    copied_back(tmp_path / "old", store)
    with transaction_beside(world.agency) as asking:
        asking.get_one(Upload, (world.agency, photo.upload_id), with_for_update=True)  # as the door does for HEAD
        assert world.work() == 0
    assert world.work() == 1
    assert files_below(store) == {}


def test_a_key_that_cannot_be_overwritten_keeps_nothing_else_from_being_done(
    world: PhotoWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settled(monkeypatch)
    photo = taken(world)
    store = world.settings.photo_keys
    shutil.copytree(store, tmp_path / "old", copy_function=shutil.copy2)
    destroy(world, photo.id)
    copied_back(tmp_path / "old", store)

    def refused(_path: Path) -> bool:
        raise PermissionError("another user's file")

    with monkeypatch.context() as meanwhile, capture_logs() as lines:
        meanwhile.setattr("media.photo_keys.shred", refused)
        assert world.developed(jpeg()).state == "developed"
    assert {
        "event": "store-unavailable",
        "log_level": "error",
        "store": "photo-keys",
        "error": "PermissionError",
    } in lines
    assert world.work() == 1
    assert photo.upload_id.hex not in [path.name for path in files_below(store)]


def test_a_photograph_whose_key_cannot_be_overwritten_keeps_no_other_from_going(
    world: PhotoWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = taken(world)
    taken(world)
    shreds = photo_keys.shred

    def refused(path: Path) -> bool:
        if path.name.startswith(held.upload_id.hex):
            raise PermissionError("another user's file")
        return shreds(path)

    world.work()
    world.clock.advance(DECIDE_WITHIN)
    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(photo_keys, "shred", refused)
        world.work()
    assert [photo.state for photo in world.photos()] == ["refused", "destroyed"]
    world.clock.advance(DAY)
    world.work()
    assert [photo.state for photo in world.photos()] == ["destroyed", "destroyed"]


def test_a_key_that_cannot_be_read_costs_no_try_and_is_told_as_later(
    world: PhotoWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a restore as another user every key is like that, until somebody gives them back."""

    def refused(_path: Path) -> bytes:
        raise PermissionError("another user's file")

    uploaded(world, world.permit())
    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(photo_keys, "_read_standing", refused)
        for _ in range(MAX_ATTEMPTS + 1):
            world.work()
            assert (world.only().state, world.only().attempts) == ("developing", 0)
            world.clock.advance(CLAIM_LIFETIME)
    rotate(world)
    world.work()
    assert world.only().state == "developed"
    monkeypatch.setattr(photo_keys, "_read_standing", refused)
    with pytest.raises(Problem, match="unavailable"):
        shown(world, world.only().id)
    rotate(world)
    assert world.work() == 0


def test_a_key_whose_row_is_not_committed_yet_stays(world: PhotoWorld) -> None:
    upload_id = new_id()
    PhotoKeys(world.settings.photo_keys).put(world.agency, upload_id, b"wrap")
    assert world.work() == 0
    assert len(files_below(world.settings.photo_keys)) == 1


def keep_for(world: PhotoWorld, days: object) -> None:
    with transaction(world.agency) as session:
        session.get_one(Agency, world.agency).policy = {"photo_retention_days": days}


def test_photographs_are_kept_until_the_agency_says_for_how_long(world: PhotoWorld) -> None:
    developed = world.developed(jpeg())
    taken(world)
    world.clock.advance(DAY)
    world.phone.take_anchor()
    young = taken(world)
    world.clock.advance(DAY)
    for nonsense in (None, "1", 0, -1, True, 1.5, 36_501):
        keep_for(world, nonsense)
        assert photo_retention({"photo_retention_days": nonsense}) is None
        assert world.work() == 0
    keep_for(world, 3)
    assert world.work() == 0
    keep_for(world, 2)
    assert world.work() == 2
    ended = {photo.id: (photo.state, photo.reason) for photo in world.photos()}
    assert ended.pop(young.id) == ("refused", "no-permission")
    assert set(ended.values()) == {("destroyed", "retention-end")}
    assert developed.id in ended
    assert len(files_below(world.settings.photo_keys)) == 1
    assert world.work() == 0


def test_a_retention_that_ends_photographs_at_once_is_asked_about(world: PhotoWorld) -> None:
    taken(world)
    with transaction(world.agency) as session:
        session.get_one(Photo, (world.agency, world.only().id)).received_at = SystemClock().now() - 30 * DAY
    command, setting = doorstep.commands.agency.agency, ("set", "--photo-retention-days", "30")
    told = run(command, *setting, agency=world.agency, answer="n\n", code=1)
    assert "1 photographs are older than this" in told
    assert world.work() == 0
    assert "photographs are kept for: 31 days" in run(
        command, "set", "--photo-retention-days", "31", agency=world.agency
    )
    assert world.work() == 0
    assert "30 days" in run(command, *setting, "--yes", agency=world.agency)
    assert "as long as nobody destroys them" in run(command, "set", "--photo-retention-days", "0", agency=world.agency)


def order(world: PhotoWorld, *what: str, code: int = 0) -> str:
    arguments = ("destroy", *what, "--reason", "erasure-order", "--yes")
    return run(doorstep.commands.photo.photo, *arguments, agency=world.agency, code=code)


def test_an_erasure_order_destroys_what_came_and_bars_what_is_still_to_come(world: PhotoWorld) -> None:
    first = taken(world)
    to_come, begun, whole = (world.seal(jpeg(300 + n, 200)) for n in range(3))
    permission = world.permit()
    for photo in (to_come, begun, whole):
        world.declare(photo, permission)
    send_piece(world.phone, announce(world.phone, begun).headers["Location"], 0, begun.sealed[:1000])
    world.upload(whole)
    with transaction(world.agency) as session:
        person = session.get_one(Visit, {"agency_id": world.agency, "id": world.visit.visit_id}).person_id
        subjects = Subject(visit_id=world.visit.visit_id), Subject(account_id=world.visit.accounts[0])
        for subject in (*subjects, Subject(person_id=person)):
            assert visits_about(session, subject) == [world.visit.visit_id]
    told = order(world, "--person", str(person))
    assert told.endswith("destroyed 1 photographs, and 3 that were declared and had not come\n")
    assert [photo.state for photo in world.photos()] == ["destroyed"]
    assert files_below(world.settings.photo_keys, world.settings.home / "objects") == {}
    assert [announce(world.phone, photo).status_code for photo in (to_come, begun, whole)] == [410, 410, 410]
    assert {upload.state for upload in world.uploads()} == {"destroyed"}
    assert [decision["reason"] for decision in decisions(world)] == ["erasure-order"] * 4
    again = "destroyed 0 photographs, and 0 that were declared and had not come\n"
    assert order(world, "--visit", str(world.visit.visit_id)) == again
    assert order(world, "--account", str(world.visit.accounts[0])) == again
    assert world.work() == 0
    assert world.only().id == first.id


def test_an_erasure_order_destroys_all_keys_also_where_a_store_does_not_let_one_go(world: PhotoWorld) -> None:
    stuck, other = taken(world), taken(world)
    (path,) = world.settings.door_objects.rglob(stuck.upload_id.hex)
    path.unlink()
    path.mkdir()  # every call for it fails
    told = order(world, "--visit", str(world.visit.visit_id), code=1)
    assert "destroyed 1 photographs" in told and "did not answer for 1 more" in told
    assert files_below(world.settings.photo_keys) == {}
    assert {photo.state for photo in world.photos() if photo.id == other.id} == {"destroyed"}
    path.rmdir()
    assert "destroyed 1 photographs" in order(world, "--visit", str(world.visit.visit_id))


def test_an_erasure_order_says_so_where_a_key_stands_yet(world: PhotoWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(_path: Path) -> bool:
        raise PermissionError("another user's file")

    taken(world)
    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(photo_keys, "shred", refused)
        told = order(world, "--visit", str(world.visit.visit_id), code=1)
    assert "key stands yet" in told and "keys are gone" not in told
    assert "destroyed 1 photographs" in order(world, "--visit", str(world.visit.visit_id))


def test_an_erasure_order_names_something_that_there_is(world: PhotoWorld) -> None:
    photo = taken(world)
    order(world, "--person", str(new_id()), code=1)
    order(world, code=2)
    order(world, str(photo.id), "--visit", str(world.visit.visit_id), code=2)
    assert world.only().state == "refused"


KEPT_OF_A_DESTROYED_ONE = {
    "agency_id", "id", "visit_id", "op_id", "permission_op_id", "device_id", "upload_id", "state", "reason", "attempts",
    "subject", "sha256", "hints", "received_at", "developing_since", "developed_at", "destroyed_at", "wrap_key_id",
}  # fmt: skip


def test_of_a_destroyed_photograph_the_log_holds_the_hash_and_nothing_more(world: PhotoWorld) -> None:
    photo = world.developed(jpeg())
    with capture_logs() as lines:
        destroy(world, photo.id, "erasure-order")
    row = world.only()
    kept = {name for name in inspect(Photo).columns.keys() if getattr(row, name) is not None}  # noqa: SIM118 - no dict
    assert kept <= KEPT_OF_A_DESTROYED_ONE, "a new column: clear it, or say here why it may stay"
    assert (row.hints, row.wrap_key_id) == ([], "")
    said = {"decision": "photo-destroyed", "photo": str(photo.id), "by": "staff:1", "reason": "erasure-order"}
    assert [one for one in decisions(world) if one] == [said]  # the empty one names the line of the visit's story
    with transaction(world.agency) as session:
        entries = session.scalars(select(LogEntry).where(LogEntry.kind.in_(["photo", "erasure"]))).all()
        details = {entry.kind: (entry.ref.partition("/")[0], sorted(entry.detail)) for entry in entries}
    assert details == {"photo": ("photo", []), "erasure": ("erasure", ["decided", "erased", "what"])}
    assert lines == [
        {
            "event": "photo-destroyed", "log_level": "info", "photo": str(photo.id), "sha256": photo.sha256.hex(),
            "reason": "erasure-order",
        }
    ]  # fmt: skip
