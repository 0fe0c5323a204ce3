"""The worker's part in promises: once an hour for each agency, whatever payments came and whichever days are over; and
letters to those who promised, where their creditor wants it."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from flask import Flask

from field_api.platform.database import transaction
from field_api.platform.wiring import objects, papers, planning
from field_api.usecases.settle_promises import settle_promises
from field_api.usecases.write_asked_letters import write_confirmations

EVERY = timedelta(hours=1)
_SETTLED_AT = "doorstep.promises-settled"


def settle_hourly(app: Flask, agency_id: UUID, now: datetime) -> int:
    """Returns how many promises changed. Several workers may do it at once: they find the same."""
    settled_at: dict[UUID, datetime] = app.extensions.setdefault(_SETTLED_AT, {})
    if agency_id in settled_at and now - settled_at[agency_id] < EVERY:
        return 0
    parts = planning()
    with transaction(agency_id) as session:
        changed = settle_promises(session, rules=parts.rules, calendars=parts.calendars, now=now)
    with transaction(agency_id) as session:
        write_confirmations(session, renderer=papers(), objects=objects(), now=now)
    settled_at[agency_id] = now
    return changed
