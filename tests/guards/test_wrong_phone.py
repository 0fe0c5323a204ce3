"""At the phone door another agency's, or another phone's, id is answered byte for byte like one that nobody has."""

from __future__ import annotations

import json
import re
import uuid
from typing import Any

import pytest
from sqlalchemy import select

from field_api.platform.database import transaction
from sync.mailbox import InboxOp
from sync.office.work import work_once
from tests.door_client import Phone, b64u, un64
from tests.guards.two_agencies import NOW
from tests.guards.two_agencies_house import House
from tests.guards.two_agencies_phones import SIGNED, UNSIGNED, Call, PhoneIds, claims_of, door_routes

pytestmark = pytest.mark.xdist_group("two-agencies")
UUID_TEXT = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
ASKERS = {"A1": {"B1", "A2"}, "A2": {"B1", "A1"}, "revoked A1": {"B1", "A2"}}
"""Two agents' phones of one agency, and one that was taken back; and whose ids are foreign to each."""


@pytest.fixture(scope="module")
def ids(house: House) -> PhoneIds:
    return PhoneIds(house)


def call(phone: Phone, operation: str, one: Call, places: dict[str, str], **more: Any) -> Any:
    method = operation.partition(" ")[0]
    request = {**one.make(phone, places), **more}
    answer = phone.call(method, request.pop("path"), request.pop("body", None), **request)
    assert answer.status_code < 500, (operation, answer.text)
    return answer


def settled(answer: Any, one: Call, places: dict[str, str]) -> tuple[int, list[tuple[str, str]], str]:
    """Status, headers and body; signatures and fresh chance apart, they are made anew each time."""
    headers = [
        (name, anchor_claims(value) if name == "Doorstep-Anchor" else value)
        for name, value in answer.headers
        if name not in {"Date", *one.made}
    ]
    body = answer.get_data().decode("latin-1")
    if body.startswith('{"receipts"'):
        body = json.dumps([claims_of(each["receipt"]) for each in json.loads(body)["receipts"]])
    if body.startswith('{"anchor"'):
        body = anchor_claims(json.loads(body)["anchor"])
    for each in filter(None, places.values()):
        body = body.replace(each, "ID")
    return answer.status_code, sorted(headers), body


def anchor_claims(anchor: str) -> str:
    claims = json.loads(un64(anchor.partition(".")[0]))
    return json.dumps({name: value for name, value in claims.items() if name != "n"})


def own_places(ids: PhoneIds, one: Call, phone: Phone, asker: str) -> dict[str, str]:
    """Ids of this phone's own branch; operations and pictures are new each time."""
    made = {"device": str(phone.device), "digest": "", "inbox op": ""}
    own = {}
    for place, kind in one.places.items():
        chosen = made.get(kind)
        own[place] = ids.of(asker.rpartition(" ")[2], kind) if chosen is None else chosen
    return own


def assert_nothing_of_others(house: House, who: str, answer: Any, *sent: str) -> None:
    """Neither in the plain nor in what is base64url, as far as that opens without a key."""
    text = "\n".join([*(f"{name}: {value}" for name, value in answer.headers), answer.get_data().decode("latin-1")])
    coded = [found for found in re.findall(r"[A-Za-z0-9_-]{24,}", text) if len(found) % 4 != 1]
    text += "\n".join(un64(found).decode("latin-1") for found in coded)
    for each in filter(None, sent):
        text = text.replace(each, "")
    assert "Zxqforeign" not in text, who
    other = house.branches["B1"]
    theirs = {each for row_ids in other.ids.values() for each in row_ids} | {str(other.agency)}
    assert not set(UUID_TEXT.findall(text)) & theirs, who


def test_every_route_of_the_door_is_asked(house: House) -> None:
    assert door_routes(house.door) == set(SIGNED) | set(UNSIGNED)


def test_a_foreign_id_at_the_door_is_answered_like_an_unknown_one(house: House, ids: PhoneIds) -> None:
    """Another agency's, and another phone's of the same agency."""
    wrong, pairs = [], 0
    for operation, one in SIGNED.items():
        for asker, others in ASKERS.items():
            phone = house.phones[asker]
            if not operation.startswith("DELETE"):
                answer = call(phone, operation, one, own_places(ids, one, phone, asker))
                assert_nothing_of_others(house, asker, answer)
            for place, kind in one.places.items():
                for branch in {"B1"} if kind == "agency" else others:
                    own = own_places(ids, one, phone, asker)
                    foreign, unknown = own | {place: ids.of(branch, kind)}, own | {place: ids.unknown(kind)}
                    answers = [call(phone, operation, one, places) for places in (foreign, unknown)]
                    pairs += 1
                    if settled(answers[0], one, foreign) != settled(answers[1], one, unknown):
                        wrong.append((operation, place, asker, branch))
                    assert_nothing_of_others(house, asker, answers[0], *foreign.values())
    assert wrong == []
    assert pairs >= 60


def test_a_key_id_of_somebody_else_is_nobodys(house: House, ids: PhoneIds) -> None:
    """The key id names agency and device before anything is looked up: signed by another phone, nobody knows it."""
    device_of = {name: house.phones[name].device for name in ("A1", "A2", "B1")}
    first, other = house.branches["A1"].agency, house.branches["B1"].agency
    pairs = 0
    for operation, one in SIGNED.items():
        for asker, others in ASKERS.items():
            phone = house.phones[asker]
            own = own_places(ids, one, phone, asker)
            foreign = [f"{other}/{device_of['B1']}", f"{other}/{phone.device}"]
            foreign += [f"{first}/{device_of[name]}" for name in sorted(others)]
            for key_id in foreign:
                unknown = f"{first}/{uuid.uuid4()}"
                answers = [call(phone, operation, one, own, key_id=each) for each in (key_id, unknown)]
                pairs += 1
                assert settled(answers[0], one, own) == settled(answers[1], one, own), (operation, key_id)
                assert answers[0].status_code == 401
                assert operation.startswith("HEAD") or answers[0].json["code"] == "signature-invalid", operation
    assert pairs >= 100


def test_an_anchor_of_somebody_else_is_a_stale_one(house: House, ids: PhoneIds) -> None:
    phone = house.phones["A1"]
    made_up = f"{b64u(json.dumps({'agency': str(phone.agency)}).encode())}.{b64u(bytes(64))}"
    for operation, one in SIGNED.items():
        if operation.endswith("/anchors"):
            continue  # the one call that needs none
        answers = []
        own = own_places(ids, one, phone, "A1")
        for anchor in (house.phones["B1"].anchor, house.phones["A2"].anchor, made_up):
            kept, phone.anchor = phone.anchor, anchor
            answers.append(settled(call(phone, operation, one, own), one, own))
            phone.anchor = kept
        assert answers[0] == answers[1] == answers[2], operation
        assert answers[0][0] == 401


def test_unsigned_calls_say_nothing_of_anybody(house: House) -> None:
    """An enrolment's id is a capability of 122 bits, told by the office to nobody; without it nothing is learnt."""
    client, branch = house.door.test_client(), house.branches["B1"]
    for method, path in UNSIGNED.values():
        for chosen in ({name: branch.id(name) for name in ("upload", "enrolment")}, {}):
            filled = path.format(**{name: chosen.get(name, uuid.uuid4()) for name in ("upload", "enrolment")})
            answer = client.open(filled, method=method, json={} if method == "POST" else None)
            assert_nothing_of_others(house, "anonymous", answer, *chosen.values())
    for operation in SIGNED:
        path = re.sub(r"<uuid:\w+>", branch.id("upload"), re.sub(r"<int:\w+>", "0", operation.partition(" ")[2]))
        answer = client.open(path, method=operation.partition(" ")[0])
        assert answer.status_code == 401, operation
        assert operation.startswith("HEAD") or answer.json["code"] == "signature-required", operation


def test_what_is_sealed_names_nobody_elses_rows(house: House, ids: PhoneIds) -> None:
    """Ids inside sealed operations: the office's verdict on a foreign one is that on an unknown one, to the letter."""
    phone, branch = house.phones["A2"], house.branches["A2"]
    bodies = sealed_bodies(branch.id("visit"))
    # One unknown id per kind, as there is one foreign id: what this phone recorded before about an id counts.
    unknown = {place_kind: ids.unknown(place_kind) for _, _, _, place_kind in bodies}
    for kind, body, visit, place_kind in bodies:
        verdicts = []
        for source in ("B1", "A1", ""):
            if source == "A1" and visit is None:
                continue  # a visit of a colleague is known to the agency: late, by design
            named = ids.of(source, place_kind) if source else unknown[place_kind]
            op_id = uuid.uuid4()
            operation = phone.operation(kind, put(body, named), visit=uuid.UUID(visit or named), av=1, op=op_id)
            phone.push(operation)
            verdicts.append(verdict_of(house, phone, op_id))
        assert len(set(map(str, verdicts))) == 1, (kind, place_kind, verdicts)


ID = "THE ID"
OF_THE_ORDER = {"chain-broken", "again"}  # that this phone recorded something before, whatever it named


def sealed_bodies(visit: str) -> list[tuple[str, dict[str, Any], str | None, str]]:
    """kind, body, visit (None: the id itself is the visit's), kind of id."""
    located = {"outcome": "client_located", "party": {"relation": "sought"}, "identified_by": "answers"}
    refusal = {"result": "refusal"}
    contact = {"kind": "phone", "value": "5512345678"}
    return [
        ("arrived", {}, None, "visit"),
        ("note", {"words": "nadie"}, None, "visit"),
        ("identity_check", {"person": ID, "method": "answers", "passed": True}, visit, "person"),
        ("opened", {"person": ID, "parts": ["brief"]}, visit, "person"),
        ("contact", {"source": "neighbour", "person": ID, "contacts": [contact]}, visit, "person"),
        ("outcome", {**located, "results": [{**refusal, "account": ID}]}, visit, "account"),
        ("outcome", {**located, "party": {"relation": "sought", "person": ID}, "results": [refusal]}, visit, "person"),
        ("photo", {"sha256": b64u(bytes(32)), "subject": "facade", "permission": ID}, visit, "op"),
        ("correction", {"corrects": ID, "words": "no era así"}, visit, "op"),
        ("letter", {"handling": "returned", "serial": ID}, visit, "letter"),
    ]


def put(part: Any, named: str) -> Any:
    if isinstance(part, dict):
        return {name: put(inner, named) for name, inner in part.items()}
    if isinstance(part, list):
        return [put(inner, named) for inner in part]
    return named if part == ID else part


def verdict_of(house: House, phone: Phone, op_id: uuid.UUID) -> tuple[str, str | None, list[str]]:
    """State, reason and flags of the operation, once the office has looked at it."""
    work_once(house.office, phone.agency, NOW)
    with house.office.app_context(), transaction(phone.agency) as session:
        query = select(InboxOp).where(InboxOp.device_id == phone.device, InboxOp.op_id == op_id)
        row = session.scalars(query).one()
        return row.state, row.reason, [flag for flag in row.flags if flag not in OF_THE_ORDER]


def test_every_place_at_the_door_is_looked_at(house: House, ids: PhoneIds) -> None:
    """The positive control: an own id is answered otherwise than an unknown one. Last: it does what is asked.

    Not where the door may not know the difference: what an operation is about, and which photograph it is, are ids
    that only the office can look up.
    """
    phone, silent = house.phones["A1"], set()
    for operation, one in SIGNED.items():
        for place, kind in one.places.items():
            own = own_places(ids, one, phone, "A1")
            own |= {place: ids.of("A1", kind)} if kind == "digest" else {}
            unknown = own | {place: ids.unknown(kind)}
            answers = [settled(call(phone, operation, one, places), one, places) for places in (own, unknown)]
            if answers[0] == answers[1]:
                silent.add(place)
    assert silent == {"protected.visit", "protected.op", "protected.deps", "metadata.photo", "metadata.keyid"}
