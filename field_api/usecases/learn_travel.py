"""Learn from visits done by how much estimated travel times are off, area by area."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, insert, text
from sqlalchemy.orm import Session

from field_api.domain.ports import Travel
from field_api.domain.routing import Point
from field_api.domain.travel_areas import AreaFactor, learnt
from field_api.platform.ids import new_id
from field_api.platform.tenancy import current_agency
from field_api.queries.travel_memory import stays, travel_areas
from field_api.records.travel import TravelArea

EVERY = timedelta(days=7)
LOOKS_BACK = timedelta(days=90)
"""A season: long enough for an area of few visits, short enough for a road that was closed."""
BLOCK = 64
"""Legs estimated at once: a matrix of which the diagonal is wanted, still cheaper than a call for each."""


def learn_travel(session: Session, travel: Travel, now: datetime) -> dict[str, AreaFactor]:
    """What is known by area; learnt anew where the last time is a week ago. `travel`: the estimates that areas correct.
    The same visits and `now` teach the same. One at a time writes: who plans meanwhile neither waits nor fails."""
    known = travel_areas(session)
    last = max((row.learnt_at for row in known.values()), default=None)
    if last is not None and now - last < EVERY:
        return {area: AreaFactor(row.factor, row.legs) for area, row in known.items() if row.legs}
    found = learnt(stays(session, now - LOOKS_BACK, now), lambda pairs: _expected_s(travel, pairs))
    if not _may_write(session):
        return found
    session.execute(delete(TravelArea).where(TravelArea.agency_id == current_agency()))
    rows = [{"area": area, "factor": value.factor, "legs": value.legs} for area, value in found.items()]
    rows.append({"area": "", "factor": 1.0, "legs": 0})  # that it was tried
    session.execute(insert(TravelArea), [{"id": new_id(), "learnt_at": now, **row} for row in rows])
    return found


def _may_write(session: Session) -> bool:
    lock = text("SELECT pg_try_advisory_xact_lock(hashtextextended(:key, 0))")
    return bool(session.scalar(lock, {"key": f"travel-areas:{current_agency()}"}))


def _expected_s(travel: Travel, pairs: Sequence[tuple[Point, Point]]) -> list[float]:
    found: list[float] = []
    for at in range(0, len(pairs), BLOCK):
        origins, destinations = zip(*pairs[at : at + BLOCK], strict=True)
        found += [float(seconds) for seconds in travel.between(origins, destinations).travel_s.diagonal()]
    return found
