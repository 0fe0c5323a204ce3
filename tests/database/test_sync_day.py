"""A phone's life against the real door and the real office: enrol, pull, unlock, record, be told, be revoked."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import timedelta
from itertools import combinations
from urllib.parse import quote

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import select

from field_api.domain.confidential import audience
from field_api.domain.disclosure import Audience
from field_api.platform.database import transaction
from field_api.platform.wiring import office_keys
from field_api.records.people import Address, Person
from field_api.records.visits import Visit, VisitKey
from field_api.usecases.withdraw_visit import withdraw_visit
from sync.office.devices import revoke_device
from sync.office.enrolment import issue_enrolment
from tests.door_client import b64u, es256_holds, page_of, point, sha256, snapshot_of, un64, unpacked
from tests.sync_day import ANSWERS, Day, hkdf, nul, opened, pull, secret_of, sheet_keys, states, stretched

pytest_plugins = ["tests.door_fixtures"]
ARRIVED: dict[str, object] = {}


def test_a_new_phone_gets_its_whole_sheet_by_feed(day: Day) -> None:
    phone = day.enrol()
    contents, _ = pull(phone, limit=1)
    assert [item["kind"] for item in contents] == ["route", "visit", "visit"]
    assert {item["ref"] for item in contents[1:]} == set(map(str, day.visits))
    assert {item["size"] for item in contents if item["kind"] == "visit"} == {6_144}
    assert contents[0]["body"]["visits"] == 2
    assert all(item["body"]["open"]["address"]["street"] == "Calle Imaginaria" for item in contents[1:])


def test_two_right_answers_open_the_locked_part_and_wrong_ones_do_not(day: Day) -> None:
    phone = day.enrol()
    contents, _ = pull(phone)
    visit = next(item for item in contents if item["ref"] == str(day.visits[0]))
    body, lock = visit["body"], visit["body"]["locks"][0]
    assert [question["kind"] for question in body["questions"]] == ["birth_date", "postcode", "tax_id"]
    assert "Ficticia" not in json.dumps(body)
    place = (visit["ref"], 0)
    associated = nul(b"doorstep-lock-v1", *place)

    def tried(kinds: tuple[str, str], right: bool) -> dict | None:
        texts = [ANSWERS[kinds[0]][0], ANSWERS[kinds[1]][0] if right else "WRONG"]
        pair = b"".join(
            stretched(phone, body["person"], 0, kind, text) for kind, text in zip(kinds, texts, strict=True)
        )
        for wrap in lock["answers"]:
            with suppress(InvalidTag):
                key = opened(hkdf(pair, nul(b"doorstep-lock-answers-v1", *place)), un64(wrap), associated)
                return unpacked(opened(key, un64(lock["ct"]), associated))
        return None

    for kinds in combinations(sorted(ANSWERS), 2):
        brief = tried(kinds, right=True)
        assert brief["accounts"][0]["balance_minor"] == 250_000
        assert brief["creditor"]["name"] == "Mueblería Ficticia MX"
        assert tried(kinds, right=False) is None


def test_a_visit_without_answers_opens_by_code_alone(day: Day) -> None:
    phone = day.enrol()
    contents, _ = pull(phone)
    visit = next(item for item in contents if item["ref"] == str(day.visits[1]))
    lock = visit["body"]["locks"][0]
    assert visit["body"]["questions"] == []
    with transaction(day.agency) as session, audience(Audience.OFFICE_JOB):
        row = session.scalars(select(VisitKey).where(VisitKey.visit_id == day.visits[1])).one()
        code = row.unlock_code.reveal(Audience.OFFICE_JOB)
    associated = nul(b"doorstep-lock-v1", visit["ref"], 0)
    kek = hkdf(code.encode(), nul(b"doorstep-lock-code-v1", visit["ref"], 0, phone.device))
    key = opened(kek, un64(lock["code"]), associated)
    assert unpacked(opened(key, un64(lock["ct"]), associated))["party"]["role"] == "debtor"


def test_a_withdrawal_reaches_the_phone_as_a_tombstone(day: Day) -> None:
    phone = day.enrol()
    _, cursor = pull(phone)
    with transaction(day.agency) as session:
        withdraw_visit(session, day.visits[0], reason="pagó", now=day.clock.now(), by=None)
    day.work()
    contents, _ = pull(phone, cursor)
    (visit,) = [item for item in contents if item["kind"] == "visit"]
    assert (visit["ref"], visit["body"]["state"], visit["body"]["locks"]) == (str(day.visits[0]), "withdrawn", [])


def test_a_changed_cursor_must_resync(day: Day) -> None:
    phone = day.enrol()
    _, cursor = pull(phone)
    epoch, seq, roll = cursor.split(".")
    for wrong in (f"2.{seq}.{roll}", f"{epoch}.{int(seq) + 1}.{roll}", f"{epoch}.{seq}.{b64u(bytes(32))}"):
        response = phone.call("GET", "/phone/v1/feed", query=f"after={wrong}")
        assert (response.status_code, response.json["code"]) == (410, "resync-required")
    assert phone.call("GET", "/phone/v1/feed", query="after=x").status_code == 400


def test_a_snapshot_is_built_on_demand_and_resumes_where_it_was_cut(day: Day) -> None:
    phone = day.enrol()
    _, cursor = pull(phone)
    assert phone.call("GET", "/phone/v1/feed/snapshot").status_code == 202
    day.work()
    whole = phone.call("GET", "/phone/v1/feed/snapshot")
    assert whole.status_code == 200
    etag = whole.headers["ETag"]
    first = phone.call("GET", "/phone/v1/feed/snapshot", headers={"Range": "bytes=0-99", "If-Range": etag})
    rest = phone.call("GET", "/phone/v1/feed/snapshot", headers={"Range": "bytes=100-", "If-Range": etag})
    assert (first.status_code, rest.status_code) == (206, 206)
    assert first.data + rest.data == whole.data
    parts = snapshot_of(whole.data)
    es256_holds(phone.office_key, b"doorstep-snapshot-v1" + parts.manifest, parts.sig)
    claims = json.loads(parts.manifest)
    assert claims["sha256"] == b64u(sha256(parts.rest))
    assert f"{claims['epoch']}.{claims['seq']}.{claims['roll']}" == cursor
    keys = sheet_keys(phone, claims["sheet_keys"])
    contents = []
    for index, (key, ct) in enumerate(parts.lines):
        bound = nul(b"doorstep-snapshot-v1", phone.agency, phone.device, claims["epoch"], claims["seq"], index)
        contents.append(unpacked(opened(keys[key], ct, bound)))
    assert len(contents) == claims["count"] == 3
    assert {item["ref"] for item in contents} == {str(day.route), *map(str, day.visits)}
    assert pull(phone, cursor)[0] == []


def test_operations_get_verdicts_and_the_phone_may_delete_what_is_durable(day: Day) -> None:
    phone = day.enrol()
    _, cursor = pull(phone)
    arrived = phone.operation("arrived", ARRIVED, visit=day.visits[0], av=1)
    phone.push(arrived)
    day.work()
    contents, cursor = pull(phone, cursor)
    (verdict,) = [item for item in contents if item["kind"] == "verdict"]
    assert (verdict["body"]["verdict"], verdict["body"]["seq"]) == ("applied", 1), verdict
    durable = phone.call("GET", "/phone/v1/feed", query=f"after={cursor}")
    durable = page_of(durable.data)["durable"]
    statement = un64(durable["statement"])
    es256_holds(phone.office_key, b"doorstep-durable-v1" + statement, un64(durable["sig"]))
    assert json.loads(statement)["durable_seq"] == 1


def test_a_revoked_phone_gets_its_signed_wipe_order_and_its_queue_goes_to_quarantine(day: Day) -> None:
    phone = day.enrol()
    with transaction(day.agency) as session:
        revoke_device(session, office_keys().of(day.agency), phone.device, "stolen", now=day.clock.now())
    refused = phone.call("GET", "/phone/v1/feed")
    assert (refused.status_code, refused.json["code"]) == (403, "device-revoked")
    order = un64(refused.json["wipe"]["order"])
    es256_holds(phone.office_key, b"doorstep-wipe-v1" + order, un64(refused.json["wipe"]["sig"]))
    assert json.loads(order)["device"] == str(phone.device)
    assert phone.push(phone.operation("arrived", ARRIVED, visit=day.visits[0], av=1))[0]["status"] == "received"
    day.work()
    assert states(day) == [("quarantined", "device-revoked")]


def test_a_code_is_good_once_and_for_72_hours(day: Day) -> None:
    with transaction(day.agency) as session:
        line = issue_enrolment(session, office_keys().of(day.agency), day.agent, now=day.clock.now()).line
    day.claim(line)
    secret = secret_of(line)
    body = {"hash": b64u(sha256(b"doorstep-enrol-v1" + secret)), "request": b64u(b"{}"), "mac": b64u(bytes(32))}
    again = day.door.test_client().post("/phone/v1/enrolments", json=body)
    assert (again.status_code, again.json["code"]) == (403, "enrolment-refused")
    with transaction(day.agency) as session:
        late = secret_of(issue_enrolment(session, office_keys().of(day.agency), day.agent, now=day.clock.now()).line)
    day.clock.advance(timedelta(hours=72))
    body["hash"] = b64u(sha256(b"doorstep-enrol-v1" + late))
    assert day.door.test_client().post("/phone/v1/enrolments", json=body).status_code == 403
    body["hash"] = b64u(bytes(32))
    assert day.door.test_client().post("/phone/v1/enrolments", json=body).status_code == 403


def test_a_claim_with_a_wrong_mac_makes_no_device_and_the_right_one_still_does(day: Day) -> None:
    with transaction(day.agency) as session:
        line = issue_enrolment(session, office_keys().of(day.agency), day.agent, now=day.clock.now()).line
    hashed = b64u(sha256(b"doorstep-enrol-v1" + secret_of(line)))
    keys = {name: b64u(point(ec.generate_private_key(ec.SECP256R1()))) for name in ("signing", "sealing")}
    forged = {"hash": hashed, "request": b64u(json.dumps({"v": 1, **keys}).encode()), "mac": b64u(bytes(32))}
    client = day.door.test_client()
    first = client.post("/phone/v1/enrolments", json=forged)
    assert client.post("/phone/v1/enrolments", json=forged).json == first.json
    day.work()
    assert client.get(f"/phone/v1/enrolments/{first.json['enrolment']}").status_code == 202
    day.claim(line)
    for number in range(6):
        forged["mac"] = b64u(bytes([number]) * 32)
        last = client.post("/phone/v1/enrolments", json=forged)
    assert last.json["code"] == "enrolment-refused"


@pytest.mark.parametrize("limit", ["0", "201", "0000000019999999", "1" * 400, "x", "-1", "１"])
def test_a_page_of_the_feed_has_its_bounds(day: Day, limit: str) -> None:
    refused = day.enrol().call("GET", "/phone/v1/feed", query=f"limit={quote(limit)}")
    assert (refused.status_code, refused.json["at"]) == (400, "limit")


def test_free_text_that_tells_of_a_debt_stays_out_of_the_open_part(day: Day) -> None:
    """The creditor's hint and alias are shown before any identity check, to whoever looks over the agent's shoulder."""
    with transaction(day.agency) as session:
        for person_id, (hint, alias) in zip(
            day.people, [("Debe 12,500 pesos, portón azul", "El moroso"), ("Portón azul", "Lupita")], strict=True
        ):
            address_id = session.scalars(select(Visit.address_id).where(Visit.person_id == person_id)).one()
            session.get_one(Address, (day.agency, address_id)).hint = hint
            session.get_one(Person, (day.agency, person_id)).alias = alias
    visits = {item["ref"]: item["body"]["open"] for item in pull(day.enrol())[0] if item["kind"] == "visit"}
    told, harmless = (visits[str(visit_id)] for visit_id in day.visits)
    assert (told["address"]["hint"], told["alias"]) == (None, None)
    assert (harmless["address"]["hint"], harmless["alias"]) == ("Portón azul", "Lupita")


def test_a_range_past_the_end_of_a_snapshot_is_refused_and_no_internal_error(day: Day) -> None:
    phone = day.enrol()
    assert phone.call("GET", "/phone/v1/feed/snapshot").status_code == 202
    day.work()
    whole = phone.call("GET", "/phone/v1/feed/snapshot")
    past = phone.call("GET", "/phone/v1/feed/snapshot", headers={"Range": f"bytes={len(whole.data) + 1}-"})
    assert (past.status_code, past.json["code"]) == (416, "range-not-satisfiable")
