"""Keys and unlock codes of visits' locked parts, one per visit and entitled party."""

from __future__ import annotations

import os
from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from field_api.platform.ids import new_id, new_serial
from field_api.platform.tenancy import current_agency
from field_api.platform.wiring import office_keys
from field_api.queries.arrays import among
from field_api.queries.entitled_parties import parties_of_visits
from field_api.records.visits import VisitKey

KEY_PLACE = "visit_key.sealed_key"
KEY_BYTES = 32


def make_visit_keys(session: Session, visit_ids: Collection[UUID]) -> None:
    """Give every party with a lock a random key (sealed at rest) and a 13-character code, replacing older ones: what an
    earlier phone may hold opens nothing of the new assignment."""
    keys = office_keys().of(current_agency())
    session.execute(delete(VisitKey).where(VisitKey.agency_id == current_agency(), among(VisitKey.visit_id, visit_ids)))
    rows: list[dict[str, Any]] = [
        {
            "id": new_id(),
            "visit_id": visit_id,
            "person_id": party.person_id,
            "sealed_key": keys.seal_at_rest(KEY_PLACE, os.urandom(KEY_BYTES)),
            "unlock_code": new_serial(),
        }
        for visit_id, parties in parties_of_visits(session, visit_ids).items()
        for party in parties
    ]
    if rows:
        session.execute(insert(VisitKey), rows)


def renew_visit_keys(session: Session, visit_ids: Collection[UUID]) -> None:
    """Other keys under the codes that were made, and perhaps read out: what an earlier item gave away opens nothing
    that is published from then on."""
    keys = office_keys().of(current_agency())
    held = select(VisitKey).where(VisitKey.agency_id == current_agency(), among(VisitKey.visit_id, visit_ids))
    for row in session.scalars(held.order_by(VisitKey.id).with_for_update()):
        row.sealed_key = keys.seal_at_rest(KEY_PLACE, os.urandom(KEY_BYTES))
    session.flush()
