"""Who was asked before where somebody is, and whose counsel is known: for many persons sought, one statement each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select, union
from sqlalchemy.orm import Session, aliased

from field_api.domain.location_inquiry import ASKED, Inquiry, read_marks
from field_api.domain.vocabulary import OBLIGORS, HoldKind, Role, VisitEventKind
from field_api.platform.tenancy import current_agency
from field_api.queries.arrays import among
from field_api.records.accounts import Hold, Party
from field_api.records.visits import Visit, VisitEvent


def earlier_inquiries(session: Session, person_ids: Collection[UUID]) -> dict[UUID, list[Inquiry]]:
    """By person sought: every question put, by any agent on any visit, repetitions as often as they came."""
    found: dict[UUID, list[Inquiry]] = defaultdict(list)
    for person_id, address_id, flags in session.execute(inquiry_events(person_ids)):
        found[person_id].extend(read_marks(flags, address_id))
    return found


def inquiry_events(person_ids: Collection[UUID]) -> Select[Any]:
    """Over two indexes: a person's visits (`ix_visit_person`), then each visit's story (`ix_visit_event`)."""
    return (
        select(Visit.person_id, Visit.address_id, VisitEvent.flags)
        .join(VisitEvent, (VisitEvent.agency_id == Visit.agency_id) & (VisitEvent.visit_id == Visit.id))
        .where(
            Visit.agency_id == current_agency(),
            among(Visit.person_id, person_ids),
            VisitEvent.kind == VisitEventKind.ENCOUNTER.value,
            VisitEvent.flags.contains([ASKED]),
        )
        .order_by(VisitEvent.id)
    )


def with_counsel(session: Session, person_ids: Collection[UUID]) -> set[UUID]:
    """Those whose attorney is known: a party of anything they owe, or named to an agent and on hold since."""
    owed, counsel = aliased(Party), aliased(Party)
    party = (
        select(owed.person_id)
        .join(counsel, (counsel.agency_id == owed.agency_id) & (counsel.account_id == owed.account_id))
        .where(
            owed.agency_id == current_agency(),
            among(owed.person_id, person_ids),
            owed.role.in_([role.value for role in OBLIGORS]),
            counsel.role == Role.ATTORNEY.value,
        )
    )
    named = select(Hold.person_id).where(
        Hold.agency_id == current_agency(),
        among(Hold.person_id, person_ids),
        Hold.kind == HoldKind.ATTORNEY.value,
        Hold.lifted_at.is_(None),
    )
    return set(session.scalars(union(party, named)))
