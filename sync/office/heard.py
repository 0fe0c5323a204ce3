"""When an agent's phones were heard last: how old what the office knows of the agent may be."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from field_api.platform.devices import Device
from field_api.platform.tenancy import current_agency
from sync.mailbox import DeviceContact


def agents_heard(session: Session) -> dict[UUID, datetime]:
    """By agent, the newest contact of an active phone; absent where none was ever heard."""
    rows = session.execute(
        select(Device.agent_id, func.max(DeviceContact.heard_at).label("heard_at"))
        .join(DeviceContact, (DeviceContact.agency_id == Device.agency_id) & (DeviceContact.device_id == Device.id))
        .where(Device.agency_id == current_agency(), Device.state == "active")
        .group_by(Device.agent_id)
    )
    return {row.agent_id: row.heard_at for row in rows}
