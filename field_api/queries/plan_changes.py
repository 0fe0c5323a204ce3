"""What was changed on a plan by hand."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from field_api.platform.tenancy import current_agency
from field_api.records.base import load
from field_api.records.drafts import PlanChange
from field_api.records.planning import Plan


def plan_changes(session: Session, plan_id: UUID) -> Select[tuple[PlanChange]]:
    """Unordered. Raises `not-found`."""
    load(session, Plan, plan_id)
    return select(PlanChange).where(PlanChange.agency_id == current_agency(), PlanChange.plan_id == plan_id)
