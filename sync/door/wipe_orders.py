"""The signed wipe order that goes with every refusal of a revoked phone."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import select

from field_api.platform.database import transaction
from field_api.platform.sealing import b64u
from sync.mailbox import WipeOrder


def wipe_order(agency_id: UUID, device_id: UUID) -> dict[str, Any] | None:
    """The order as it goes over the wire, or None where the office has not written it yet."""
    with transaction(agency_id) as session:
        row = session.execute(
            select(WipeOrder.statement, WipeOrder.sig, WipeOrder.keys).where(
                WipeOrder.agency_id == agency_id, WipeOrder.device_id == device_id
            )
        ).one_or_none()
    return {"order": b64u(row.statement), "sig": b64u(row.sig), "keys": row.keys} if row else None
