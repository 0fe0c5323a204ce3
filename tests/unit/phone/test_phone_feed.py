"""Nothing unverified is kept; what is verified is kept in order; a snapshot replaces the sheet, whole or not at all."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from phone_world import World
from small_door import answer
from small_office import dumps, record

from field_api.platform import sealing
from field_api.platform.sealing import b64u, from_b64u
from sync.phone import Later, NotAllowed, Phone, Revoked, Untrusted
from sync.phone.records import read_records


def test_stops_come_in_route_order_with_the_open_part_only(world: World, phone: Phone) -> None:
    stops = phone.today()
    assert [stop.visit for stop in stops] == world.visits
    assert stops[0].open["name"] == "Prueba Canaria"
    assert (stops[0].person, len(stops[0].questions)) == (world.person, 3)
    assert not hasattr(stops[0], "locks")
    assert "Prueba Canaria" not in repr(stops[0])


def test_pages_are_followed_to_the_end(world: World, enrolled: Phone) -> None:
    for number in (0, 1, 2):
        world.publish(number)
    assert enrolled.pull(limit=1).items == 3
    assert enrolled.pull().items == 0


def test_a_withdrawn_visit_leaves_the_sheet(world: World, phone: Phone) -> None:
    world.office.publish(
        "visit",
        world.visits[1],
        2,
        {"state": "withdrawn", "assignment_version": 2, "stop": None, "open": None, "locks": []},
    )
    phone.pull()
    assert [stop.visit for stop in phone.today()] == [world.visits[0], world.visits[2]]
    with pytest.raises(NotAllowed, match="visit-withdrawn"):
        phone.arrive(world.visits[1])


def test_a_lower_version_is_ignored_and_an_unknown_kind_is_kept_unread(world: World, phone: Phone) -> None:
    world.publish(0, version=5, state="withdrawn")
    world.publish(0, version=4)
    world.office.publish("weather", "x", 1, {"rain": True})
    assert phone.pull().items == 3
    assert world.visits[0] not in [stop.visit for stop in phone.today()]


def _break(item: dict[str, str], name: str) -> None:
    data = bytearray(from_b64u(item[name]))
    data[-1] ^= 1
    item[name] = b64u(bytes(data))


@pytest.mark.parametrize("name", ["h", "ct", "sig"])
def test_an_altered_item_stops_the_feed_before_it_and_keeps_what_came_before(
    world: World, phone: Phone, name: str
) -> None:
    before = phone.status()["feed_seq"]
    world.publish(0, version=2, assignment_version=7)
    _break(world.office.publish("visit", world.visits[1], 9, {"state": "withdrawn", "assignment_version": 9}), name)
    with pytest.raises(Untrusted):
        phone.pull()
    assert phone.status()["feed_seq"] == before + 1
    assert len(phone.today()) == 3


def test_items_left_out_repeated_or_for_another_phone_are_refused(world: World, phone: Phone) -> None:
    for number in (0, 1, 2):
        world.publish(number, version=2)
    items = world.office.items
    gap = items[:3] + items[4:]
    repeated = [*items[:4], items[3], *items[4:]]
    for served in (gap, repeated):
        world.office.items = served
        with pytest.raises(Untrusted, match="not the next one"):
            phone.pull()
    world.office.items = items
    world.office.device, device = "11111111-1111-4111-8111-111111111111", world.office.device
    world.office.items = [*items[:-1], items[-1]]
    other = world.office.publish("route", "r", 1, {})
    world.office.device = device
    assert json.loads(from_b64u(other["h"]))["device"] != device
    with pytest.raises(Untrusted, match=r"another phone|bad-signature|not the next"):
        phone.pull()


def test_an_item_signed_by_the_door_is_refused(world: World, phone: Phone) -> None:
    world.office.private["office"] = world.office.private["door"]
    world.publish(0, version=2)
    with pytest.raises(Untrusted, match="bad-signature"):
        phone.pull()


def test_a_sheet_key_for_another_purpose_is_refused(world: World, phone: Phone) -> None:
    world.publish(0, version=2)
    honest = world.office.sheet_key_statement

    def mislabelled() -> dict[str, str]:
        statement = json.loads(from_b64u(honest()["statement"])) | {"id": "ffffffffffffffff"}
        return world.office.signed("office", "doorstep-sheet-key-v1", "statement", statement)

    world.office.sheet_key_statement = mislabelled  # type: ignore[method-assign]
    with pytest.raises(Untrusted, match="sheet-key"):
        phone.pull()


def test_a_rotated_office_key_is_taken_from_the_feed(world: World, phone: Phone) -> None:
    """The day's sheet key came before, under the old key; the page brings the new certificate and a fresh sheet key."""
    fresh = sealing.new_private_key()
    certificate = world.office.certificate("office", sealing.public_key_of(fresh))
    world.office.publish("keys", "k", 1, {"certificates": [certificate]})
    world.office.private["office"] = fresh
    world.office.sheet_key, world.office.sheet_key_id = b"N" * 32, "00000000aaaaaaaa"
    world.publish(0, version=3)
    assert phone.pull().items == 2


def test_a_certificate_of_another_root_is_not_taken(world: World, phone: Phone) -> None:
    root, world.office.private["root"] = world.office.private["root"], sealing.new_private_key()
    certificate = world.office.certificate("office")
    world.office.private["root"] = root
    world.office.publish("keys", "k", 1, {"certificates": [certificate]})
    with pytest.raises(Untrusted, match="bad-signature"):
        phone.pull()


def _resync(world: World) -> None:
    world.office.restored()
    for number in (0, 1):
        world.publish(number, version=5)
    del world.office.contents["visit", world.visits[2]]


def test_after_a_restore_the_snapshot_replaces_the_sheet_and_nothing_else(world: World, phone: Phone) -> None:
    phone.note(world.visits[0], "kept")
    phone.save_draft(world.visits[1], {"words": "kept too"})
    _resync(world)
    pulled = phone.pull()
    assert pulled.snapshots == 1 and phone.status()["epoch"] == 2
    assert [stop.visit for stop in phone.today()] == world.visits[:2]
    assert phone.status()["ops_recorded"] == 1 and len(phone.queue()) == 1
    assert phone.draft(world.visits[1]) == {"words": "kept too"}
    world.publish(1, version=6)
    assert phone.pull().items == 1


def test_a_cut_snapshot_goes_on_where_it_stopped(world: World, phone: Phone) -> None:
    _resync(world)
    world.door.cut_snapshot_at = 10_000
    assert phone.pull().snapshots == 1
    ranges = [headers.get("range") for _, path, _, headers in world.door.requests if path == "/feed/snapshot"]
    assert ranges == [None, "bytes=10000-"]


def test_a_snapshot_is_waited_for(world: World, phone: Phone) -> None:
    _resync(world)
    world.waits.clear()
    world.door.script = [lambda *_: None, lambda *_: answer(202, {}, {"Retry-After": "2"})]
    assert phone.pull().snapshots == 1
    assert world.waits == [2.5]


def _alter_snapshot(world: World, alter: Any) -> None:
    whole = world.office.snapshot()
    ends = [0, *(each.end for each in read_records(whole))]
    world.door.snapshot_bytes = b"".join(alter([whole[start:end] for start, end in pairwise(ends)]))


@pytest.mark.parametrize(
    "alter",
    [
        lambda lines: [lines[0], lines[2], lines[1], *lines[3:]],
        lambda lines: [lines[0], *lines[2:]],
        lambda lines: [lines[0].replace(b'"seq":', b'"qes":'), *lines[1:]],
        lambda lines: [lines[0], record(9, b"", b"{}"), *lines[1:]],
        lambda lines: [*lines, b"{}"],
    ],
)
def test_an_altered_snapshot_changes_nothing(world: World, phone: Phone, alter: Any) -> None:
    _resync(world)
    _alter_snapshot(world, alter)
    with pytest.raises(Untrusted):
        phone.pull()
    assert len(phone.today()) == 3 and phone.status()["epoch"] == 1


def test_an_older_snapshot_cannot_bring_back_what_was_withdrawn(world: World, phone: Phone) -> None:
    world.door.snapshot_bytes = world.office.snapshot()
    world.publish(0, version=2, state="withdrawn")
    phone.pull()
    world.door.script = [lambda *_: answer(410, {"code": "resync-required"})]
    with pytest.raises(Untrusted, match="older"):
        phone.pull()
    assert len(phone.today()) == 2


def test_a_stale_anchor_is_replaced_and_the_call_repeated(world: World, phone: Phone) -> None:
    world.door.live_anchors.clear()
    calls = len(world.door.requests)
    phone.pull()
    assert len(world.door.requests) == calls + 2


def test_busy_doors_are_waited_for_as_told_and_never_taken_for_a_refusal(world: World, phone: Phone) -> None:
    world.waits.clear()
    busy = answer(429, {"code": "rate-limited"}, {"Retry-After": "7"})
    world.door.script = [lambda *_: busy, lambda *_: answer(503, {"code": "unavailable"})]
    phone.pull()
    assert world.waits == [7.875, 0.5]
    world.door.script = [lambda *_: answer(429, {"code": "rate-limited"}, {"Retry-After": "9000"})]
    with pytest.raises(Later) as later:
        phone.pull()
    assert later.value.after_s == 9000


def test_patience_ends(world: World, phone: Phone) -> None:
    world.door.script = [lambda *_: answer(503, {"code": "unavailable"}) for _ in range(6)]
    with pytest.raises(Later, match="unavailable"):
        phone.pull()
    assert phone.pull().items == 0


def test_an_anchor_of_another_key_is_no_evidence_of_time(world: World, phone: Phone) -> None:
    before = phone.status()["anchor_at"]
    world.office.private["door"] = sealing.new_private_key()
    world.office.now = world.office.now.replace(year=2031)
    phone.pull()
    assert phone.status()["anchor_at"] == before


def test_a_revoked_phone_wipes_on_a_valid_order_and_still_sends_its_queue(world: World, phone: Phone) -> None:
    phone.note(world.visits[0], "kept")
    world.door.revoked = world.office.wipe_order()
    with pytest.raises(Revoked):
        phone.pull()
    assert phone.is_wiped and phone.today() == []
    assert phone.push().received == 1


def test_a_phone_that_was_revoked_before_its_first_call_still_sends_its_queue(world: World, enrolled: Phone) -> None:
    """Its first anchor comes with the refusal of `POST /anchors`."""
    enrolled.session(app_version="1.0.3")
    world.door.revoked = world.office.wipe_order()
    assert enrolled.push().received == 1 and enrolled.is_wiped


@pytest.mark.parametrize("order", ["signed by the door", "for another phone", "none"])
def test_a_wipe_order_that_is_not_the_agencys_wipes_nothing(world: World, phone: Phone, order: str) -> None:
    office = world.office
    named = office.named(reason="lost", at="2026-11-18T15:00:00.000Z")
    other = dumps(named | {"device": "x"})
    orders: dict[str, Any] = {
        "signed by the door": office.signed("door", "doorstep-wipe-v1", "order", named),
        "for another phone": {
            "order": b64u(other),
            "sig": b64u(sealing.sign(office.private["office"], b"doorstep-wipe-v1" + other)),
        },
        "none": {},
    }
    world.door.revoked = orders[order]
    with pytest.raises(Revoked) as refused:
        phone.pull()
    assert not refused.value.wiped and len(phone.today()) == 3


def test_no_item_of_the_feed_wipes(world: World, phone: Phone) -> None:
    """A revoked phone's feed is never served: an order comes with the refusal, or not at all."""
    world.office.publish("wipe", "w", 1, {"reason": "dismissed"})
    phone.pull()
    assert not phone.is_wiped and len(phone.today()) == 3
