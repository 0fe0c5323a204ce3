"""Whom the phone believes: one pinned root, the roots that it handed over to, the certificates under them (§3)."""

from __future__ import annotations

from collections.abc import Sequence
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

    def is_over(self, at: Moment) -> bool:
        """Whether its time has passed; one whose time is still to come is not over."""
        return not self.holds_at(at) and (at.anchor or at.own) > self.valid_until


def read_certificate(roots: list[bytes], agency: str, document: Any) -> Certificate:
    """Verify a certificate under one of these roots. Raises Untrusted."""
    body = signed_part(roots, b"doorstep-cert-v1", document, "cert")
    role, kid = wire.field(body, "role", str), wire.field(body, "kid", str)
    public = wire.binary(body, "key", 65)
    if body.get("v") != 1 or body.get("agency") != agency or role not in ROLES or kid != crypto.key_id(public):
        raise Untrusted("certificate", "of another version, agency, role or key id")
    span = wire.read_time(body.get("from")), wire.read_time(body.get("until"))
    return Certificate(role, kid, public, *span, document)


def read_root_step(agency: str, document: Any) -> tuple[bytes, bytes]:
    """The root that hands over and the one it hands over to, which both signed that. Raises Untrusted."""
    step = wire.read_json(wire.binary(document, "root"), MAX_SIGNED_BYTES)
    old, new = wire.binary(step, "old", 65), wire.binary(step, "new", 65)
    for name, key in (("old", old), ("new", new)):
        signature = wire.binary(document, name, 64)
        check_signature([key], b"doorstep-root-v1" + wire.binary(document, "root"), signature, "doorstep-root-v1")
    if step.get("v") != 1 or step.get("agency") != agency:
        raise Untrusted("root", "a step of another version or agency")
    return old, new


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


def _followed(roots: list[bytes], agency: str, steps: Sequence[Any]) -> tuple[list[bytes], list[Any]]:
    """The roots with those that the steps add, and the steps that were new. Raises Untrusted."""
    followed, taken = list(roots), []
    for step in steps:
        old, new = read_root_step(agency, step)
        if old == followed[-1]:
            followed.append(new)
            taken.append(step)
        elif new not in followed:
            raise Untrusted("root", "a step that does not go on from the pinned one")
    return followed, taken


class Trust:
    """The certificates that a phone holds. The last of `roots` certifies new ones; what was taken before stays."""

    def __init__(self, root: bytes, agency: str, documents: list[Any], steps: Sequence[Any] = ()) -> None:
        self.agency = agency
        self.roots, self.steps = _followed([root], agency, steps)
        self.certificates = [read_certificate(self.roots, agency, document) for document in documents]

    def add(self, announced: Any, at: Moment, *, passing_over: bool = False) -> None:
        """Take what an announcement (§3) brings. Raises Untrusted, and then takes nothing.

        A certificate whose time is over is refused, or passed over where `passing_over` says that others are meant.
        """
        told = wire.field(announced, "roots", list) if wire.has(announced, "roots") else []
        roots, steps = _followed(self.roots, self.agency, told)
        documents = wire.field(announced, "certificates", list)
        new = [read_certificate([roots[-1]], self.agency, document) for document in documents]
        if not passing_over and any(certificate.is_over(at) for certificate in new):
            raise Untrusted("certificate", "its time is over")
        held = {(c.role, c.kid, c.valid_from, c.valid_until) for c in self.certificates}
        self.roots, self.steps = roots, [*self.steps, *steps]
        self.certificates += [
            c for c in new if not c.is_over(at) and (c.role, c.kid, c.valid_from, c.valid_until) not in held
        ]

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
