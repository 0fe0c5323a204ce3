"""Photographs on other visits whose pictures are the same or nearly so."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from field_api.platform.tenancy import current_agency
from media.office.near_hashes import NEAR_BITS, bands, has_pattern, probes
from media.office.records import Photo

MOST = 50

LOOK_ALIKES = text("""
    SELECT p.id, p.visit_id, d.agent_id, p.received_at,
        bit_count(('x' || p.dhash)::bit(64) # ('x' || CAST(:dhash AS text))::bit(64)) AS bits_apart
    FROM office.photo p JOIN mailbox.device d ON d.agency_id = p.agency_id AND d.id = p.device_id
    WHERE p.agency_id = :agency AND p.visit_id <> :visit
        AND (p.band_1 = ANY(:band_1) OR p.band_2 = ANY(:band_2) OR p.band_3 = ANY(:band_3) OR p.band_4 = ANY(:band_4))
        AND bit_count(('x' || p.dhash)::bit(64) # ('x' || CAST(:dhash AS text))::bit(64)) <= :near
    ORDER BY bits_apart, p.id LIMIT :most
""")


@dataclass(frozen=True)
class LookAlike:
    id: UUID
    visit_id: UUID
    agent_id: UUID  # whose phone brought it
    received_at: datetime
    bits_apart: int  # of 64; 0 is the same hash


def look_alikes(session: Session, photo: Photo) -> list[LookAlike]:
    """The nearest first, 50 at most. One statement; none for a picture without a pattern to compare."""
    if photo.dhash is None or not has_pattern(photo.dhash):
        return []
    found = session.execute(LOOK_ALIKES, search_for(photo.dhash, photo.visit_id))
    return [LookAlike(*row) for row in found]


def search_for(dhash: str, visit_id: UUID) -> dict[str, Any]:
    """Parameters of LOOK_ALIKES."""
    wanted = {f"band_{number}": probes(band) for number, band in enumerate(bands(dhash), start=1)}
    return {
        "agency": current_agency(), "visit": visit_id, "dhash": dhash, "near": NEAR_BITS, "most": MOST, **wanted
    }  # fmt: skip
