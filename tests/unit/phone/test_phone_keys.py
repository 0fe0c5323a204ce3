"""Keys change while a phone is away: it catches up in order, believes nobody but the root, and loses nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from phone_world import World
from small_office import dumps, record

from field_api.platform import sealing
from field_api.platform.sealing import b64u, from_b64u
from sync.phone import Phone, Revoked, Untrusted


def announce(world: World, *certificates: dict[str, str], roots: tuple[dict[str, str], ...] = ()) -> None:
    office = world.office
    body = {"roots": list(roots), "certificates": list(certificates)}
    office.publish("keys", f"k{len(office.items)}", 1, body)


def rotated(world: World, role: str) -> None:
    """Announced under the key before, then used, a day later."""
    office = world.office
    office.now += timedelta(days=1)
    before = office.private[role], office.public[role]
    certificate = office.rotate(role)
    after = office.private[role], office.public[role]
    office.private[role], office.public[role] = before
    announce(world, certificate)
    office.private[role], office.public[role] = after


def sealing_key_of(phone: Phone, seq: int) -> str:
    document = phone.handset.store.get("op", seq)["document"]
    return str(json.loads(from_b64u(document["protected"]))["key"])


def test_two_office_keys_later_a_phone_reads_on(world: World, phone: Phone) -> None:
    for number in (0, 1):
        rotated(world, "office")
        world.publish(number, version=7 + number, assignment_version=9)
    world.office.durable_seq = 0
    phone.close()
    with world.open() as again:
        assert again.pull(limit=1).items == 4
        assert len(again.today()) == 3
    with world.open() as restarted:  # what it took is on the disk
        assert restarted.pull().items == 0
        assert len(restarted.handset.trust.certificates) == 5


def test_new_operations_are_sealed_to_the_newest_key_and_old_ones_are_sent_as_they_are(
    world: World, phone: Phone
) -> None:
    phone.note(world.visits[0], "before")
    old, before = world.office.private["sealing"], phone.handset.store.get("op", 1)
    rotated(world, "sealing")
    phone.pull()
    phone.note(world.visits[0], "after")
    assert sealing_key_of(phone, 1) != sealing_key_of(phone, 2)
    assert sealing_key_of(phone, 2) == sealing.key_id_of(world.office.public["sealing"])
    assert phone.handset.store.get("op", 1) == before
    new, world.office.private["sealing"] = world.office.private["sealing"], old
    assert world.office.read_op(before["document"])[1]["kind"] == "note"
    world.office.private["sealing"] = new
    assert world.office.read_op(phone.handset.store.get("op", 2)["document"])[1]["kind"] == "note"


def test_the_root_is_followed_step_by_step_and_the_old_one_certifies_nothing_more(world: World, phone: Phone) -> None:
    office = world.office
    steps = []
    for _ in range(2):
        old = office.private["root"]
        steps.append(office.root_step())
    announce(world, office.certificate("office", start=office.now + timedelta(hours=1)), roots=tuple(steps))
    phone.pull()
    assert phone.handset.trust.roots[-1] == office.public["root"]
    phone.close()
    with world.open() as again:
        assert len(again.handset.trust.roots) == 3
        new, office.private["root"] = office.private["root"], old
        announce(world, office.rotate("door"))
        office.private["root"] = new
        with pytest.raises(Untrusted, match="bad-signature"):
            again.pull()
        assert len(again.today()) == 3


BAD: dict[str, tuple[Callable[[World], dict[str, Any]], str]] = {
    "another root": (lambda w: {"certificates": [_by_another_root(w)]}, "bad-signature"),
    "another agency": (lambda w: {"certificates": [_certificate_with(w, agency="x")]}, "certificate"),
    "an unknown role": (lambda w: {"certificates": [_certificate_with(w, role="root")]}, "certificate"),
    "another key id": (lambda w: {"certificates": [_certificate_with(w, kid="0" * 16)]}, "certificate"),
    "its time is over": (
        lambda w: {"certificates": [w.office.certificate("office", days=1, start=w.office.now - timedelta(days=9))]},
        "certificate",
    ),
    "a step of the old root alone": (lambda w: {"roots": [_step(w, "new")], "certificates": []}, "bad-signature"),
    "a step of the new root alone": (lambda w: {"roots": [_step(w, "old")], "certificates": []}, "bad-signature"),
    "a step of another agency": (lambda w: {"roots": [w.office.root_step(agency="x")], "certificates": []}, "root"),
    "a step from a root nobody knows": (lambda w: {"roots": [_second_step(w)], "certificates": []}, "root"),
    "no certificates": (lambda w: {"roots": []}, "bad-form"),
}


def _by_another_root(world: World) -> dict[str, str]:
    root, world.office.private["root"] = world.office.private["root"], sealing.new_private_key()
    certificate = world.office.certificate("office")
    world.office.private["root"] = root
    return certificate


def _certificate_with(world: World, **changed: str) -> dict[str, str]:
    body = json.loads(from_b64u(world.office.certificate("office")["cert"])) | changed
    return world.office.signed("root", "doorstep-cert-v1", "cert", body)


def _step(world: World, spoiled: str) -> dict[str, str]:
    step = world.office.root_step()
    return step | {spoiled: b64u(bytes(31) + b"\1" + bytes(31) + b"\1")}


def _second_step(world: World) -> dict[str, str]:
    world.office.root_step()
    return world.office.root_step()


@pytest.mark.parametrize("what", BAD)
def test_a_bad_announcement_is_refused_at_its_place_and_nothing_is_lost(world: World, phone: Phone, what: str) -> None:
    make, code = BAD[what]
    phone.note(world.visits[0], "kept")
    before = phone.status()["feed_seq"]
    certificates = list(phone.handset.trust.certificates)
    world.publish(0, version=8)
    world.office.publish("keys", "bad", 1, make(world))
    world.publish(1, version=9)
    with pytest.raises(Untrusted) as refused:
        phone.pull()
    assert refused.value.code == code
    assert phone.status()["feed_seq"] == before + 1, "what came before is kept, what came after is not read"
    assert phone.handset.trust.certificates == certificates
    assert len(phone.queue()) == 1 and len(phone.today()) == 3


def test_a_snapshot_signed_by_a_key_that_the_phone_never_heard_of_brings_it_along(world: World, phone: Phone) -> None:
    office = world.office
    step = office.root_step()
    office.now += timedelta(days=30)
    certificates = [office.rotate(role) for role in ("office", "sealing", "door")]
    office.restored()
    world.publish(0, version=5)
    whole = office.snapshot()

    def served(keys: dict[str, Any]) -> bytes:
        return record(5, b"", dumps(keys)) + whole

    world.door.snapshot_bytes = served({"roots": [], "certificates": certificates})
    with pytest.raises(Untrusted, match="bad-signature"):
        phone.pull()
    assert len(phone.today()) == 3
    over = office.certificate("office", days=1, start=office.now - timedelta(days=9))
    world.door.snapshot_bytes = served({"roots": [step], "certificates": [over, *certificates]})
    assert phone.pull().snapshots == 1
    assert phone.status()["anchor_at"].startswith("2026-12-18"), "the anchor that waited for its key says the time now"


def test_a_receipt_by_a_key_that_is_announced_and_not_read_yet_is_asked_for_again(world: World, phone: Phone) -> None:
    rotated(world, "door")
    phone.note(world.visits[0], "kept")
    assert phone.push().received == 1
    assert world.door.op_calls == [1, 1]


def test_a_receipt_by_a_key_of_nobody_stays_refused(world: World, phone: Phone) -> None:
    world.office.private["door"] = sealing.new_private_key()
    phone.note(world.visits[0], "kept")
    with pytest.raises(Untrusted, match="bad-signature"):
        phone.push()
    assert len(phone.queue()) == 1 and phone.queue()[0]["receipt"] is None


def test_a_wipe_order_by_a_key_that_the_phone_never_heard_of_brings_it_along(world: World, phone: Phone) -> None:
    phone.note(world.visits[0], "kept")
    office = world.office
    certificates = [office.rotate("office"), office.rotate("door")]
    order = office.wipe_order()
    world.door.revoked = order | {"keys": {"roots": [], "certificates": [_by_another_root(world)]}}
    with pytest.raises(Revoked) as refused:
        phone.pull()
    assert not refused.value.wiped and len(phone.today()) == 3
    world.door.revoked = order | {"keys": {"roots": [], "certificates": certificates}}
    assert phone.push().received == 1  # its refusals also told it the door's new key
    assert phone.is_wiped and phone.today() == []


def test_an_order_of_an_earlier_life_wipes_nothing(world: World, phone: Phone) -> None:
    """The agent's phone was revoked and enrolled again: a device's id is never used twice."""
    device, world.office.device = world.office.device, "0190a0e0-0000-4000-8000-0000000000ff"
    earlier = world.office.wipe_order()
    world.office.device = device
    world.door.revoked = earlier
    with pytest.raises(Revoked) as refused:
        phone.pull()
    assert not refused.value.wiped and len(phone.today()) == 3
