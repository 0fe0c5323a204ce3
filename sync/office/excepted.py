"""Numbers that are held as something else than their phone's own operation (docs/protocol.md §8).

Bytes whose signature or form was wrong, and what only the door says it verified, still fill their place: else one
spoiled operation would keep everything after it on the phone for ever. What the phone holds under such a number it is
told to keep, in the office's signed word: the door, or whoever made the bytes, cannot talk it into deleting.
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from field_api.platform.tenancy import current_agency
from sync.office.lost_operations import REASON

MOST_EXCEPTED = 100  # numbers that one statement names: it stops before the next

_EXCEPTED = text(
    """
    SELECT DISTINCT c.device_id, c.seq FROM (
        SELECT agency_id, device_id, seq FROM mailbox.quarantine
        WHERE agency_id = :agency AND seq IS NOT NULL AND reason NOT IN ('wrong-device', :lost)
        UNION ALL
        SELECT agency_id, device_id, seq FROM mailbox.inbox
        WHERE agency_id = :agency AND state = 'quarantined'
          AND reason IN ('bad-signature', 'invalid-header', 'header-mismatch')
    ) c
    WHERE NOT EXISTS (
        SELECT 1 FROM mailbox.inbox i
        WHERE i.agency_id = c.agency_id AND i.device_id = c.device_id AND i.seq = c.seq
          AND NOT (i.state = 'quarantined' AND i.reason IN ('bad-signature', 'invalid-header', 'header-mismatch'))
    )
    ORDER BY c.device_id, c.seq
    """
)


def excepted_numbers(session: Session) -> dict[UUID, list[int]]:
    """By device, in order. Few: what came spoiled."""
    found: dict[UUID, list[int]] = {}
    for device_id, seq in session.execute(_EXCEPTED, {"agency": current_agency(), "lost": REASON}):
        found.setdefault(device_id, []).append(seq)
    return found


def covered(seq: int, excepted: list[int]) -> tuple[int, list[int]]:
    """How far a statement may go that can name so many exceptions, and which those are."""
    below = [number for number in excepted if number <= seq]
    if len(below) > MOST_EXCEPTED:
        return below[MOST_EXCEPTED] - 1, below[:MOST_EXCEPTED]
    return seq, below
