"""Keys are replaced without a moment in which something signed or sealed before is lost, also by a kill in between."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from field_api.platform import certificates, key_file, keyring_files, root_keys, sealing
from field_api.platform.anchors import make_anchor, read_anchor
from field_api.platform.create_keys import create_agency_keys
from field_api.platform.key_file import KeyTrouble
from field_api.platform.key_rotation import KeyFiles
from field_api.platform.keyring import MOST_DERIVED, DoorKeys, NoKeys, OfficeKeys
from field_api.platform.keyring_files import DoorKeyring, OfficeKeyring
from field_api.platform.root_keys import certify_request, root_step
from field_api.platform.sealing import Unsealable, b64u, from_b64u

NOW = datetime(2026, 11, 18, 15, 0, tzinfo=UTC)


class House:
    """Key files below one directory, and verbs over them."""

    def __init__(self, home: Path) -> None:
        self.home, self.agency = home, uuid4()
        create_agency_keys(home, self.agency, NOW)
        self.files = KeyFiles(home / "keys", self.agency)
        self.root = home / "keys" / "root" / f"{self.agency}.json"
        self.now = NOW

    def office(self) -> OfficeKeys:
        return OfficeKeyring(self.home / "keys" / "office").of(self.agency)

    def door(self) -> DoorKeys:
        return DoorKeyring(self.home / "keys" / "door").of(self.agency)

    def rotate(self, role: str, use: bool = True) -> None:
        self.now += timedelta(hours=1)
        answer = certify_request(self.root, self.files.request(role, self.now), self.now, role == "root")
        installed = self.files.install(answer, self.now)
        self.files.mark_announced([each.ref for each in installed])
        if use:
            self.files.use_next()


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def test_a_new_office_key_waits_and_the_old_one_still_verifies_what_it_signed(house: House) -> None:
    before = house.office()
    house.rotate("office", use=False)
    waiting = house.office()
    assert waiting.waits_for_phones and waiting.signing_certificate == before.signing_certificate
    assert len(waiting.announced(NOW)["certificates"]) == 4
    house.files.use_next()
    after = house.office()
    assert after.signing_certificate.key_id != before.signing_certificate.key_id
    assert not after.waits_for_phones
    after.verify(b"c", b"m", before.sign(b"c", b"m"))
    with pytest.raises(Unsealable):
        before.verify(b"c", b"m", after.sign(b"c", b"m"))
    assert b64u(before._signing) not in house.files.office.read_text()  # the replaced private half is gone


def test_what_was_sealed_to_a_retired_key_opens_after_two_rotations(house: House) -> None:
    first = house.office().sealing_certificate
    sealed = sealing.seal_to(first.public, b"info", b"outcome")
    for _ in range(2):
        house.rotate("sealing")
    assert house.office().sealing_certificate.key_id != first.key_id
    assert house.office().open_from_phone(first.key_id, b"info", sealed) == b"outcome"


def test_a_process_that_read_the_keys_before_opens_what_is_sealed_to_the_new_one(house: House) -> None:
    early = house.office()
    house.rotate("sealing")
    new = house.office().sealing_certificate
    sealed = sealing.seal_to(new.public, b"info", b"outcome")
    assert early.open_from_phone(new.key_id, b"info", sealed) == b"outcome"
    with pytest.raises(Unsealable):
        early.open_from_phone("0" * 16, b"info", sealed)


def test_a_replaced_file_is_read_anew(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    ring = OfficeKeyring(house.home / "keys" / "office")
    before = ring.of(house.agency)
    house.rotate("office")
    assert ring.of(house.agency) is before  # not more than once a second
    monkeypatch.setattr(keyring_files, "LOOK_S", 0.0)
    assert ring.of(house.agency).signing_certificate != before.signing_certificate


def test_anchors_and_receipts_of_the_previous_door_key_still_verify(house: House) -> None:
    device, old = UUID(int=7), house.door()
    anchor, signed = make_anchor(old, device, NOW), old.sign(b"receipt", b"body")
    house.rotate("door")
    new = house.door()
    assert new.certificate.key_id != old.certificate.key_id
    assert read_anchor(new, device, anchor, NOW) == NOW
    new.verify(b"receipt", b"body", signed)
    assert new.certificate.public in house.office().door_publics


def test_the_door_s_own_machine_makes_its_key_and_uses_it_when_it_is_certified(house: House, tmp_path: Path) -> None:
    away = tmp_path / "door-machine" / "keys"
    (away / "door").mkdir(parents=True)
    house.files.door.rename(away / "door" / house.files.door.name)
    there = KeyFiles(away, house.agency)
    answer = certify_request(house.root, there.request("door", NOW), NOW)
    assert "private" not in json.dumps(answer)
    house.files.install(answer, NOW)
    assert house.office().waits_for_phones
    house.files.use_next()
    there.install(answer, NOW)
    door = DoorKeyring(away / "door").of(house.agency)
    assert door.certificate == house.office().door_certificate


def test_the_root_hands_over_and_both_sign_it(house: House) -> None:
    before = house.office()
    house.rotate("root")
    house.rotate("root")
    after = house.office()
    assert len(after.root_steps) == 2 and after.root_public != before.root_public
    claims = [json.loads(from_b64u(step["root"])) for step in after.root_steps]
    assert [c["old"] for c in claims] == [b64u(before.root_public), claims[0]["new"]]
    for step, claim in zip(after.root_steps, claims, strict=True):
        for name in ("old", "new"):
            signed = root_keys.ROOT_CONTEXT + from_b64u(step["root"])
            sealing.verify(from_b64u(claim[name]), signed, from_b64u(step[name]))
    assert after.signing_certificate.public == before.signing_certificate.public  # certified again, not replaced
    assert after.signing_certificate.until == before.signing_certificate.until
    sealing.verify(
        after.root_public,
        certificates.CERTIFICATE_CONTEXT + after.signing_certificate.body,
        after.signing_certificate.signature,
    )
    house.rotate("office")  # the new root certifies from here on


def test_files_are_for_their_owner_alone(house: House) -> None:
    for role in ("office", "sealing", "door", "root"):
        house.rotate(role)
    for path in (house.files.office, house.files.door, house.root):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert not path.with_suffix(".new").exists()


class Killed(BaseException):
    """The process dies here."""


@pytest.mark.parametrize("role", ["office", "sealing", "door", "root"])
def test_a_kill_between_any_two_writes_loses_nothing_and_doing_it_again_ends_it(
    house: House, monkeypatch: pytest.MonkeyPatch, role: str
) -> None:
    """At each write in turn: before it happens, and right after."""
    old_door, old_office = house.door(), house.office()
    sealed = sealing.seal_to(old_office.sealing_certificate.public, b"i", b"kept")
    real = key_file.write_file

    def dying(at: int, after: bool) -> Callable[[Path, dict], None]:
        left = [at]

        def write(path: Path, content: dict) -> None:
            left[0] -= 1
            if left[0] or after:
                real(path, content)
            if not left[0]:
                raise Killed

        return write

    deaths = 0
    for at in range(1, 9):
        for after in (False, True):
            monkeypatch.setattr(key_file, "write_file", dying(at, after))
            try:
                house.rotate(role)
            except Killed:
                deaths += 1
                office = house.office()
                office.verify(b"c", b"m", old_office.sign(b"c", b"m"))
                assert house.door().certificate.public in office.door_publics
                assert office.open_from_phone(old_office.sealing_certificate.key_id, b"i", sealed) == b"kept"
            monkeypatch.setattr(key_file, "write_file", real)
            house.files.use_next()  # the worker's: what waited from before the kill
            house.rotate(role)
            office = house.office()
            assert house.door().certificate.public == office.door_certificate.public
            house.door().verify(b"c", b"m", old_door.sign(b"c", b"m"))
            office.verify(b"c", b"m", old_office.sign(b"c", b"m"))
    assert deaths >= 6


def test_what_was_not_asked_for_or_not_certified_is_refused_and_changes_nothing(house: House, tmp_path: Path) -> None:
    other = House(tmp_path / "other")
    request = house.files.request("office", NOW)
    good = certify_request(house.root, request, NOW)
    before = house.files.office.read_bytes()
    forged = certify_request(other.root, request | {"root": None}, NOW)
    stranger = certify_request(
        house.root, request | {"keys": [{"role": "office", "key": b64u(house.door().publics[0])}]}, NOW
    )
    expired = certify_request(house.root, request, NOW - timedelta(days=900))
    for wrong in (
        forged,
        stranger,
        expired,
        good | {"agency": str(uuid4())},
        good | {"certificates": []},
        good | {"certificates": [{"cert": "!", "sig": ""}]},
    ):
        with pytest.raises(KeyTrouble):
            house.files.install(wrong, NOW)
        assert house.files.office.read_bytes() == before
    house.files.install(good, NOW)


def test_a_step_of_the_root_needs_both_signatures_and_goes_on_from_ours(house: House) -> None:
    old, new, stranger = (
        from_b64u(json.loads(house.root.read_text())["private"]),
        *(sealing.new_private_key() for _ in "12"),
    )
    good = root_step(house.agency, old, new, NOW)
    certified = certify_request(house.root, house.files.request("office", NOW), NOW)
    before = house.files.office.read_bytes()
    for wrong in (
        good | {"new": good["old"]},
        good | {"old": good["new"]},
        root_step(uuid4(), old, new, NOW),
        root_step(house.agency, stranger, new, NOW),
    ):
        with pytest.raises(KeyTrouble):
            house.files.install(certified | {"roots": [wrong]}, NOW)
    assert house.files.office.read_bytes() == before


def test_without_files_or_with_another_root_nothing_is_made(house: House, tmp_path: Path) -> None:
    with pytest.raises(NoKeys):
        KeyFiles(tmp_path / "nowhere", house.agency).request("office", NOW)
    with pytest.raises(KeyTrouble):
        house.files.request("column", NOW)
    other = House(tmp_path / "other")
    with pytest.raises(KeyTrouble, match="not the root"):
        certify_request(other.root, house.files.request("office", NOW), NOW)
    with pytest.raises(KeyTrouble, match="new root"):
        certify_request(house.root, house.files.request("office", NOW), NOW, new_root=True)


def test_lists_name_keys_by_role_and_state_and_show_none(house: House) -> None:
    house.rotate("sealing")
    house.rotate("office", use=False)
    house.files.request("door", NOW)
    lines = list(house.files.lines())
    assert [(line.role, line.state) for line in lines] == [
        ("root", "in use"), ("office", "next"), ("office", "in use"), ("sealing", "retired"), ("sealing", "in use"),
        ("door", "in use"), ("door", "requested"),
    ]  # fmt: skip
    assert all(len(line.key_id) == 16 for line in lines)


def test_a_phone_that_enrols_is_told_of_no_retired_office_key(house: House) -> None:
    def told() -> set[str]:
        return {certificates.certificate_of(each).key_id for each in house.office().for_new_phones(house.now)}

    first = house.office().signing_certificate.key_id
    house.rotate("office", use=False)
    coming = house.office().certificates["office"][0].key_id
    assert {first, coming} <= told()
    house.files.use_next()
    assert coming in told() and first not in told()
    assert len(house.office().announced(house.now)["certificates"]) == 4, (
        "others may still have to verify what it signed"
    )


def test_a_process_that_seals_many_objects_does_not_keep_a_key_of_each(house: House) -> None:
    keys = house.office()
    sealed = {f"object:{number}": keys.seal_at_rest(f"object:{number}", b"x") for number in range(2 * MOST_DERIVED)}
    assert all(keys.open_at_rest(place, seal) == b"x" for place, seal in sealed.items())
    assert len(keys._derived) <= MOST_DERIVED
