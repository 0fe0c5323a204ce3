"""`/devices`: agents' phones. `/quarantine`: what came from them without effect; looked at, mended, released."""

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
from sync.office.decide_quarantined import DECIDE_BYTES, DECIDE_OPERATION, retry_all
from sync.office.devices import DeviceLine, devices, revoke_device
from sync.office.enrolment import EnrolmentCode, issue_enrolment
from sync.office.kept import (
    KeptOperation,
    OpenedContent,
    kept_bytes,
    kept_operation,
    look_at,
    opened_bytes,
    opened_operation,
)
from sync.office.mend_operation import Correction, mend_bytes, mend_operation
from sync.office.quarantine import OddBytesLine, QuarantineLine, odd_bytes, operations_without_effect
from sync.office.quarantine_schemas import (
    BytesDecisionSchema,
    CorrectionSchema,
    KeptOperationSchema,
    NowSchema,
    OddBytesSchema,
    OpenedContentSchema,
    QuarantineDecisionSchema,
    QuarantineQuery,
    QuarantineSchema,
    RetriedSchema,
    RetryAllSchema,
)
from sync.office.schemas import (
    DeviceSchema,
    EnrolmentCodeSchema,
    NewEnrolmentSchema,
    RevocationSchema,
    SyncHealthSchema,
)
from sync.office.sync_health import Known, active_devices, healths

phones = Blueprint("devices", __name__, url_prefix="/devices", description="Agents' phones")
health = Blueprint("sync_health", __name__, url_prefix="/sync-health", description="How agents' phones are doing")
quarantine = Blueprint("quarantine", __name__, url_prefix="/quarantine", description="What waits for a person")
BLUEPRINTS = (phones, health, quarantine)


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


@health.get("")
@answers(Audience.DISPATCHER, Audience.MANAGER, Audience.ADMIN)
@permitted("devices.read")
@health.arguments(PageArguments, location="query")
@health.response(200, page_schema(SyncHealthSchema))
def list_health(page: dict[str, Any]) -> Page:
    """Every active phone: when it was heard, its clock, what waits on it and what of it waits here."""
    with transaction(g.actor.agency_id) as session:
        found = paged(session, active_devices(), [Device.id], **page)
        return Page(healths(session, [Known(*row) for row in found.items], now=clock().now()), found.next)


@quarantine.get("")
@answers(Audience.DISPATCHER, Audience.MANAGER)
@permitted("operations.read")
@quarantine.arguments(QuarantineQuery, location="query")
@quarantine.response(200, page_schema(QuarantineSchema))
def list_quarantine(query: dict[str, Any]) -> Page:
    """Operations that have no effect, with the reason, or with what they wait for; never their content."""
    filters = {name: query.pop(name) for name in ("state", "reason", "decided")}
    with transaction(g.actor.agency_id) as session:
        found = paged(session, operations_without_effect(**filters), [InboxOp.received_at, InboxOp.op_id], **query)
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


@quarantine.get("/<uuid:device_id>/<uuid:op_id>")
@answers(Audience.DISPATCHER, Audience.MANAGER)
@permitted("operations.read")
@quarantine.response(200, KeptOperationSchema)
def look(device_id: UUID, op_id: UUID) -> KeptOperation:
    """One operation: state, header and clocks as the phone says them, who waits for it, what was decided about it."""
    with transaction(g.actor.agency_id) as session:
        return look_at(session, device_id, op_id)


@quarantine.get("/<uuid:device_id>/<uuid:op_id>/content")
@answers(Audience.MANAGER)
@permitted("visits.audit")
@quarantine.response(200, OpenedContentSchema)
def open_operation(device_id: UUID, op_id: UUID) -> OpenedContent:
    """What is sealed in it, if it can be opened."""
    with transaction(g.actor.agency_id) as session:
        return opened_operation(office_keys().of(g.actor.agency_id), kept_operation(session, device_id, op_id))


@quarantine.get("/bytes/<uuid:bytes_id>/content")
@answers(Audience.MANAGER)
@permitted("visits.audit")
@quarantine.response(200, OpenedContentSchema)
def open_bytes(bytes_id: UUID) -> OpenedContent:
    """The bytes as they came, and what is sealed in them if they are anything like an operation."""
    with transaction(g.actor.agency_id) as session:
        return opened_bytes(office_keys().of(g.actor.agency_id), kept_bytes(session, bytes_id))


@quarantine.post("/retry")
@answers(Audience.MANAGER)
@permitted("operations.decide")
@quarantine.arguments(RetryAllSchema)
@quarantine.response(200, RetriedSchema)
def retry_reason(body: dict[str, Any]) -> dict[str, int]:
    """Try again all that were quarantined for one reason, a thousand at most."""
    with transaction(g.actor.agency_id) as session:
        count = retry_all(session, body["code"], reason=body["reason"], by=g.actor.id, now=clock().now())
    return {"retried": count}


@quarantine.post("/<uuid:device_id>/<uuid:op_id>/decision")
@answers(Audience.MANAGER)
@permitted("operations.decide")
@quarantine.arguments(QuarantineDecisionSchema)
@quarantine.response(200, NowSchema)
def decide_operation(body: dict[str, Any], device_id: UUID, op_id: UUID) -> InboxOp:
    """Try it again, let others go on without it (or it without what it waits for), or leave it be; with a reason."""
    decide = DECIDE_OPERATION[body["action"]]
    with transaction(g.actor.agency_id) as session:
        return decide(session, device_id, op_id, reason=body["reason"], by=g.actor.id, now=clock().now())


@quarantine.post("/<uuid:device_id>/<uuid:op_id>/mend")
@answers(Audience.MANAGER)
@permitted("operations.decide")
@quarantine.arguments(CorrectionSchema)
@quarantine.response(200, NowSchema)
def mend(body: dict[str, Any], device_id: UUID, op_id: UUID) -> InboxOp:
    """Put it right: the correction takes effect in its place, the phone's own bytes stay as they came."""
    with transaction(g.actor.agency_id) as session:
        return mend_operation(session, device_id, op_id, Correction(**body), by=g.actor.id, now=clock().now())


@quarantine.post("/bytes/<uuid:bytes_id>/decision")
@answers(Audience.MANAGER)
@permitted("operations.decide")
@quarantine.arguments(BytesDecisionSchema)
@quarantine.response(200, NowSchema)
def decide_bytes(body: dict[str, Any], bytes_id: UUID) -> dict[str, Any]:
    """Let others go on without the operation that these bytes claim to be, or leave them be; with a reason."""
    decide = DECIDE_BYTES[body["action"]]
    with transaction(g.actor.agency_id) as session:
        return _now(decide(session, bytes_id, reason=body["reason"], by=g.actor.id, now=clock().now()))


@quarantine.post("/bytes/<uuid:bytes_id>/mend")
@answers(Audience.MANAGER)
@permitted("operations.decide")
@quarantine.arguments(CorrectionSchema)
@quarantine.response(200, NowSchema)
def mend_odd_bytes(body: dict[str, Any], bytes_id: UUID) -> dict[str, Any]:
    """What these bytes should have said takes effect as an operation of its own."""
    with transaction(g.actor.agency_id) as session:
        return _now(mend_bytes(session, bytes_id, Correction(**body), by=g.actor.id, now=clock().now()))


def _now(row: QuarantinedBytes) -> dict[str, Any]:
    return {"state": row.status, "released": row.released, "closed_at": row.closed_at}
