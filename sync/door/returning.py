"""`POST /devices`: a phone that this door does not know shows its device certificate (docs/protocol.md §10).

After a server was restored from a backup, phones that were enrolled since are strangers. The door keeps what they show;
the office, which signed it, decides. Nothing here verifies anything: the door lacks the office's key.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, request
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from field_api.platform.bounded_json import BadJson, loads
from field_api.platform.database import transaction
from field_api.platform.devices import Device
from field_api.platform.keyring import NoKeys
from field_api.platform.overload import later_s
from field_api.platform.problems import Problem
from field_api.platform.sealing import Unsealable, from_b64u, sha256
from field_api.platform.wiring import clock, door_keys
from sync.mailbox import ReturningDevice

MAX_BODY_BYTES = 4 * 1024
MAX_WAITING = 1_000  # of one agency: the office looks at them every second, so that only a flood waits
RETRY = {"Retry-After": "1"}

blueprint = Blueprint("returning", __name__)


@blueprint.post("/devices")
def show_certificate() -> ResponseReturnValue:
    certificate, signature, agency_id, device_id = _read()
    with transaction(agency_id) as session:
        if session.scalar(select(Device.id).where(Device.agency_id == agency_id, Device.id == device_id)) is None:
            _keep(session, agency_id, certificate, signature)
    return {"device": str(device_id)}, 202, RETRY


def _read() -> tuple[bytes, bytes, UUID, UUID]:
    """Certificate, signature, and whom they name. Raises Problem."""
    request.max_content_length = MAX_BODY_BYTES
    try:
        body = loads(request.get_data(cache=False), max_bytes=MAX_BODY_BYTES)
        certificate, signature = (from_b64u(body["device_certificate"][name]) for name in ("cert", "sig"))
        named: dict[str, Any] = loads(certificate, max_bytes=MAX_BODY_BYTES)
        agency_id, device_id = UUID(named["agency"]), UUID(named["device"])
        door_keys().of(agency_id)
    except BadJson as error:
        raise Problem("invalid-json", str(error)) from error
    except (TypeError, KeyError, ValueError, AttributeError, Unsealable) as error:
        raise Problem("bad-request", "a device certificate is needed") from error
    except NoKeys as error:
        raise Problem("not-found", "no such agency") from error
    return certificate, signature, agency_id, device_id


def _keep(session: Session, agency_id: UUID, certificate: bytes, signature: bytes) -> None:
    waiting = session.scalar(select(func.count()).where(ReturningDevice.agency_id == agency_id)) or 0
    if waiting >= MAX_WAITING:
        raise Problem("unavailable", "too many wait", headers={"Retry-After": later_s(60, 90)})
    row = {
        "agency_id": agency_id, "sha256": sha256(certificate + signature), "certificate": certificate,
        "sig": signature, "received_at": clock().now(),
    }  # fmt: skip
    session.execute(insert(ReturningDevice).values(row).on_conflict_do_nothing())
    session.execute(text("NOTIFY doorstep_inbox"))
