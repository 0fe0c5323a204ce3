"""One agent's day against the real door and the real office, and what a phone does with what it gets."""

from __future__ import annotations

import hashlib
import hmac
import json
from uuid import UUID, uuid4

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from flask import Flask
from sqlalchemy import select

from field_api.platform.clock import SetClock
from field_api.platform.database import transaction
from field_api.platform.wiring import office_keys
from field_api.records.people import VerificationAnswer
from sync.mailbox import InboxOp
from sync.office.enrolment import issue_enrolment
from sync.office.work import work_once
from tests.door_client import SUITE, Phone, b64u, es256_holds, page_of, point, sha256, un64, unpacked
from tests.planning_world import World

ANSWERS = {"tax_id": ("GODE561231GR8", "tax"), "birth_date": ("1956-12-31", "birth"), "postcode": ("06700", "postcode")}


def hkdf(secret: bytes, info: bytes) -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=32, salt=b"", info=info).derive(secret)


def nul(*parts: object) -> bytes:
    return b"\x00".join(part if isinstance(part, bytes) else str(part).encode() for part in parts)


def opened(key: bytes, sealed: bytes, associated: bytes) -> bytes:
    return AESGCM(key).decrypt(sealed[:12], sealed[12:], associated)


def secret_of(line: str) -> bytes:
    digits = line.partition("#")[2].replace("-", "")
    value = 0
    for letter in digits:
        value = value * 32 + "0123456789ABCDEFGHJKMNPQRSTVWXYZ".index(letter)
    return value.to_bytes(16, "big")


class Day:
    """One agent with two published visits, one of them with answers on file."""

    def __init__(self, app: Flask, agency: UUID, door: Flask, clock: SetClock) -> None:
        self.app, self.agency, self.door, self.clock = app, agency, door, clock
        with transaction(agency) as session:
            world = World(session)
            agent = world.agent()
            route = world.route(agent)
            self.agent, self.route = agent.id, route.id
            self.visits, self.people = [], []
            for position in (1, 2):
                person, address, account = world.household()
                self.visits.append(world.visit(route, position, address, person, account).id)
                self.people.append(person.id)
            for kind, (answer, group) in ANSWERS.items():
                session.add(
                    VerificationAnswer(person_id=self.people[0], kind=kind, independent_group=group, answer=answer)
                )

    def work(self) -> int:
        return work_once(self.app, self.agency, self.clock.now())

    def enrol(self) -> Phone:
        with transaction(self.agency) as session:
            code = issue_enrolment(session, office_keys().of(self.agency), self.agent, now=self.clock.now())
        return self.claim(code.line)

    def claim(self, line: str) -> Phone:
        secret = secret_of(line)
        phone = Phone(self.door.test_client(), self.agency, uuid4())
        request = json.dumps(
            {"v": 1, "signing": b64u(point(phone.signing)), "sealing": b64u(point(phone.sealing)), "app": "test"}
        ).encode()
        body = {
            "hash": b64u(sha256(b"doorstep-enrol-v1" + secret)),
            "request": b64u(request),
            "mac": b64u(hmac.digest(hkdf(secret, b"doorstep-enrol-request-v1"), request, "sha256")),
        }
        response = phone.client.post("/phone/v1/enrolments", json=body)
        assert response.status_code == 202, response.text
        place = f"/phone/v1/enrolments/{response.json['enrolment']}"
        assert phone.client.get(place).status_code == 202
        self.work()
        answered = phone.client.get(place)
        assert answered.status_code == 200, answered.text
        answer = un64(answered.json["answer"])
        assert hmac.digest(hkdf(secret, b"doorstep-enrol-answer-v1"), answer, "sha256") == un64(answered.json["mac"])
        pinned = json.loads(answer)
        keys = {}
        for certificate in pinned["certificates"]:
            es256_holds(un64(pinned["root"]), b"doorstep-cert-v1" + un64(certificate["cert"]), un64(certificate["sig"]))
            claims = json.loads(un64(certificate["cert"]))
            keys[claims["role"]] = un64(claims["key"])
        own = pinned["device_certificate"]
        es256_holds(keys["office"], b"doorstep-device-v1" + un64(own["cert"]), un64(own["sig"]))
        assert json.loads(un64(own["cert"]))["signing"] == b64u(point(phone.signing))
        phone.device, phone.agency_sealing_key = UUID(pinned["device"]), keys["sealing"]
        phone.office_key = keys["office"]
        phone.take_anchor()
        return phone


def sheet_keys(phone: Phone, statements: list[dict[str, str]]) -> dict[str, bytes]:
    keys = {}
    for signed in statements:
        statement = un64(signed["statement"])
        es256_holds(phone.office_key, b"doorstep-sheet-key-v1" + statement, un64(signed["sig"]))
        claims = json.loads(statement)
        info = nul(b"doorstep-sheet-key-v1", phone.agency, phone.device, claims["id"])
        keys[claims["id"]] = SUITE.decrypt(un64(claims["wrapped"]), phone.sealing, info=info)
    return keys


def pull(phone: Phone, cursor: str | None = None, limit: int = 100) -> tuple[list[dict], str]:
    """All items after a cursor, each verified: signature, order, chain."""
    contents = []
    if cursor is None:
        roll = sha256(b"doorstep-roll-v1" + nul(phone.agency, phone.device, 1))
        epoch, seq = 1, 0
    else:
        epoch, seq, roll = int(cursor.split(".")[0]), int(cursor.split(".")[1]), un64(cursor.split(".")[2])
    while True:
        query = f"limit={limit}" + (f"&after={cursor}" if cursor else "")
        answer = phone.call("GET", "/phone/v1/feed", query=query)
        assert answer.status_code == 200, answer.text
        page = page_of(answer.data)
        keys = sheet_keys(phone, page["sheet_keys"])
        for item in page["items"]:
            head, ct = un64(item["h"]), un64(item["ct"])
            es256_holds(phone.office_key, b"doorstep-item-v1" + head + sha256(ct), un64(item["sig"]))
            claims = json.loads(head)
            assert (claims["seq"], un64(claims["prev"])) == (seq + 1, roll)
            assert claims["device"] == str(phone.device)
            epoch = claims["epoch"]
            seq, roll = seq + 1, sha256(b"doorstep-roll-v1" + roll + sha256(head) + sha256(ct))
            contents.append(unpacked(opened(keys[claims["key"]], ct, sha256(head))) | {"size": len(ct) - 28})
        cursor = f"{epoch}.{seq}.{b64u(roll)}"
        if not page["more"]:
            return contents, cursor


def states(day: Day) -> list[tuple[str, str | None]]:
    with transaction(day.agency) as session:
        return [tuple(row) for row in session.execute(select(InboxOp.state, InboxOp.reason).order_by(InboxOp.seq))]


def stretched(phone: Phone, sought: str, number: int, kind: str, answer: str) -> bytes:
    salt = sha256(nul(b"doorstep-answer-v1", phone.agency, sought, number, kind))
    return hashlib.pbkdf2_hmac("sha256", answer.encode(), salt, 20_000)
