"""Sheet keys: one per device and UTC day, wrapped to the device and signed (docs/protocol.md §6)."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from field_api.platform.bounded_json import canonical
from field_api.platform.devices import Device
from field_api.platform.keyring import OfficeKeys
from field_api.platform.sealing import b64u, seal_to
from field_api.queries.arrays import among
from sync.mailbox import SheetKey
from sync.office.items import SheetKeyInUse

CONTEXT = b"doorstep-sheet-key-v1"
PLACE = "sheet_key.sealed"


def sheet_keys_of_day(
    session: Session, keys: OfficeKeys, devices: Sequence[Device], now: datetime
) -> dict[UUID, SheetKeyInUse]:
    """Today's key of each device, made where it is missing."""
    day = now.date()
    found = _stored(session, keys, devices, day)
    missing = [_new(keys, device, day) for device in devices if device.id not in found]
    if missing:
        session.execute(insert(SheetKey).values(missing).on_conflict_do_nothing())
        found = _stored(session, keys, devices, day)
    return found


def _stored(session: Session, keys: OfficeKeys, devices: Sequence[Device], day: date) -> dict[UUID, SheetKeyInUse]:
    rows = session.execute(
        select(SheetKey.device_id, SheetKey.id, SheetKey.sealed).where(
            among(SheetKey.device_id, [device.id for device in devices]), SheetKey.day == day
        )
    )
    return {row.device_id: SheetKeyInUse(row.id, keys.open_at_rest(PLACE, row.sealed)) for row in rows}


def _new(keys: OfficeKeys, device: Device, day: date) -> dict[str, object]:
    key, key_id = os.urandom(32), os.urandom(8).hex()
    bound = [CONTEXT, *(str(part).encode() for part in (device.agency_id, device.id, key_id))]
    statement = canonical(
        {
            "v": 1,
            "agency": str(device.agency_id),
            "device": str(device.id),
            "id": key_id,
            "day": day.isoformat(),
            "wrapped": b64u(seal_to(device.sealing_public, b"\x00".join(bound), key)),
        }
    )
    return {
        "agency_id": device.agency_id, "device_id": device.id, "id": key_id, "day": day, "statement": statement,
        "sig": keys.sign(CONTEXT, statement), "sealed": keys.seal_at_rest(PLACE, key),
    }  # fmt: skip
