"""How an agency plans: how long visits take, its territories, how even days are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from field_api.domain.planning_policy import BadPolicy, read_policy
from field_api.platform.problems import Problem
from field_api.platform.tenancy import current_agency
from field_api.records.agency import Agency
from field_api.records.planning import Agent


def set_planning_policy(session: Session, wanted: Mapping[str, Any]) -> Agency:
    """Set `policy["planning"]` (field_api.domain.planning_policy), all of it; an empty table takes it away.

    Holds for plans made from now on. Raises `invalid-fields` for what is not understood, `conflict` where an active
    agent works in a territory that would be none any more: nobody's day gets empty unnoticed.
    """
    try:
        policy = read_policy(wanted)
    except BadPolicy as error:
        raise Problem("invalid-fields", f"{error.at}: {error.message}", at="planning") from error
    agency = session.get_one(Agency, current_agency(), with_for_update=True)
    used = session.scalars(
        select(func.unnest(Agent.territories)).where(Agent.agency_id == current_agency(), Agent.active).distinct()
    )
    if set(used) - set(policy.territories):
        raise Problem("conflict", "an agent works in a territory that is not in the list any more", at="planning")
    kept = {name: value for name, value in agency.policy.items() if name != "planning"}
    agency.policy = {**kept, "planning": dict(wanted)} if wanted else kept
    session.flush()
    return agency
