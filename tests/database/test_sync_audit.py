"""The log of a real day is exported and verified offline; whatever is changed, removed or reordered is named."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import text

from field_api.platform.database import transaction
from field_api.platform.sealing import b64u
from field_api.platform.wiring import office_keys
from field_api.usecases.withdraw_visit import withdraw_visit
from sync.merkle import root_of
from sync.office.audit import export_log, verify_export
from tests.door_client import sha256, un64
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
        return list(export_log(session, office_keys().of(day.agency)))


def verify(day: Day, lines: list[bytes]) -> list[str]:
    return [str(finding) for finding in verify_export(lines, office_keys().of(day.agency).root_public)]


def test_an_untouched_log_holds_and_has_every_kind_of_leaf(day: Day, exported: list[bytes]) -> None:
    assert verify(day, exported) == []
    leaves = [json.loads(line) for line in exported[1:]]
    assert [leaf["number"] for leaf in leaves] == list(range(len(leaves)))
    assert {leaf["kind"] for leaf in leaves} == {"op", "receipt", "decision"}
    assert sum(leaf["kind"] == "op" for leaf in leaves) == 4
    assert any(leaf["ref"].startswith("visit_event/") for leaf in leaves)


def test_a_row_changed_behind_the_logs_back_is_named(day: Day, exported: list[bytes]) -> None:
    with transaction(day.agency) as session:
        session.execute(text("UPDATE mailbox.inbox SET ct = '\\x00' || substr(ct, 2) WHERE seq = 2"))
        session.execute(text("UPDATE office.visit_event SET at = at - interval '1 day' WHERE actor LIKE 'staff:%'"))
        session.execute(text("DELETE FROM mailbox.inbox WHERE seq = 3"))
    findings = verify(day, export(day))
    assert sum("inbox" in finding and finding.endswith("changed") for finding in findings) == 1
    assert sum("visit_event" in finding and finding.endswith("changed") for finding in findings) == 1
    assert sum(finding.endswith("its row is missing") for finding in findings) == 2  # the operation and its receipt


def test_a_changed_missing_or_moved_line_is_named(day: Day, exported: list[bytes]) -> None:
    head, *leaves = exported
    changed = json.loads(leaves[2])
    changed["leaf"] = b64u(un64(changed["leaf"]).replace(b'"kind":"', b'"kind":"x'))
    assert any(
        "leaf 2" in finding for finding in verify(day, [head, *leaves[:2], json.dumps(changed).encode(), *leaves[3:]])
    )
    assert "leaf 4: missing" in verify(day, [head, *leaves[:4], *leaves[5:]])
    assert "leaf 1: out of order" in verify(day, [head, leaves[1], leaves[0], *leaves[2:]])
    assert "line 2: unreadable" in verify(day, [head, b"{", *leaves[1:]])
    assert f"leaf {len(leaves) - 1}: missing" in verify(day, exported[:-1])


def test_a_leaf_rewritten_with_all_that_depends_on_it_fails_the_signed_root(day: Day, exported: list[bytes]) -> None:
    head, *leaves = exported
    forged = json.loads(leaves[0])
    payload, salt = b'{"forged":1}', un64(forged["salt"])
    leaf = json.loads(un64(forged["leaf"])) | {"commitment": b64u(sha256(salt + sha256(payload)))}
    data = json.dumps(leaf).encode()
    forged |= {"payload": b64u(payload), "leaf": b64u(data), "hash": b64u(sha256(b"\x00" + data))}
    assert verify(day, [head, json.dumps(forged).encode(), *leaves[1:]]) == [
        "root: the leaves do not give the signed root"
    ]


def test_another_agencys_root_key_verifies_nothing(day: Day, exported: list[bytes]) -> None:
    (finding,) = verify_export(exported, office_keys().of(day.agency).door_certificate.public)
    assert finding.place == "head"
    assert verify_export([], b"")[0].place == "head"


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
