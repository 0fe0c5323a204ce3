"""The records of the feed and of snapshots, and the one size of each kind of item (docs/protocol.md §6)."""

from __future__ import annotations

from enum import IntEnum

ITEM_SIZES = {"visit": 6_144, "route": 1_024, "verdict": 512, "keys": 4_096}
OVERHEAD_BYTES = 12 + 16  # nonce and tag of AES-256-GCM


class RecordKind(IntEnum):
    """What stands in front of a record. Readers pass over one that they do not know."""

    SHEET_KEY = 1
    ITEM = 2
    DURABLE = 3
    END = 4
    KEYS = 5
    MANIFEST = 6
    LINE = 7
    DIGEST = 8
