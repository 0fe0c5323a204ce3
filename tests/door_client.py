"""A phone in a hundred lines, written from docs/protocol.md alone: it shares no code with the server or sync/phone."""

from __future__ import annotations

import base64
import hashlib
import json
import struct
import zlib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from cryptography.hazmat.primitives import hashes, hpke
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

SUITE = hpke.Suite(hpke.KEM.P256, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)
DICTIONARY = (Path(__file__).parents[1] / "sync" / "phone" / "dictionary_1.bin").read_bytes()
BUCKETS = (512, 1024, 2048, 4096, 8192, 16384, 32768)
COVERED = (
    "content-digest", "content-type", "upload-offset", "upload-length", "upload-metadata", "upload-checksum",
    "tus-resumable",
)  # fmt: skip


def b64u(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def un64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def point(private: ec.EllipticCurvePrivateKey) -> bytes:
    return private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def es256(private: ec.EllipticCurvePrivateKey, message: bytes) -> bytes:
    r, s = decode_dss_signature(private.sign(message, ec.ECDSA(hashes.SHA256())))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def es256_holds(public: bytes, message: bytes, signature: bytes) -> None:
    """Raises InvalidSignature unless it holds."""
    der = encode_dss_signature(int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big"))
    key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), public)
    key.verify(der, message, ec.ECDSA(hashes.SHA256()))


def packed(value: Any, size: int) -> bytes:
    data = zlib.compress(json.dumps(value).encode())
    assert len(data) + 4 <= size
    return len(data).to_bytes(4, "big") + data + bytes(size - 4 - len(data))


def unpacked(data: bytes) -> Any:
    """What the office packed with the shared dictionary; of a visit with its locks, which stand at the end as bytes."""
    value = json.loads(zlib.decompressobj(zdict=DICTIONARY).decompress(data[4 : 4 + int.from_bytes(data[:4], "big")]))
    if value.get("kind") == "visit":
        value["body"]["locks"] = locks_at_the_end(data) if value["body"]["state"] == "published" else []
    return value


def record(kind: int, signature: bytes, document: bytes, sealed: bytes = b"") -> bytes:
    return struct.pack(">BBII", kind, len(signature), len(document), len(sealed)) + signature + document + sealed


def records(data: bytes) -> list[tuple[int, bytes, bytes, bytes, int]]:
    """Kind, signature, JSON, ciphertext and end of each record."""
    found, at = [], 0
    while at < len(data):
        kind, *lengths = struct.unpack_from(">BBII", data, at)
        at, parts = at + 10, []
        for length in lengths:
            parts.append(data[at : at + length])
            at += length
        found.append((kind, *parts, at))
    assert at == len(data), "cut off"
    return found


def page_of(data: bytes) -> dict[str, Any]:
    """A feed page with each part as base64url. Without its last record there is no `more`."""
    page: dict[str, Any] = {"sheet_keys": [], "items": [], "durable": None, "digest": None}
    for kind, signature, document, sealed, _ in records(data):
        signed = {"statement": b64u(document), "sig": b64u(signature)}
        if kind == 1:
            page["sheet_keys"].append(signed)
        elif kind == 2:
            page["items"].append({"h": b64u(document), "ct": b64u(sealed), "sig": b64u(signature)})
        elif kind == 3:
            page["durable"] = signed
        elif kind == 8:
            page["digest"] = signed
        else:
            assert kind == 4
            page["more"] = json.loads(document)["more"]
    return page


def page_bytes(page: dict[str, Any]) -> bytes:
    """A page as the door sends it."""
    made = [record(1, un64(one["sig"]), un64(one["statement"])) for one in page["sheet_keys"]]
    made += [record(2, un64(item["sig"]), un64(item["h"]), un64(item["ct"])) for item in page["items"]]
    durable = page["durable"]
    made += [record(3, un64(durable["sig"]), un64(durable["statement"]))] if durable else []
    digest = page["digest"]
    made += [record(8, un64(digest["sig"]), un64(digest["statement"]))] if digest else []
    return b"".join([*made, record(4, b"", json.dumps({"more": page["more"]}).encode())])


@dataclass(frozen=True)
class SnapshotBytes:
    """`rest`: all bytes after the manifest."""

    manifest: bytes
    sig: bytes
    rest: bytes
    lines: list[tuple[str, bytes]]
    keys: Any


def snapshot_of(data: bytes) -> SnapshotBytes:
    announced, manifest, *lines = records(data)
    assert (announced[0], manifest[0], {line[0] for line in lines} - {7}) == (5, 6, set())
    return SnapshotBytes(
        manifest[2], manifest[1], data[manifest[4] :], [(json.loads(line[2])["key"], line[3]) for line in lines],
        json.loads(announced[2]),
    )  # fmt: skip


def locks_at_the_end(data: bytes) -> list[dict[str, Any]]:
    rest, locks = data[704:], []
    assert len(rest) == 5_440
    for brief in (1_344, 608, 608, 608):
        wraps, rest = [b64u(rest[at : at + 60]) for at in range(0, 540, 60)], rest[540:]
        names = dict(zip(("code", "attestation", "before_arrival"), wraps[6:], strict=True))
        locks.append({"answers": wraps[:6], **names, "ct": b64u(rest[: brief + 28])})
        rest = rest[brief + 28 :]
    return locks


@dataclass
class Phone:
    """Signs requests and operations for one device; `client` is a Flask test client of the door."""

    client: FlaskClient
    agency: UUID
    device: UUID
    signing: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    sealing: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    authority: str = "door.test"
    agency_sealing_key: bytes = b""
    office_key: bytes = b""
    anchor: str | None = None
    seq: int = 0
    link: bytes = bytes(32)

    def call(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        *,
        query: str = "",
        headers: dict[str, str] | None = None,
        anchored: bool = True,
        sent_body: bytes | None = None,
        key_id: str | None = None,
        created: int | None = None,
    ) -> TestResponse:
        """One signed request. `sent_body` differs from `body` where a test swaps it on the way."""
        headers = dict(headers or {})
        if body is not None:
            headers.setdefault("Content-Type", "application/json")
            headers["Content-Digest"] = f"sha-256=:{base64.b64encode(sha256(body)).decode()}:"
        headers.update(self.signature_headers(method, path, query, headers, anchored, key_id, created))
        response = self.client.open(
            path + (f"?{query}" if query else ""),
            method=method,
            data=sent_body if sent_body is not None else body,
            headers=headers,
        )
        self.anchor = response.headers.get("Doorstep-Anchor", self.anchor)
        return response

    def signature_headers(
        self,
        method: str,
        path: str,
        query: str,
        headers: dict[str, str],
        anchored: bool,
        key_id: str | None = None,
        created: int | None = None,
    ) -> dict[str, str]:
        lower = {name.lower(): value for name, value in headers.items()}
        values = {"@method": method, "@authority": self.authority, "@path": path, "@query": f"?{query}"}
        values |= {name: lower[name] for name in COVERED if name in lower}
        nonce = f';nonce="{self.anchor}"' if anchored and self.anchor else ""
        parameters = (
            f"({' '.join(json.dumps(name) for name in values)})"
            f";created={created if created is not None else int(datetime.now(UTC).timestamp())}"
            f';keyid="{key_id or f"{self.agency}/{self.device}"}";alg="ecdsa-p256-sha256"{nonce};tag="doorstep-phone-v1"'
        )
        base = "".join(f'"{name}": {value}\n' for name, value in values.items()) + f'"@signature-params": {parameters}'
        signature = base64.b64encode(es256(self.signing, base.encode())).decode()
        return {"Signature-Input": f"doorstep={parameters}", "Signature": f"doorstep=:{signature}:"}

    def take_anchor(self) -> None:
        response = self.call("POST", "/phone/v1/anchors", anchored=False)
        assert response.status_code == 200, response.text

    def operation(
        self, kind: str, body: dict[str, Any], *, visit: UUID | None = None, av: int | None = None,
        deps: tuple[UUID, ...] = (), op: UUID | None = None, seq: int | None = None, size: int = 512, **protected: Any,
    ) -> dict[str, str]:  # fmt: skip
        """The next operation of this phone's chain, sealed and signed; `protected` overrides keys of P."""
        self.seq = seq if seq is not None else self.seq + 1
        header = {
            "v": 1, "agency": str(self.agency), "device": str(self.device), "op": str(op or uuid4()), "epoch": 1,
            "seq": self.seq, "visit": str(visit) if visit else None, "av": av, "prev": b64u(self.link),
            "deps": [str(dep) for dep in deps], "photos": [], "anchor": self.anchor,
            "wall": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"), "mono_ms": 1000,
            "boot": "boot-1", "key": sha256(self.agency_sealing_key).hex()[:16], "size": size, **protected,
        }  # fmt: skip
        p = json.dumps(header).encode()
        public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), self.agency_sealing_key)
        c = SUITE.encrypt(packed({"kind": kind, "body": body}, size), public, info=b"doorstep-op-v1" + sha256(p))
        self.link = sha256(b"doorstep-chain-v1" + sha256(p) + sha256(c))
        return {
            "protected": b64u(p),
            "ct": b64u(c),
            "sig": b64u(es256(self.signing, b"doorstep-op-v1" + p + sha256(c))),
        }

    def push(self, *operations: dict[str, str]) -> list[dict[str, Any]]:
        """POST /ops; the receipts' bodies in order."""
        response = self.call("POST", "/phone/v1/ops", json.dumps({"ops": list(operations)}).encode())
        assert response.status_code == 200, response.text
        return [json.loads(un64(receipt["receipt"])) for receipt in response.json["receipts"]]
