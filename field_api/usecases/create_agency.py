"""Make an agency: its keys on disk, then its row."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from uuid import UUID

from sqlalchemy.orm import Session

from field_api.platform.create_keys import create_agency_keys
from field_api.records.agency import Agency


def create_agency(
    session: Session,
    agency_id: UUID,
    home: Path | None,
    name: str,
    *,
    address: str = "",
    phone: str = "",
    email: str = "",
    now: datetime,
) -> UUID:
    """Keys below `home`/keys and the row, in a transaction of the new agency itself (`transaction(agency_id)`).

    Keys come first: a row without keys could seal nothing, keys without a row hurt nobody. `home` None means that the
    keys are there already, left by a crash in between. Raises FileExistsError where there are keys for this id.
    """
    if home is not None:
        create_agency_keys(home, agency_id, now)
    session.add(Agency(agency_id=agency_id, name=name, address=address, phone=phone, email=email, created_at=now))
    session.flush()
    return agency_id
