"""Identifiers. Rows get UUIDv7 (RFC 9562 5.7: time-ordered, kind to B-trees); what leaves to a door gets random v4."""

from __future__ import annotations

import secrets
import time
from uuid import UUID, uuid4


def new_id() -> UUID:
    """A UUIDv7: 48 bits of Unix milliseconds, version and variant, 74 random bits."""
    milliseconds = time.time_ns() // 1_000_000
    value = (milliseconds & ((1 << 48) - 1)) << 80
    random = int.from_bytes(secrets.token_bytes(10))
    value |= 0x7 << 76 | (random >> 68) << 64 | 0b10 << 62 | random & ((1 << 62) - 1)
    return UUID(int=value)


def new_opaque_id() -> UUID:
    """A UUIDv4 that tells nothing about when or in which order it was made."""
    return uuid4()


CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def new_serial() -> str:
    """13 random Crockford characters (65 bits): short enough to type, carries no reference to anything."""
    return "".join(secrets.choice(CROCKFORD) for _ in range(13))
