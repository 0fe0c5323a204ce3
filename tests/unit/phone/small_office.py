"""A small agency in memory, for tests of the phone alone: the other end of docs/protocol.md, by the office's own verbs.

It shares no code with sync/phone: sealing is field_api.platform.sealing, signatures are verified by the library.
"""

from __future__ import annotations

import json
import os
import struct
import zlib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import combinations
from pathlib import Path
from typing import Any
from uuid import uuid4

from field_api.domain.identity import AnswerKind, normalise
from field_api.platform import sealing
from field_api.platform.sealing import b64u, from_b64u, sha256

NOW = datetime(2026, 11, 18, 15, 0, tzinfo=UTC)
SIZES = {"visit": 6_144, "route": 1_024, "verdict": 512, "keys": 4_096}
BRIEFS = (1_344, 608, 608, 608)
TEXT_OF_A_VISIT = 704  # behind it its locks, as bytes
DICTIONARY = (Path(__file__).parents[3] / "sync" / "dictionary_1.bin").read_bytes()
BRIEF = {
    "agency": {"name": "Agencia Puerta Norte", "address": "Calle 1", "phone": "+525550000000"},
    "creditor": {"name": "Muebles Canario Amarillo", "phone": "+525550000001"},
    "accounts": [{"account": "a-1", "reference": "REF-CANARIO-77", "balance_minor": 918273, "currency": "MXN"}],
    "history": [],
    "letters": [],
}


ANSWERS = {"birth_date": "1956-12-31", "mother_maiden_name": "Peña", "postcode": "05219"}
GUARANTOR = "0190a0e0-0000-7000-8000-0000000000aa"
GUARANTOR_ANSWERS = {"curp": "GODE561231HDFRRN09", "phone_last4": "1234"}
GUARANTOR_CODE = "ZYXWVTSRQPNMK"


def party(person: str, role: str) -> dict[str, str]:
    return {"person": person, "name": "Prueba Canaria" if role == "debtor" else "Aval Inventado", "role": role}


def text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def dumps(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def pack(value: Any, size: int) -> bytes:
    deflater = zlib.compressobj(zdict=DICTIONARY)
    data = deflater.compress(dumps(value)) + deflater.flush()
    assert len(data) + 4 <= size
    return (len(data).to_bytes(4, "big") + data).ljust(size, b"\0")


def pack_item(content: dict[str, Any], size: int) -> bytes:
    if content["kind"] != "visit":
        return pack(content, size)
    text = {name: part for name, part in content["body"].items() if name != "locks"}
    locks = b"".join(
        b"".join(
            map(from_b64u, [*lock["answers"], lock["code"], lock["attestation"], lock["before_arrival"], lock["ct"]])
        )
        for lock in content["body"].get("locks", [])
    )
    return pack({**content, "body": text}, TEXT_OF_A_VISIT) + locks.ljust(size - TEXT_OF_A_VISIT, b"\0")


def record(kind: int, signature: bytes, document: bytes, sealed: bytes = b"") -> bytes:
    return struct.pack(">BBII", kind, len(signature), len(document), len(sealed)) + signature + document + sealed


def unpack(padded: bytes) -> Any:
    return json.loads(zlib.decompress(padded[4 : 4 + int.from_bytes(padded[:4], "big")]))


@dataclass
class SmallOffice:
    agency: str = field(default_factory=lambda: str(uuid4()))
    device: str = field(default_factory=lambda: str(uuid4()))
    epoch: int = 1
    now: datetime = NOW
    secret: bytes = bytes(range(16))
    items: list[dict[str, str]] = field(default_factory=list)
    contents: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    durable_seq: int | None = None

    def __post_init__(self) -> None:
        self.private = {role: sealing.new_private_key() for role in ("root", "office", "sealing", "door")}
        self.public = {role: sealing.public_key_of(key) for role, key in self.private.items()}
        self.sheet_key, self.sheet_key_id = b"K" * 32, "00112233aabbccdd"
        self.roll = self.first_roll()
        self.phone_signing = self.phone_sealing = b""

    def first_roll(self) -> bytes:
        return sha256(b"doorstep-roll-v1" + b"\0".join(t.encode() for t in (self.agency, self.device, str(self.epoch))))

    def signed(self, role: str, context: str, part: str, value: Any) -> dict[str, str]:
        data = dumps(value)
        return {part: b64u(data), "sig": b64u(sealing.sign(self.private[role], context.encode() + data))}

    def named(self, **more: Any) -> dict[str, Any]:
        return {"v": 1, "agency": self.agency, "device": self.device, **more}

    def certificate(
        self, role: str, key: bytes | None = None, days: int = 400, start: datetime = NOW
    ) -> dict[str, str]:
        public = key or self.public[role]
        body = {"v": 1, "agency": self.agency, "role": role, "kid": sealing.key_id_of(public), "key": b64u(public)}
        span = {"from": text(start - timedelta(days=1)), "until": text(start + timedelta(days=days))}
        return self.signed("root", "doorstep-cert-v1", "cert", body | span)

    def rotate(self, role: str) -> dict[str, str]:
        """A new key of this role from now on, and its certificate."""
        self.private[role] = sealing.new_private_key()
        self.public[role] = sealing.public_key_of(self.private[role])
        return self.certificate(role, start=self.now)

    def root_step(self, **changed: Any) -> dict[str, str]:
        """The root hands over to a new one."""
        old, new = self.private["root"], sealing.new_private_key()
        names = {"old": b64u(self.public["root"]), "new": b64u(sealing.public_key_of(new))}
        body = dumps({"v": 1, "agency": self.agency, **names, "at": text(self.now), **changed})
        self.private["root"], self.public["root"] = new, sealing.public_key_of(new)
        signed = {name: sealing.sign(key, b"doorstep-root-v1" + body) for name, key in (("old", old), ("new", new))}
        return {"root": b64u(body), **{name: b64u(signature) for name, signature in signed.items()}}

    def certificates(self) -> list[dict[str, str]]:
        return [self.certificate(role) for role in ("office", "sealing", "door")]

    def enrolment_answer(self, request: bytes) -> dict[str, str]:
        asked = json.loads(request)
        self.phone_signing, self.phone_sealing = from_b64u(asked["signing"]), from_b64u(asked["sealing"])
        named = self.named(signing=asked["signing"], sealing=asked["sealing"], at=text(self.now))
        answer = dumps(
            {
                **self.named(),
                "epoch": self.epoch,
                "root": b64u(self.public["root"]),
                "certificates": self.certificates(),
                "device_certificate": self.signed("office", "doorstep-device-v1", "cert", named),
                "agent": {"name": "Agente Canaria", "languages": ["es"]},
                "agency_name": "Agencia Puerta Norte",
            }
        )
        key = sealing.derive(self.secret, b"doorstep-enrol-answer-v1")
        return {"answer": b64u(answer), "mac": b64u(sealing.mac(key, answer))}

    def anchor(self) -> str:
        body = dumps(self.named(at=text(self.now), n=b64u(uuid4().bytes)))
        signature = sealing.sign(self.private["door"], b"doorstep-anchor-v1" + body)
        return f"{b64u(body)}.{b64u(signature)}"

    def sheet_key_statement(self) -> dict[str, str]:
        names = "\0".join(("", self.agency, self.device, self.sheet_key_id)).encode()
        wrapped = sealing.seal_to(self.phone_sealing, b"doorstep-sheet-key-v1" + names, self.sheet_key)
        body = self.named(id=self.sheet_key_id, day=text(self.now)[:10], wrapped=b64u(wrapped))
        return self.signed("office", "doorstep-sheet-key-v1", "statement", body)

    def publish(self, kind: str, ref: str, version: int, body: dict[str, Any]) -> dict[str, str]:
        content = {"kind": kind, "ref": ref, "version": version, "body": body}
        self.contents[kind, ref] = content
        header = dumps(
            self.named(epoch=self.epoch, seq=len(self.items) + 1, prev=b64u(self.roll), key=self.sheet_key_id)
        )
        sealed = sealing.aead_seal(self.sheet_key, pack_item(content, SIZES.get(kind, 512)), sha256(header))
        signature = sealing.sign(self.private["office"], b"doorstep-item-v1" + header + sha256(sealed))
        self.roll = sha256(b"doorstep-roll-v1" + self.roll + sha256(header) + sha256(sealed))
        self.items.append({"h": b64u(header), "ct": b64u(sealed), "sig": b64u(signature)})
        return self.items[-1]

    def durable(self) -> dict[str, str] | None:
        if self.durable_seq is None:
            return None
        body = self.named(epoch=self.epoch, durable_seq=self.durable_seq, at=text(self.now))
        return self.signed("office", "doorstep-durable-v1", "statement", body)

    def snapshot(self) -> bytes:
        lines = []
        for index, content in enumerate(self.contents.values()):
            place = (self.agency, self.device, str(self.epoch), str(len(self.items)), str(index))
            associated = b"doorstep-snapshot-v1\0" + "\0".join(place).encode()
            packed = pack_item(content, SIZES.get(content["kind"], 512))
            ct = sealing.aead_seal(self.sheet_key, packed, associated)
            lines.append(record(7, b"", dumps({"key": self.sheet_key_id}), ct))
        rest = b"".join(lines)
        manifest = self.named(
            epoch=self.epoch, seq=len(self.items), roll=b64u(self.roll), count=len(lines),
            sha256=b64u(sha256(rest)), sheet_keys=[self.sheet_key_statement()],
        )  # fmt: skip
        signed = self.signed("office", "doorstep-snapshot-v1", "m", manifest)
        return record(6, from_b64u(signed["sig"]), from_b64u(signed["m"])) + rest

    def restored(self) -> None:
        """The server came back from a backup: a new epoch, an empty feed."""
        self.epoch += 1
        self.items.clear()
        self.roll = self.first_roll()

    def wipe_order(self, reason: str = "lost") -> dict[str, str]:
        return self.signed("office", "doorstep-wipe-v1", "order", self.named(reason=reason, at=text(self.now)))

    def receipt(self, op: dict[str, str], status: str = "received") -> dict[str, str]:
        protected, sealed = from_b64u(op["protected"]), from_b64u(op["ct"])
        link = sha256(b"doorstep-chain-v1" + sha256(protected) + sha256(sealed))
        claims = json.loads(protected)
        body = self.named(op=claims["op"], seq=claims["seq"], link=b64u(link), status=status, at=text(self.now))
        return self.signed("door", "doorstep-receipt-v1", "receipt", body)

    def read_op(self, op: dict[str, str]) -> tuple[dict[str, Any], dict[str, Any]]:
        """(protected, {"kind", "body"}), verified as the office does."""
        protected, sealed = from_b64u(op["protected"]), from_b64u(op["ct"])
        sealing.verify(self.phone_signing, b"doorstep-op-v1" + protected + sha256(sealed), from_b64u(op["sig"]))
        claims = json.loads(protected)
        info = b"doorstep-op-v1" + sha256(protected)
        padded = sealing.open_sealed(self.private["sealing"], info, sealed)
        assert len(padded) == claims["size"]
        return claims, unpack(padded)

    def visit_body(self, visit: str, person: str, *, position: int = 1, code: str = "0123456789ABC") -> dict[str, Any]:
        return {
            "state": "published",
            "assignment_version": 1,
            "stop": {
                "route": str(uuid4()), "day": "2026-11-18", "position": position,
                "arrival_from": text(NOW), "arrival_to": text(NOW), "visit_until": text(NOW + timedelta(hours=8)), "visit_from": text(NOW - timedelta(hours=4)),
                "timezone": "America/Mexico_City", "service_s": 600,
            },
            "open": {"name": "Prueba Canaria", "alias": None, "kind": "person", "language": "es", "address": {"street": "Avenida Canaria"}},
            "person": person,
            "questions": [
                {"kind": "birth_date", "group": "birth"}, {"kind": "mother_maiden_name", "group": "name"},
                {"kind": "postcode", "group": "postcode"},
            ],
            "openers": {"attestation": None, "before_arrival": None},
            "locks": self.locks(visit, person, code),
        }  # fmt: skip

    def locks(self, visit: str, person: str, code: str) -> list[dict[str, Any]]:
        """The person sought behind lock 0, a guarantor behind lock 2, nobody behind the others."""
        locks = [self.empty_lock(number) for number in range(4)]
        locks[0] = self.lock(visit, person, 0, code, ANSWERS, BRIEF | {"party": party(person, "debtor")})
        guarantor = party(GUARANTOR, "guarantor")
        locks[2] = self.lock(visit, person, 2, GUARANTOR_CODE, GUARANTOR_ANSWERS, BRIEF | {"party": guarantor})
        return locks

    @staticmethod
    def empty_lock(number: int) -> dict[str, Any]:
        noise = [b64u(os.urandom(60)) for _ in range(9)]
        names = dict(zip(("code", "attestation", "before_arrival"), noise, strict=False))
        return {"answers": noise[3:], **names, "ct": b64u(os.urandom(BRIEFS[number] + 28))}

    def lock(
        self, visit: str, sought: str, number: int, code: str, answers: dict[str, str], brief: dict[str, Any]
    ) -> dict[str, Any]:
        place = f"\0{visit}\0{number}".encode()
        context, key = b"doorstep-lock-v1" + place, bytes([number + 1]) * 32
        lock = self.empty_lock(number)
        for index, pair in enumerate(combinations(sorted(answers), 2)):
            stretched = b"".join(self.stretched(sought, number, kind, answers[kind]) for kind in pair)
            kek = sealing.derive(stretched, b"doorstep-lock-answers-v1" + place)
            lock["answers"][index] = b64u(sealing.aead_seal(kek, key, context))
        kek = sealing.derive(code.encode(), b"doorstep-lock-code-v1" + place + b"\0" + self.device.encode())
        lock["code"] = b64u(sealing.aead_seal(kek, key, context))
        return lock | {"ct": b64u(sealing.aead_seal(key, pack(brief, BRIEFS[number]), context))}

    def under_sheet(self, visit: str, name: str, number: int, lock: dict[str, Any], opener: bytes) -> dict[str, Any]:
        """The lock with its key under an opener that travels beside it."""
        place = f"\0{visit}\0{number}".encode()
        kek = sealing.derive(opener, f"doorstep-lock-{name.replace('_', '-')}-v1".encode() + place)
        return lock | {name: b64u(sealing.aead_seal(kek, bytes([number + 1]) * 32, b"doorstep-lock-v1" + place))}

    def stretched(self, sought: str, number: int, kind: str, answer: str) -> bytes:
        salt = sha256(
            b"\0".join(part.encode() for part in ("doorstep-answer-v1", self.agency, sought, str(number), kind))
        )
        return sealing.stretch(normalise(AnswerKind(kind), answer).encode(), salt, 20_000)
