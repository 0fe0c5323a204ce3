"""Where an agency's keys live, and the verbs that use them. Callers get closures over keys, never the keys.

Three places, so that each process holds what it needs and no more: `keys/root` (offline, certifies), `keys/office`
(signs, opens, seals columns), `keys/door` (signs receipts and anchors, opens nothing).
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Generic, TypeVar
from uuid import UUID

from field_api.platform import sealing
from field_api.platform.bounded_json import canonical
from field_api.platform.clock import utc_text
from field_api.platform.sealing import b64u, from_b64u

CERTIFICATE_CONTEXT = b"doorstep-cert-v1"
ROLES = ("office", "sealing", "door")
CERTIFICATE_DAYS = 825
LOOK_S = 1.0  # how long a process goes on with keys whose file was replaced meanwhile

K = TypeVar("K")


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

    @property
    def until(self) -> datetime:
        return datetime.fromisoformat(self.claims["until"])

    @property
    def ref(self) -> UUID:
        """The certificate's name in change rows and `keys` items."""
        return UUID(bytes=sealing.sha256(self.body)[:16])


def certify(
    root: bytes, agency_id: UUID, role: str, public: bytes, now: datetime, until: datetime | None = None
) -> Certificate:
    """Sign `public` with the root key for a role (office, sealing or door), from `now` for 825 days or to `until`."""
    body = canonical(
        {
            "v": 1,
            "agency": str(agency_id),
            "role": role,
            "kid": sealing.key_id_of(public),
            "key": b64u(public),
            "from": utc_text(now),
            "until": utc_text(until or now + timedelta(days=CERTIFICATE_DAYS)),
        }
    )
    return Certificate(body, sealing.sign(root, CERTIFICATE_CONTEXT + body))


class DoorKeys:
    """The phone door's one key: signs receipts and anchors. What the keys before it signed still verifies."""

    def __init__(self, agency_id: UUID, stored: dict[str, Any]) -> None:
        self.agency_id = agency_id
        self._private = from_b64u(stored["private"])
        self.certificate = certificate_of(stored)
        self.publics = [self.certificate.public, *(certificate_of(entry).public for entry in stored.get("retired", []))]

    def sign(self, context: bytes, message: bytes) -> bytes:
        return sealing.sign(self._private, context + message)

    def verify(self, context: bytes, message: bytes, signature: bytes) -> None:
        """Raises Unsealable unless this door signed it, now or under a retired key."""
        verify_by_any(self.publics, context + message, signature)


class OfficeKeys:
    """The office's keys of one agency: sign, open what phones sealed, seal columns and objects at rest.

    A key that phones are still to be told of (`next` in the file) is announced and not used; retired office and door
    keys verify what they signed, retired sealing keys open what was sealed to them (docs/operations.md, Keys).
    """

    def __init__(self, agency_id: UUID, stored: dict[str, Any], again: Callable[[], dict[str, Any]] | None = None):
        self.agency_id = agency_id
        self._again = again
        self.root_public = from_b64u(stored["root_public"])
        self.root_steps: list[dict[str, str]] = list(stored.get("roots", []))
        self._signing = from_b64u(stored["signing"]["private"])
        self._sealing = _openers(stored)
        self.certificates = {role: certificates_of(stored, role) for role in ROLES}
        self.signing_certificate = self.certificates["office"][-1]
        self.sealing_certificate = self.certificates["sealing"][-1]
        self.door_certificate = self.certificates["door"][-1]
        waiting = stored.get("next", {}).get("office")
        self._office_keys_to_come = {self.signing_certificate.key_id, *([waiting["kid"]] if waiting else [])}
        self.waits_for_phones = bool(stored.get("next"))
        self.unannounced = frozenset(UUID(ref) for ref in stored.get("unannounced", []))
        self._column = from_b64u(stored["column"])
        self._derived: dict[str, bytes] = {}  # one derivation per place, not per value: imports seal a million

    def sign(self, context: bytes, message: bytes) -> bytes:
        return sealing.sign(self._signing, context + message)

    def verify(self, context: bytes, message: bytes, signature: bytes) -> None:
        """Raises Unsealable unless this office signed it, now or under a retired key."""
        verify_by_any((each.public for each in self.certificates["office"]), context + message, signature)

    @property
    def door_publics(self) -> list[bytes]:
        """Every door key that phones were or will be told of."""
        return [each.public for each in self.certificates["door"]]

    def announced(self, now: datetime) -> dict[str, list[dict[str, str]]]:
        """What a phone that knows only its first root needs: every step of the root, every certificate in its time.

        Of sealing keys the newest alone: nobody seals to a retired one.
        """
        known = [*self.certificates["office"], self.sealing_certificate, *self.certificates["door"]]
        return {"roots": self.root_steps, "certificates": [each.wire() for each in known if each.until > now]}

    def for_new_phones(self, now: datetime) -> list[dict[str, str]]:
        """As `announced`, without retired office keys: nothing that they signed is for a phone that enrols now.

        The door's are all there: a door on another machine may still be using the one before.
        """
        retired = {each.key_id for each in self.certificates["office"]} - self._office_keys_to_come
        certificates = self.announced(now)["certificates"]
        return [each for each in certificates if certificate_of(each).key_id not in retired]

    def announcement(self, ref: UUID) -> dict[str, list[dict[str, str]]]:
        """The body of the `keys` item that tells of one certificate. Raises NoKeys: not read here yet."""
        for known in self.certificates.values():
            for each in known:
                if each.ref == ref:
                    return {"roots": self.root_steps, "certificates": [each.wire()]}
        raise NoKeys("a certificate that is not in the keyring")

    def open_from_phone(self, key_id: str, info: bytes, sealed: bytes) -> bytes:
        """Open what a phone sealed to the agency, retired keys included. Raises Unsealable."""
        private = self._sealing.get(key_id)
        if private is None and self._again is not None:
            # Made by another process since this one read the file: a phone may have been told of it already.
            self._sealing = _openers(self._again())
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


def certificate_of(entry: dict[str, Any]) -> Certificate:
    """Raises KeyError or Unsealable where the entry holds none."""
    return Certificate(from_b64u(entry["cert"]), from_b64u(entry["sig"]))


def certificates_of(stored: dict[str, Any], role: str) -> list[Certificate]:
    """Of one role in an office's file: retired ones, the one that waits for phones to be told, last the one in use."""
    if role == "sealing":
        return [certificate_of(entry) for entry in stored["sealing"]]
    waiting = stored.get("next", {}).get(role)
    in_use = stored["signing" if role == "office" else "door"]
    entries = [*stored.get("retired", {}).get(role, []), *([waiting] if waiting else []), in_use]
    return [certificate_of(entry) for entry in entries]


def _openers(stored: dict[str, Any]) -> dict[str, bytes]:
    return {entry["kid"]: from_b64u(entry["private"]) for entry in stored["sealing"]}


def verify_by_any(publics: Iterable[bytes], message: bytes, signature: bytes) -> None:
    """Raises Unsealable unless one of these keys signed."""
    for public in publics:
        try:
            return sealing.verify(public, message, signature)
        except sealing.Unsealable:
            continue
    raise sealing.Unsealable("signature")


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


@dataclass
class _Loaded(Generic[K]):
    keys: K
    stamp: tuple[int, int, int]
    looked_at: float


class _Keyring(Generic[K]):
    """Keys by agency, read from one directory; a file that was replaced is read anew within a second."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._loaded: dict[UUID, _Loaded[K]] = {}

    def of(self, agency_id: UUID) -> K:
        """Raises NoKeys."""
        loaded = self._loaded.get(agency_id)
        if loaded is not None and time.monotonic() - loaded.looked_at < LOOK_S:
            return loaded.keys
        return self.fresh(agency_id)

    def fresh(self, agency_id: UUID) -> K:
        """As the file stands now. Raises NoKeys; keys that were read once outlive their file."""
        path = self._directory / f"{agency_id}.json"
        loaded, stamp = self._loaded.get(agency_id), _stamp(path)
        if loaded is None or stamp not in (None, loaded.stamp):
            keys = self._make(agency_id, path)
            self._loaded[agency_id] = _Loaded(keys, stamp or (0, 0, 0), time.monotonic())
            return keys
        loaded.looked_at = time.monotonic()
        return loaded.keys

    def _make(self, agency_id: UUID, path: Path) -> K:
        raise NotImplementedError


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


class OfficeKeyring(_Keyring[OfficeKeys]):
    """Office keys by agency, from the office's directory."""

    def _make(self, agency_id: UUID, path: Path) -> OfficeKeys:
        return OfficeKeys(agency_id, _read(path), lambda: _read(path))

    def agencies(self) -> list[UUID]:
        """Every agency this office holds keys for."""
        return sorted(UUID(path.stem) for path in self._directory.glob("*.json"))


class DoorKeyring(_Keyring[DoorKeys]):
    """Door keys by agency, from the door's directory."""

    def _make(self, agency_id: UUID, path: Path) -> DoorKeys:
        return DoorKeys(agency_id, _read(path))
