"""Keys and unlock codes of visits' locked parts, one per visit and entitled party."""

from __future__ import annotations

import os
from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from field_api.domain.vocabulary import OBLIGORS
from field_api.platform.ids import new_id, new_serial
from field_api.platform.tenancy import current_agency
from field_api.platform.wiring import office_keys
from field_api.queries.arrays import among
from field_api.records.accounts import Party
from field_api.records.people import Person
from field_api.records.visits import VisitAccount, VisitKey

KEY_PLACE = "visit_key.sealed_key"
KEY_BYTES = 32


def make_visit_keys(session: Session, visit_ids: Collection[UUID]) -> None:
    """Give every obligor of the visits' accounts a random key (sealed at rest) and a 13-character code, replacing older
    ones: what an earlier phone may hold opens nothing of the new assignment. Minors are entitled to nothing."""
    keys = office_keys().of(current_agency())
    session.execute(delete(VisitKey).where(VisitKey.agency_id == current_agency(), among(VisitKey.visit_id, visit_ids)))
    rows: list[dict[str, Any]] = [
        {
            "id": new_id(),
            "visit_id": visit_id,
            "person_id": person_id,
            "sealed_key": keys.seal_at_rest(KEY_PLACE, os.urandom(KEY_BYTES)),
            "unlock_code": new_serial(),
        }
        for visit_id, person_id in _entitled(session, visit_ids)
    ]
    if rows:
        session.execute(insert(VisitKey), rows)


def _entitled(session: Session, visit_ids: Collection[UUID]) -> list[tuple[UUID, UUID]]:
    rows = session.execute(
        select(VisitAccount.visit_id, Party.person_id)
        .join(Party, (Party.agency_id == VisitAccount.agency_id) & (Party.account_id == VisitAccount.account_id))
        .join(Person, (Person.agency_id == Party.agency_id) & (Person.id == Party.person_id))
        .where(
            VisitAccount.agency_id == current_agency(),
            among(VisitAccount.visit_id, visit_ids),
            Party.role.in_([role.value for role in OBLIGORS]),
            ~Person.is_minor,
        )
        .distinct()
        .order_by(VisitAccount.visit_id, Party.person_id)
    )
    return [(visit_id, person_id) for visit_id, person_id in rows]
