"""The log of a real day is exported and verified offline, and phones see the same root (tampering: tests/faults)."""

from __future__ import annotations

import json

import pytest

from field_api.platform.database import transaction
from field_api.platform.sealing import b64u
from field_api.platform.wiring import office_keys
from field_api.usecases.withdraw_visit import withdraw_visit
from sync.merkle import root_of
from sync.office.audit import export_log
from sync.office.audit_verify import verify_export
from tests.door_client import un64
from tests.sync_day import Day

pytest_plugins = ["tests.door_fixtures"]


@pytest.fixture
def exported(day: Day) -> list[bytes]:
    """Operations, one of them unreadable, receipts, an enrolment, a withdrawal by staff."""
    phone = day.enrol()
    phone.push(*[phone.operation("arrived", {}, visit=day.visits[0], av=1) for _ in range(3)], {"ct": 1})
    with transaction(day.agency) as session:
        withdraw_visit(session, day.visits[1], reason="pagó", now=day.clock.now(), by=day.agent)
    while day.work():
        pass
    return export(day)


def export(day: Day) -> list[bytes]:
    with transaction(day.agency) as session:
        return list(export_log(session, office_keys().of(day.agency), now=day.clock.now()))


def verify(day: Day, lines: list[bytes]) -> list[str]:
    return [str(finding) for finding in verify_export(lines, office_keys().of(day.agency).root_public).findings]


def test_an_untouched_log_holds_and_has_every_kind_of_leaf(day: Day, exported: list[bytes]) -> None:
    assert verify(day, exported) == []
    leaves = [leaf for line in exported[1:] if "number" in (leaf := json.loads(line))]
    assert [leaf["number"] for leaf in leaves] == list(range(len(leaves)))
    assert {leaf["kind"] for leaf in leaves} == {"op", "receipt", "decision"}
    assert sum(leaf["kind"] == "op" for leaf in leaves) == 4
    assert any(leaf["ref"].startswith("visit_event/") for leaf in leaves)


def test_another_agencys_root_key_verifies_nothing(day: Day, exported: list[bytes]) -> None:
    finding = verify_export(exported, office_keys().of(day.agency).door_certificate.public).findings[-1]
    assert finding.place == "head"
    assert verify_export([], b"").findings[0].place == "head"


def test_phones_get_the_same_root_from_checkpoint_and_tile(day: Day, exported: list[bytes]) -> None:
    phone = day.enrol()
    while day.work():
        pass
    checkpoint = json.loads(un64(phone.call("GET", "/phone/v1/log/checkpoint").json["checkpoint"]))
    tile = phone.call("GET", "/phone/v1/log/tile/0/0").data
    hashes = [tile[at : at + 32] for at in range(0, len(tile), 32)]
    assert len(hashes) == checkpoint["size"]
    assert b64u(root_of(hashes)) == checkpoint["root"]
    assert phone.call("GET", "/phone/v1/log/tile/1/0").status_code == 404
