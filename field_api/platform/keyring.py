"""Where an agency's keys live, and the verbs that use them. Callers get closures over keys, never the keys.

Three places, so that each process holds what it needs and no more: `keys/root` (offline, certifies), `keys/office`
(signs, opens, seals columns), `keys/door` (signs receipts and anchors, opens nothing).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from field_api.platform import sealing
from field_api.platform.certificates import ROLES, certificate_of, certificates_of, verify_by_any
from field_api.platform.sealing import from_b64u

MOST_DERIVED = 512
"""Keys derived for columns, which are some dozens, are kept; each object's place has one as well, and there is no end
of objects."""


class NoKeys(RuntimeError):
    """This process has no keys for the agency."""


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

    def seal_again(self, key_id: str, info: bytes, sealed: bytes) -> tuple[str, bytes]:
        """What a phone sealed to a key of the agency, sealed to its newest one: that one's id, and the bytes.

        They were opened once before they are returned: whoever overwrites the old ones has nothing else. Raises
        Unsealable.
        """
        secret = self.open_from_phone(key_id, info, sealed)
        newest = self.sealing_certificate
        again = sealing.seal_to(newest.public, info, secret)
        if not sealing.same(self.open_from_phone(newest.key_id, info, again), secret):
            raise sealing.Unsealable("sealed again to something else")
        return newest.key_id, again

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
        key = self._derived.get(place)
        if key is None:
            key = sealing.derive(self._column, b"doorstep-rest-v1:" + place.encode())
            if len(self._derived) >= MOST_DERIVED:
                self._derived.clear()
            self._derived[place] = key
        return key


def _openers(stored: dict[str, Any]) -> dict[str, bytes]:
    return {entry["kid"]: from_b64u(entry["private"]) for entry in stored["sealing"]}
