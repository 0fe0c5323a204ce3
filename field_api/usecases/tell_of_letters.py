"""Phones hear of letters that came into being after their visits went out."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from field_api.domain.vocabulary import ChangeKind
from field_api.platform.tenancy import current_agency
from field_api.queries.arrays import among
from field_api.records.visits import Visit
from field_api.usecases.tell_agent import tell_agents


def tell_of_letters(session: Session, visit_ids: Collection[UUID]) -> None:
    """Each visit that is out is sealed anew, with its letters as they are now: in the locked part, shown after the
    identity check. Two statements at most."""
    if not visit_ids:
        return
    out = select(Visit.agent_id, Visit.id).where(
        Visit.agency_id == current_agency(), among(Visit.id, set(visit_ids)), Visit.state == "published"
    )
    rows = session.execute(out.order_by(Visit.agent_id, Visit.id))
    tell_agents(session, [(agent_id, ChangeKind.VISIT, visit_id) for agent_id, visit_id in rows])
