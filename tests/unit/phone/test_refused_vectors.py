"""tests/vectors/refused.json by the reference phone; and every byte of every envelope turned, one after another."""

from __future__ import annotations

import copy
import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from phone_world import crockford
from small_door import answer

from field_api.platform.sealing import b64u, from_b64u
from sync.door.op_form import WellSigned, read_op
from sync.packing import pack
from sync.phone import Patience, Untrusted, records
from sync.phone.clock import SystemClock
from sync.phone.enrolment import Enrolment
from sync.phone.feed import load_cursor, load_durable, read_item, take_durable, take_sheet_keys
from sync.phone.handset import Handset
from sync.phone.pulling import _replace_sheet, _take_page
from sync.phone.pushing import _take
from sync.phone.sheet_digest import DIFFERS, SAME, UNKNOWN, compared, lines_sha256, take_digest
from sync.phone.store import Store
from sync.phone.vault import Keys
from sync.phone.wiping import read_wipe_order

VECTORS = Path(__file__).parents[2] / "vectors"
FILE: dict[str, Any] = json.loads((VECTORS / "refused.json").read_text())
KEYS = Keys(from_b64u(FILE["signing_private"]), from_b64u(FILE["sealing_private"]), b"s" * 32)
SECRET = from_b64u(FILE["secret"])


def nothing(_: str) -> None:
    return None


def write_held(directory: Path) -> None:
    """A phone as the file's `held` describes it."""
    directory.mkdir()
    store, held = Store(directory, KEYS.store), FILE["held"]
    identity = {
        "agency": FILE["agency"], "device": FILE["device"], "root": held["root"], "door": "https://door.test",
        "app": "test", "agent": {}, "agency_name": "", "device_certificate": held["device_certificate"],
    }  # fmt: skip
    anchor = {"text": "a", "at": held["anchor_at"], "mono_ms": 0, "boot": "b"}
    state = {"identity": identity, "certificates": held["certificates"], "cursor": held["cursor"], "anchor": anchor}
    state |= {"durable": held["durable"], "epoch": 1, "nonce": None}
    with store.transaction():
        for name, value in state.items():
            store.put("state", name, value)
        store.put("sheet_key", store.name(held["sheet_key"]["id"]), {"key": held["sheet_key"]["key"]})
        canary = {"kind": "of another release", "ref": "canary", "version": 1, "body": {}}
        store.put_bytes("sheet", "canary", pack(canary, 512))
    store.close()


@pytest.fixture(scope="module")
def held_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("held") / "phone"
    write_held(directory)
    return directory


@contextmanager
def phone_as_held(held_directory: Path, tmp_path: Path) -> Iterator[Handset]:
    directory = tmp_path / "phone"
    shutil.rmtree(directory, ignore_errors=True)
    shutil.copytree(held_directory, directory)
    store = Store(directory, KEYS.store)
    try:
        yield Handset(directory, store, KEYS, SystemClock(), nothing)
    finally:
        store.close()


def read_sheet_key(handset: Handset, document: Any) -> None:
    if take_sheet_keys(handset, [document]):  # by a key that may come with the next items; none comes
        raise Untrusted("bad-signature", "sheet key")


def take_receipt(handset: Handset, document: Any) -> None:
    """For the operation with number 1, which the file's `op` and `link` describe."""
    if _take(handset, 1, {"op": FILE["op"], "link": FILE["link"]}, document) == "proofless":
        raise Untrusted("not-taken", "receipt")


def take_anchor(handset: Handset, document: Any) -> None:
    """What is no evidence of time may still serve as a nonce, which the door judges itself."""
    before = handset.anchor
    if handset.hear_anchor(f"{document['body']}.{document['sig']}") is None:
        assert handset.anchor == before
        raise Untrusted("not-taken", "anchor")


def take_durable_or_say_so(handset: Handset, document: Any) -> None:
    before = load_durable(handset)
    take_durable(handset, document)
    if load_durable(handset) == before:
        raise Untrusted("not-taken", "durable")


def take_digest_or_say_so(handset: Handset, document: Any) -> None:
    take_digest(handset, document)
    if compared(handset) != SAME:
        raise Untrusted({UNKNOWN: "not-taken", DIFFERS: "differs"}[compared(handset)], "digest")


def item_record(document: Any) -> records.Record:
    return records.Record(
        records.ITEM, from_b64u(document["sig"]), from_b64u(document["h"]), from_b64u(document["ct"]), 0
    )


READERS: dict[str, Callable[[Handset, Any], object]] = {
    "item": lambda handset, document: read_item(handset, load_cursor(handset), item_record(document)),
    "page": lambda handset, document: _take_page(handset, load_cursor(handset), records.read_page(from_b64u(document))),
    "sheet_key": read_sheet_key,
    "durable": take_durable_or_say_so,
    "digest": take_digest_or_say_so,
    "wipe": read_wipe_order,
    "snapshot": lambda handset, document: _replace_sheet(handset, from_b64u(document)),
    "keys": lambda handset, document: handset.trust_more(document),
    "receipt": take_receipt,
    "anchor": take_anchor,
}


class EnrolmentDoor:
    def __init__(self, document: Any) -> None:
        self.document = document

    def request(self, method: str, url: str, **options: Any) -> Any:
        if method == "POST":
            return answer(202, {"enrolment": FILE["device"]})
        return answer(200, self.document)


@contextmanager
def new_phone(tmp_path: Path) -> Iterator[Store]:
    directory = tmp_path / "new"
    directory.mkdir()
    store = Store(directory, KEYS.store)
    try:
        yield store
        assert store.get("state", "identity") is None, "refused, and yet it became this device"
    finally:
        store.close()


def enrol(document: Any, store: Store) -> None:
    enrolment = Enrolment(store, KEYS, SystemClock(), EnrolmentDoor(document), Patience(tries=1), nothing)
    enrolment.run(f"https://door.test#{crockford(SECRET)}", "test", 1.0)


def read(vector: dict[str, Any], held_directory: Path, tmp_path: Path) -> None:
    """Raises Untrusted. What is refused leaves the phone as it was."""
    if vector["what"] == "enrolment":
        with new_phone(tmp_path) as store:
            enrol(vector["document"], store)
            store.delete("state", "identity")
        return
    with phone_as_held(held_directory, tmp_path) as handset:
        before = kept(handset)
        try:
            READERS[vector["what"]](handset, vector["document"])
        except Untrusted as refusal:
            if refusal.code != "differs":  # signed by the office: kept, and a reason to take a snapshot
                assert kept(handset) == before, "refused, and yet something was kept"
            raise


def kept(handset: Handset) -> Any:
    store = handset.store
    stored = [list(store.all_bytes(table)) for table in ("state", "sheet", "sheet_key", "verdict", "receipt")]
    return [[row for row in table if row[0] != "nonce"] for table in stored]


@pytest.mark.parametrize("vector", FILE["sheets"], ids=lambda vector: vector["name"])
def test_a_sheet_has_the_digest_of_its_lines_in_whatever_order(vector: dict[str, Any]) -> None:
    lines = [tuple(line) for line in vector["lines"]]
    assert b64u(lines_sha256(lines)) == b64u(lines_sha256(reversed(lines))) == vector["sheet"]


@pytest.mark.parametrize("vector", FILE["taken"], ids=lambda vector: vector["name"])
def test_what_the_agency_signed_is_taken(vector: dict[str, Any], held_directory: Path, tmp_path: Path) -> None:
    read(vector, held_directory, tmp_path)


@pytest.mark.parametrize("vector", FILE["refused"], ids=lambda vector: vector["name"])
def test_what_must_be_refused_is_refused_with_its_code(
    vector: dict[str, Any], held_directory: Path, tmp_path: Path
) -> None:
    with pytest.raises(Untrusted) as refused:
        read(vector, held_directory, tmp_path)
    assert refused.value.code == vector["expect"]


def test_of_each_thing_that_is_signed_there_are_forged_ones_of_each_sort() -> None:
    """By nobody, by another role, for another purpose, device and agency, and of a version that is not known."""
    sorts = ("signed by", "signed as", "another device", "another agency", "another version")
    signed = ("item", "sheet_key", "durable", "digest", "wipe", "snapshot", "receipt", "anchor")
    for what in signed:
        names = [vector["name"] for vector in FILE["refused"] if vector["what"] == what]
        assert [sort for sort in sorts if not any(sort in name for name in names)] == [], what
    for each in ("taken", "refused"):
        assert {vector["what"] for vector in FILE[each]} == {*READERS, "enrolment"}


def parts(document: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The places of every base64url text in a document."""
    if isinstance(document, dict):
        for name, value in document.items():
            yield from parts(value, (*at, name))
    elif isinstance(document, list):
        for index, value in enumerate(document):
            yield from parts(value, (*at, index))
    else:
        yield at


def turned(document: Any, place: tuple[Any, ...]) -> Iterator[Any]:
    """The document with one bit of each byte at this place turned; which bit goes round."""
    *way, last = place
    original = from_b64u(reach(document, place))
    for index in range(len(original)):
        data = bytearray(original)
        data[index] ^= 1 << index % 8
        other = copy.deepcopy(document)
        reach(other, tuple(way))[last] = b64u(bytes(data))
        yield other


def reach(document: Any, place: tuple[Any, ...]) -> Any:
    for step in place:
        document = document[step]
    return document


PLAIN = [v for v in FILE["taken"] if "not known" not in v["name"]]  # one of each sort is enough
SMALL = [v for v in PLAIN if v["what"] not in ("snapshot", "enrolment", "page") and "visit" not in v["name"]]


@pytest.mark.parametrize("vector", SMALL, ids=lambda vector: vector["name"])
def test_turning_a_bit_of_any_byte_of_an_envelope_is_refused(
    vector: dict[str, Any], held_directory: Path, tmp_path: Path
) -> None:
    reader, count = READERS[vector["what"]], 0
    with phone_as_held(held_directory, tmp_path) as handset:
        before = kept(handset)
        for place in parts(vector["document"]):
            for document in turned(vector["document"], place):
                count += 1
                with pytest.raises(Untrusted):
                    reader(handset, document)
        assert kept(handset) == before
    assert count > 64


def test_turning_a_bit_of_a_snapshot_is_refused(held_directory: Path, tmp_path: Path) -> None:
    """Each byte of it, of the keys that it brings along every part that is base64url: their JSON has letters to spare."""
    for vector in [v for v in PLAIN if v["what"] == "snapshot"]:
        announced = [
            record for record in records.read_records(from_b64u(vector["document"])) if record.kind == records.KEYS
        ]
        whole, start = from_b64u(vector["document"]), announced[0].end if announced else 0
        spoiled = [
            whole[:index] + bytes([whole[index] ^ 1 << index % 7]) + whole[index + 1 :]
            for index in range(start, len(whole))
        ]
        for head in [json.loads(record.document) for record in announced]:
            for place in parts(head):
                spoiled += [record_of(records.KEYS, document) + whole[start:] for document in turned(head, place)]
        with phone_as_held(held_directory, tmp_path) as handset:
            before = kept(handset)
            for data in spoiled:
                with pytest.raises(Untrusted):
                    _replace_sheet(handset, data)
            assert kept(handset) == before
        assert len(spoiled) > 1_000


def record_of(kind: int, document: Any) -> bytes:
    said = json.dumps(document).encode()
    return records.LENGTHS.pack(kind, 0, len(said), 0) + said


def test_turning_a_bit_of_any_byte_of_an_enrolments_answer_is_refused(tmp_path: Path) -> None:
    (good,) = (v["document"] for v in FILE["taken"] if v["what"] == "enrolment")
    with new_phone(tmp_path) as store:
        for place in parts(good):
            for document in turned(good, place):
                with pytest.raises(Untrusted):
                    enrol(document, store)


def test_turning_a_bit_of_any_byte_of_an_operation_is_seen_by_the_door() -> None:
    file = json.loads((VECTORS / "op.json").read_text())

    class Device:
        agency_id, id = UUID(file["agency"]), UUID(file["device"])
        signing_public = from_b64u(file["device_signing_public"])

    good = file["operations"][0]["op"]
    device: Any = Device()
    assert isinstance(read_op(json.dumps(good).encode(), device), WellSigned)
    for place in parts(good):
        for document in turned(good, place):
            assert not isinstance(read_op(json.dumps(document).encode(), device), WellSigned)
