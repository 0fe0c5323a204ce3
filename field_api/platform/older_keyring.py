"""Key files that are older than the last change of keys: what they lack of what phones were told of, and what of it
is known without the private halves (docs/operations.md, Backups)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from field_api.platform import sealing
from field_api.platform.certificates import CERTIFICATE_CONTEXT, ROLES, Certificate, certificate_of
from field_api.platform.sealing import Unsealable, from_b64u
from field_api.platform.stored_keys import entries_of, refs_of, requested_private

Document = dict[str, Any]


def held_at_the_office(stored: Document) -> set[str]:
    """Key ids of an office's file; a key that was requested counts, its private half is there."""
    return {certificate_of(entry).key_id for role in ROLES for entry in entries_of(stored, role)} | _requested(stored)


def held_at_the_door(stored: Document) -> set[str]:
    """Key ids of a door's file."""
    waiting = [stored["next"]] if "next" in stored else []
    entries = [stored, *stored.get("retired", []), *waiting]
    return {certificate_of(entry).key_id for entry in entries} | _requested(stored)


def held_at_the_root(stored: Document) -> set[str]:
    """Key ids of a root's file."""
    privates = [*stored.get("retired", []), stored["private"]]
    return {sealing.key_id_of(sealing.public_key_of(from_b64u(private))) for private in privates}


def take_told(stored: Document, certificates: Sequence[Certificate]) -> None:
    """Put into an office's file what phones were told of, as far as its root certified it.

    A requested key gets its certificate. What a lost office or door key signed verifies as what a retired one signed.
    """
    for each in certificates:
        if not _is_certified(from_b64u(stored["root_public"]), each):
            continue  # by a root before: certified again since, or by one that is lost
        role = each.claims["role"]
        known = [entry for entry in entries_of(stored, role) if certificate_of(entry).key_id == each.key_id]
        if known:
            known[0].update(each.wire())
        elif role == "sealing":
            if private := requested_private(stored, role, each):
                stored["sealing"].append({"kid": each.key_id, "private": private, **each.wire()})
        elif role not in stored.get("next", {}) and (private := requested_private(stored, role, each)):
            stored.setdefault("next", {})[role] = {"kid": each.key_id, "private": private, **each.wire()}
        else:
            stored.setdefault("retired", {}).setdefault(role, []).append(each.wire())
    refs = {str(ref) for ref in refs_of(stored)}
    stored["unannounced"] = [ref for ref in stored.get("unannounced", []) if ref in refs]


def verify_at_the_door(stored: Document, lost: Sequence[Certificate]) -> None:
    """Have a door's file verify what its lost keys signed."""
    stored.setdefault("retired", []).extend(each.wire() for each in lost)


def _requested(stored: Document) -> set[str]:
    privates = [from_b64u(entry["private"]) for entry in stored.get("pending", {}).values()]
    return {sealing.key_id_of(sealing.public_key_of(private)) for private in privates}


def _is_certified(root: bytes, certificate: Certificate) -> bool:
    try:
        sealing.verify(root, CERTIFICATE_CONTEXT + certificate.body, certificate.signature)
    except Unsealable:
        return False
    return True
