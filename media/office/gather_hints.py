"""Look a developed photograph up beside its visit and beside other pictures, and note what is odd."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from field_api.domain.confidential import audience
from field_api.domain.disclosure import Audience
from field_api.domain.vocabulary import VisitEventKind
from field_api.platform.devices import Device
from field_api.platform.tenancy import current_agency
from field_api.records.people import Address
from field_api.records.visits import Visit, VisitEvent
from media.office.hints import Place, Taken, VisitSeen, file_says, hints, place_of
from media.office.look_alikes import look_alikes
from media.office.records import Photo

MOST_EVENTS = 200
"""Of a visit: an honest one has a dozen."""


def gather_hints(session: Session, photo: Photo, evidence: Mapping[str, Any]) -> None:
    """Set the photograph's hints and distances, with what is known now. Four statements."""
    mine = session.get_one(Device, (current_agency(), photo.device_id)).agent_id
    alike = [(one.bits_apart, one.agent_id != mine) for one in look_alikes(session, photo)]
    place = None
    if photo.latitude is not None and photo.longitude is not None:
        place = Place(photo.latitude, photo.longitude, photo.accuracy_m or 0.0)
    found = hints(Taken(photo.captured_at, place), file_says(evidence), _visit(session, photo), alike)
    photo.hints = [hint.value for hint in found.found]
    photo.from_address_m, photo.from_visit_m = found.from_address_m, found.from_visit_m


def _visit(session: Session, photo: Photo) -> VisitSeen:
    address = session.scalars(
        select(Address)
        .join(Visit, (Visit.agency_id == Address.agency_id) & (Visit.address_id == Address.id))
        .where(Visit.agency_id == current_agency(), Visit.id == photo.visit_id)
    ).one()
    events = session.scalars(
        select(VisitEvent)
        .where(
            VisitEvent.agency_id == current_agency(),
            VisitEvent.visit_id == photo.visit_id,
            VisitEvent.op_id.is_not(None),
            VisitEvent.kind != VisitEventKind.PHOTO.value,
        )
        .order_by(VisitEvent.at, VisitEvent.id)
        .limit(MOST_EVENTS)
    ).all()
    ended = any(event.kind == VisitEventKind.OUTCOME.value for event in events)
    return VisitSeen(
        address=place_of({"lat": address.latitude, "lon": address.longitude}, "lat", "lon"),
        zone=ZoneInfo(address.timezone) if address.timezone else None,
        places=_places(events),
        began_at=events[0].at if events else None,
        ended_at=events[-1].at if ended else None,
    )


def _places(events: Sequence[VisitEvent]) -> list[Place]:
    with audience(Audience.OFFICE_JOB):
        bodies = [json.loads(event.body.reveal(Audience.OFFICE_JOB)) for event in events]
    found = [place_of(body.get("recorded", {}).get("position"), "lat", "lon") for body in bodies]
    return [place for place in found if place is not None]
