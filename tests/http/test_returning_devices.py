"""A phone that the server does not know, having been restored from before its enrolment, shows its certificate."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import delete, func, select

from field_api.platform.clock import SetClock
from field_api.platform.database import transaction
from field_api.platform.devices import Device
from field_api.platform.problems import Problem
from field_api.platform.restore_journal import RestoreJournal
from field_api.platform.wiring import office_keys
from sync.door import returning as returning_door
from sync.mailbox import InboxOp, ReturningDevice
from sync.office.devices import revoke_device
from sync.office.enrolment import device_certificate
from sync.office.returning import accept_device
from tests.door_client import Phone, b64u, page_of, un64
from tests.sync_day import Day

pytest_plugins = ["tests.door_fixtures"]
Forgotten = tuple[Day, Phone, dict[str, str]]


@pytest.fixture
def journal(app: Flask, tmp_path: Path) -> RestoreJournal:
    made = RestoreJournal(tmp_path / "elsewhere")
    made.make()
    app.extensions["doorstep.journal"] = made
    return made


@pytest.fixture
def forgotten(app: Flask, agency: UUID, door: Flask, clock: SetClock) -> Callable[[], Forgotten]:
    """A phone with its certificate, and a server that lost both."""

    def make(revoked: bool = False) -> Forgotten:
        day = Day(app, agency, door, clock)
        phone = day.enrol()
        with transaction(agency) as session:
            device = session.get_one(Device, (agency, phone.device))
            certificate = device_certificate(office_keys().of(agency), device, clock.now())
            if revoked:
                revoke_device(session, office_keys().of(agency), phone.device, "stolen", now=clock.now())
        with transaction(agency) as session:
            session.execute(delete(Device).where(Device.agency_id == agency))
        return day, phone, certificate

    return make


def _show(phone: Phone, certificate: object) -> int:
    return phone.client.post("/phone/v1/devices", json={"device_certificate": certificate}).status_code


def _state(day: Day, phone: Phone) -> str | None:
    with transaction(day.agency) as session:
        return session.scalar(select(Device.state).where(Device.id == phone.device))


def _outcome(day: Day, phone: Phone) -> dict[str, str]:
    return phone.operation("encounter", {"relation": "nobody"}, visit=day.visits[0], av=1)


def test_with_the_journal_it_is_active_again_in_a_new_epoch_with_its_whole_sheet(
    journal: RestoreJournal, forgotten: Callable[..., Forgotten]
) -> None:
    day, phone, certificate = forgotten()
    assert phone.call("GET", "/phone/v1/ops/state").status_code == 401
    assert _show(phone, certificate) == 202
    day.work()
    with transaction(day.agency) as session:
        device = session.get_one(Device, (day.agency, phone.device))
        assert (device.state, device.agent_id) == ("active", day.agent)
        assert device.epoch > 1
    phone.take_anchor()
    page = page_of(phone.call("GET", "/phone/v1/feed").data)
    assert len(page["items"]) == 3  # two visits and their route
    last = json.loads(un64(page["items"][-1]["h"]))
    assert (last["epoch"], last["seq"]) == (device.epoch, 3)


def test_a_phone_that_was_revoked_since_comes_back_revoked(
    journal: RestoreJournal, forgotten: Callable[..., Forgotten]
) -> None:
    day, phone, certificate = forgotten(revoked=True)
    _show(phone, certificate)
    day.work()
    assert _state(day, phone) == "revoked"
    answer = phone.call("GET", "/phone/v1/feed", anchored=True)
    assert (answer.status_code, "wipe" in answer.json) == (403, True)


def test_without_a_journal_it_waits_for_a_person_and_so_does_what_it_sends(
    forgotten: Callable[..., Forgotten], clock: SetClock
) -> None:
    day, phone, certificate = forgotten()
    _show(phone, certificate)
    day.work()
    assert _state(day, phone) == "pending"
    phone.anchor = None
    refused = phone.call("POST", "/phone/v1/anchors", anchored=False)
    phone.anchor = refused.headers["Doorstep-Anchor"]
    assert (refused.status_code, refused.json.get("wipe")) == (403, None)
    assert phone.push(_outcome(day, phone))[0]["status"] == "received"
    day.work()
    with transaction(day.agency) as session:
        assert session.scalars(select(InboxOp.state)).all() == ["received"]
        accept_device(session, phone.device, now=clock.now())
    day.work()
    with transaction(day.agency) as session:
        assert session.scalars(select(InboxOp.state)).all() == ["applied"]
        with pytest.raises(Problem, match="already-done"):
            accept_device(session, phone.device, now=clock.now())
    assert _state(day, phone) == "active"


def test_what_the_office_did_not_sign_makes_no_device(
    journal: RestoreJournal, forgotten: Callable[..., Forgotten]
) -> None:
    day, phone, certificate = forgotten()
    other = json.dumps({"agency": str(day.agency), "device": str(phone.device), "agent": str(day.agent)}).encode()
    forged = {"cert": b64u(other), "sig": certificate["sig"]}
    assert _show(phone, forged) == 202
    day.work()
    assert _state(day, phone) is None
    for shown in ({}, [], "x", {"cert": "AA", "sig": "AA"}, {"cert": certificate["cert"]}):
        assert _show(phone, shown) == 400
    elsewhere = {"cert": b64u(json.dumps({"agency": str(day.agent), "device": str(day.agent)}).encode()), "sig": "AA"}
    assert _show(phone, elsewhere) == 404
    with transaction(day.agency) as session:
        assert session.scalar(select(func.count()).select_from(ReturningDevice)) == 0


def test_a_flood_of_certificates_is_bounded(
    forgotten: Callable[..., Forgotten], monkeypatch: pytest.MonkeyPatch
) -> None:
    day, phone, certificate = forgotten()
    monkeypatch.setattr(returning_door, "MAX_WAITING", 2)
    shown = [_show(phone, {**certificate, "sig": b64u(bytes([n]) * 64)}) for n in range(4)]
    assert shown == [202, 202, 503, 503]
    day.work()
    assert _show(phone, certificate) == 202
