"""Enrolled phones for tests, without the ceremony."""

from __future__ import annotations

from uuid import UUID, uuid4

from flask import Flask

from field_api.platform.clock import SetClock
from field_api.platform.database import transaction
from field_api.platform.devices import Device
from field_api.platform.wiring import office_keys
from tests.door_client import Phone, point


def enrolled(door: Flask, agency: UUID, clock: SetClock, agent_id: UUID | None = None, epoch: int = 1) -> Phone:
    """A device row as enrolment leaves it, and the phone that has its keys."""
    phone = Phone(
        door.test_client(), agency, uuid4(), agency_sealing_key=office_keys().of(agency).sealing_certificate.public
    )
    with transaction(agency) as session:
        session.add(
            Device(
                id=phone.device,
                agent_id=agent_id or uuid4(),
                state="active",
                epoch=epoch,
                signing_public=point(phone.signing),
                sealing_public=point(phone.sealing),
                enrolled_at=clock.now(),
            )
        )
    phone.take_anchor()
    return phone
