"""The rolling hash over a device's feed: every item stands on all before it (docs/protocol.md §6)."""

from __future__ import annotations

from uuid import UUID

from field_api.platform.sealing import sha256

CONTEXT = b"doorstep-roll-v1"


def first_roll(agency_id: UUID, device_id: UUID, epoch: int) -> bytes:
    """roll(0) of a device's feed in an epoch."""
    return sha256(CONTEXT + b"\x00".join((str(agency_id).encode(), str(device_id).encode(), str(epoch).encode())))


def next_roll(before: bytes, head: bytes, ct: bytes) -> bytes:
    """roll(n) from roll(n-1) and the item's two parts."""
    return sha256(CONTEXT + before + sha256(head) + sha256(ct))
