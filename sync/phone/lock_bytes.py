"""A visit's locks as they stand at the end of its item: bytes of one length, whoever is behind them (§7)."""

from __future__ import annotations

from itertools import accumulate, pairwise

from sync.phone.crypto import b64u

WRAP_BYTES = 60
CT_BYTES = (1_372, 636, 636, 636)  # by number
ANSWERS, NAMED = 6, ("code", "attestation", "before_arrival")
WRAPS_BYTES = WRAP_BYTES * (ANSWERS + len(NAMED))
ALL_BYTES = sum(WRAPS_BYTES + ct for ct in CT_BYTES)


def locks_of(packed: bytes) -> list[dict[str, str | list[str]]]:
    """The four locks of a visit that is packed at its whole size: §7's fields, each as base64url."""
    data = packed[-ALL_BYTES:]
    starts = accumulate((WRAPS_BYTES + ct for ct in CT_BYTES), initial=0)
    return [_lock(data[start:end]) for start, end in pairwise(starts)]


def _lock(data: bytes) -> dict[str, str | list[str]]:
    wraps = [b64u(data[at : at + WRAP_BYTES]) for at in range(0, WRAPS_BYTES, WRAP_BYTES)]
    return {
        "answers": wraps[:ANSWERS],
        **dict(zip(NAMED, wraps[ANSWERS:], strict=True)),
        "ct": b64u(data[WRAPS_BYTES:]),
    }
