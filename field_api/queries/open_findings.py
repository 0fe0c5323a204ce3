"""Houses found at doors that wait for a person's word."""

from __future__ import annotations

from sqlalchemy import Select, select

from field_api.platform.tenancy import current_agency
from field_api.records.places import HouseFinding
from field_api.records.planning import Agent


def open_findings() -> Select[tuple[HouseFinding, str | None]]:
    """(HouseFinding, code of the agent who found it), oldest first."""
    return (
        select(HouseFinding, Agent.code)
        .outerjoin(Agent, (Agent.agency_id == HouseFinding.agency_id) & (Agent.id == HouseFinding.agent_id))
        .where(HouseFinding.agency_id == current_agency(), HouseFinding.state == "candidate")
        .order_by(HouseFinding.found_at, HouseFinding.id)
    )
