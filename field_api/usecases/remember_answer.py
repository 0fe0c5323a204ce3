"""Keep what geocoders said of a postal address, beside a hash of it and nobody's name."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from field_api.domain.placing import Located, PlaceQuality
from field_api.platform.ids import new_id
from field_api.platform.tenancy import current_agency
from field_api.records.places import GeocoderAnswer

UNKNOWN_FOR = timedelta(days=30)
"""Maps grow: what nobody knew is asked for again after a month."""
APPROXIMATE_FOR = timedelta(days=90)


def remember_answer(
    session: Session, asked: bytes, located: Located | None, services: Sequence[str], now: datetime
) -> GeocoderAnswer:
    """The row as it stands now; an older answer to the same question is replaced."""
    values = {
        "services": ", ".join(services),
        "latitude": located.point.latitude if located else None,
        "longitude": located.point.longitude if located else None,
        "quality": located.quality.value if located else None,
        "source": located.source if located else None,
        "asked_at": now,
        "expires_at": _expires(located, now),
    }
    row = insert(GeocoderAnswer).values(agency_id=current_agency(), id=new_id(), asked=asked, **values)
    stored = row.on_conflict_do_update(index_elements=["agency_id", "asked"], set_=values).returning(GeocoderAnswer)
    return session.scalars(stored, execution_options={"populate_existing": True}).one()


def _expires(located: Located | None, now: datetime) -> datetime | None:
    if located is None:
        return now + UNKNOWN_FOR
    return None if located.quality is PlaceQuality.HOUSE else now + APPROXIMATE_FOR
