"""Where a key stands in an office's or a door's file: requested, next, in use, retired."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from field_api.platform import sealing
from field_api.platform.certificates import ROLES, Certificate, certificate_of, certificates_of
from field_api.platform.key_file import Document, KeyTrouble
from field_api.platform.sealing import from_b64u


def refs_of(stored: Document) -> list[UUID]:
    """The names of all certificates in an office's file."""
    return [each.ref for role in ROLES for each in certificates_of(stored, role)]


def entries_of(stored: Document, role: str) -> Iterator[Document]:
    """Every key of a role in an office's file that has a certificate."""
    if role == "sealing":
        yield from stored["sealing"]
        return
    yield stored["signing" if role == "office" else "door"]
    yield from stored.get("retired", {}).get(role, [])
    if role in stored.get("next", {}):
        yield stored["next"][role]


def put_in_place(stored: Document, certificate: Certificate) -> bool:
    """Where the key of this certificate stands in the office's file. False: it was there already, word for word.

    Raises KeyTrouble for a key that nobody here asked for.
    """
    role, wire = certificate.claims["role"], certificate.wire()
    for entry in entries_of(stored, role):
        if certificate_of(entry).key_id == certificate.key_id:
            known = {name: entry[name] for name in ("cert", "sig")} == wire
            entry.update(wire)
            return not known
    private = requested_private(stored, role, certificate)
    if private is None and role != "door":  # the door's key may have been made on the door's own machine
        raise KeyTrouble("a certificate is for a key that was not requested here")
    entry = wire if private is None else {"kid": certificate.key_id, "private": private, **wire}
    if role == "sealing":
        stored["sealing"].append(entry)
    elif role in stored.get("next", {}):
        raise KeyTrouble(f"another {role} key is still waiting for phones to be told")
    else:
        stored.setdefault("next", {})[role] = entry
    return True


def requested_private(stored: Document, role: str, certificate: Certificate) -> str | None:
    """The private half that was requested for this certificate, taken out of what is pending."""
    entry = stored.get("pending", {}).get(role)
    if certificate.claims["role"] != role or entry is None:
        return None
    if sealing.public_key_of(from_b64u(entry["private"])) != certificate.public:
        return None
    del stored["pending"][role]
    return str(entry["private"])


def use_next_door_key(stored: Document) -> bool:
    """In a door's file; False where none waits."""
    entry = stored.pop("next", None)
    if entry is None:
        return False
    stored.setdefault("retired", []).append({name: stored[name] for name in ("cert", "sig")})
    stored.update(entry)
    return True
