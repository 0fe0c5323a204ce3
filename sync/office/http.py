"""`/devices` and `/quarantine`: agents' phones, and what came from them that a person has to look at."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import g
from flask_smorest import Blueprint

from field_api.domain.disclosure import Audience
from field_api.http.paging import Page, PageArguments, page_schema, paged
from field_api.http.permits import answers, permitted
from field_api.platform.database import transaction
from field_api.platform.devices import Device
from field_api.platform.wiring import clock, office_keys
from sync.mailbox import InboxOp, QuarantinedBytes
from sync.office.devices import DeviceLine, devices, revoke_device
from sync.office.enrolment import EnrolmentCode, issue_enrolment
from sync.office.quarantine import OddBytesLine, QuarantineLine, odd_bytes, operations_without_effect
from sync.office.schemas import (
    DeviceSchema,
    EnrolmentCodeSchema,
    NewEnrolmentSchema,
    OddBytesSchema,
    QuarantineSchema,
    RevocationSchema,
)

phones = Blueprint("devices", __name__, url_prefix="/devices", description="Agents' phones")
quarantine = Blueprint("quarantine", __name__, url_prefix="/quarantine", description="What waits for a person")
BLUEPRINTS = (phones, quarantine)


@phones.get("")
@answers(Audience.DISPATCHER, Audience.MANAGER, Audience.ADMIN)
@permitted("devices.read")
@phones.arguments(PageArguments, location="query")
@phones.response(200, page_schema(DeviceSchema))
def list_devices(page: dict[str, Any]) -> Page:
    """Every phone that was ever enrolled."""
    with transaction(g.actor.agency_id) as session:
        found = paged(session, devices(), [Device.id], **page)
    return Page([DeviceLine(*row) for row in found.items], found.next)


@phones.post("")
@answers(Audience.MANAGER, Audience.ADMIN)
@permitted("devices.write", replay=False)
@phones.arguments(NewEnrolmentSchema)
@phones.response(201, EnrolmentCodeSchema)
def enrol(body: dict[str, Any]) -> EnrolmentCode:
    """A code with which one new phone of this agent enrols, once, within 72 hours."""
    keys = office_keys().of(g.actor.agency_id)
    with transaction(g.actor.agency_id) as session:
        return issue_enrolment(session, keys, body["agent_id"], now=clock().now(), issued_by=g.actor.id)


@phones.post("/<uuid:device_id>/revoke")
@answers(Audience.MANAGER, Audience.ADMIN)
@permitted("devices.write")
@phones.arguments(RevocationSchema)
@phones.response(204)
def revoke(body: dict[str, Any], device_id: UUID) -> None:
    """Stop a phone's feed and order its wipe. What it still sends is kept, in quarantine."""
    keys = office_keys().of(g.actor.agency_id)
    with transaction(g.actor.agency_id) as session:
        revoke_device(session, keys, device_id, body["reason"], now=clock().now(), revoked_by=g.actor.id)


@quarantine.get("")
@answers(Audience.DISPATCHER, Audience.MANAGER)
@permitted("operations.read")
@quarantine.arguments(PageArguments, location="query")
@quarantine.response(200, page_schema(QuarantineSchema))
def list_quarantine(page: dict[str, Any]) -> Page:
    """Operations that have no effect, with the reason; their content is not shown here."""
    with transaction(g.actor.agency_id) as session:
        found = paged(session, operations_without_effect(), [InboxOp.received_at, InboxOp.op_id], **page)
    return Page([QuarantineLine(*row) for row in found.items], found.next)


@quarantine.get("/bytes")
@answers(Audience.DISPATCHER, Audience.MANAGER)
@permitted("operations.read")
@quarantine.arguments(PageArguments, location="query")
@quarantine.response(200, page_schema(OddBytesSchema))
def list_odd_bytes(page: dict[str, Any]) -> Page:
    """Bytes that are no acceptable operation, or another one under a known id."""
    with transaction(g.actor.agency_id) as session:
        found = paged(session, odd_bytes(), [QuarantinedBytes.id], **page)
    return Page([OddBytesLine(*row) for row in found.items], found.next)
