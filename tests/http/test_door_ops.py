"""The door keeps every operation once, each for itself, and signs what it kept."""

from __future__ import annotations

import json
from uuid import UUID, uuid4

import psycopg
import pytest
from flask import Flask

from doorstep.postgres import Server
from field_api.platform.clock import SetClock
from field_api.platform.keyring_files import DoorKeyring
from field_api.platform.settings import Settings
from tests.door_client import Phone, b64u, es256, es256_holds, sha256, un64
from tests.door_world import enrolled

pytest_plugins = ["tests.door_fixtures"]


def rows(database: Server, table: str) -> int:
    with psycopg.connect(database.conninfo("office")) as connection:
        connection.execute("SELECT set_config('doorstep.agency', %s, false)", [AGENCY["id"]])
        return connection.execute(f"SELECT count(*) FROM mailbox.{table}").fetchone()[0]


AGENCY: dict[str, str] = {}


@pytest.fixture(autouse=True)
def _agency(agency: UUID) -> None:
    AGENCY["id"] = str(agency)


def code(response) -> str:
    assert response.mimetype == "application/problem+json", response.text
    return response.json["code"]


def test_an_operation_is_kept_and_its_receipt_names_its_link(
    phone: Phone, database: Server, settings: Settings
) -> None:
    operation = phone.operation("arrived", {})
    response = phone.call("POST", "/phone/v1/ops", json.dumps({"ops": [operation]}).encode())
    (signed,) = response.json["receipts"]
    key = DoorKeyring(settings.door_keys).of(phone.agency).certificate.public
    es256_holds(key, b"doorstep-receipt-v1" + un64(signed["receipt"]), un64(signed["sig"]))
    receipt = json.loads(un64(signed["receipt"]))
    assert receipt["link"] == b64u(phone.link)
    assert (receipt["status"], receipt["seq"], receipt["device"]) == ("received", 1, str(phone.device))
    assert rows(database, "inbox") == 1


def test_the_same_bytes_again_get_the_stored_receipt_to_the_letter(phone: Phone, database: Server) -> None:
    body = json.dumps({"ops": [phone.operation("arrived", {}), phone.operation("note", {})]}).encode()
    answers = {phone.call("POST", "/phone/v1/ops", body).data for _ in range(3)}
    assert len(answers) == 1
    assert rows(database, "inbox") == 2


def test_a_replayed_request_is_answered_again_and_changes_nothing(phone: Phone, database: Server) -> None:
    body = json.dumps({"ops": [phone.operation("arrived", {})]}).encode()
    headers = {"Content-Type": "application/json"}
    import base64

    headers["Content-Digest"] = f"sha-256=:{base64.b64encode(sha256(body)).decode()}:"
    headers |= phone.signature_headers("POST", "/phone/v1/ops", "", headers, True)
    first, second = (phone.client.post("/phone/v1/ops", data=body, headers=headers) for _ in range(2))
    assert first.status_code == second.status_code == 200
    assert first.data == second.data
    assert rows(database, "inbox") == 1


def test_other_bytes_under_a_known_id_are_kept_beside_it(phone: Phone, database: Server) -> None:
    op = uuid4()
    first = phone.operation("note", {"text": "a"}, op=op)
    other = phone.operation("note", {"text": "b"}, op=op, seq=1)
    assert [receipt["status"] for receipt in phone.push(first, other)] == ["received", "fork"]
    assert [receipt["status"] for receipt in phone.push(other, first)] == ["fork", "received"]
    assert (rows(database, "inbox"), rows(database, "quarantine")) == (1, 1)


def test_what_one_call_holds_twice_is_kept_once(phone: Phone, database: Server) -> None:
    op = uuid4()
    same, other = phone.operation("note", {"text": "a"}, op=op), phone.operation("note", {"text": "b"}, op=op, seq=1)
    new = phone.operation("note", {})
    receipts = phone.push(other, same, other, new, same)
    assert [receipt["status"] for receipt in receipts] == ["received", "fork", "received", "received", "fork"]
    assert receipts[0] == receipts[2] and receipts[1] == receipts[4]
    assert (rows(database, "inbox"), rows(database, "quarantine")) == (2, 1)


def test_one_bad_operation_never_holds_up_the_others(phone: Phone, database: Server) -> None:
    good = [phone.operation("note", {"n": n}) for n in range(3)]
    wrong_signature = phone.operation("note", {}) | {"sig": b64u(bytes(64))}
    cut = phone.operation("note", {})
    cut["ct"] = cut["ct"][:-7]
    other_device = phone.operation("note", {}, device=str(uuid4()))
    large = phone.operation("note", {}) | {"ct": b64u(bytes(34 * 1024))}
    receipts = phone.push(good[0], wrong_signature, good[1], cut, 7, {}, other_device, large, good[2])
    statuses = [receipt["status"] for receipt in receipts]
    assert statuses == ["received", "quarantined", "received", *["quarantined"] * 5, "received"]
    assert receipts[4]["op"] is None
    assert receipts[4]["link"] == b64u(sha256(b"7"))
    assert (rows(database, "inbox"), rows(database, "quarantine")) == (3, 6)


def test_each_fault_of_form_is_kept_with_its_reason(phone: Phone, database: Server) -> None:
    """A person reads the reason; a later version of the office may take what this one does not understand."""
    phone.push(
        phone.operation("note", {}, v=2),
        phone.operation("note", {}, device=str(uuid4())),
        phone.operation("note", {}) | {"sig": b64u(bytes(64))},
        phone.operation("note", {}) | {"ct": b64u(bytes(34 * 1024))},
        phone.operation("note", {}, op=None, seq=0),
    )
    with psycopg.connect(database.conninfo("office")) as connection:
        connection.execute("SELECT set_config('doorstep.agency', %s, false)", [AGENCY["id"]])
        reasons = connection.execute("SELECT reason FROM mailbox.quarantine ORDER BY reason").fetchall()
    assert [reason for (reason,) in reasons] == [
        "bad-form", "bad-signature", "too-large", "unknown-version", "wrong-device"
    ]  # fmt: skip


def test_a_badly_signed_copy_never_takes_the_place_of_the_real_operation(phone: Phone) -> None:
    real = phone.operation("note", {})
    forged = real | {"sig": b64u(es256(Phone(phone.client, phone.agency, phone.device).signing, b"else"))}
    assert [receipt["status"] for receipt in phone.push(forged, real)] == ["quarantined", "received"]


def test_a_body_that_is_cut_too_long_or_no_json_is_refused_whole(phone: Phone, database: Server) -> None:
    body = json.dumps({"ops": [phone.operation("note", {})]}).encode()
    assert code(phone.call("POST", "/phone/v1/ops", body[:-10])) == "invalid-json"
    assert code(phone.call("POST", "/phone/v1/ops", b"[]")) == "bad-request"
    assert code(phone.call("POST", "/phone/v1/ops", b'{"ops":{}}')) == "bad-request"
    assert code(phone.call("POST", "/phone/v1/ops", b'{"ops":[' + b"[" * 40 + b"]" * 40 + b"]}")) == "invalid-json"
    assert code(phone.call("POST", "/phone/v1/ops", json.dumps({"ops": [{}] * 51}).encode())) == "bad-request"
    assert code(phone.call("POST", "/phone/v1/ops", b" " * 300 * 1024)) == "too-large"
    assert rows(database, "inbox") == 0


def test_fifty_operations_are_taken_in_few_statements(phone: Phone, door: Flask) -> None:
    from sqlalchemy import event

    from field_api.platform.database import db

    statements: list[str] = []
    with door.app_context():
        event.listen(db.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    receipts = phone.push(*[phone.operation("note", {"n": n}) for n in range(50)])
    assert [receipt["seq"] for receipt in receipts] == list(range(1, 51))
    assert len(statements) <= 8, statements


def test_the_state_tells_every_seq_that_is_held(phone: Phone) -> None:
    assert phone.call("GET", "/phone/v1/ops/state").json == {"epoch": 1, "contiguous": 0, "ranges": []}
    phone.push(*[phone.operation("note", {}, seq=seq) for seq in (1, 2, 3, 6, 7, 9)])
    assert phone.call("GET", "/phone/v1/ops/state").json == {"epoch": 1, "contiguous": 3, "ranges": [[6, 7], [9, 9]]}


def test_one_device_sees_nothing_of_another(phone: Phone, door: Flask, agency: UUID, clock: SetClock) -> None:
    other = enrolled(door, agency, clock)
    op = uuid4()
    mine, theirs = phone.operation("note", {}, op=op), other.operation("note", {}, op=op)
    receipts = [phone.push(mine), other.push(theirs)]
    assert [receipt["status"] for (receipt,) in receipts] == ["received", "received"]
    assert [phone.push(mine), other.push(theirs)] == receipts
    assert phone.call("GET", "/phone/v1/ops/state").json["contiguous"] == 1
    other.push(*(other.operation("note", {}) for _ in range(3)))
    assert phone.call("GET", "/phone/v1/ops/state").json["contiguous"] == 1
    assert other.call("GET", "/phone/v1/ops/state").json["contiguous"] == 4


def test_the_doors_role_cannot_read_back_or_change_what_it_took(phone: Phone, database: Server, agency: UUID) -> None:
    phone.push(phone.operation("note", {}))
    with psycopg.connect(database.conninfo("door"), autocommit=True) as connection:
        connection.execute("SELECT set_config('doorstep.agency', %s, false)", [str(agency)])
        for statement in (
            "SELECT ct FROM mailbox.inbox",
            "SELECT sealed FROM mailbox.sheet_key",
            "UPDATE mailbox.inbox SET state = 'applied'",
            "DELETE FROM mailbox.inbox",
            "INSERT INTO mailbox.device SELECT * FROM mailbox.device",
            "INSERT INTO mailbox.feed_item SELECT * FROM mailbox.feed_item",
            "SELECT * FROM office.enrolment_secret",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)
