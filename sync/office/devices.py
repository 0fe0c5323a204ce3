"""Phones in the office's eyes: which there are, and the end of one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from field_api.platform.anchors import utc_text
from field_api.platform.bounded_json import canonical
from field_api.platform.devices import Device
from field_api.platform.keyring import OfficeKeys
from field_api.platform.problems import Problem
from field_api.platform.restore_journal import EntryKind, enter
from field_api.platform.tenancy import current_agency
from field_api.records.planning import Agent
from field_api.usecases.note_decision import note_decision
from sync.mailbox import WipeOrder

WIPE_CONTEXT = b"doorstep-wipe-v1"
REVOCATION_REASONS = ("lost", "stolen", "dismissed", "replaced", "other")


@dataclass(frozen=True)
class DeviceLine:
    """A phone as lists show it."""

    id: UUID
    agent_id: UUID
    agent: str
    state: str
    enrolled_at: datetime
    revoked_at: datetime | None


def devices() -> Any:
    """A statement for the agency's phones with their agents' codes: rows of DeviceLine."""
    return (
        select(Device.id, Device.agent_id, Agent.code, Device.state, Device.enrolled_at, Device.revoked_at)
        .join(Agent, (Agent.agency_id == Device.agency_id) & (Agent.id == Device.agent_id))
        .where(Device.agency_id == current_agency())
    )


def revoke_device(
    session: Session, keys: OfficeKeys, device_id: UUID, reason: str, *, now: datetime, revoked_by: UUID | None = None
) -> None:
    """Stop the device's feed and order its wipe; its old queue is still taken, into quarantine.

    Raises `not-found`, `already-done`, or `bad-request` for a reason that is not in the closed list.
    """
    if reason not in REVOCATION_REASONS:
        raise Problem("bad-request", "reason is one of " + ", ".join(REVOCATION_REASONS), at="reason")
    device = session.get(Device, (current_agency(), device_id), with_for_update=True)
    if device is None:
        raise Problem("not-found", "no such device")
    if device.state == "revoked":
        raise Problem("already-done", "this device is revoked")
    device.state, device.revoked_at = "revoked", now
    enter(session, EntryKind.DEVICE_REVOKED, {"device": str(device.id), "reason": reason}, at=now)
    claims = {"agency": str(device.agency_id), "device": str(device.id), "reason": reason, "at": utc_text(now)}
    statement = canonical({"v": 1, **claims})
    session.execute(
        insert(WipeOrder).values(
            agency_id=device.agency_id, device_id=device.id, statement=statement,
            sig=keys.sign(WIPE_CONTEXT, statement), keys=keys.announced(now), ordered_at=now,
        )
    )  # fmt: skip
    by = str(revoked_by) if revoked_by else None
    note_decision(session, now, "device-revoked", {"device": str(device.id), "reason": reason, "by": by})
