"""What an old copy of the keyring lacks of the keys that phones were told of, and what of it is known without them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from doorstep.backup.keyring_copy import Keyring, office_keys_in
from doorstep.backup.lost_keys import completed, lost_keys, refusal
from doorstep.backup.restore import Restored
from doorstep.commands.backup import _told
from field_api.platform import sealing
from field_api.platform.certificates import Certificate
from field_api.platform.create_keys import create_agency_keys
from field_api.platform.key_rotation import KeyFiles
from field_api.platform.keyring import DoorKeys, OfficeKeys
from field_api.platform.restore_journal import Entry, EntryKind
from field_api.platform.root_keys import certify_request
from field_api.platform.sealing import Unsealable, sha256
from field_api.platform.told_keys import ToldKeys, root_of

NOW = datetime(2026, 11, 18, 15, 0, tzinfo=UTC)


class House:
    """Key files below one directory, and the journal's lines about them."""

    def __init__(self, home: Path) -> None:
        self.home, self.agency, self.now = home, uuid4(), NOW
        create_agency_keys(home, self.agency, NOW)
        self.files = KeyFiles(home / "keys", self.agency)
        self.entries: list[Entry] = []

    def name(self, half: str) -> str:
        return f"keys/{half}/{self.agency}.json"

    def copy(self, *but: str) -> Keyring:
        names = (self.name(half) for half in ("root", "office", "door") if half not in but)
        return {name: (self.home / name).read_bytes() for name in names}

    def office(self) -> OfficeKeys:
        return office_keys_in(self.copy())[self.agency]

    def enter(self, new: list[Certificate], steps: list[dict[str, str]]) -> None:
        self.entries += ToldKeys(list(new), list(steps)).entries(self.now)

    def rotate(self, role: str) -> None:
        self.now += timedelta(hours=1)
        request = self.files.request(role, self.now)
        answer = certify_request(self.home / self.name("root"), request, self.now, role == "root")
        installed = self.files.install(answer, self.now, self.enter)
        self.files.mark_announced([each.ref for each in installed])
        self.files.use_next()

    def lost(self, keyring: Keyring) -> list[str]:
        return [each.role for each in lost_keys(keyring, self.agency, self.entries)]


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def test_a_copy_that_is_as_new_as_the_journal_lacks_nothing_and_stays_as_it_is(house: House) -> None:
    for role in ("office", "sealing", "door", "root", "sealing"):
        house.rotate(role)
    before = house.office()
    assert house.lost(house.copy()) == []
    after = office_keys_in(completed(house.copy(), house.agency, house.entries))[house.agency]
    assert after.certificates == before.certificates
    assert (after.root_public, after.unannounced) == (before.root_public, before.unannounced)


@pytest.mark.parametrize("role", ["office", "sealing", "door", "root"])
def test_a_copy_from_before_a_rotation_lacks_that_key_twice_rotated_two(house: House, role: str) -> None:
    old = house.copy()
    house.rotate(role)
    assert house.lost(old) == [role]
    second = house.copy()
    house.rotate(role)
    assert house.lost(old) == [role, role]
    assert house.lost(second) == [role]
    (missing,) = lost_keys(second, house.agency, house.entries)
    assert f"{role} {missing.key_id}" in str(refusal([missing]))


def test_what_lost_keys_signed_verifies_and_what_was_sealed_to_one_does_not_open(house: House) -> None:
    old = house.copy()
    for role in ("office", "door", "sealing"):
        house.rotate(role)
    signed, office = house.office().sign(b"c", b"m"), house.office()
    door = DoorKeys(house.agency, json.loads(house.copy()[house.name("door")]))
    receipt = door.sign(b"r", b"m")
    sealed = sealing.seal_to(office.sealing_certificate.public, b"i", b"outcome")
    with pytest.raises(Unsealable):
        office_keys_in(old)[house.agency].verify(b"c", b"m", signed)
    keyring = completed(old, house.agency, house.entries)
    back = office_keys_in(keyring)[house.agency]
    back.verify(b"c", b"m", signed)
    assert door.certificate.public in back.door_publics
    DoorKeys(house.agency, json.loads(keyring[house.name("door")])).verify(b"r", b"m", receipt)
    with pytest.raises(Unsealable):
        back.open_from_phone(office.sealing_certificate.key_id, b"i", sealed)
    in_use = office_keys_in(old)[house.agency]
    assert back.signing_certificate == in_use.signing_certificate
    assert back.sealing_certificate == in_use.sealing_certificate


@pytest.mark.parametrize("role", ["office", "sealing", "door"])
def test_a_key_that_was_requested_before_the_copy_is_not_lost(house: House, role: str) -> None:
    house.files.request(role, NOW)
    old = house.copy()
    house.rotate(role)
    assert house.lost(old) == []
    back = office_keys_in(completed(old, house.agency, house.entries))[house.agency]
    if role == "sealing":
        certificate = house.office().sealing_certificate
        sealed = sealing.seal_to(certificate.public, b"i", b"outcome")
        assert back.open_from_phone(certificate.key_id, b"i", sealed) == b"outcome"
    else:
        newest = {each.key_id for each in back.certificates[role]}
        assert house.office().certificates[role][-1].key_id in newest


def test_a_root_or_a_door_of_a_machine_of_its_own_is_not_lost_here(house: House) -> None:
    old = house.copy("root", "door")
    for role in ("root", "door", "root"):
        house.rotate(role)
    assert house.lost(old) == []
    back, now = office_keys_in(completed(old, house.agency, house.entries))[house.agency], house.office()
    assert (back.root_public, back.root_steps) == (now.root_public, now.root_steps)
    assert now.door_certificate.public in back.door_publics
    assert {each.ref for each in back.certificates["office"]} == {each.ref for each in now.certificates["office"]}


def test_a_lost_root_is_not_followed_or_nobody_could_certify_anything(house: House) -> None:
    old = house.copy()
    before = house.office()
    house.rotate("root")
    house.rotate("sealing")
    assert house.lost(old) == ["root", "sealing"]
    back = office_keys_in(completed(old, house.agency, house.entries))[house.agency]
    assert (back.root_public, back.certificates) == (before.root_public, before.certificates)


def test_a_root_that_was_moved_away_and_replaced_there_is_not_lost_and_one_found_later_mends(house: House) -> None:
    left_behind = house.copy()[house.name("root")]
    house.rotate("root")
    assert house.lost(house.copy() | {house.name("root"): left_behind}) == []

    # a copy from before all that: gone on with, until somebody brings the newer root's file
    old, now = house.copy(), house.office()
    house.rotate("root")
    newest = house.office()
    assert house.lost(old) == ["root"]
    (house.home / house.name("office")).write_bytes(completed(old, house.agency, house.entries)[house.name("office")])
    assert house.office().root_public == now.root_public != newest.root_public
    house.rotate("root")
    assert list(map(root_of, house.office().root_steps)) == list(map(root_of, newest.root_steps))
    assert house.office().root_public == newest.root_public


def test_what_an_earlier_restore_went_on_without_is_not_asked_for_again(house: House) -> None:
    old = house.copy()
    house.rotate("sealing")
    (lost,) = lost_keys(old, house.agency, house.entries)
    house.entries.append(Entry(EntryKind.RESTORED, house.now, {"id": "x", "epoch": 2, "lost_keys": [lost.key_id]}))
    assert house.lost(old) == []
    house.rotate("sealing")
    assert house.lost(old) == ["sealing"]


def test_a_key_that_the_journal_cannot_be_told_of_is_not_installed(house: House) -> None:
    def away(new: object, steps: object) -> None:
        raise OSError("the journal's mount is away")

    for role in ("office", "sealing", "door", "root"):
        request = house.files.request(role, NOW)
        answer = certify_request(house.home / house.name("root"), request, NOW, role == "root")
        before = [sha256(content) for content in house.copy("root").values()]
        with pytest.raises(OSError, match="away"):
            house.files.install(answer, NOW, away)
        assert [sha256(content) for content in house.copy("root").values()] == before


def test_without_a_journal_a_restore_says_that_nothing_tells_whether_keys_are_lost(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    _told(Restored("id", NOW, NOW, journaled=False, lost={house.agency: []}))
    told = capsys.readouterr().out
    assert "nothing tells whether this keyring, saved 2026-11-18 15:00 UTC, has the newest keys" in told
    assert "doorstep keys rotate sealing" in told
