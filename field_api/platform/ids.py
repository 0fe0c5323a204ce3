"""Identifiers. Rows get UUIDv7 (RFC 9562 5.7: time-ordered, kind to B-trees); what leaves to a door gets random v4."""

from __future__ import annotations

import secrets
import time
from threading import Lock
from uuid import UUID, uuid4

_TICKS_PER_MS = 1 << 12  # 244 ns: what the 12 bits after the milliseconds can tell
_ONE_SECOND = 1_000 * _TICKS_PER_MS
_clock = Lock()
_last = 0


def new_id() -> UUID:
    """A UUIDv7: Unix milliseconds (48 bits), version, 12 bits of the millisecond's fraction, variant, 62 random bits.

    Those of one process grow (RFC 9562 6.2, methods 1 and 3): a story is told in the order in which it was noted,
    however many lines of it fall into one millisecond. After a clock that was set back by more they begin anew.
    """
    ticks = _next_ticks(time.time_ns() * _TICKS_PER_MS // 1_000_000)
    milliseconds, fraction = divmod(ticks, _TICKS_PER_MS)
    value = (milliseconds & ((1 << 48) - 1)) << 80 | 0x7 << 76 | fraction << 64
    return UUID(int=value | 0b10 << 62 | secrets.randbits(62))


def _next_ticks(now: int) -> int:
    """`now`, or right after the last one where the clock stands or was set back by less than a second."""
    global _last
    with _clock:
        _last = _last + 1 if now <= _last < now + _ONE_SECOND else now
        return _last


def new_opaque_id() -> UUID:
    """A UUIDv4 that tells nothing about when or in which order it was made."""
    return uuid4()


CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def new_serial() -> str:
    """13 random Crockford characters (65 bits): short enough to type, carries no reference to anything."""
    return "".join(secrets.choice(CROCKFORD) for _ in range(13))
