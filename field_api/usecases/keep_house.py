"""Keep the house's templates as they are, at first use: a letter that they lay out can be made again years later."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from field_api.domain.ports import House, Objects
from field_api.platform.ids import new_id
from field_api.platform.tenancy import current_agency
from field_api.records.letter_templates import LetterHouse


def keep_house(session: Session, house: House, objects: Objects, now: datetime) -> bytes:
    """The hash under which letters name it. One statement, where it is there already. Two that keep it at the same time
    keep it once; the other's object is left over, a few kilobytes that nothing names."""
    digest = bytes.fromhex(house.sha256)
    found = select(LetterHouse.id).where(LetterHouse.agency_id == current_agency(), LetterHouse.sha256 == digest)
    if session.execute(found).first() is None:
        values = {
            "agency_id": current_agency(),
            "id": new_id(),
            "sha256": digest,
            "typst_version": house.typst_version,
            "object_key": objects.put(house.body),
            "first_used_at": now,
        }
        session.execute(insert(LetterHouse).values(values).on_conflict_do_nothing())
    return digest
