"""Two phones of one agency: what is said to one is its own, also where both have rows that are alike."""

from __future__ import annotations

import json
from uuid import UUID

from sqlalchemy import select

from field_api.platform.database import transaction
from field_api.platform.wiring import office_keys
from sync.mailbox import SheetKey
from sync.office.devices import revoke_device
from tests.door_client import page_of, un64
from tests.sync_day import Day

pytest_plugins = ["tests.door_fixtures"]


def test_each_revoked_phone_gets_its_own_wipe_order(day: Day) -> None:
    phones = [day.enrol(), day.enrol()]
    with transaction(day.agency) as session:
        for phone, reason in zip(phones, ("stolen", "lost"), strict=True):
            revoke_device(session, office_keys().of(day.agency), phone.device, reason, now=day.clock.now())
    orders = [json.loads(un64(phone.call("GET", "/phone/v1/feed").json["wipe"]["order"])) for phone in phones]
    assert [UUID(order["device"]) for order in orders] == [phone.device for phone in phones]


def test_a_sheet_key_of_another_phone_is_not_sent_along(day: Day) -> None:
    """Ids of keys are drawn at random: that two phones have one of the same id is not refused anywhere."""
    phone, other = day.enrol(), day.enrol()
    with transaction(day.agency) as session:
        mine = session.scalars(select(SheetKey).where(SheetKey.device_id == phone.device)).one()
        theirs = session.scalars(select(SheetKey).where(SheetKey.device_id == other.device)).one()
        session.add(
            SheetKey(
                device_id=other.device, id=mine.id, day=mine.day.replace(year=2020), statement=theirs.statement,
                sig=theirs.sig, sealed=theirs.sealed,
            )
        )  # fmt: skip
        expected = mine.statement
    sent = page_of(phone.call("GET", "/phone/v1/feed").data)["sheet_keys"]
    assert [un64(key["statement"]) for key in sent] == [expected]
