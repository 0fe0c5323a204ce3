"""When a phone was last heard, and what it says of itself: noted once a minute at most, since nobody looks oftener.

A phone that asks `GET /ops/state?newest=N` tells the number of its newest operation; what is neither here nor known
to be durable of those up to N still waits on the phone. Both are evidence for a status page: nothing is refused for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text

from field_api.platform.database import transaction
from field_api.platform.problems import Problem
from field_api.platform.signatures import DeviceRequest

BETWEEN_NOTES = timedelta(minutes=1)
REMEMBERED = 20_000  # devices of this process, before it forgets all of them and notes each once more
MOST_AHEAD_S = 10 * 366 * 86_400  # further off it makes no difference
MAX_DIGITS = 15

_NOTE = text(
    """
    INSERT INTO mailbox.device_contact AS c
        (agency_id, device_id, heard_at, clock_ahead_s, newest_seq, newest_told_at)
    VALUES (:agency, :device, :now, :ahead, CAST(:newest AS bigint), CAST(:told_at AS timestamptz))
    ON CONFLICT (agency_id, device_id) DO UPDATE SET heard_at = excluded.heard_at,
        clock_ahead_s = excluded.clock_ahead_s, newest_seq = coalesce(excluded.newest_seq, c.newest_seq),
        newest_told_at = coalesce(excluded.newest_told_at, c.newest_told_at)
    WHERE excluded.newest_seq IS NOT NULL OR c.heard_at <= excluded.heard_at - interval '1 minute'
    """
)


@dataclass
class Contacts:
    """Of one process. A telling contact is noted although a plain one was just now: it says more; so a device costs two
    small writes a minute at most."""

    noted: dict[tuple[UUID, bool], datetime] = field(default_factory=dict)

    def hear(self, verified: DeviceRequest, query: Mapping[str, str], now: datetime) -> None:
        """Note the device of a request whose signature holds. Raises `bad-request` for a `newest` that is no number."""
        newest = _number(query.get("newest"))
        device, telling = verified.device.id, newest is not None
        before = self.noted.get((device, telling))
        if before is not None and abs(now - before) < BETWEEN_NOTES:
            return
        with transaction(verified.agency_id) as session:
            # Losing the last of these with the server costs nothing; waiting for the disk would.
            session.execute(text("SELECT set_config('synchronous_commit', 'off', true)"))
            ahead = verified.created - int(now.timestamp())
            session.execute(
                _NOTE,
                {
                    "agency": verified.agency_id, "device": device, "now": now, "newest": newest,
                    "told_at": now if telling else None, "ahead": max(-MOST_AHEAD_S, min(MOST_AHEAD_S, ahead)),
                },
            )  # fmt: skip
        self._remember(device, telling, now)

    def _remember(self, device: UUID, telling: bool, now: datetime) -> None:
        if len(self.noted) >= 2 * REMEMBERED:
            self.noted.clear()
        self.noted[(device, False)] = now
        if telling:
            self.noted[(device, True)] = now


def _number(told: str | None) -> int | None:
    if told is None:
        return None
    if not (told.isascii() and told.isdigit() and len(told) <= MAX_DIGITS):
        raise Problem("bad-request", "newest is the number of an operation", at="newest")
    return int(told)
