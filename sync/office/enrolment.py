"""Enrolment at the office (docs/protocol.md §4): it alone knows the secret, so it alone can tell a right claim."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import insert, literal, select, update
from sqlalchemy.orm import Session

from field_api.domain.vocabulary import ChangeKind
from field_api.platform.anchors import utc_text
from field_api.platform.bounded_json import BadJson, canonical, loads
from field_api.platform.devices import Device
from field_api.platform.ids import new_opaque_id
from field_api.platform.keyring import OfficeKeys
from field_api.platform.restore_journal import EntryKind, enter
from field_api.platform.sealing import Unsealable, b64u, derive, from_b64u, mac, public_point, same, sha256
from field_api.platform.wiring import settings
from field_api.records.agency import Agency
from field_api.records.base import load
from field_api.records.changes import Change
from field_api.records.planning import Agent, Route, Stop
from field_api.records.visits import Visit
from field_api.usecases.note_decision import note_decision
from sync.crockford import grouped, written
from sync.mailbox import Enrolment, EnrolmentClaim, FeedHead
from sync.records import EnrolmentSecret
from sync.roll import first_roll

LIFETIME = timedelta(hours=72)
PLACE = "enrolment_secret.sealed"
MAX_APP_CHARACTERS = 80


@dataclass(frozen=True)
class EnrolmentCode:
    """What the agent types or scans, once. `line` is `DOOR-ADDRESS#S`."""

    enrolment_id: UUID
    line: str
    expires_at: datetime


def issue_enrolment(
    session: Session, keys: OfficeKeys, agent_id: UUID, *, now: datetime, issued_by: UUID | None = None
) -> EnrolmentCode:
    """A secret for one new phone of this agent, good once and for 72 hours. Raises `not-found`."""
    load(session, Agent, agent_id)
    secret, expires_at = os.urandom(16), now + LIFETIME
    enrolment = Enrolment(id=new_opaque_id(), hash=sha256(b"doorstep-enrol-v1" + secret), expires_at=expires_at)
    session.add(enrolment)
    session.add(
        EnrolmentSecret(
            id=enrolment.id,
            agent_id=agent_id,
            sealed=keys.seal_at_rest(PLACE, secret),
            issued_at=now,
            issued_by=issued_by,
            expires_at=expires_at,
        )
    )
    note_decision(session, now, "enrolment-issued", {"agent": str(agent_id), "by": _text(issued_by)})
    return EnrolmentCode(enrolment.id, f"{settings().door_url}#{grouped(written(secret))}", expires_at)


def verify_claims(session: Session, keys: OfficeKeys, *, now: datetime) -> int:
    """Make a device of every claim that proves its secret; forget secrets that expired. Returns claims looked at."""
    session.execute(
        update(EnrolmentSecret)
        .where(EnrolmentSecret.sealed.is_not(None), EnrolmentSecret.expires_at <= now)
        .values(sealed=None)
    )
    # The secret's row is the lock: two workers never make two devices of one code.
    rows = session.execute(
        select(EnrolmentClaim, EnrolmentSecret, Enrolment)
        .join(EnrolmentSecret, EnrolmentSecret.id == EnrolmentClaim.enrolment_id)
        .join(Enrolment, Enrolment.id == EnrolmentClaim.enrolment_id)
        .where(EnrolmentClaim.checked_at.is_(None))
        .order_by(EnrolmentClaim.enrolment_id, EnrolmentClaim.position)
        .with_for_update(of=EnrolmentSecret, skip_locked=True)
    ).all()
    for claim, secret, enrolment in rows:
        claim.checked_at = now
        wanted = _proven(keys, claim, secret)
        if wanted is not None and enrolment.device_id is None:
            _activate(session, keys, enrolment, secret, wanted, now)
    return len(rows)


@dataclass(frozen=True)
class _Wanted:
    """A claim whose MAC holds: the phone's public keys, and the secret it proved."""

    secret: bytes
    signing: bytes
    sealing: bytes


def _proven(keys: OfficeKeys, claim: EnrolmentClaim, secret: EnrolmentSecret) -> _Wanted | None:
    if secret.sealed is None:
        return None
    opened = keys.open_at_rest(PLACE, secret.sealed)
    expected = mac(derive(opened, b"doorstep-enrol-request-v1"), claim.request)
    if not same(expected, claim.mac):
        return None
    try:
        request: dict[str, Any] = loads(claim.request, max_bytes=2_048)
        if request["v"] != 1 or len(str(request.get("app", ""))) > MAX_APP_CHARACTERS:
            return None
        return _Wanted(opened, *(public_point(from_b64u(request[name])) for name in ("signing", "sealing")))
    except (BadJson, KeyError, TypeError, AttributeError, Unsealable):
        return None


def _activate(
    session: Session, keys: OfficeKeys, enrolment: Enrolment, secret: EnrolmentSecret, wanted: _Wanted, now: datetime
) -> None:
    """The device, its empty feed, what its agent has to do, and the answer that only the phone can check."""
    device = Device(
        id=new_opaque_id(),
        agent_id=secret.agent_id,
        state="active",
        epoch=1,
        signing_public=wanted.signing,
        sealing_public=wanted.sealing,
        enrolled_at=now,
    )
    session.add(device)
    session.flush()
    session.add(
        FeedHead(device_id=device.id, epoch=1, seq=0, roll=first_roll(device.agency_id, device.id, device.epoch))
    )
    tell_everything(session, secret.agent_id)
    answer = canonical(_answer(session, keys, device, now))
    enrolment.answer, enrolment.device_id = answer, device.id
    enrolment.answer_mac = mac(derive(wanted.secret, b"doorstep-enrol-answer-v1"), answer)
    secret.sealed = None
    journal_device(session, keys, device, now)
    note_decision(session, now, "device-enrolled", {"device": str(device.id), "agent": str(secret.agent_id)})


def journal_device(session: Session, keys: OfficeKeys, device: Device, now: datetime) -> None:
    """For a restore: the phone comes back by its certificate, and its agent where an older backup lacks them too."""
    agent = load(session, Agent, device.agent_id)
    known = {name: getattr(agent, name) for name in ("code", "name", "timezone")}
    detail = {
        "certificate": device_certificate(keys, device, now), "epoch": device.epoch,
        "agent": {"id": str(agent.id), **known, "languages": list(agent.languages)},
    }  # fmt: skip
    enter(session, EntryKind.DEVICE_ENROLLED, detail, at=now)


def _answer(session: Session, keys: OfficeKeys, device: Device, now: datetime) -> dict[str, Any]:
    agent = load(session, Agent, device.agent_id)
    agency = session.scalars(select(Agency).where(Agency.agency_id == device.agency_id)).one()
    return {
        "v": 1,
        "agency": str(device.agency_id),
        "device": str(device.id),
        "epoch": device.epoch,
        "root": b64u(keys.root_public),
        "certificates": keys.for_new_phones(now),
        "device_certificate": device_certificate(keys, device, now),
        "agent": {"name": agent.name, "languages": list(agent.languages)},
        "agency_name": agency.name,
    }


def device_certificate(keys: OfficeKeys, device: Device, now: datetime) -> dict[str, str]:
    """The office's word on whose keys these are."""
    body = canonical(
        {
            "v": 1,
            "agency": str(device.agency_id),
            "device": str(device.id),
            "agent": str(device.agent_id),
            "signing": b64u(device.signing_public),
            "sealing": b64u(device.sealing_public),
            "at": utc_text(now),
        }
    )
    return {"cert": b64u(body), "sig": b64u(keys.sign(b"doorstep-device-v1", body))}


def tell_everything(session: Session, agent_id: UUID) -> None:
    """Change rows for all that the agent has to do, so that a new phone's feed holds it from the first item on."""
    routes = (
        select(Visit.agency_id, Visit.agent_id, literal(ChangeKind.ROUTE.value), Stop.route_id, literal(False))
        .join(Stop, Stop.id == Visit.stop_id)
        .join(Route, Route.id == Stop.route_id)
        .where(Visit.agent_id == agent_id, Visit.state == "published")
        .distinct()
    )
    visits = select(Visit.agency_id, Visit.agent_id, literal(ChangeKind.VISIT.value), Visit.id, literal(False)).where(
        Visit.agent_id == agent_id, Visit.state == "published"
    )
    for query in (routes, visits):
        session.execute(insert(Change).from_select(["agency_id", "agent_id", "kind", "ref", "urgent"], query))


def _text(staff_id: UUID | None) -> str | None:
    return str(staff_id) if staff_id else None
