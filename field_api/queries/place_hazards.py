"""What is known of places that somebody is about to walk up to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping

from sqlalchemy import LargeBinary, any_, literal, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from field_api.domain.vocabulary import Hazard
from field_api.platform.tenancy import current_agency
from field_api.records.places import PlaceHazard

_ORDER = {hazard.value: number for number, hazard in enumerate(Hazard)}


def hazards_at(session: Session, fingerprints: Collection[bytes]) -> Mapping[bytes, tuple[str, ...]]:
    """By the address's fingerprint, in the order of `Hazard`; places without any are empty. One statement."""
    found: dict[bytes, list[str]] = defaultdict(list)
    query = select(PlaceHazard.fingerprint, PlaceHazard.hazard).where(
        PlaceHazard.agency_id == current_agency(),
        PlaceHazard.fingerprint == any_(literal(sorted(set(fingerprints)), ARRAY(LargeBinary()))),
        PlaceHazard.present,
    )
    for place, hazard in session.execute(query) if fingerprints else ():
        if hazard in _ORDER:  # one that a later release knows and this one has no words for
            found[bytes(place)].append(hazard)
    return defaultdict(tuple, {place: tuple(sorted(some, key=_ORDER.__getitem__)) for place, some in found.items()})
