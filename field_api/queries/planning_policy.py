"""How the running agency plans."""

from __future__ import annotations

from sqlalchemy.orm import Session

from field_api.domain.planning_policy import BadPolicy, PlanningPolicy, read_policy
from field_api.platform.problems import Problem
from field_api.platform.tenancy import current_agency
from field_api.records.agency import Agency


def planning_policy(session: Session) -> PlanningPolicy:
    """Raises `conflict` where it is not understood (somebody wrote it by hand): an agent is not sent to others' places
    by mistake."""
    try:
        return read_policy(session.get_one(Agency, current_agency()).policy.get("planning", {}))
    except BadPolicy as error:
        raise Problem("conflict", "how the agency plans is not understood", at="policy.planning") from error
