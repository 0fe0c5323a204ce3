"""Writes refused.json beside this file: `python -m tests.vectors.make_refused`.

What a phone must refuse, each with the code of its refusal, and beside it what it must take, so that the refusals are not
for another reason. A reader starts each document afresh from `held`. What the agency signs is made by its own code.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from field_api.platform.bounded_json import canonical
from field_api.platform.certificates import certify
from field_api.platform.clock import utc_text
from field_api.platform.records import HEADER, Record, read_records
from field_api.platform.root_keys import root_step
from field_api.platform.sealing import aead_seal, b64u, derive, from_b64u, mac, public_key_of, seal_to, sha256, sign
from sync.kinds import ITEM_SIZES, RecordKind
from sync.office.items import Content, FeedWriter, SheetKeyInUse
from sync.office.locks import empty_lock
from sync.packing import pack, pad
from sync.roll import first_roll
from tests.vectors.make_vectors import AGENCY, DEVICE, OP, OTHER_DEVICE, PERSON, PRIVATE, SHEET_KEY, VISIT

HERE = Path(__file__).parent
NOW = datetime(2026, 11, 18, 15, 0, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
SECRET = bytes(range(16))
KEYS = PRIVATE | {
    name: bytes([number]) * 32 for number, name in enumerate(("root", "new_root", "new_office", "stranger"), 21)
}
ROUTE = UUID("0190a0e0-0000-7000-8000-00000000000a")
OTHER_AGENCY = UUID("0190a0e0-0000-7000-8000-000000000009")
Vector = dict[str, Any]


class _Signer:
    """As much of OfficeKeys as writing items needs."""

    def __init__(self, key: str = "office", agency: UUID = AGENCY) -> None:
        self.key, self.agency_id = KEYS[key], agency

    def sign(self, context: bytes, message: bytes) -> bytes:
        return sign(self.key, context + message)


def certificate(role: str, key: str = "", root: str = "root", agency: UUID = AGENCY, **times: datetime) -> Vector:
    start, until = times.get("start", NOW), times.get("until", NOW + timedelta(days=825))
    return certify(KEYS[root], agency, role, public_key_of(KEYS[key or role]), start, until).wire()


CERTIFICATES = [certificate(role) for role in ("office", "sealing", "door")]


def named(**more: Any) -> Vector:
    return {"v": 1, "agency": str(AGENCY), "device": str(DEVICE), **more}


def signed(part: str, context: str, body: Any, key: str = "office") -> Vector:
    data = canonical(body)
    return {part: b64u(data), "sig": b64u(sign(KEYS[key], context.encode() + data))}


def verdict(seq: int) -> Content:
    return Content("verdict", OP, {"seq": seq, "verdict": "applied", "reason": None, "flags": []})


def item(content: Content, key: str = "office", **place: Any) -> Vector:
    """The third item of this device's feed; `place` says otherwise."""
    roll = place.get("roll", sha256(b"roll after the second item"))
    writer = FeedWriter(
        _Signer(key, place.get("agency", AGENCY)), place.get("device", DEVICE), place.get("epoch", 1),
        place.get("seq", 2), roll, place.get("sheet_key", SHEET_KEY),
    )  # fmt: skip
    row = writer.write(content).row
    return {"h": b64u(row["head"]), "ct": b64u(row["ct"]), "sig": b64u(row["sig"])}


def sheet_key(
    device: UUID = DEVICE, bound_to: UUID = DEVICE, key: str = "office", context: str = "sheet-key", **changed: Any
) -> Vector:
    info = b"\x00".join([b"doorstep-sheet-key-v1", str(AGENCY).encode(), str(bound_to).encode(), SHEET_KEY.id.encode()])
    wrapped = seal_to(public_key_of(KEYS["device_sealing"]), info, SHEET_KEY.key)
    body = named(id=SHEET_KEY.id, day="2026-11-18", wrapped=b64u(wrapped)) | {"device": str(device), **changed}
    return signed("statement", f"doorstep-{context}-v1", body, key)


def durable(key: str = "office", context: str = "durable", **changed: Any) -> Vector:
    body = named(epoch=1, number=3, durable_seq=7, at=utc_text(LATER)) | changed
    return signed("statement", f"doorstep-{context}-v1", body, key)


def sheet_digest(lines: Iterable[tuple[str, UUID, int]]) -> bytes:
    """As docs/protocol.md §6 has it."""
    texts = sorted(f"{kind}\0{ref}\0{version}\n".encode() for kind, ref, version in lines)
    return sha256(b"doorstep-sheet-v1" + b"".join(texts))


def digest(
    by: str = "office", context: str = "digest", *, value: bytes | None = None, under: bytes = SHEET_KEY.key,
    bound_to: int = 2, **changed: Any,
) -> Vector:  # fmt: skip
    """At the second item, where this phone stands; `value` is D, else that of an empty sheet, as this phone's is."""
    place = (AGENCY, DEVICE, 1, bound_to)
    associated = b"\x00".join([b"doorstep-digest-v1", *(str(part).encode() for part in place)])
    sealed = aead_seal(under, sheet_digest([]) if value is None else value, associated)
    body = named(epoch=1, seq=2, key=SHEET_KEY.id, sheet=b64u(sealed)) | changed
    return signed("statement", f"doorstep-{context}-v1", body, by)


def sheets() -> list[Vector]:
    """Lines of sheets, in no order, and their D."""
    ids = [UUID(int=(0x4000 << 64) + (8 << 60) + number) for number in (3, 1, 2)]
    several: list[tuple[str, UUID, int]] = [
        ("visit", ids[0], 9), ("visit", ids[1], 10), ("route", ids[2], 100), ("route", ids[0], 2**53 - 1),
    ]  # fmt: skip
    cases = {"nothing": [], "one visit": several[:1], "the same in another version": [("visit", ids[0], 90)]}
    cases |= {"several": several, "several, one taken off": several[1:]}
    return [
        {"name": name, "lines": [[kind, str(ref), version] for kind, ref, version in lines],
         "sheet": b64u(sheet_digest(lines))}
        for name, lines in cases.items()
    ]  # fmt: skip


def wipe(key: str = "office", context: str = "wipe", **changed: Any) -> Vector:
    return signed("order", f"doorstep-{context}-v1", named(reason="lost", at=utc_text(LATER)) | changed, key)


def line(content: Content, number: int, sealed_for: UUID = DEVICE, epoch: int = 1, seq: int = 9) -> Record:
    place = (AGENCY, sealed_for, epoch, seq, number)
    bound = b"\x00".join([b"doorstep-snapshot-v1", *(str(part).encode() for part in place)])
    ct = aead_seal(SHEET_KEY.key, content.packed(9), bound)
    return Record(RecordKind.LINE, canonical({"key": SHEET_KEY.id}), sealed=ct)


def snapshot(
    key: str = "office",
    keys: Vector | None = None,
    lines: list[Record] | None = None,
    context: str = "snapshot",
    **changed: Any,
) -> str:
    lines = [line(verdict(1), 0), line(verdict(2), 1)] if lines is None else lines
    rest = b"".join(map(bytes, lines))
    manifest = named(
        epoch=1, seq=9, roll=b64u(sha256(b"roll after the ninth item")), count=2, sha256=b64u(sha256(rest)),
        sheet_keys=[sheet_key()],
    ) | changed  # fmt: skip
    first = signed("m", f"doorstep-{context}-v1", manifest, key)
    announced = [Record(RecordKind.KEYS, canonical(keys))] if keys else []
    head = Record(RecordKind.MANIFEST, from_b64u(first["m"]), from_b64u(first["sig"]))
    return b64u(b"".join(map(bytes, [*announced, head])) + rest)


def page(*items: Vector, more: bool = False) -> bytes:
    """What `GET /feed` answers: the day's sheet key, items, a durable statement, the end."""
    statements = [(RecordKind.SHEET_KEY, sheet_key()), (RecordKind.DURABLE, durable())]
    first, last = (Record(kind, from_b64u(one["statement"]), from_b64u(one["sig"])) for kind, one in statements)
    between = [Record(RecordKind.ITEM, *(from_b64u(one[name]) for name in ("h", "sig", "ct"))) for one in items]
    return b"".join(map(bytes, [first, *between, last, Record(RecordKind.END, canonical({"more": more}))]))


def keys(*certificates: Vector, roots: tuple[Vector, ...] = ()) -> Vector:
    return {"roots": list(roots), "certificates": list(certificates)}


def step(old: str = "root", new: str = "new_root", agency: UUID = AGENCY) -> Vector:
    return root_step(agency, KEYS[old], KEYS[new], LATER)


def enrolment(
    certificates: list[Vector] | None = None,
    secret: bytes = SECRET,
    key: str = "office",
    context: str = "device",
    answer: Vector | None = None,
    **device: Any,
) -> Vector:
    publics = {
        name: b64u(public_key_of(KEYS[of])) for name, of in (("signing", "device"), ("sealing", "device_sealing"))
    }
    own = named(**publics, at=utc_text(NOW)) | device
    said = canonical(
        {
            **named(), "epoch": 1, "root": b64u(public_key_of(KEYS["root"])),
            "certificates": CERTIFICATES if certificates is None else certificates,
            "device_certificate": signed("cert", f"doorstep-{context}-v1", own, key),
            "agent": {"name": "Agente Inventada", "languages": ["es"]}, "agency_name": "Agencia Inventada",
            **(answer or {}),
        }
    )  # fmt: skip
    return {"answer": b64u(said), "mac": b64u(mac(derive(secret, b"doorstep-enrol-answer-v1"), said))}


def receipt(key: str = "door", context: str = "receipt", **changed: Any) -> Vector:
    link = b64u(sha256(b"link"))
    body = named(op=str(OP), seq=1, link=link, status="received", at=utc_text(LATER)) | changed
    return signed("receipt", f"doorstep-{context}-v1", body, key)


def anchor(key: str = "door", context: str = "anchor", **changed: Any) -> Vector:
    body = named(at=utc_text(LATER), n=b64u(sha256(b"chance")[:16])) | changed
    return signed("body", f"doorstep-{context}-v1", body, key)


def taken() -> list[Vector]:
    new_office = certificate("office", "new_office", start=LATER)
    return [
        {"name": "the next item", "what": "item", "document": item(verdict(1))},
        {"name": "a visit taken back", "what": "item", "document": item(_withdrawn())},
        {"name": "a visit on the sheet", "what": "item", "document": item(_published())},
        {"name": "a route", "what": "item", "document": item(_route())},
        {"name": "a new office key as an item", "what": "page",
         "document": b64u(page(item(_keys_item(new_office))))},
        {"name": "an item of a kind that is not known", "what": "page", "document": b64u(page(_sealed_item(
            pack({"kind": "to-come", "ref": str(OP), "version": 3, "body": {"any": [1]}}, 777))))},
        {"name": "a verdict of a word that is not known, with keys that are not known", "what": "page",
         "document": b64u(page(_sealed_item(pack(
             {"kind": "verdict", "ref": str(OP), "version": 3, "more": 1,
              "body": {"seq": 1, "verdict": "to-come", "reason": "to-come", "flags": ["to-come"], "more": 1}},
             ITEM_SIZES["verdict"]))))},
        {"name": "a durable statement with a key that is not known", "what": "durable", "document": durable(more=1)},
        {"name": "a durable statement that leaves one out", "what": "durable",
         "document": durable(**{"except": [3]})},
        {"name": "a wipe order for a reason that is not known", "what": "wipe", "document": wipe(reason="to-come")},
        {"name": "a snapshot with a key and a record that are not known", "what": "snapshot", "document": snapshot(
            lines=[line(verdict(1), 0), Record(99, b"{}"), line(verdict(2), 1)], more=1)},
        {"name": "a receipt with a key that is not known", "what": "receipt", "document": receipt(more=1)},
        {"name": "an anchor", "what": "anchor", "document": anchor()},
        {"name": "an anchor with a key that is not known", "what": "anchor", "document": anchor(more=1)},
        {"name": "the day's sheet key", "what": "sheet_key", "document": sheet_key()},
        {"name": "a durable statement", "what": "durable", "document": durable()},
        {"name": "a sheet's digest", "what": "digest", "document": digest()},
        {"name": "a wipe order", "what": "wipe", "document": wipe()},
        {"name": "a wipe order by a key that it brings along", "what": "wipe",
         "document": wipe("new_office") | {"keys": keys(new_office)}},
        {"name": "a page", "what": "page", "document": b64u(page(item(verdict(1))))},
        {"name": "a page with a record of an unknown kind", "what": "page",
         "document": b64u(bytes(Record(99, b"{}")) + page(item(verdict(1))))},
        {"name": "a snapshot", "what": "snapshot", "document": snapshot()},
        {"name": "a snapshot by a key that it brings along, under a new root", "what": "snapshot",
         "document": snapshot("new_office", keys(certificate("office", "new_office", "new_root"), roots=(step(),)))},
        {"name": "a new office key", "what": "keys", "document": keys(new_office)},
        {"name": "a new root and what it certified", "what": "keys",
         "document": keys(certificate("office", "new_office", "new_root"), roots=(step(),))},
        {"name": "an enrolment's answer", "what": "enrolment", "document": enrolment()},
        {"name": "a receipt", "what": "receipt", "document": receipt()},
    ]  # fmt: skip


def _withdrawn() -> Content:
    return Content(
        "visit", VISIT, {"state": "withdrawn", "assignment_version": 2, "stop": None, "open": None, "locks": []}
    )


def _published() -> Content:
    """A visit on the sheet with nobody behind its locks."""
    stop = {
        "route": str(ROUTE), "day": "2026-11-19", "position": 1, "arrival_from": utc_text(NOW),
        "arrival_to": utc_text(NOW), "visit_until": utc_text(LATER), "timezone": "America/Mexico_City", "service_s": 600,
    }  # fmt: skip
    opened = {
        "name": "Persona Inventada", "alias": None, "kind": "person", "language": "es", "jurisdiction": "MX",
        "place": "home", "address": {"street": "Calle Inventada", "number": "17", "country": "MX", "hint": None},
    }  # fmt: skip
    body = {
        "state": "published", "assignment_version": 1, "stop": stop, "open": opened, "person": str(PERSON),
        "questions": [], "openers": {"attestation": None, "before_arrival": None},
        "location": {"closed": False, "asked": []}, "narrower": {}, "locks": [empty_lock(n) for n in range(4)],
    }  # fmt: skip
    return Content("visit", VISIT, body)


def _route() -> Content:
    place = {"label": "Oficina", "latitude": 20.67, "longitude": -103.34}
    body = {
        "day": "2026-11-19", "agent": "Agente Inventada", "territory": "norte", "starts_at": utc_text(NOW),
        "ends_at": utc_text(LATER), "timezone": "America/Mexico_City", "start": place, "end": place,
        "stops": 1, "visits": 1, "distance_m": 1_200, "travel_s": 600,
    }  # fmt: skip
    return Content("route", ROUTE, body)


def _keys_item(*certificates: Vector) -> Content:
    return Content("keys", OP, keys(*certificates))


def refused() -> list[Vector]:
    good, other_root = item(verdict(1)), certificate("office", root="stranger")
    new_office = certificate("office", "new_office", start=LATER)
    over = certificate("office", "new_office", start=NOW - timedelta(days=9), until=NOW)
    good_step, whole = step(), list(map(bytes, read_records(from_b64u(snapshot()))))
    first, second, third = whole
    good_page = page(good)
    end = bytes(Record(RecordKind.END, canonical({"more": False})))
    huge = HEADER.pack(RecordKind.ITEM, 64, 2**32 - 1, 2**32 - 1)
    unpacked = pack({"kind": "verdict", "ref": str(OP), "version": 3, "body": {}}, ITEM_SIZES["verdict"] // 2)
    cases: list[tuple[str, str, Any, str]] = [
        ("an item signed by nobody's key", "item", item(verdict(1), "stranger"), "bad-signature"),
        ("a visit signed by the door", "item", item(_withdrawn(), "door"), "bad-signature"),
        ("a visit on the sheet signed by the door", "item", item(_published(), "door"), "bad-signature"),
        ("a route signed by the door", "item", item(_route(), "door"), "bad-signature"),
        ("a verdict signed by the door", "item", item(verdict(1), "door"), "bad-signature"),
        ("a key announced by the door", "item", item(_keys_item(new_office), "door"), "bad-signature"),
        ("a key announced by an item, certified by another root", "page",
         b64u(page(item(_keys_item(certificate("office", "stranger", "stranger"))))), "bad-signature"),
        ("a key announced by an item, whose time is over", "page", b64u(page(item(_keys_item(over)))), "certificate"),
        ("an item of another version", "item", _other_head(good, v=2), "item"),
        ("an item whose head says another device", "item", _other_head(good, device=str(OTHER_DEVICE)), "item"),
        ("an item whose head says another number", "item", _other_head(good, seq=4), "item"),
        ("an item whose head says another roll before", "item", _other_head(good, prev=b64u(bytes(32))), "item"),
        ("an item whose head was changed unsigned", "item", _other_head(good, signed=False, seq=4), "bad-signature"),
        ("an item whose padded length is past its end", "item",
         _sealed_item((509).to_bytes(4, "big") + bytes(508)), "bad-form"),
        ("an item that unpacks to more than 1 MiB", "item",
         _sealed_item(pad(zlib.compress(b" " * 2**20 + b"{}", 9), 2_048)), "bad-form"),
        ("an item whose packed bytes are cut", "item", _sealed_item(_cut_short()), "bad-form"),
        ("an item with a key twice", "item", _sealed_item(_packed_text('{"kind":"x","kind":"x"}')), "bad-form"),
        ("an item with a number that is none", "item", _sealed_item(_packed_text('{"kind":NaN}')), "bad-form"),
        ("an item with a number without end", "item", _sealed_item(_packed_text('{"kind":1e999}')), "bad-form"),
        ("an item with a number of 21 digits", "item", _sealed_item(_packed_text('{"kind":' + "1" * 21 + "}")),
         "bad-form"),
        ("an item nested deeper than 32", "item", _sealed_item(_packed_text("[" * 33 + "]" * 33)), "bad-form"),
        ("an item with another's content", "item", good | {"ct": item(verdict(1))["ct"]}, "bad-signature"),
        ("an item signed as a durable statement", "item", _context(good), "bad-signature"),
        ("an item for another device", "item", item(verdict(1), device=OTHER_DEVICE), "item"),
        ("an item of another agency", "item", item(verdict(1), agency=OTHER_AGENCY), "item"),
        ("an item of the next epoch", "item", item(verdict(1), epoch=2), "item"),
        ("an item whose roll was there before", "item", item(verdict(1), roll=first_roll(AGENCY, DEVICE, 1)), "item"),
        ("an item repeated", "item", item(verdict(1), seq=1), "item"),
        ("an item with one left out before it", "item", item(verdict(1), seq=3), "item"),
        ("an item under a sheet key that did not come", "item",
         item(verdict(1), sheet_key=SheetKeyInUse("ffffffffffffffff", bytes(32))), "sheet-key"),
        ("an item that does not open", "item",
         item(verdict(1), sheet_key=SheetKeyInUse(SHEET_KEY.id, bytes(32))), "item"),
        ("an item that is not of its kind's size", "item", _sealed_item(unpacked), "item"),
        ("an item packed with a dictionary that the phone has not", "item", _sealed_item(_packed_otherwise()),
         "cannot-unpack"),
        ("an item without a signature", "item", good | {"sig": ""}, "bad-signature"),
        ("a page without its end", "page", b64u(good_page.removesuffix(end)), "bad-form"),
        ("a page with something after its end", "page", b64u(good_page + good_page), "bad-form"),
        ("a page cut in a record", "page", b64u(good_page[:-1]), "bad-form"),
        ("a page cut in a record's lengths", "page", b64u(good_page.removesuffix(end) + end[:9]), "bad-form"),
        ("a page with a record longer than the page", "page", b64u(huge + good_page), "bad-form"),
        ("a page whose record has half a signature", "page", b64u(HEADER.pack(1, 32, 0, 0) + bytes(32) + end), "bad-form"),
        ("a page that does not say whether there is more", "page",
         b64u(good_page.removesuffix(end) + bytes(Record(RecordKind.END, b"{}"))), "bad-form"),
        ("a page of more than 200 items", "page", b64u(page(*[good] * 201)), "bad-form"),
        ("a page that is empty", "page", "", "bad-form"),
        ("a sheet key for another device", "sheet_key", sheet_key(device=OTHER_DEVICE), "sheet-key"),
        ("a sheet key wrapped for another device", "sheet_key", sheet_key(bound_to=OTHER_DEVICE), "sheet-key"),
        ("a sheet key of another agency", "sheet_key", sheet_key(agency=str(OTHER_AGENCY)), "sheet-key"),
        ("a sheet key of another version", "sheet_key", sheet_key(v=2), "sheet-key"),
        ("a sheet key signed by the door", "sheet_key", sheet_key(key="door"), "bad-signature"),
        ("a sheet key signed as something else", "sheet_key", sheet_key(context="durable"), "bad-signature"),
        ("a durable statement signed by the door", "durable", durable("door"), "bad-signature"),
        ("a durable statement signed by nobody's key", "durable", durable("stranger"), "bad-signature"),
        ("a durable statement of another version", "durable", durable(v=2), "durable"),
        ("a durable statement whose exceptions are no numbers", "durable", durable(**{"except": ["3"]}), "durable"),
        ("a durable statement without its seq", "durable", durable(durable_seq=None), "bad-form"),
        ("a durable statement signed as something else", "durable", durable(context="wipe"), "bad-signature"),
        ("a durable statement for another device", "durable", durable(device=str(OTHER_DEVICE)), "durable"),
        ("a durable statement of another agency", "durable", durable(agency=str(OTHER_AGENCY)), "durable"),
        ("a durable statement of another epoch", "durable", durable(epoch=2), "not-taken"),
        ("a durable statement from before the one that is held", "durable", durable(number=1), "not-taken"),
        ("a durable statement whose number is none", "durable", durable(number="3"), "bad-form"),
        ("a digest signed by the door", "digest", digest("door"), "bad-signature"),
        ("a digest signed as a durable statement", "digest", digest(context="durable"), "bad-signature"),
        ("a digest for another device", "digest", digest(device=str(OTHER_DEVICE)), "digest"),
        ("a digest of another agency", "digest", digest(agency=str(OTHER_AGENCY)), "digest"),
        ("a digest of another version", "digest", digest(v=2), "digest"),
        ("a digest of half the length", "digest", digest(value=bytes(16)), "digest"),
        ("a digest under another key than it says", "digest", digest(under=bytes(32)), "digest"),
        ("a digest under a key that did not come", "digest", digest(key="ffffffffffffffff"), "sheet-key"),
        ("a digest sealed for the item before", "digest", digest(bound_to=1), "digest"),
        ("a digest of an item that did not come yet", "digest", digest(seq=3), "not-taken"),
        ("a digest of another epoch", "digest", digest(epoch=2), "not-taken"),
        ("a digest of another sheet", "digest", digest(value=sheet_digest([("visit", VISIT, 2)])), "differs"),
        ("a wipe signed by the door", "wipe", wipe("door"), "bad-signature"),
        ("a wipe signed by nobody's key", "wipe", wipe("stranger"), "bad-signature"),
        ("a wipe of another version", "wipe", wipe(v=2), "wipe"),
        ("a wipe without a reason", "wipe", wipe(reason=None), "bad-form"),
        ("a wipe signed as something else", "wipe", wipe(context="durable"), "bad-signature"),
        ("a wipe for another device, or for an earlier life of this one", "wipe", wipe(device=str(OTHER_DEVICE)), "wipe"),
        ("a wipe of another agency", "wipe", wipe(agency=str(OTHER_AGENCY)), "wipe"),
        ("a wipe whose key another root certified", "wipe",
         wipe("stranger") | {"keys": keys(certificate("office", "stranger", "stranger"))}, "bad-signature"),
        ("a snapshot signed by the door", "snapshot", snapshot("door"), "bad-signature"),
        ("a snapshot for another device", "snapshot", snapshot(device=str(OTHER_DEVICE)), "snapshot"),
        ("a snapshot older than what was read", "snapshot", snapshot(seq=1), "snapshot"),
        ("a snapshot of an epoch that is over", "snapshot", snapshot(epoch=0), "snapshot"),
        ("a snapshot with a line changed", "snapshot", b64u(first + second + third[:-1] + bytes([third[-1] ^ 1])), "snapshot"),
        ("a snapshot with a line left out", "snapshot", b64u(first + second), "snapshot"),
        ("a snapshot with its lines in another order", "snapshot", b64u(first + third + second), "snapshot"),
        ("a snapshot without its manifest", "snapshot", b64u(second + third), "snapshot"),
        ("a snapshot cut in a record", "snapshot", b64u((first + second + third)[:-1]), "bad-form"),
        ("a snapshot that says another number of lines", "snapshot", snapshot(count=3), "snapshot"),
        ("a snapshot whose lines are sealed for another device", "snapshot",
         snapshot(lines=[line(verdict(seq), seq - 1, OTHER_DEVICE) for seq in (1, 2)]), "item"),
        ("a snapshot whose lines changed places before it was signed", "snapshot",
         snapshot(lines=[line(verdict(2), 1), line(verdict(1), 0)]), "item"),
        ("a snapshot with a line of an earlier one", "snapshot",
         snapshot(lines=[line(verdict(1), 0), line(verdict(2), 1, seq=8)]), "item"),
        ("a snapshot with a line of another epoch", "snapshot",
         snapshot(lines=[line(verdict(1), 0), line(verdict(2), 1, epoch=2)]), "item"),
        ("a snapshot with a line that was in it already", "snapshot",
         snapshot(lines=[line(verdict(1), 0), line(verdict(1), 0)]), "item"),
        ("a snapshot signed as something else", "snapshot", snapshot(context="durable"), "bad-signature"),
        ("a snapshot signed by nobody's key", "snapshot", snapshot("stranger"), "bad-signature"),
        ("a snapshot of another agency", "snapshot", snapshot(agency=str(OTHER_AGENCY)), "snapshot"),
        ("a snapshot of another version", "snapshot", snapshot(v=2), "snapshot"),
        ("a snapshot of two manifests", "snapshot", b64u(first + first + second + third), "snapshot"),
        ("a snapshot whose key another root certified", "snapshot",
         snapshot("stranger", keys(certificate("office", "stranger", "stranger"))), "bad-signature"),
        ("keys of another root", "keys", keys(other_root), "bad-signature"),
        ("keys of another agency", "keys", keys(certificate("office", agency=OTHER_AGENCY)), "certificate"),
        ("keys of a role that there is not", "keys", keys(certificate("root")), "certificate"),
        ("keys of another version", "keys", keys(_recertified(v=2)), "certificate"),
        ("keys under another's key id", "keys", keys(_recertified(kid="0123456789abcdef")), "certificate"),
        ("keys of half a point", "keys", keys(_recertified(key=b64u(bytes(33)))), "bad-form"),
        ("keys whose time is over", "keys", keys(over), "certificate"),
        ("keys signed as something else", "keys", keys(_other_context()), "bad-signature"),
        ("a root that the old one did not sign", "keys", keys(roots=(good_step | {"old": good_step["new"]},)), "bad-signature"),
        ("a root that did not sign itself", "keys", keys(roots=(good_step | {"new": good_step["old"]},)), "bad-signature"),
        ("a root of another agency", "keys", keys(roots=(step(agency=OTHER_AGENCY),)), "root"),
        ("a root of another version", "keys", keys(roots=(_other_step(v=2),)), "root"),
        ("a root from one that is not pinned", "keys", keys(roots=(step("stranger"),)), "root"),
        ("the old root, after the step to the new one", "keys",
         keys(certificate("office", "new_office"), roots=(good_step,)), "bad-signature"),
        ("an answer by another secret", "enrolment", enrolment(secret=bytes(16)), "enrolment-mac"),
        ("a device certificate with another signing key", "enrolment",
         enrolment(signing=b64u(public_key_of(KEYS["stranger"]))), "device-certificate"),
        ("a device certificate with another sealing key", "enrolment",
         enrolment(sealing=b64u(public_key_of(KEYS["stranger"]))), "device-certificate"),
        ("a device certificate with the two keys exchanged", "enrolment",
         enrolment(signing=b64u(public_key_of(KEYS["device_sealing"])), sealing=b64u(public_key_of(KEYS["device"]))),
         "device-certificate"),
        ("a device certificate of another agency", "enrolment", enrolment(agency=str(OTHER_AGENCY)),
         "device-certificate"),
        ("a device certificate of another version", "enrolment", enrolment(v=2), "device-certificate"),
        ("a device certificate signed by nobody's key", "enrolment", enrolment(key="stranger"), "bad-signature"),
        ("a device certificate signed as something else", "enrolment", enrolment(context="cert"), "bad-signature"),
        ("a device certificate for another device", "enrolment", enrolment(device=str(OTHER_DEVICE)), "device-certificate"),
        ("a device certificate signed by the door", "enrolment", enrolment(key="door"), "bad-signature"),
        ("certificates of another root", "enrolment", enrolment([other_root, *CERTIFICATES[1:]]), "bad-signature"),
        ("an answer of another version", "enrolment", enrolment(answer={"v": 2}), "bad-form"),
        ("an answer for another agency than its certificates", "enrolment",
         enrolment(answer={"agency": str(OTHER_AGENCY)}), "certificate"),
        ("an answer for another device than its certificate", "enrolment",
         enrolment(answer={"device": str(OTHER_DEVICE)}), "device-certificate"),
        ("an answer with another root", "enrolment",
         enrolment(answer={"root": b64u(public_key_of(KEYS["stranger"]))}), "bad-signature"),
        ("no certificate of the door", "enrolment", enrolment(CERTIFICATES[:2]), "certificate"),
        ("a receipt signed by the office", "receipt", receipt("office"), "bad-signature"),
        ("a receipt signed as something else", "receipt", receipt(context="anchor"), "bad-signature"),
        ("a receipt signed by nobody's key", "receipt", receipt("stranger"), "bad-signature"),
        ("a receipt for other bytes", "receipt", receipt(link=b64u(sha256(b"another link"))), "not-taken"),
        ("a receipt for another device", "receipt", receipt(device=str(OTHER_DEVICE)), "not-taken"),
        ("a receipt of another agency", "receipt", receipt(agency=str(OTHER_AGENCY)), "not-taken"),
        ("a receipt of another version", "receipt", receipt(v=2), "not-taken"),
        ("a receipt that names another operation", "receipt", receipt(op=str(VISIT)), "not-taken"),
        ("a receipt that names another number", "receipt", receipt(seq=2), "not-taken"),
        ("a receipt of a status that is not known", "receipt", receipt(status="to-come"), "not-taken"),
        ("an anchor signed by the office", "anchor", anchor("office"), "not-taken"),
        ("an anchor signed by nobody's key", "anchor", anchor("stranger"), "not-taken"),
        ("an anchor signed as something else", "anchor", anchor(context="receipt"), "not-taken"),
        ("an anchor for another device", "anchor", anchor(device=str(OTHER_DEVICE)), "not-taken"),
        ("an anchor of another version", "anchor", anchor(v=2), "not-taken"),
        ("an anchor of another agency", "anchor", anchor(agency=str(OTHER_AGENCY)), "not-taken"),
        ("an anchor of before the door's key", "anchor", anchor(at=utc_text(NOW - timedelta(days=1))), "not-taken"),
        ("an anchor of after the door's key", "anchor", anchor(at=utc_text(NOW + timedelta(days=826))), "not-taken"),
        ("an anchor that does not say when", "anchor", anchor(at=None), "not-taken"),
    ]  # fmt: skip
    return [{"name": name, "what": what, "document": it, "expect": code} for name, what, it, code in cases]


def _other_head(good: Vector, signed: bool = True, **changed: Any) -> Vector:
    """The item with another head, to which its content is not bound."""
    head, ct = canonical(json.loads(from_b64u(good["h"])) | changed), from_b64u(good["ct"])
    again = b64u(sign(KEYS["office"], b"doorstep-item-v1" + head + sha256(ct)))
    return good | {"h": b64u(head), **({"sig": again} if signed else {})}


def _packed_text(text: str) -> bytes:
    return pad(zlib.compress(text.encode()), ITEM_SIZES["verdict"])


def _cut_short() -> bytes:
    return pad(zlib.compress(canonical(verdict(1).body))[:-5], ITEM_SIZES["verdict"])


def _recertified(**changed: Any) -> Vector:
    body = canonical(json.loads(from_b64u(certificate("office", "new_office")["cert"])) | changed)
    return {"cert": b64u(body), "sig": b64u(sign(KEYS["root"], b"doorstep-cert-v1" + body))}


def _other_step(**changed: Any) -> Vector:
    said = canonical(json.loads(from_b64u(step()["root"])) | changed)
    signatures = {
        name: sign(KEYS[key], b"doorstep-root-v1" + said) for name, key in (("old", "root"), ("new", "new_root"))
    }
    return {"root": b64u(said), **{name: b64u(signature) for name, signature in signatures.items()}}


def _context(good: Vector) -> Vector:
    message = from_b64u(good["h"]) + sha256(from_b64u(good["ct"]))
    return good | {"sig": b64u(sign(KEYS["office"], b"doorstep-durable-v1" + message))}


def _sealed_item(packed: bytes) -> Vector:
    head = from_b64u(item(verdict(1))["h"])
    ct = aead_seal(SHEET_KEY.key, packed, sha256(head))
    return {"h": b64u(head), "ct": b64u(ct), "sig": b64u(sign(KEYS["office"], b"doorstep-item-v1" + head + sha256(ct)))}


def _packed_otherwise() -> bytes:
    deflater = zlib.compressobj(zdict=b"another dictionary")
    value = canonical({"kind": "verdict", "ref": str(OP), "version": 3, "body": {}})
    return pad(deflater.compress(value) + deflater.flush(), ITEM_SIZES["verdict"])


def _other_context() -> Vector:
    body = from_b64u(certificate("office", "new_office")["cert"])
    return {"cert": b64u(body), "sig": b64u(sign(KEYS["root"], b"doorstep-device-v1" + body))}


def vectors() -> Vector:
    return {
        "agency": str(AGENCY),
        "device": str(DEVICE),
        "secret": b64u(SECRET),
        "signing_private": b64u(KEYS["device"]),
        "sealing_private": b64u(KEYS["device_sealing"]),
        "link": b64u(sha256(b"link")),
        "op": str(OP),
        "held": {
            "root": b64u(public_key_of(KEYS["root"])),
            "certificates": CERTIFICATES,
            "device_certificate": json.loads(from_b64u(enrolment()["answer"]))["device_certificate"],
            "sheet_key": {"id": SHEET_KEY.id, "key": b64u(SHEET_KEY.key)},
            "cursor": {"epoch": 1, "seq": 2, "roll": b64u(sha256(b"roll after the second item"))},
            "durable": {"epoch": 1, "number": 2, "seq": 5, "except": [3], "at": utc_text(NOW)},
            "anchor_at": utc_text(LATER),
        },
        "sheets": sheets(),
        "taken": taken(),
        "refused": refused(),
    }


if __name__ == "__main__":
    (HERE / "refused.json").write_text(json.dumps(vectors(), indent=1) + "\n")
