"""Give every visit the random key of its locked part, and the code that a dispatcher may read out, once."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from field_api.platform.ids import new_id
from field_api.platform.keyring import OfficeKeys
from field_api.platform.tenancy import current_agency
from field_api.queries.arrays import among
from field_api.records.visits import VisitKey

PLACE = "visit_key.sealed_key"
Lock = tuple[UUID, UUID]
"""A visit and the party that its locked part is for."""


def ensure_visit_keys(
    session: Session, keys: OfficeKeys, locks: Collection[Lock], new_code: Callable[[], str]
) -> dict[Lock, VisitKey]:
    """The key row of each lock, made where it is missing. Two publishers at once agree on the first one's."""
    found = _stored(session, locks)
    missing = sorted(set(locks) - set(found))
    if missing:
        # One row each: the code's column seals in its bind, which a multi-row insert would have to repeat anyway.
        session.execute(
            insert(VisitKey).on_conflict_do_nothing(),
            [
                {
                    "agency_id": current_agency(),
                    "id": new_id(),
                    "visit_id": visit_id,
                    "person_id": person_id,
                    "sealed_key": keys.seal_at_rest(PLACE, os.urandom(32)),
                    "unlock_code": new_code(),
                }
                for visit_id, person_id in missing
            ],
        )
        found |= _stored(session, missing)
    return found


def _stored(session: Session, locks: Collection[Lock]) -> dict[Lock, VisitKey]:
    rows = session.scalars(select(VisitKey).where(among(VisitKey.visit_id, {visit_id for visit_id, _ in locks})))
    return {(row.visit_id, row.person_id): row for row in rows}
