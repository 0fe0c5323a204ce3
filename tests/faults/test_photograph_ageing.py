"""A destroyed photograph is destroyed in backups too: its keys' copies open it for a week at most, a restore before that
destroys it again before anything is served, and so does the office when somebody copies old keys back."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
import requests
import time_machine
from photo_hunt import Found, files, hunter_of, places_of
from processes import Parts
from sqlalchemy import select, text
from whole_house import KEYRING_PASSPHRASE, PASSPHRASE, WholeHouse, journalled_house

import doorstep.backup.restore
from doorstep.postgres import EmbeddedPostgres
from field_api.platform.clock import SystemClock
from field_api.platform.database import transaction
from field_api.platform.problems import Problem
from field_api.records.log import LogEntry
from media.office.darkroom import darkroom
from media.office.records import Photo
from media.office.show_rendition import show_rendition
from media.records import Upload
from media.sealed_photo import PhotoName
from sync.phone import Patience, Phone
from sync.phone.errors import DoorRefused, Later
from sync.phone.photographs import rows
from sync.phone.uploading import TUS
from tests.pictures import jpeg

pytestmark = pytest.mark.xdist_group("whole_house")

DAY = timedelta(days=1)
ALL = {"photograph", "large", "small"}
WITHDRAWN, EXPIRED, ORDERED, KEPT = range(4)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[WholeHouse]:
    with journalled_house(tmp_path) as house:
        yield house


class Album:
    """Four photographs, one on each visit of an agent; what was ever seen of their keys."""

    def __init__(self, house: WholeHouse, phone: Phone) -> None:
        self.house = house
        _, self.visits, _ = house.agents[0]
        self.photos = [self._take(phone, visit, 200 + 20 * n) for n, visit in enumerate(self.visits)]
        phone.push()
        house.work()
        assert phone.upload_photos().complete == 4
        self.raw = [path.read_bytes() for path in files([house.home / "photo-keys"])]
        house.work()
        self.uploads = {op: row.upload_id for op, row in self.rows().items()}
        self.locations = {UUID(row["photo"]): row["location"] for row in rows(phone.handset)}
        with transaction(house.agency) as session:
            self.names = {
                row.photo_id: PhotoName(row.agency_id, row.device_id, row.photo_id)
                for row in session.scalars(select(Upload))
            }

    def _take(self, phone: Phone, visit: str, width: int) -> UUID:
        phone.arrive(visit)
        phone.photo_permission(visit, True, "sought")
        return UUID(phone.photo(visit, jpeg(width, 200), "facade").op)

    @property
    def gone(self) -> set[UUID]:
        return set(self.photos) - {self.photos[KEPT]}

    def rows(self) -> dict[UUID, Photo]:
        with transaction(self.house.agency) as session:
            found = session.scalars(select(Photo)).all()
            for row in found:
                session.expunge(row)
        return {row.op_id: row for row in found}

    def hunt(self, *places: Path) -> Found:
        copies = [*(self.house.folder / "elsewhere" / "keys").glob("doorstep-keys-*")]
        names = list(self.names.values())
        return hunter_of(self.house.agency, self.house.home, copies, KEYRING_PASSPHRASE, names).hunt(*places)

    def keys_in(self, store: Path) -> set[UUID]:
        uploads = {upload.hex: op for op, upload in self.uploads.items()}
        return {uploads[path.name] for path in files([store])}

    def destroy(self, phone: Phone) -> None:
        """Every way there is: a permission taken back, an agency's retention, an erasure order."""
        phone.photo_permission(self.visits[WITHDRAWN], False, "sought")
        phone.push()
        with transaction(self.house.agency) as session:
            long_ago = {"at": SystemClock().now() - 400 * DAY, "op": self.photos[EXPIRED]}
            session.execute(text("UPDATE office.photo SET received_at = :at WHERE op_id = :op"), long_ago)
        self.house.run("agency", "set", "--photo-retention-days", "365", "--yes")
        order = ("--visit", self.visits[ORDERED], "--reason", "erasure-order", "--yes")
        assert "destroyed 1 photographs" in self.house.run("photo", "destroy", *order)
        self.house.work()
        assert {op: row.reason for op, row in self.rows().items()} == {
            self.photos[WITHDRAWN]: "permission-withdrawn",
            self.photos[EXPIRED]: "retention-end",
            self.photos[ORDERED]: "erasure-order",
            self.photos[KEPT]: None,
        }

    def shown(self, number: int) -> bytes | str:
        row = self.rows()[self.photos[number]]
        try:
            with transaction(self.house.agency) as session:
                return show_rendition(session, row.id, "large", darkroom(), actor="staff:test")
        except Problem as problem:
            return problem.code


def _asked_while_it_restores(
    monkeypatch: pytest.MonkeyPatch, house: WholeHouse, album: Album
) -> list[tuple[int, set[UUID]]]:
    """What a door says that is started when all is back in its place and nothing was taken again: the worst moment."""
    answers: list[tuple[int, set[UUID]]] = []
    original = doorstep.backup.restore._replay

    def replays(installation, server, source, now):
        parts = Parts(installation.settings(server, "door"), installation.settings(server, "office"), house.port)
        parts.start_door()
        try:
            status = requests.get(f"{installation.door_url}/readyz", timeout=10).status_code
            once = Patience(tries=1, sleep=lambda _: None)
            with Phone.open(house.folder / "phone", PASSPHRASE, patience=once) as phone, pytest.raises(Later):
                phone.door.call("HEAD", album.locations[album.photos[WITHDRAWN]], headers=TUS)
            answers.append((status, album.keys_in(house.home / "photo-keys")))
        finally:
            parts.close()
        return original(installation, server, source, now)

    monkeypatch.setattr(doorstep.backup.restore, "_replay", replays)
    return answers


def test_a_destroyed_photograph_opens_nowhere_once_its_copies_are_a_week_old(
    house: WholeHouse, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    elsewhere, store = house.folder / "elsewhere", house.home / "photo-keys"
    with house.open() as server:
        house.furnish(agents=1, visits=4)
        house.serve(server)
        with house.enrol(0, "phone") as phone:
            album = Album(house, phone)
            house.run("keys", "rotate", "sealing")
            house.work()  # the backup holds keys that were sealed anew
            house.back_up()
            before = album.hunt(elsewhere)
            assert before.opened == dict.fromkeys(album.photos, ALL), "a backup and its keys open everything"
            assert not before.wraps & set(album.raw)
            seen = {before.keys[photo] for photo in album.gone}
            album.destroy(phone)
            assert album.keys_in(store) == {album.photos[KEPT]}
            assert set(album.hunt(house.home).opened) == {album.photos[KEPT]}
            assert set(album.hunt(elsewhere).opened) == set(album.photos), "for a week"
        house.burn()

    answers = _asked_while_it_restores(monkeypatch, house, album)
    assert "3 photographs and rows erased again" in house.restore()
    assert answers == [(503, set(album.photos))], "their keys lay there, and nothing was served"
    with house.open() as server:
        assert album.keys_in(store) == {album.photos[KEPT]}
        assert {op for op, row in album.rows().items() if row.state == "destroyed"} == album.gone
        house.serve(server)
        with house.phone("phone") as phone:
            for photo, location in album.locations.items():
                if photo in album.gone:
                    with pytest.raises(DoorRefused, match="410"):
                        phone.door.call("HEAD", location, headers=TUS)
            phone.push()
            phone.pull()
            assert phone.upload_photos().gone == 3
        assert [isinstance(album.shown(number), bytes) for number in range(4)] == [False, False, False, True]

        (copy,) = (elsewhere / "photo-keys").glob("doorstep-photo-keys-*")
        shutil.copytree(copy / "photo-keys", store, dirs_exist_ok=True)
        assert album.keys_in(store) == set(album.photos)
        house.work()
        assert album.keys_in(store) == {album.photos[KEPT]}
        with transaction(house.agency) as session:
            told = session.scalars(select(LogEntry.detail).where(LogEntry.kind == "decision")).all()
        assert [detail.get("decision") for detail in told].count("photo-key-returned") == 3

        with time_machine.travel(SystemClock().now() + 7 * DAY, tick=True):
            assert "1 older copies of photographs' keys deleted" in house.back_up()
            house.work()
            after = album.hunt(house.home, elsewhere)
            assert after.opened == {album.photos[KEPT]: ALL}, "what is kept opens still, and nothing else does"
            left = places_of(seen | (before.wraps - after.wraps) | set(album.raw), house.folder)
            assert left == [], "neither a key nor a wrapped one stands anywhere"
            assert places_of(seen | before.wraps - after.wraps, EmbeddedPostgres(house.home).data) == []
            assert [album.shown(number) for number in range(3)] == ["gone"] * 3
