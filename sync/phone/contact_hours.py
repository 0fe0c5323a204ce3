"""What speaks against being at a door now: the contact hours that came with the visit, and a visit made already.

The phone warns and never refuses: what happens at a door is a fact and must stay recordable, at whatever hour. Its
clock may be wrong, so the office judges by better evidence and flags the report by itself.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sync.phone import wire
from sync.phone.work import Work

BEFORE, AFTER, AGAIN = "before-hours", "after-hours", "visited-already"
CODES = (BEFORE, AFTER, AGAIN)


def against(stop: Any, work: Work, now: datetime) -> tuple[str, ...]:
    """Codes of what speaks against a visit at `now` (aware). The hours' end is exclusive; a stop that does not say
    when they begin, or is none any more, has no beginning.

    One visit is what the office counted when it looked at the law's caps: an outcome recorded there is that visit.
    """
    found = []
    begins, ends = (stop.get(name) if isinstance(stop, dict) else None for name in ("visit_from", "visit_until"))
    if begins is not None and now < wire.read_time(begins):
        found.append(BEFORE)
    if ends is not None and now >= wire.read_time(ends):
        found.append(AFTER)
    if work.visited:
        found.append(AGAIN)
    return tuple(found)
