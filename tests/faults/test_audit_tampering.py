"""Whatever is changed, removed, put in, moved or cut off, in the database or in the file, is found and named."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from audit_world import TILE, AuditWorld, edited, lines_with

from doorstep.server import Server
from field_api.platform.bounded_json import canonical
from field_api.platform.problems import Problem
from field_api.platform.sealing import b64u
from field_api.platform.settings import Settings
from field_api.platform.wiring import office_keys
from sync.office.audit_lines import lines_of, read_seen
from sync.office.audit_report import MAX_FINDINGS
from sync.office.audit_verify import verify_export
from tests.door_client import sha256, un64
from tests.sync_day import Day

pytest_plugins = ["tests.door_fixtures"]


@pytest.fixture
def world(day: Day, database: Server, settings: Settings) -> AuditWorld:
    return AuditWorld(day, database, settings.home)


# What the owner of the database does, and what one finding must say. `N` numbers: {op}, {odd}, {event}, {hold}, {lift},
# {photo}, {decision} are the leaves of such a row.
IN_THE_DATABASE = [
    ("UPDATE mailbox.inbox SET ct = '\\x00' || substr(ct, 2) WHERE seq = 1", "leaf {op} (inbox/", "its row or its salt"),
    ("UPDATE mailbox.inbox SET protected = '\\x00' || substr(protected, 2) WHERE seq = 1", "leaf {op} (", "its row"),
    ("UPDATE mailbox.inbox SET sig = '\\x00' || substr(sig, 2) WHERE seq = 1", "leaf {op} (inbox/", "its row"),
    ("UPDATE mailbox.inbox SET receipt = receipt || ' ' WHERE seq = 1", "leaf {receipt} (inbox/", "its row"),
    ("UPDATE mailbox.inbox SET receipt_sig = set_byte(receipt_sig, 9, 255 - get_byte(receipt_sig, 9)) WHERE seq = 1", "leaf {receipt} (", "sig"),
    ("UPDATE mailbox.inbox SET seq = 77 WHERE seq = 1", "leaf {receipt} (inbox/", "something else than its receipt"),
    ("UPDATE mailbox.inbox SET link = sha256('x') WHERE seq = 1", "leaf {receipt} (inbox/", "something else"),
    ("DELETE FROM mailbox.inbox WHERE seq = 1", "leaf {op} (inbox/", "its row is missing"),
    ("UPDATE mailbox.quarantine SET raw = raw || ' '", "leaf {odd} (quarantine/", "its row or its salt"),
    ("UPDATE mailbox.quarantine SET status = 'fork'", "leaf {oddreceipt} (quarantine/", "something else"),
    ("DELETE FROM mailbox.quarantine", "leaf {odd} (quarantine/", "its row is missing"),
    ("UPDATE office.visit_event SET at = at - interval '1 day' WHERE actor LIKE 'staff:%'", "leaf {event} (v", "its row"),
    ("UPDATE office.visit_event SET actor = 'staff:x' WHERE actor LIKE 'staff:%'", "leaf {event} (visit", "its row"),
    ("DELETE FROM office.visit_event WHERE actor LIKE 'staff:%'", "leaf {event} (visit_event/", "its row is missing"),
    ("UPDATE office.hold SET kind = 'paid'", "leaf {hold} (hold/", "its row"),
    ("UPDATE office.hold SET lifted_by = NULL", "leaf {lift} (hold_lifted/", "its row"),
    ("DELETE FROM office.hold", "leaf {hold} (hold/", "its row is missing"),
    ("UPDATE office.photo SET sha256 = sha256('x')", "leaf {photo} (photo/", "its row"),
    ("UPDATE office.photo SET state = 'destroyed'", "leaf {photo} (photo/", "destroyed, and no decision says so"),
    ("DELETE FROM office.photo", "leaf {photo} (photo/", "its row is missing"),
    ("UPDATE office.log_entry SET salt = sha256('x') WHERE number = 3", "leaf 3 (", "its row or its salt"),
    ("UPDATE office.log_entry SET salt = NULL WHERE number = 3", "leaf 3 (", "its salt is missing"),
    ("UPDATE office.log_entry SET leaf = leaf || ' ' WHERE number = 3", "leaf 3 (", "its data or its node"),
    ("UPDATE office.log_entry SET leaf = NULL WHERE number = 3", "leaf 3 (", "its entry is missing"),
    ("UPDATE office.log_entry SET kind = 'x' WHERE number = 3", "leaf 3 (", "changed: kind"),
    ("UPDATE office.log_entry SET at = at + interval '1 s' WHERE number = 3", "leaf 3 (", "changed: at"),
    ("UPDATE office.log_entry SET ref = 'no/' || ref WHERE number = 3", "leaf 3 (no/", "changed: ref"),
    ("UPDATE office.log_entry SET payload_sha256 = sha256('') WHERE number = 3", "leaf 3 (", "payload_sha256"),
    ("UPDATE office.log_entry SET detail = '{{\"n\": 9}}' WHERE number = {decision}", "leaf {decision} (", "its row"),
    ("DELETE FROM office.log_entry WHERE number = 3", "leaf 3", "its entry is missing"),
    ("UPDATE office.log_entry SET number = -number WHERE number = 3", "leaf 3", "its entry is missing"),
    ("UPDATE office.log_entry SET number = 99999 WHERE number = 3", "leaves", "no checkpoint covers them"),
    ("UPDATE mailbox.log_node SET hash = sha256('x') WHERE level = 0 AND position = 3", "leaf 3 (", "its data or its n"),
    ("DELETE FROM mailbox.log_node WHERE level = 0 AND position = 3", "leaf 3 (", "its node is missing"),
    ("UPDATE mailbox.log_node SET hash = sha256('x') WHERE level = 1", "node 0 of level 1", "changed"),
    ("DELETE FROM mailbox.log_node WHERE level = 1", "node 0 of level 1", "missing"),
    ("UPDATE mailbox.log_node SET position = 7 WHERE level = 1", "node 7 of level 1", "out of order"),
    ("UPDATE mailbox.checkpoint SET root = sha256('x') WHERE size = {second}", "checkpoint at {second}", "another size or"),
    ("UPDATE mailbox.checkpoint SET sig = set_byte(sig, 9, 255 - get_byte(sig, 9)) WHERE size = {second}", "checkpoint at {second}", "s"),
    ("UPDATE mailbox.checkpoint SET statement = statement || ' ' WHERE size = {second}", "checkpoint at {second}", "not"),
    ("UPDATE mailbox.checkpoint SET size = size + 1 WHERE size = {second}", "checkpoint at", "another size or root"),
    ("DELETE FROM mailbox.checkpoint WHERE size = {second}", "checkpoint at", "the one before it was removed"),
    ("DELETE FROM mailbox.checkpoint WHERE size = {first}", "checkpoint at {second}", "the one before it was removed"),
    ("DELETE FROM mailbox.checkpoint WHERE size = {last}", "leaves", "no checkpoint covers them"),
]  # fmt: skip


def test_whatever_is_changed_or_removed_in_the_database_is_found_and_named(world: AuditWorld) -> None:
    assert world.findings(world.export()) == [], "and nothing where nobody touched it"
    names = numbers(world)
    unnoticed = []
    for statement, place, what in IN_THE_DATABASE:
        found = world.tampered(statement.format(**names))
        if not any(each.startswith(place.format(**names)) and what in each for each in found):
            unnoticed.append((statement.format(**names), found[:5]))
    assert unnoticed == []


def numbers(world: AuditWorld) -> dict[str, int]:
    lines = [json.loads(line) for line in world.export()]
    sizes = [line["size"] for line in lines if "size" in line]
    leaves = [line for line in lines if "number" in line]
    first_op = next(
        line["ref"]
        for line in leaves
        if line["kind"] == "receipt" and line["row"]["seq"] == 1 and "inbox" in line["ref"]
    )
    return {
        "op": world.number(first_op, "op"), "receipt": world.number(first_op, "receipt"),
        "odd": world.number("quarantine/", "op"), "oddreceipt": world.number("quarantine/", "receipt"),
        "event": world.number("visit_event/"), "hold": world.number("hold/"), "lift": world.number("hold_lifted/"),
        "photo": world.number("photo/"), "decision": world.number("decision/"),
        "first": sizes[0], "second": sizes[1], "last": sizes[-1],
    }  # fmt: skip


def test_what_is_put_in_swapped_or_cut_off_in_the_database_is_found_and_named(world: AuditWorld) -> None:
    leaves = len(lines_with(world.export(), "number"))
    swap = [
        f"UPDATE office.log_entry SET number = {to} WHERE number = {of}" for of, to in ((3, 90000), (4, 3), (90000, 4))
    ]
    assert {each[:6] for each in world.tampered(*swap)} >= {"leaf 3", "leaf 4"}
    columns = "seq, protected, ct, sig, link, receipt, receipt_sig, received_at, logged"
    copied = f"INSERT INTO mailbox.inbox (agency_id, device_id, op_id, {columns})"
    chosen = f"SELECT agency_id, device_id, gen_random_uuid(), {columns} FROM mailbox.inbox WHERE seq = 1"
    (inserted,) = world.tampered(f"{copied} {chosen}")
    assert inserted.startswith("inbox/") and inserted.endswith("a row that is in no leaf of the log")
    columns = "visit_id, op_id, device_id, state, attempts, subject, sha256, received_at"
    copied = f"INSERT INTO office.photo (agency_id, id, upload_id, {columns})"
    chosen = f"SELECT agency_id, gen_random_uuid(), gen_random_uuid(), {columns} FROM office.photo"
    (inserted,) = world.tampered(f"{copied} {chosen}")
    assert inserted.startswith("photo/") and inserted.endswith("a row that is in no leaf of the log")
    tail = world.tampered(f"DELETE FROM office.log_entry WHERE number > {leaves - 3}")
    assert f"leaf {leaves - 1}: its entry is missing" in tail
    tail = world.tampered(
        f"DELETE FROM office.log_entry WHERE number > {leaves - 3}",
        f"DELETE FROM mailbox.log_node WHERE level = 0 AND position > {leaves - 3}",
    )
    assert tail[0] == f"leaf {leaves - 2}: missing" or f"leaves {leaves - 2} to {leaves - 1}: missing" in tail
    with world.owner() as session, pytest.raises(Problem, match="conflict"):
        session.connection().exec_driver_sql("DELETE FROM mailbox.checkpoint")
        world.export(session)


def test_a_log_whose_end_is_cut_off_without_a_trace_is_found_by_who_saw_it_whole(world: AuditWorld) -> None:
    before = world.export()
    seen = read_seen(before[0])
    sizes = [json.loads(before[at])["size"] for at in lines_with(before, "size")]
    with world.owner() as session:
        for statement in (
            f"DELETE FROM office.log_entry WHERE number >= {sizes[-2]}",
            f"DELETE FROM mailbox.log_node WHERE level = 0 AND position >= {sizes[-2]}",
            f"DELETE FROM mailbox.checkpoint WHERE size > {sizes[-2]}",
        ):
            session.connection().exec_driver_sql(statement)
        cut = world.export(session)
    assert world.findings(cut) == [], "nothing inside tells: that is said in docs/threat-model.md"
    (found,) = world.findings(cut, [seen])
    assert found.startswith(f"checkpoint at {sizes[-1]}: seen elsewhere, and not in this log")
    assert world.findings(before, [read_seen(cut[0])]) == []
    forked = json.loads(un64(json.loads(before[0])["head"]))
    statement = canonical(json.loads(un64(forked["checkpoint"])) | {"root": b64u(bytes(32))})
    fork = read_seen(canonical({"checkpoint": b64u(statement), "sig": ""}))
    assert any("another log" in each for each in world.findings(before, [fork]))


def test_lines_of_the_file_that_are_moved_removed_put_in_or_changed_are_named(world: AuditWorld) -> None:
    lines = world.export()
    leaf, node, point = (lines_with(lines, key) for key in ("number", "level", "size"))
    last = json.loads(lines[point[-1]])["size"]

    def without(at: int) -> list[str]:
        return world.findings([*lines[:at], *lines[at + 1 :]])

    assert "leaf 4: missing" in without(leaf[4])
    assert len(without(leaf[4])) == 1, "the tile's node stands for the leaf, and all the rest holds"
    assert f"leaf {TILE + 2}: missing" in without(leaf[TILE + 2])
    assert f"leaf {last - 1}: missing" in without(leaf[-1])
    assert without(node[0]) == ["node 0 of level 1: missing"]
    assert any("the one before it was removed" in each for each in without(point[1]))
    assert any("no checkpoint covers" in each for each in without(point[-1]))

    def swapped(one: int, other: int) -> list[str]:
        moved = list(lines)
        moved[one], moved[other] = lines[other], lines[one]
        return world.findings(moved)

    assert any("out of order" in each for each in swapped(leaf[3], leaf[4]))
    assert any("out of order" in each for each in swapped(point[-2], point[-1]))
    assert swapped(node[0], leaf[TILE + 1]) and swapped(leaf[7], leaf[TILE + 3])
    for at in (leaf[5], node[0], point[1]):
        assert any("out of order" in each for each in world.findings([*lines[: at + 1], lines[at], *lines[at + 1 :]]))
    for count in (1, 2, len(lines) // 2, len(lines) - 1):
        assert world.findings(lines[:count])
    assert world.findings([*lines, b'{"outside":"inbox/x"}\n']) == ["inbox/x: a row that is in no leaf of the log"]
    assert world.findings([lines[0], b"{", *lines[1:]]) == ["line 2: unreadable"]
    other = edited(lines[leaf[2]], lambda document: document.update(at="x"))
    assert any("leaf 2" in each for each in world.findings([*lines[: leaf[2]], other, *lines[leaf[2] + 1 :]]))


def test_a_leaf_rewritten_with_all_that_depends_on_it_fails_the_signed_root(world: AuditWorld) -> None:
    lines = world.export()
    at = lines_with(lines, "number")[TILE + 1]

    def forge(document: dict) -> None:
        payload, salt = b'{"forged":1}', un64(document["salt"])
        leaf = json.loads(un64(document["leaf"])) | {"commitment": b64u(sha256(salt + sha256(payload)))}
        data = canonical(leaf)
        document |= {"payload": b64u(payload), "leaf": b64u(data), "hash": b64u(sha256(b"\x00" + data))}
        document["payload_sha256"] = b64u(sha256(payload))

    found = world.findings([*lines[:at], edited(lines[at], forge), *lines[at + 1 :]])
    assert len(found) == 1 and found[0].endswith("the leaves before it do not give its signed root")


def test_certificates_root_steps_and_the_head_are_named_where_they_were_touched(world: AuditWorld) -> None:
    old_root = office_keys().fresh(world.day.agency).root_public
    for role in ("office", "door", "root", "office"):
        world.rotate(role)
        world.decide(2)
    lines = world.export()
    assert world.findings(lines) == [], "checkpoints by retired keys, and receipts by a retired door key, verify"
    assert verify_export(lines, old_root).findings == [], "whoever has only the first root follows the step"
    head = json.loads(un64(json.loads(lines[0])["head"]))
    assert len(head["certificates"]) == 5 and len(head["roots"]) == 1

    def resigned(change: Callable[[dict], object]) -> list[str]:
        changed = json.loads(canonical(head))
        change(changed)
        signed = canonical(changed)
        sig = office_keys().fresh(world.day.agency).sign(b"doorstep-export-v1", signed)
        return world.findings([canonical({"head": b64u(signed), "sig": b64u(sig)}) + b"\n", *lines[1:]])

    def flip(text: str) -> str:
        data = bytearray(un64(text))
        data[len(data) // 2] ^= 1
        return b64u(bytes(data))

    def spoil(number: int, name: str) -> Callable[[dict], object]:
        return lambda d: d["certificates"][number].update({name: flip(d["certificates"][number][name])})

    assert resigned(lambda d: None) == []
    for number in range(5):
        for name in ("cert", "sig"):
            assert any(each.startswith(f"certificate {number}") for each in resigned(spoil(number, name)))
    for name in ("root", "old", "new"):
        step = resigned(lambda d, name=name: d["roots"][0].update({name: flip(d["roots"][0][name])}))
        assert step[0].startswith("root step 0")
    assert any("not signed by this" in each for each in resigned(lambda d: d["certificates"].pop(0)))
    assert resigned(lambda d: d.update(checkpoints=1)) and resigned(lambda d: d.update(agency=str(world.day.agent)))
    touched = world.findings([edited(lines[0], lambda d: d.update(head=flip(d["head"]))), *lines[1:]])
    assert any(each.startswith("head") for each in touched)
    assert verify_export(lines, office_keys().of(world.day.agency).door_certificate.public).findings[-1].place == "head"


def flipped(data: bytes, at: int, value: int) -> bytes:
    return data[:at] + bytes([data[at] ^ value]) + data[at + 1 :]


def every_flip_is_found(world: AuditWorld, tmp_path: Path, tries: int, seed: int) -> None:
    """Only the lines around the flip are verified anew each time: the head and the first leaves stand for all."""
    data = b"".join(world.export())
    pick, root = random.Random(seed), office_keys().fresh(world.day.agency).root_public
    file = tmp_path / "log.jsonl"
    for _ in range(tries):
        at, value = pick.randrange(len(data)), pick.randrange(1, 256)
        file.write_bytes(flipped(data, at, value))
        with file.open("rb") as opened:
            report = verify_export(lines_of(opened), root)
        assert report.findings, f"byte {at} by {value} unnoticed: {data[max(0, at - 40) : at + 40]!r}"
        assert len(report.findings) <= MAX_FINDINGS


def test_every_flipped_byte_of_the_file_is_found(world: AuditWorld, tmp_path: Path) -> None:
    every_flip_is_found(world, tmp_path, 60, 4)


@pytest.mark.prove
def test_thousands_of_flipped_bytes_of_the_file_are_found(world: AuditWorld, tmp_path: Path) -> None:
    every_flip_is_found(world, tmp_path, 3_000, 9)
