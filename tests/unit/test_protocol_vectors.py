"""The vectors of docs/protocol.md: the server reads what phones make, an independent reader what the server makes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from field_api.platform import sealing
from sync.door.op_form import Odd, WellSigned, read_op
from sync.packing import unpack
from tests.door_client import SUITE, es256_holds, sha256, un64, unpacked
from tests.sync_day import hkdf, nul, opened

VECTORS = Path(__file__).parents[1] / "vectors"


def read(name: str) -> dict[str, Any]:
    return json.loads((VECTORS / f"{name}.json").read_text())


@dataclass
class SomeDevice:
    agency_id: UUID
    id: UUID
    signing_public: bytes


def test_the_office_opens_every_good_operation_and_the_door_names_what_is_wrong_with_the_others() -> None:
    file = read("op")
    device: Any = SomeDevice(UUID(file["agency"]), UUID(file["device"]), un64(file["device_signing_public"]))
    link = bytes(32)
    for vector in file["operations"]:
        found, expect = read_op(json.dumps(vector["op"]).encode(), device), vector["expect"]
        if "refused" in expect:
            assert isinstance(found, Odd) and found.reason == expect["refused"]
            continue
        assert isinstance(found, WellSigned)
        header = json.loads(found.protected)
        assert un64(header["prev"]) == link
        link = found.link
        assert link == un64(expect["link"])
        sealed = sealing.open_sealed(
            un64(file["sealing_private"]), b"doorstep-op-v1" + sha256(found.protected), found.ct
        )
        assert len(sealed) == header["size"]
        assert unpack(sealed) == {"kind": expect["kind"], "body": expect["body"]}


def test_an_independent_reader_opens_every_item_and_refuses_the_others() -> None:
    file = read("item")
    office = un64(file["office_public"])
    statement = un64(file["sheet_key"]["statement"])
    es256_holds(office, b"doorstep-sheet-key-v1" + statement, un64(file["sheet_key"]["sig"]))
    claims = json.loads(statement)
    private = ec.derive_private_key(int.from_bytes(un64(file["device_sealing_private"]), "big"), ec.SECP256R1())
    info = nul(b"doorstep-sheet-key-v1", file["agency"], file["device"], claims["id"])
    key = SUITE.decrypt(un64(claims["wrapped"]), private, info=info)
    roll = sha256(b"doorstep-roll-v1" + nul(file["agency"], file["device"], 1))
    assert roll == un64(file["roll_0"])
    for vector in file["items"]:
        head, ct, expect = un64(vector["item"]["h"]), un64(vector["item"]["ct"]), vector["expect"]
        es256_holds(office, b"doorstep-item-v1" + head + sha256(ct), un64(vector["item"]["sig"]))
        assert un64(json.loads(head)["prev"]) == roll
        roll = sha256(b"doorstep-roll-v1" + roll + sha256(head) + sha256(ct))
        assert roll == un64(expect.pop("roll"))
        assert unpacked(opened(key, ct, sha256(head))) == expect
    for vector in file["refused"]:
        head, ct = un64(vector["item"]["h"]), un64(vector["item"]["ct"])
        with pytest.raises(InvalidSignature):
            es256_holds(office, b"doorstep-item-v1" + head + sha256(ct), un64(vector["item"]["sig"]))


def test_receipts_hold_for_the_doors_key_alone() -> None:
    file = read("receipt")
    door = un64(file["door_public"])
    for vector in file["receipts"]:
        es256_holds(door, b"doorstep-receipt-v1" + un64(vector["receipt"]), un64(vector["sig"]))
        assert json.loads(un64(vector["receipt"])) == vector["expect"]
    for vector in file["refused"]:
        with pytest.raises(sealing.Unsealable):
            sealing.verify(door, b"doorstep-receipt-v1" + un64(vector["receipt"]), un64(vector["sig"]))


def tried(file: dict[str, Any], device: str, vector: dict[str, Any]) -> dict[str, Any] | None:
    """An independent reader of docs/protocol.md §7: what this try opens."""
    body, visit = file["body"], file["visit"]

    def keks(number: int) -> Iterator[tuple[str, bytes]]:
        if "code" in vector:
            info = nul(b"doorstep-lock-code-v1", visit, number, device)
            yield body["locks"][number]["code"], hkdf(vector["code"].encode(), info)
        elif "opener" in vector:
            info = nul(f"doorstep-lock-{vector['opener'].replace('_', '-')}-v1".encode(), visit, number)
            yield body["locks"][number][vector["opener"]], hkdf(un64(body["openers"][vector["opener"]]), info)
        else:
            pair = b""
            for kind, answer in sorted(vector["answers"].items()):
                salt = sha256(nul(b"doorstep-answer-v1", file["agency"], body["person"], number, kind))
                pair += hashlib.pbkdf2_hmac("sha256", answer.encode(), salt, 20_000)
            for wrap in body["locks"][number]["answers"]:
                yield wrap, hkdf(pair, nul(b"doorstep-lock-answers-v1", visit, number))

    for number in [0] if vector["claim"] == "sought" else [1, 2, 3]:
        associated = nul(b"doorstep-lock-v1", visit, number)
        for wrap, kek in keks(number):
            with suppress(InvalidTag):
                key = opened(kek, un64(wrap), associated)
                return {
                    "lock": number,
                    "brief": unpacked(opened(key, un64(body["locks"][number]["ct"]), associated)),
                }
    return None


def test_locks_open_for_their_own_party_in_their_own_ways_and_for_nobody_else() -> None:
    file = read("lock")
    for vector in file["tries"]:
        assert tried(file, file["device"], vector) == vector["expect"], vector
    other = file["other_device"]
    assert tried(file, other["device"], other) is None


def test_every_lock_of_the_vectors_has_the_form_and_lengths_of_its_number() -> None:
    first, *others = [  # that of the one sought has a size of its own, known by its number
        {name: [len(w) for w in wraps] if isinstance(wraps, list) else len(wraps) for name, wraps in lock.items()}
        for lock in read("lock")["body"]["locks"]
    ]
    assert len(others) == 3 and all(shape == first | {"ct": others[0]["ct"]} for shape in others)
    assert (len(first["answers"]), first["ct"], others[0]["ct"]) == (6, 1_830, 848)


def test_hpke_derives_the_key_and_nonce_of_rfc_9180() -> None:
    """The RFC's ciphertexts carry associated data, which this house never uses: the same key and nonce, without it."""
    for vector in read("hpke_p256_sha256_aes256gcm_base")["vectors"]:
        plaintext = bytes.fromhex(vector["encryptions"][0]["pt"])
        ct = AESGCM(bytes.fromhex(vector["key"])).encrypt(bytes.fromhex(vector["base_nonce"]), plaintext, b"")
        private, info = bytes.fromhex(vector["skRm"]), bytes.fromhex(vector["info"])
        assert sealing.public_key_of(private).hex() == vector["pkRm"]
        assert sealing.open_sealed(private, info, bytes.fromhex(vector["enc"]) + ct) == plaintext
        with pytest.raises(sealing.Unsealable):
            sealing.open_sealed(private, info + b"x", bytes.fromhex(vector["enc"]) + ct)


def test_signatures_are_judged_as_wycheproof_publishes() -> None:
    wrong, seen = [], 0
    for group in read("wycheproof_ecdsa_p256_sha256_p1363")["testGroups"]:
        point = bytes.fromhex(group["publicKey"]["uncompressed"])
        for test in group["tests"]:
            seen += 1
            try:
                sealing.verify(point, bytes.fromhex(test["msg"]), bytes.fromhex(test["sig"]))
                verdict = "valid"
            except sealing.Unsealable:
                verdict = "invalid"
            wrong += [test["tcId"]] if verdict != test["result"] else []
    assert wrong == []
    assert seen > 200
