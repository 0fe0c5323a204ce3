"""Where an agency's keys live, and the verbs that use them. Callers get closures over keys, never the keys.

Three places, so that each process holds what it needs and no more: `keys/root` (offline, certifies), `keys/office`
(signs, opens, seals columns), `keys/door` (signs receipts and anchors, opens nothing).
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from field_api.platform import sealing
from field_api.platform.bounded_json import canonical
from field_api.platform.clock import utc_text
from field_api.platform.sealing import b64u, from_b64u

CERTIFICATE_CONTEXT = b"doorstep-cert-v1"
CERTIFICATE_DAYS = 825


class NoKeys(RuntimeError):
    """This process has no keys for the agency."""


@dataclass(frozen=True)
class Certificate:
    """A key's public half with its role, certified by the agency's pinned root (docs/protocol.md §3)."""

    body: bytes
    signature: bytes

    def wire(self) -> dict[str, str]:
        return {"cert": b64u(self.body), "sig": b64u(self.signature)}

    @property
    def claims(self) -> dict[str, Any]:
        return dict(json.loads(self.body))

    @property
    def key_id(self) -> str:
        return str(self.claims["kid"])

    @property
    def public(self) -> bytes:
        return from_b64u(self.claims["key"])


def certify(root: bytes, agency_id: UUID, role: str, public: bytes, now: datetime) -> Certificate:
    """Sign `public` with the root key for a role: office, sealing or door."""
    body = canonical(
        {
            "v": 1,
            "agency": str(agency_id),
            "role": role,
            "kid": sealing.key_id_of(public),
            "key": b64u(public),
            "from": utc_text(now),
            "until": utc_text(now + timedelta(days=CERTIFICATE_DAYS)),
        }
    )
    return Certificate(body, sealing.sign(root, CERTIFICATE_CONTEXT + body))


class DoorKeys:
    """The phone door's one key: signs receipts and anchors."""

    def __init__(self, agency_id: UUID, stored: dict[str, Any]) -> None:
        self.agency_id = agency_id
        self._private = from_b64u(stored["private"])
        self.certificate = Certificate(from_b64u(stored["cert"]), from_b64u(stored["sig"]))

    def sign(self, context: bytes, message: bytes) -> bytes:
        return sealing.sign(self._private, context + message)

    def verify(self, context: bytes, message: bytes, signature: bytes) -> None:
        """Raises Unsealable unless this door signed it."""
        sealing.verify(self.certificate.public, context + message, signature)


class OfficeKeys:
    """The office's keys of one agency: sign, open what phones sealed, seal columns and objects at rest."""

    def __init__(self, agency_id: UUID, stored: dict[str, Any]) -> None:
        self.agency_id = agency_id
        self.root_public = from_b64u(stored["root_public"])
        self._signing = from_b64u(stored["signing"]["private"])
        self.signing_certificate = _certificate(stored["signing"])
        self._sealing = {entry["kid"]: from_b64u(entry["private"]) for entry in stored["sealing"]}
        self.sealing_certificate = _certificate(stored["sealing"][-1])
        self.door_certificate = _certificate(stored["door"])
        self._column = from_b64u(stored["column"])
        self._derived: dict[str, bytes] = {}  # one derivation per place, not per value: imports seal a million

    def sign(self, context: bytes, message: bytes) -> bytes:
        return sealing.sign(self._signing, context + message)

    def verify(self, context: bytes, message: bytes, signature: bytes) -> None:
        """Raises Unsealable unless this office signed it."""
        sealing.verify(self.signing_certificate.public, context + message, signature)

    def open_from_phone(self, key_id: str, info: bytes, sealed: bytes) -> bytes:
        """Open what a phone sealed to the agency, retired keys included. Raises Unsealable."""
        private = self._sealing.get(key_id)
        if private is None:
            raise sealing.Unsealable("unknown sealing key")
        return sealing.open_sealed(private, info, sealed)

    def seal_at_rest(self, place: str, plaintext: bytes) -> bytes:
        """AES-256-GCM under a key derived for `place` (a column or a kind of object), which is also bound to it."""
        return sealing.aead_seal(self._key_for(place), plaintext, place.encode())

    def open_at_rest(self, place: str, sealed: bytes) -> bytes:
        """The plaintext of `seal_at_rest` for the same place. Raises Unsealable."""
        return sealing.aead_open(self._key_for(place), sealed, place.encode())

    def fingerprint(self, place: str, plaintext: bytes) -> bytes:
        """A keyed 32-byte hash for equality look-ups on sealed columns."""
        return sealing.mac(self._key_for("fingerprint:" + place), plaintext)

    def _key_for(self, place: str) -> bytes:
        if place not in self._derived:
            self._derived[place] = sealing.derive(self._column, b"doorstep-rest-v1:" + place.encode())
        return self._derived[place]


def _certificate(entry: dict[str, Any]) -> Certificate:
    return Certificate(from_b64u(entry["cert"]), from_b64u(entry["sig"]))


def create_agency_keys(home: Path, agency_id: UUID, now: datetime) -> None:
    """Make root, office and door keys of a new agency below `home`/keys. Raises FileExistsError if there are any."""
    root, signing, opening, door = (sealing.new_private_key() for _ in range(4))

    def entry(role: str, private: bytes) -> dict[str, str]:
        certificate = certify(root, agency_id, role, sealing.public_key_of(private), now)
        return {"kid": certificate.key_id, "private": b64u(private), **certificate.wire()}

    door_entry = entry("door", door)
    office = {
        "root_public": b64u(sealing.public_key_of(root)),
        "signing": entry("office", signing),
        "sealing": [entry("sealing", opening)],
        "door": {name: door_entry[name] for name in ("cert", "sig")},  # the public half: phones get it at enrolment
        "column": b64u(os.urandom(32)),
    }
    _write(home / "keys" / "root" / f"{agency_id}.json", {"private": b64u(root)})
    _write(home / "keys" / "office" / f"{agency_id}.json", office)
    _write(home / "keys" / "door" / f"{agency_id}.json", door_entry)


def _write(path: Path, content: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(content, file)
        file.flush()
        os.fsync(file.fileno())


def _read(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_text()))
    except FileNotFoundError as error:
        raise NoKeys(f"no keys at {path.parent.name}/{path.name}") from error


class OfficeKeyring:
    """Office keys by agency, read once from the office's directory."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._loaded: dict[UUID, OfficeKeys] = {}

    def of(self, agency_id: UUID) -> OfficeKeys:
        """Raises NoKeys."""
        if agency_id not in self._loaded:
            self._loaded[agency_id] = OfficeKeys(agency_id, _read(self._directory / f"{agency_id}.json"))
        return self._loaded[agency_id]

    def agencies(self) -> list[UUID]:
        """Every agency this office holds keys for."""
        return sorted(UUID(path.stem) for path in self._directory.glob("*.json"))


class DoorKeyring:
    """Door keys by agency, read once from the door's directory."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._loaded: dict[UUID, DoorKeys] = {}

    def of(self, agency_id: UUID) -> DoorKeys:
        """Raises NoKeys."""
        if agency_id not in self._loaded:
            self._loaded[agency_id] = DoorKeys(agency_id, _read(self._directory / f"{agency_id}.json"))
        return self._loaded[agency_id]
