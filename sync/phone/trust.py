"""Whom the phone believes: one pinned root and the certificates under it (docs/protocol.md §3)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sync.phone import crypto, wire
from sync.phone.crypto import BadSeal
from sync.phone.errors import Untrusted

ROLES = frozenset({"office", "sealing", "door"})
MAX_SIGNED_BYTES = 64 * 1024


@dataclass(frozen=True)
class Moment:
    """What time it is as far as the phone knows: the newest verified anchor's time, and its own clock's."""

    anchor: datetime | None
    own: datetime


@dataclass(frozen=True)
class Certificate:
    """A verified certificate. `document` is what was received, for keeping."""

    role: str
    kid: str
    key: bytes
    valid_from: datetime
    valid_until: datetime
    document: dict[str, Any]

    def holds_at(self, at: Moment) -> bool:
        """Whether it is inside its time, by the newest anchor, or else by the phone's clock if that can be right."""
        if at.anchor is not None:
            return self.valid_from <= at.anchor <= self.valid_until
        return at.own <= self.valid_until or at.own < self.valid_from


def read_certificate(root: bytes, agency: str, document: Any) -> Certificate:
    """Verify a certificate under the pinned root. Raises Untrusted."""
    body = signed_part([root], b"doorstep-cert-v1", document, "cert")
    role, kid = wire.field(body, "role", str), wire.field(body, "kid", str)
    public = wire.binary(body, "key", 65)
    if body.get("v") != 1 or body.get("agency") != agency or role not in ROLES or kid != crypto.key_id(public):
        raise Untrusted("certificate", "of another version, agency, role or key id")
    span = wire.read_time(body.get("from")), wire.read_time(body.get("until"))
    return Certificate(role, kid, public, *span, document)


def signed_part(keys: list[bytes], context: bytes, document: Any, part: str) -> Any:
    """The JSON in `document[part]`, which one of `keys` must have signed under `context`. Raises Untrusted."""
    data = verified_bytes(keys, context, document, part)
    return wire.read_json(data, MAX_SIGNED_BYTES)


def verified_bytes(keys: list[bytes], context: bytes, document: Any, part: str, suffix: bytes = b"") -> bytes:
    """The bytes of `document[part]`; the signature is over context ‖ bytes ‖ suffix. Raises Untrusted."""
    data = wire.binary(document, part)
    check_signature(keys, context + data + suffix, wire.binary(document, "sig", 64), context.decode())
    return data


def check_signature(keys: list[bytes], message: bytes, signature: bytes, what: str) -> None:
    """Raises Untrusted `bad-signature` unless one of `keys` signed."""
    for key in keys:
        try:
            return crypto.verify(key, message, signature)
        except BadSeal:
            continue
    raise Untrusted("bad-signature", what)


class Trust:
    """The certificates that a phone holds, all under the pinned root."""

    def __init__(self, root: bytes, agency: str, documents: list[Any]) -> None:
        self.root, self.agency = root, agency
        self.certificates = [read_certificate(root, agency, document) for document in documents]

    def add(self, documents: list[Any]) -> None:
        """Take announced certificates. Raises Untrusted, and then takes none."""
        new = [read_certificate(self.root, self.agency, document) for document in documents]
        held = {(c.role, c.kid, c.valid_from, c.valid_until) for c in self.certificates}
        self.certificates += [c for c in new if (c.role, c.kid, c.valid_from, c.valid_until) not in held]

    def documents(self) -> list[Any]:
        return [certificate.document for certificate in self.certificates]

    def keys(self, role: str, at: Moment) -> list[bytes]:
        """Public keys of the role that are inside their time. Raises Untrusted where there is none."""
        keys = [c.key for c in self._inside(role, at)]
        if not keys:
            raise Untrusted("certificate", f"no {role} key is inside its time")
        return keys

    def newest(self, role: str, at: Moment) -> Certificate:
        """The certificate to seal to. Raises Untrusted where there is none."""
        if inside := self._inside(role, at):
            return max(inside, key=lambda c: c.valid_from)
        raise Untrusted("certificate", f"no {role} key is inside its time")

    def _inside(self, role: str, at: Moment) -> list[Certificate]:
        return [c for c in self.certificates if c.role == role and c.holds_at(at)]
