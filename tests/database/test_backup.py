"""What a backup is refused for, what it leaves behind, and what a restore must not bring back."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
import pytest
import time_machine
from click.testing import CliRunner
from flask import Flask
from sqlalchemy import select

from doorstep.backup.durability import state_durability
from doorstep.backup.keyring_copy import open_keyring
from doorstep.backup.manifest import read_manifest
from doorstep.backup.photo_key_copies import delete_hourly, delete_old_photo_keys
from doorstep.backup.places import BackupTrouble
from doorstep.backup.replay import replay
from doorstep.backup.restore import _mark
from doorstep.backup.save import Places, Saved, save
from doorstep.commands.backup import backup
from doorstep.panels import durability, photo_keys
from doorstep.server import Server
from doorstep.worker_metrics import worker_text
from field_api.domain.confidential import audience
from field_api.domain.disclosure import Audience
from field_api.domain.vocabulary import HoldKind
from field_api.platform.clock import SetClock, SystemClock
from field_api.platform.database import db, transaction
from field_api.platform.measured import BOARD
from field_api.platform.problems import Problem
from field_api.platform.restore_journal import Entry, EntryKind, RestoreJournal
from field_api.platform.settings import Settings
from field_api.platform.wiring import objects, office_keys
from field_api.records.accounts import Hold
from field_api.records.agency import Agency
from field_api.records.visits import Sheet
from field_api.usecases.place_hold import place_hold
from media.office.darkroom import darkroom
from media.records import DESTROYED, Upload
from sync.mailbox import Durable
from sync.office.durable import Held
from tests.door_client import Phone, b64u, page_of, sha256, un64
from tests.planning_world import World
from tests.sync_day import Day

pytest_plugins = ["tests.door_fixtures"]
PASSPHRASE = "a long enough passphrase"
Save = Callable[..., Saved]


@pytest.fixture
def beside(database: Server) -> Server:
    """The test's database as somebody else's server: the copy to verify then lies beside it."""
    return replace(database, is_foreign=True)


@pytest.fixture
def back_up(app: Flask, agency: UUID, settings: Settings, beside: Server, clock: SetClock, tmp_path: Path) -> Save:
    def run(photo_keys: bool = False, at: datetime | None = None) -> Saved:
        places = Places(tmp_path / "main", tmp_path / "keys", tmp_path / "photo-keys" if photo_keys else None)
        return save(beside, settings.home, places, PASSPHRASE, at or clock.now())

    return run


def _sheet(agency: UUID) -> Path:
    """A sheet with its object; where the object lies below the home directory."""
    with transaction(agency) as session:
        world = World(session)
        route = world.route(world.agent())
        key = objects().put(b"%PDF-sheet")
        row = Sheet(route_id=route.id, object_key=key, sha256=sha256(b"%PDF-sheet"), pages=1, issued_at=route.starts_at)
        session.add(row)
    return Path("objects") / "office" / str(agency) / key[:2] / key


def _left(folder: Path) -> list[str]:
    places = ("main", "keys", "photo-keys")
    return [path.name for place in places for path in folder.glob(f"{place}/*") if path.name != ".doorstep.lock"]


def test_objects_keys_and_rows_are_saved_and_signed(
    back_up: Save, agency: UUID, settings: Settings, app: Flask, tmp_path: Path
) -> None:
    sheet = _sheet(agency)
    saved = back_up()
    keys = {agency: office_keys().of(agency)}
    manifest = read_manifest(saved.main, "main", keys)
    assert {file.path for file in manifest.files} == {"database.dump", sheet.as_posix()}
    assert manifest.detail["rows"]["office.sheet"].startswith("1 ")
    keyring = open_keyring(saved.keys, PASSPHRASE)
    assert {name.split("/")[1] for name in keyring} == {"root", "office", "door"}
    assert keyring[f"keys/office/{agency}.json"] == (settings.home / f"keys/office/{agency}.json").read_bytes()
    private = json.loads(keyring[f"keys/office/{agency}.json"])["signing"]["private"].encode()
    assert all(private not in path.read_bytes() for path in tmp_path.glob("keys/*/*"))
    assert {path.stat().st_mode & 0o777 for path in (saved.main / "database.dump", saved.keys / "keyring.sealed")} == {
        0o600
    }
    with pytest.raises(BackupTrouble, match="is the keys part"):
        read_manifest(saved.keys, "main", keys)


@pytest.mark.parametrize("damage", ["missing", "changed", "another"])
def test_an_object_that_is_not_what_its_row_says_fails_the_backup_and_leaves_nothing(
    back_up: Save, agency: UUID, settings: Settings, app: Flask, tmp_path: Path, damage: str
) -> None:
    path = settings.home / _sheet(agency)
    if damage == "missing":
        path.unlink()
    elif damage == "changed":
        path.write_bytes(path.read_bytes()[:-1] + b"x")
    else:
        path.write_bytes(office_keys().of(agency).seal_at_rest(f"object:{path.name}", b"another sheet"))
    with pytest.raises(BackupTrouble, match="1 files that rows refer to are missing or damaged"):
        back_up()
    assert _left(tmp_path) == []


def test_an_operation_that_is_not_what_was_receipted_fails_the_backup(
    back_up: Save, agency: UUID, day: Day, beside: Server, tmp_path: Path
) -> None:
    phone = day.enrol()
    phone.push(phone.operation("arrived", {}, visit=day.visits[0], av=1))
    spoiled = phone.operation("arrived", {}, visit=day.visits[0], av=1)
    phone.push({**spoiled, "sig": b64u(bytes(64))})
    assert back_up().contiguous == {agency: {phone.device: Held(2, (2,))}}
    with psycopg.connect(beside.conninfo("owner")) as owner:
        owner.execute("UPDATE mailbox.inbox SET ct = ct || '\\x00'")
    with pytest.raises(BackupTrouble, match="1 operations of the inbox are not the bytes that were receipted"):
        back_up()


def test_what_is_durable_is_read_from_the_verified_copy_and_ends_before_the_first_gap(
    back_up: Save, agency: UUID, day: Day, app: Flask, clock: SetClock
) -> None:
    phone = day.enrol()
    for seq in (1, 2, 4):
        phone.push(phone.operation("arrived", {}, visit=day.visits[0], av=1, seq=seq))
    saved = back_up()
    phone.push(phone.operation("arrived", {}, visit=day.visits[0], av=1, seq=3))
    assert state_durability(saved) == 0  # the agency's policy is the commit
    with transaction(agency) as session:
        session.get_one(Agency, agency).policy = {"durability": "backup"}
    assert state_durability(saved) == 1
    assert _stated(agency, phone) == (2, "1970-01-01T00:00:00.000Z")  # without their keys phones keep photographs
    day.work()
    assert _stated(agency, phone)[0] == 2  # what is only committed is not durable here
    assert state_durability(back_up(photo_keys=True)) == 1
    before = (clock.now() - timedelta(minutes=1)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    assert _stated(agency, phone) == (4, before)


def _stated(agency: UUID, phone: Phone) -> tuple[int, str]:
    with transaction(agency) as session:
        statement = json.loads(session.scalars(select(Durable.statement)).one())
    wire = page_of(phone.call("GET", "/phone/v1/feed").data)["durable"]
    assert json.loads(un64(wire["statement"])) == statement
    return statement["durable_seq"], statement["at"]


def test_copies_of_the_photographs_keys_are_deleted_after_a_week(
    back_up: Save, clock: SetClock, tmp_path: Path
) -> None:
    old = back_up(photo_keys=True, at=clock.now() - timedelta(days=7)).photo_keys
    new = back_up(photo_keys=True, at=clock.now() - timedelta(days=6, hours=23)).photo_keys
    (tmp_path / "photo-keys" / "doorstep-photo-keys-notes").mkdir()
    assert delete_old_photo_keys(tmp_path / "photo-keys", clock.now()) == [old]
    assert new is not None
    assert new.exists()


def test_the_parts_of_a_backup_belong_in_different_places(
    beside: Server, app: Flask, agency: UUID, settings: Settings, clock: SetClock, tmp_path: Path
) -> None:
    for keys in (tmp_path / "main", tmp_path / "main" / "keys", tmp_path):
        with pytest.raises(BackupTrouble, match="different places"):
            save(beside, settings.home, Places(tmp_path / "main", keys), PASSPHRASE, clock.now())


def test_nothing_is_served_while_the_mark_of_a_restore_is_on(
    app: Flask, agency: UUID, day: Day, door: Flask, beside: Server
) -> None:
    phone = day.enrol()
    assert phone.client.get("/readyz").status_code == 200
    with door.app_context():
        db.engine.dispose()
    with app.app_context():
        db.engine.dispose()
    _mark(beside, on=True)
    answers = [
        phone.client.get("/readyz"),
        phone.call("GET", "/phone/v1/feed"),
        phone.call("POST", "/phone/v1/ops", b"{}"),
    ]
    assert [(answer.status_code, answer.json["code"]) for answer in answers] == [(503, "unavailable")] * 3
    with pytest.raises(Problem, match="unavailable"), transaction(agency) as session:
        session.get_one(Agency, agency)
    _mark(beside, on=False)
    assert phone.client.get("/readyz").status_code == 200
    assert phone.call("GET", "/phone/v1/feed").status_code == 200
    with transaction(agency) as session:
        session.get_one(Agency, agency)


def test_the_mark_is_not_set_under_sessions_that_began_without_it(app: Flask, agency: UUID, beside: Server) -> None:
    with (
        psycopg.connect(beside.conninfo("door")) as connection,
        pytest.raises(BackupTrouble, match="stop door, office and worker"),
    ):
        connection.execute("SELECT 1")
        _mark(beside, on=True)


def _replay(agency: UUID, entries: list[Entry], now: datetime):
    with audience(Audience.OFFICE_JOB), transaction(agency) as session:
        return replay(session, office_keys().of(agency), entries, darkroom(), now)


def test_replaying_twice_is_replaying_once(app: Flask, agency: UUID, day: Day, clock: SetClock, tmp_path: Path) -> None:
    phone = day.enrol()
    with transaction(agency) as session:
        world = World(session, serial=50)
        world.creditor("LI", "CHF", "de")
        person = world.person(world.creditors["LI"])
        account = world.account(person)
    journal = RestoreJournal(tmp_path / "elsewhere")
    journal.make()
    app.extensions["doorstep.journal"] = journal
    with transaction(agency) as session:
        hold = place_hold(session, kind=HoldKind.DISPUTE, reason="letter", now=clock.now(), account_id=account.id)
    del app.extensions["doorstep.journal"]
    entries = journal.read(office_keys().of(agency))
    revoked = {"device": str(phone.device), "reason": "lost"}
    upload = {
        "upload": str(uuid4()),
        "device": str(phone.device),
        "op": str(uuid4()),
        "sha256": "00" * 32,
        "reason": "x",
    }
    entries += [
        Entry(EntryKind.DEVICE_REVOKED, clock.now(), revoked),
        Entry(EntryKind.PHOTO_ERASED, clock.now(), upload),
        Entry(EntryKind.HOLD_LIFTED, clock.now(), {"id": str(uuid4()), "reason": "of no hold", "lifted_by": None}),
    ]
    with transaction(agency) as session:
        session.delete(session.get_one(Hold, {"agency_id": agency, "id": hold.id}))
    first = _replay(agency, entries, clock.now())
    assert (first.holds, first.revocations, first.erasures, first.lifted, first.unplaced) == (1, 1, 1, 0, [])
    second = _replay(agency, entries, clock.now())
    assert (second.holds, second.revocations, second.erasures, second.unplaced) == (0, 0, 0, [])
    assert second.epoch > first.epoch > 1
    with transaction(agency) as session:
        assert session.scalars(select(Upload.state)).all() == [DESTROYED]  # its phone is told that it is gone
        assert session.scalars(select(Hold.id)).all() == [hold.id]
    unknown = replace(
        entries[0], detail={**entries[0].detail, "id": str(uuid4()), "account_id": str(uuid4()), "reference": "CT-LOST"}
    )
    assert _replay(agency, [unknown], clock.now()).unplaced == ["dispute on CT-LOST"]


def test_an_epoch_is_above_all_that_were_given_out(app: Flask, agency: UUID, day: Day) -> None:
    day.enrol()
    early = datetime(1970, 1, 2, tzinfo=UTC)
    restored = [Entry(EntryKind.RESTORED, early, {"id": "x", "epoch": 41_000_000})]
    assert _replay(agency, restored, early).epoch == 41_000_001
    assert _replay(agency, [], early).epoch == 41_000_002


def test_the_status_page_tells_what_a_lost_machine_would_lose(
    app: Flask, agency: UUID, clock: SetClock, back_up: Save, tmp_path: Path
) -> None:
    app.extensions["doorstep.clock"] = clock
    assert [row.split(":")[0] for row in _warnings(agency)] == [
        "No verified backup is configured",
        "No DOORSTEP_JOURNAL",
    ]
    app.extensions["doorstep.journal"] = RestoreJournal(tmp_path / "elsewhere")
    with transaction(agency) as session:
        session.get_one(Agency, agency).policy = {"durability": "backup"}
    assert [row.split(":")[0] for row in _warnings(agency)] == [
        "No backup was verified yet",
        "DOORSTEP_JOURNAL cannot be reached",
    ]
    app.extensions["doorstep.journal"].make()
    state_durability(back_up())
    assert _warnings(agency) == []
    clock.moment += timedelta(hours=37)
    assert _warnings(agency) == [
        "The last verified backup is of 2026-11-18 15:00:00 UTC: phones keep all that they recorded after it."
    ]


def _warnings(agency: UUID) -> list[str]:
    with transaction(agency) as session:
        return [row[0] for row in durability(session).rows]


def _copies(place: Path) -> list[str]:
    return sorted(path.name for path in place.iterdir() if not path.name.startswith(".doorstep"))


def _copy(place: Path, at: datetime, prefix: str = "") -> Path:
    """As a backup of that time left it; a `prefix` for one that was killed."""
    made = place / f"{prefix}doorstep-photo-keys-{at:%Y%m%dT%H%M%SZ}-00112233"
    (made / "photo-keys").mkdir(parents=True)
    (made / "photo-keys" / "wrap").write_bytes(b"a wrapped key" * 9)
    return made


def test_old_copies_are_overwritten_before_they_go_and_killed_backups_left_copies_too(
    clock: SetClock, tmp_path: Path
) -> None:
    now, place = clock.now(), tmp_path / "copies"
    old = _copy(place, now - timedelta(days=7))
    killed = _copy(place, now - timedelta(days=8), ".partial-")
    young = _copy(place, now - timedelta(days=6, hours=23), ".partial-")
    (place / "doorstep-photo-keys-of-mine").mkdir()
    os.link(old / "photo-keys" / "wrap", tmp_path / "second-name")
    assert delete_old_photo_keys(place, now) == [killed, old]
    assert _copies(place) == [young.name, "doorstep-photo-keys-of-mine"]
    assert b"wrapped" not in (tmp_path / "second-name").read_bytes()
    assert delete_old_photo_keys(tmp_path / "away", now) == []


def test_a_copy_that_cannot_be_deleted_keeps_no_other_one(
    clock: SetClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, place = clock.now(), tmp_path / "copies"
    stuck = _copy(place, now - timedelta(days=9))
    _copy(place, now - timedelta(days=8))
    delete = shutil.rmtree

    def refused(copy: Path) -> None:
        if copy == stuck:
            raise PermissionError("another user's directory")
        delete(copy)

    monkeypatch.setattr("doorstep.backup.photo_key_copies.shutil.rmtree", refused)
    with pytest.raises(PermissionError):
        delete_old_photo_keys(place, now)
    assert _copies(place) == [stuck.name]


def test_a_backup_that_cannot_be_made_deletes_old_copies_all_the_same(tmp_path: Path) -> None:
    now, place = SystemClock().now(), tmp_path / "photo-keys"
    for age in (timedelta(days=30), timedelta(days=6)):  # the younger would be too old before the next night's
        _copy(place, now - age)
    kept = _copy(place, now - timedelta(days=5, hours=22))
    (tmp_path / "passphrase").write_text("short")
    options = {"--to": "main", "--keys-to": "keys", "--photo-keys-to": "photo-keys", "--passphrase-file": "passphrase"}
    arguments = [text for option, name in options.items() for text in (option, str(tmp_path / name))]
    done = CliRunner().invoke(backup, arguments, env={"DOORSTEP_HOME": str(tmp_path / "home")})
    assert isinstance(done.exception, BackupTrouble)
    assert done.output == f"2 older copies of photographs' keys deleted in {place}\n"
    assert _copies(place) == [kept.name]


def test_the_worker_deletes_old_copies_where_it_sees_them_once_an_hour(
    app: Flask, clock: SetClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "photo-keys"
    _copy(place, clock.now() - timedelta(days=7))
    assert delete_hourly(app, clock.now()) == 0, "nobody told it where they are"
    monkeypatch.setenv("DOORSTEP_PHOTO_KEY_COPIES", str(place))
    assert delete_hourly(app, clock.now()) == 1
    _copy(place, clock.now() - timedelta(days=9))
    clock.advance(timedelta(minutes=59))
    assert delete_hourly(app, clock.now()) == 0
    clock.advance(timedelta(minutes=1))
    assert delete_hourly(app, clock.now()) == 1
    clock.advance(timedelta(hours=1))
    _copy(place, clock.now() - timedelta(days=6, hours=23, minutes=30))
    assert delete_hourly(app, clock.now()) == 1, "it would be older than a week at the next look"
    assert _copies(place) == []


def test_the_status_page_tells_of_copies_that_are_too_old(
    app: Flask, agency: UUID, clock: SetClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app.extensions["doorstep.clock"] = clock

    def told() -> list[str]:
        with transaction(agency) as session:
            panel = photo_keys(session)
        return [row[0] for row in panel.rows] or [panel.empty]

    assert told() == [
        "Copies of the key store are not watched (DOORSTEP_PHOTO_KEY_COPIES): doorstep backup alone deletes them."
    ]
    monkeypatch.setenv("DOORSTEP_PHOTO_KEY_COPIES", str(tmp_path / "copies"))
    assert "cannot be read" in told()[0]
    assert "\ndoorstep_photo_key_copies_overdue -1\n" in worker_text(app, app.extensions[BOARD])
    _copy(tmp_path / "copies", clock.now() - timedelta(days=6))
    assert told() == ["No copy of the key store is older than 7 days."]
    with time_machine.travel(clock.now(), tick=False):
        assert "\ndoorstep_photo_key_copies_overdue 0\n" in worker_text(app, app.extensions[BOARD])
    clock.advance(timedelta(days=1))
    with time_machine.travel(clock.now(), tick=False):
        assert "\ndoorstep_photo_key_copies_overdue 1\n" in worker_text(app, app.extensions[BOARD])
    assert told() == [
        "Copies of photographs' keys older than 7 days: 1, the oldest of 2026-11-12 15:00:00 UTC. Keys that were "
        "destroyed since are in them: delete them."
    ]
