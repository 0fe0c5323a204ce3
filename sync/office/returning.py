"""Phones that were enrolled after the backup that was restored: they come back by the certificate the office signed.

From the restore journal, before the door opens; or because the phone shows the certificate itself (docs/protocol.md
§10). Which phones were revoked since, the journal alone knows: without one a phone that comes by itself waits for a
person. Its operations are taken meanwhile, and wait too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from field_api.platform.bounded_json import BadJson, loads
from field_api.platform.devices import Device
from field_api.platform.keyring import OfficeKeys
from field_api.platform.problems import Problem
from field_api.platform.restore_journal import Entry, EntryKind, journal_or_none
from field_api.platform.sealing import Unsealable, from_b64u, public_point
from field_api.platform.tenancy import current_agency
from field_api.records.planning import Agent
from field_api.usecases.note_decision import note_decision
from sync.mailbox import FeedHead, ReturningDevice
from sync.office.devices import revoke_device
from sync.office.enrolment import tell_everything
from sync.roll import first_roll

CONTEXT = b"doorstep-device-v1"
MAX_CERTIFICATE_BYTES = 2_048
PENDING, ACTIVE = "pending", "active"


@dataclass(frozen=True)
class Certified:
    """What a device certificate says, verified."""

    device_id: UUID
    agent_id: UUID
    signing: bytes
    sealing: bytes
    at: datetime


def next_epoch(known: Iterable[int], now: datetime) -> int:
    """An epoch that no phone has seen. Minutes since 1970 at least: two restores of one backup, neither of which
    knows of the other, must not share one."""
    return max([*(epoch + 1 for epoch in known), int(now.timestamp()) // 60])


def certified(keys: OfficeKeys, certificate: bytes, signature: bytes) -> Certified:
    """Raises Unsealable unless this office signed it, for this agency, with an agent in it."""
    keys.verify(CONTEXT, certificate, signature)
    return named_by(keys, certificate)


def named_by(keys: OfficeKeys, certificate: bytes) -> Certified:
    """What a certificate says that is known to be the office's own. Raises Unsealable where it is no such thing."""
    try:
        named: dict[str, Any] = loads(certificate, max_bytes=MAX_CERTIFICATE_BYTES)
        if named["v"] != 1 or named["agency"] != str(keys.agency_id):
            raise Unsealable("another agency's certificate")
        signing, sealing = (public_point(from_b64u(named[name])) for name in ("signing", "sealing"))
        return Certified(
            UUID(named["device"]), UUID(named["agent"]), signing, sealing, datetime.fromisoformat(named["at"])
        )
    except (BadJson, KeyError, TypeError, ValueError, AttributeError) as error:
        raise Unsealable("no device certificate") from error


def take_back_returning(session: Session, keys: OfficeKeys, *, now: datetime) -> int:
    """Look at what unknown phones showed the door. Returns how many certificates were looked at."""
    rows = session.scalars(select(ReturningDevice).with_for_update(skip_locked=True).limit(100)).all()
    if not rows:
        return 0
    journal = journal_or_none()
    entries = journal.read(keys) if journal is not None else None
    for row in rows:
        with suppress(Unsealable):  # somebody's bytes: nothing is made of them
            take_back(session, keys, certified(keys, row.certificate, row.sig), entries, now=now)
        session.execute(
            delete(ReturningDevice).where(
                ReturningDevice.agency_id == current_agency(), ReturningDevice.sha256 == row.sha256
            )
        )
    return len(rows)


def take_back(
    session: Session, keys: OfficeKeys, phone: Certified, entries: Iterable[Entry] | None, *, now: datetime
) -> Device | None:
    """The device of a verified certificate, in a new epoch; None where it is known already.

    `entries` are the restore journal's: with them it is active, or revoked where they say so; without (None) it is
    pending until `accept_device`.
    """
    if session.get(Device, (current_agency(), phone.device_id)) is not None:
        return None
    known = list(entries or ())
    _ensure_agent(session, phone.agent_id, _agent_told(known, phone.agent_id))
    # The restore gave every phone an epoch that is above all that were given out before: it serves this one too.
    highest = session.scalar(select(func.max(Device.epoch)).where(Device.agency_id == current_agency())) or 0
    device = Device(
        id=phone.device_id,
        agent_id=phone.agent_id,
        state=PENDING if entries is None else ACTIVE,
        epoch=max(highest, next_epoch([], now)),
        signing_public=phone.signing,
        sealing_public=phone.sealing,
        enrolled_at=phone.at,
    )
    session.add(device)
    session.flush()
    roll = first_roll(device.agency_id, device.id, device.epoch)
    session.add(FeedHead(device_id=device.id, epoch=device.epoch, seq=0, roll=roll))
    note_decision(session, now, "device-returned", {"device": str(device.id), "agent": str(device.agent_id)})
    session.flush()
    for reason in _revocations(known, device.id):
        revoke_device(session, keys, device.id, reason, now=now)
        return device
    tell_everything(session, device.agent_id)
    return device


def waits_for_a_person(session: Session, device_id: UUID) -> bool:
    """Whether it came back by itself to a server without a journal: what it sends has no effect until then."""
    return session.scalar(select(Device.state).where(Device.id == device_id)) == PENDING


def accept_device(session: Session, device_id: UUID, *, now: datetime) -> None:
    """A person says that a returned phone is its agent's still. Raises `not-found`, `already-done`."""
    device = session.get(Device, (current_agency(), device_id), with_for_update=True)
    if device is None:
        raise Problem("not-found", "no such device")
    if device.state != PENDING:
        raise Problem("already-done", "this device waits for nobody")
    device.state = ACTIVE
    tell_everything(session, device.agent_id)
    note_decision(session, now, "device-accepted", {"device": str(device.id)})


def _revocations(entries: Iterable[Entry], device_id: UUID) -> list[str]:
    mine = [e for e in entries if e.kind is EntryKind.DEVICE_REVOKED and e.detail["device"] == str(device_id)]
    return [str(entry.detail["reason"]) for entry in mine][:1]


def _agent_told(entries: Iterable[Entry], agent_id: UUID) -> Mapping[str, Any] | None:
    told = (entry.detail["agent"] for entry in entries if entry.kind is EntryKind.DEVICE_ENROLLED)
    return next((agent for agent in told if agent["id"] == str(agent_id)), None)


def _ensure_agent(session: Session, agent_id: UUID, told: Mapping[str, Any] | None) -> None:
    """An agent who is newer than the backup comes back as the journal tells, or nameless; inactive, so that no plan
    sends anybody out before staff have looked."""
    if session.get(Agent, {"agency_id": current_agency(), "id": agent_id}) is not None:
        return
    told = told or {"code": "", "name": "", "timezone": "UTC", "languages": []}
    code = str(told["code"]) or "?"
    if session.scalar(select(Agent.id).where(Agent.agency_id == current_agency(), Agent.code == code)) is not None:
        code = f"{code}-{str(agent_id)[-6:]}"
    session.add(
        Agent(
            id=agent_id,
            code=code,
            name=str(told["name"]) or code,
            languages=list(told["languages"]),
            timezone=str(told["timezone"]),
            active=False,
        )
    )
    session.flush()
