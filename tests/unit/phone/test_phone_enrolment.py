"""Enrolment believes nobody but whoever issued the code."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from phone_world import World, crockford
from small_door import answer

from field_api.platform import sealing
from field_api.platform.sealing import b64u, sha256
from sync.phone import DoorRefused, NotAllowed, Phone, ShiftedClock, StoreTrouble, Untrusted
from sync.phone.crockford import read_secret


def test_a_phone_enrols_and_knows_who_it_is(world: World, enrolled: Phone) -> None:
    assert enrolled.status()["device"] == world.office.device
    assert enrolled.handset.agent["name"] == "Agente Canaria"
    assert world.office.phone_signing == sealing.public_key_of(enrolled.handset.keys.signing)


def test_the_secret_is_forgotten_and_never_sent(world: World, enrolled: Phone) -> None:
    assert enrolled.handset.store.get("state", "enrolment") is None
    sent = b"".join(body for _, _, body, _ in world.door.requests)
    assert b64u(world.office.secret).encode() not in sent and crockford(world.office.secret).encode() not in sent


def test_typed_codes_forgive_case_letters_and_hyphens() -> None:
    secret = bytes(range(16))
    code = crockford(secret)
    typed = "-".join(code[i : i + 4] for i in range(0, 26, 4)).lower().replace("0", "o").replace("1", "l")
    assert read_secret(typed) == secret


@pytest.mark.parametrize("code", ["", "0" * 25, "8" + "0" * 25, "U" + "0" * 25, "0" * 27])
def test_what_is_no_code_is_refused(code: str) -> None:
    with pytest.raises(NotAllowed, match="not-a-code"):
        read_secret(code)


@pytest.mark.parametrize(
    "address", ["http://door.example", "ftp://door.test", "https://", "https://a@door.test", "https://door.test?x"]
)
def test_a_door_without_https_is_refused(world: World, address: str) -> None:
    with pytest.raises(NotAllowed, match="door-address"):
        Phone.enrol(world.directory, "p", f"{address}#{crockford(world.office.secret)}", scrypt_cost=2)


def test_an_enrolment_is_done_once(world: World, enrolled: Phone) -> None:
    enrolled.close()
    with pytest.raises(NotAllowed, match="already-enrolled"):
        world.enrol()


def test_a_broken_off_enrolment_goes_on_with_the_same_bytes(world: World) -> None:
    world.door.script = [lambda *_: None, lambda *_: answer(404, {"code": "not-found"})]
    with pytest.raises(DoorRefused):
        world.enrol()
    first = world.door.request_bytes
    with world.enrol() as phone:
        assert world.door.request_bytes == first
        assert phone.status()["device"] == world.office.device


def test_the_phone_waits_while_the_office_thinks(world: World) -> None:
    world.door.script = [lambda *_: None, lambda *_: answer(202, {}, {"Retry-After": "3"}), lambda *_: answer(202, {})]
    world.enrol().close()
    assert world.waits == [3.0, 1.0]


def _altered(world: World, alter: Any) -> None:
    honest = world.office.enrolment_answer

    def dishonest(request: bytes) -> dict[str, str]:
        result: dict[str, str] = alter(honest(request))
        return result

    world.office.enrolment_answer = dishonest  # type: ignore[method-assign]


def test_an_answer_with_another_mac_is_refused(world: World) -> None:
    _altered(world, lambda document: document | {"mac": b64u(bytes(32))})
    with pytest.raises(Untrusted, match="enrolment-mac"):
        world.enrol()


def test_an_answer_by_somebody_who_swapped_the_root_is_refused(world: World) -> None:
    other = sealing.new_private_key()
    world.office.private["root"] = other  # certificates now come from another root than the one announced
    with pytest.raises(Untrusted, match="bad-signature"):
        world.enrol()


def test_a_device_certificate_for_other_keys_is_refused(world: World) -> None:
    named = world.office.named

    def other_keys(**more: Any) -> dict[str, Any]:
        return named(**more | ({"signing": b64u(b"\4" + bytes(64))} if "signing" in more else {}))

    world.office.named = other_keys  # type: ignore[method-assign]
    with pytest.raises(Untrusted, match="device-certificate"):
        world.enrol()


def test_an_expired_certificate_is_refused_but_not_by_a_clock_before_its_time(world: World) -> None:
    late = ShiftedClock(timedelta(days=4000))
    with pytest.raises(Untrusted, match="certificate"):
        world.enrol(clock=late)
    with world.enrol(clock=ShiftedClock.showing(datetime(1970, 1, 1, tzinfo=UTC))) as phone:
        assert phone.status()["device"]


def test_another_passphrase_or_a_second_process_is_refused(world: World, enrolled: Phone) -> None:
    with pytest.raises(StoreTrouble, match="in-use"):
        world.open()
    with pytest.raises(StoreTrouble, match="wrong-passphrase"):
        Phone.open(world.directory, "another")
    with pytest.raises(StoreTrouble, match="no-phone"):
        Phone.open(world.directory.parent / "elsewhere", "p")
    enrolled.change_passphrase("new one", scrypt_cost=2)
    enrolled.close()
    Phone.open(world.directory, "new one").close()


def test_the_hash_at_the_door_is_of_the_secret_alone(world: World, enrolled: Phone) -> None:
    body = world.door.requests[0][2]
    assert b64u(sha256(b"doorstep-enrol-v1" + world.office.secret)).encode() in body
