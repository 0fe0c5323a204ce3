"""Whose signatures an exported log may bear: keys certified by the agency's root, retired ones and older roots too."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from field_api.platform.bounded_json import BadJson, loads
from field_api.platform.certificates import CERTIFICATE_CONTEXT, ROLES
from field_api.platform.root_keys import ROOT_CONTEXT
from field_api.platform.sealing import Unsealable, from_b64u, key_id_of, verify

MAX_DOCUMENT_BYTES = 4 * 1024
UNREADABLE = (BadJson, Unsealable, KeyError, TypeError, ValueError, AttributeError)
"""What a document that somebody made up can raise while it is read."""


@dataclass(frozen=True)
class Signer:
    """A certified key. `by_root`: certified by the root that the reader gave, or by one that it handed over to."""

    role: str
    public: bytes
    until: datetime
    by_root: bool


class Trust:
    """The keys that an export brings along, as far as the agency's root vouches for them.

    A root hands over to the next one and both sign it, so a reader may hold any of them. What an older root than the
    reader's certified counts for older checkpoints alone: the newest one, which fixes all leaves, needs the reader's.
    """

    def __init__(self, agency: str, root_public: bytes, steps: Iterable[Any], certificates: Iterable[Any]) -> None:
        self.agency = agency
        self.troubles: list[tuple[str, str]] = []
        self._roots = {root_public: True}
        self._signers: list[Signer] = []
        self._follow(list(steps))
        for number, entry in enumerate(certificates):
            self._certificate(number, entry)

    def signed(self, role: str, message: bytes, signature: bytes) -> Signer:
        """Whose signature it is. Raises Unsealable where it is nobody's of that role."""
        for signer in self._signers:
            if signer.role != role:
                continue
            try:
                verify(signer.public, message, signature)
            except Unsealable:
                continue
            if signer is not self._signers[0]:  # its next one will be his as well
                self._signers.remove(signer)
                self._signers.insert(0, signer)
            return signer
        raise Unsealable("signature")

    def _follow(self, steps: list[Any]) -> None:
        links = [link for number, step in enumerate(steps) if (link := self._step(number, step))]
        for old, new in links:  # forward, in their order
            if self._roots.get(old):
                self._roots[new] = True
        for old, new in reversed(links):
            if new in self._roots:
                self._roots.setdefault(old, False)
        if any(old not in self._roots for old, _ in links):
            self.troubles.append(("root steps", "do not lead to or from the given root"))

    def _step(self, number: int, step: Any) -> tuple[bytes, bytes] | None:
        try:
            body = from_b64u(step["root"])
            claims = loads(body, max_bytes=MAX_DOCUMENT_BYTES)
            old, new = from_b64u(claims["old"]), from_b64u(claims["new"])
            verify(old, ROOT_CONTEXT + body, from_b64u(step["old"]))
            verify(new, ROOT_CONTEXT + body, from_b64u(step["new"]))
            if claims["agency"] != self.agency:
                raise ValueError("another agency")
        except UNREADABLE:
            self.troubles.append((f"root step {number}", "not signed by both roots of this agency"))
            return None
        return old, new

    def _certificate(self, number: int, entry: Any) -> None:
        place = f"certificate {number}"
        try:
            body = from_b64u(entry["cert"])
            claims = loads(body, max_bytes=MAX_DOCUMENT_BYTES)
            public = from_b64u(claims["key"])
            place = f"certificate {number} ({claims['role']} {claims['kid']})"
            by_root = self._certified_by(body, from_b64u(entry["sig"]))
            if claims["agency"] != self.agency or claims["role"] not in ROLES or claims["kid"] != key_id_of(public):
                raise ValueError("another agency, role or key")
            until = datetime.fromisoformat(claims["until"])
        except UNREADABLE:
            self.troubles.append((place, "not certified by the agency's root"))
            return
        self._signers.append(Signer(claims["role"], public, until, by_root))

    def _certified_by(self, body: bytes, signature: bytes) -> bool:
        for root, current in self._roots.items():
            try:
                verify(root, CERTIFICATE_CONTEXT + body, signature)
            except Unsealable:
                continue
            return current
        raise Unsealable("signature")
