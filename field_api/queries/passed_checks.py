"""Whose identity checks an agent passed at a visit, read from the marks of its story."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from field_api.domain.unlocks import persons_passed
from field_api.domain.vocabulary import VisitEventKind
from field_api.platform.tenancy import current_agency
from field_api.records.visits import VisitEvent


def passed_checks(session: Session, visit_id: UUID, actor: str) -> frozenset[UUID]:
    """The persons, parties or not, for whom a check of this actor counts as passed."""
    events = session.scalars(
        select(VisitEvent.flags).where(
            VisitEvent.agency_id == current_agency(),
            VisitEvent.visit_id == visit_id,
            VisitEvent.kind == VisitEventKind.IDENTITY_CHECK.value,
            VisitEvent.actor == actor,
        )
    )
    return frozenset().union(*(persons_passed(flags) for flags in events))
