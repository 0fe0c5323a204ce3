"""A key's public half with its role, certified by the agency's root (docs/protocol.md §3)."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from field_api.platform import sealing
from field_api.platform.bounded_json import canonical
from field_api.platform.clock import utc_text
from field_api.platform.sealing import b64u, from_b64u

CERTIFICATE_CONTEXT = b"doorstep-cert-v1"
ROLES = ("office", "sealing", "door")
ROOT = "root"  # certifies the three, and is certified by nobody
CERTIFICATE_DAYS = 825


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


def verify_by_any(publics: Iterable[bytes], message: bytes, signature: bytes) -> None:
    """Raises Unsealable unless one of these keys signed."""
    for public in publics:
        try:
            return sealing.verify(public, message, signature)
        except sealing.Unsealable:
            continue
    raise sealing.Unsealable("signature")
