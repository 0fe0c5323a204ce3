"""Writes op.json, item.json, receipt.json and lock.json beside this file: `python -m tests.vectors.make_vectors`.

Keys are fixed and worthless. Signatures, nonces and HPKE are random, so a new run writes other bytes that mean the same.
What a phone makes is made by tests/door_client.py, what the agency makes by its own code: each side's tests read the
other's bytes. Every document says in `expect` what a reader must find, or with which code it must refuse.
"""

from __future__ import annotations

import json
from itertools import combinations
from pathlib import Path
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric import ec

from field_api.platform.bounded_json import canonical
from field_api.platform.sealing import b64u, public_key_of, seal_to, sha256, sign, stretch
from sync.office.items import Content, FeedWriter, SheetKeyInUse
from sync.office.locks import (
    BEFORE_ARRIVAL,
    BY_ATTESTATION,
    LockPlace,
    empty_lock,
    sealed_lock,
    wrap_by_code,
    wrap_under_sheet,
)
from sync.office.stretching import ROUNDS, answer_salt
from sync.roll import first_roll
from tests.door_client import Phone

AGENCY = UUID("0190a0e0-0000-7000-8000-000000000001")
DEVICE = UUID("0190a0e0-0000-4000-8000-000000000002")
VISIT = UUID("0190a0e0-0000-4000-8000-000000000003")
PERSON = UUID("0190a0e0-0000-7000-8000-000000000004")
GUARANTOR = UUID("0190a0e0-0000-7000-8000-000000000006")
ATTORNEY = UUID("0190a0e0-0000-7000-8000-000000000007")
OTHER_DEVICE = UUID("0190a0e0-0000-4000-8000-000000000008")
OP = UUID("0190a0e0-0000-7000-8000-000000000005")
PRIVATE = {
    name: bytes([number]) * 32
    for number, name in enumerate(("office", "sealing", "door", "device", "device_sealing"), 1)
}
PUBLIC = {name: public_key_of(key) for name, key in PRIVATE.items()}
SHEET_KEY = SheetKeyInUse("00112233445566aa", bytes(range(32)))
WHO = {"agency": str(AGENCY), "device": str(DEVICE)}
HERE = Path(__file__).parent


class _Office:
    """As much of OfficeKeys as signing needs, on a fixed key."""

    agency_id = AGENCY

    def sign(self, context: bytes, message: bytes) -> bytes:
        return sign(PRIVATE["office"], context + message)


def _phone() -> Phone:
    def key(name: str) -> ec.EllipticCurvePrivateKey:
        return ec.derive_private_key(int.from_bytes(PRIVATE[name], "big"), ec.SECP256R1())

    return Phone(None, AGENCY, DEVICE, key("device"), key("device_sealing"), agency_sealing_key=PUBLIC["sealing"])  # type: ignore[arg-type]  # it calls nobody


def op_vectors() -> dict[str, Any]:
    phone = _phone()
    first = phone.operation("arrived", {"note": "ñ"}, visit=VISIT, av=1, op=OP)
    first_link = phone.link
    second = phone.operation("note", {"words": "timbre azul"}, visit=VISIT, av=1, deps=(OP,), size=1024)
    second_link = phone.link
    third = phone.operation("note", {"words": "otra", "more": 1}, visit=VISIT, av=1, more={"any": [1]})
    third_link = phone.link
    last = second["ct"][-8:]
    flipped = second["ct"][:-8] + ("A" if last[0] != "A" else "B") + last[1:]
    return {
        **WHO,
        "device_signing_public": b64u(PUBLIC["device"]),
        "sealing_private": b64u(PRIVATE["sealing"]),
        "operations": [
            {"op": first, "expect": {"kind": "arrived", "body": {"note": "ñ"}, "link": b64u(first_link), "seq": 1}},
            {
                "op": second,
                "expect": {"kind": "note", "body": {"words": "timbre azul"}, "link": b64u(second_link), "seq": 2},
            },
            {  # with keys that are not known
                "op": third,
                "expect": {"kind": "note", "body": {"words": "otra", "more": 1}, "link": b64u(third_link), "seq": 3},
            },
            {"op": second | {"ct": flipped}, "expect": {"refused": "bad-signature"}},
            {"op": first | {"sig": second["sig"]}, "expect": {"refused": "bad-signature"}},
            {"op": {"protected": first["protected"]}, "expect": {"refused": "bad-form"}},
            {"op": first | {"ct": first["ct"] + "="}, "expect": {"refused": "bad-form"}},
            *(
                {"op": phone.operation("note", {}, **other), "expect": {"refused": why}}
                for why, other in _OTHER_HEADERS
            ),
        ],
    }


_OTHER_HEADERS: list[tuple[str, dict[str, Any]]] = [
    ("unknown-version", {"v": 2}),
    ("wrong-device", {"device": str(OTHER_DEVICE)}),
    ("wrong-device", {"agency": str(OTHER_DEVICE)}),
    ("bad-form", {"op": "0190A0E0-0000-7000-8000-000000000005"}),
    ("bad-form", {"seq": 0}),
    ("bad-form", {"seq": 2**53}),
    ("too-large", {"more": "x" * 4_096}),
]
"""Keys of P, each well signed, and what the door says to it."""


def item_vectors() -> dict[str, Any]:
    office: Any = _Office()
    writer = FeedWriter(office, DEVICE, 1, 0, first_roll(AGENCY, DEVICE, 1), SHEET_KEY)
    contents = [
        Content("verdict", OP, {"seq": 1, "verdict": "applied", "reason": None, "flags": ["far-away"]}),
        Content(
            "visit", VISIT, {"state": "withdrawn", "assignment_version": 2, "stop": None, "open": None, "locks": []}
        ),
    ]
    rows = [writer.write(content).row for content in contents]
    info = b"\x00".join([b"doorstep-sheet-key-v1", str(AGENCY).encode(), str(DEVICE).encode(), SHEET_KEY.id.encode()])
    wrapped = seal_to(PUBLIC["device_sealing"], info, SHEET_KEY.key)
    statement = canonical({"v": 1, **WHO, "id": SHEET_KEY.id, "day": "2026-11-18", "wrapped": b64u(wrapped)})
    wire = [{"h": b64u(row["head"]), "ct": b64u(row["ct"]), "sig": b64u(row["sig"])} for row in rows]
    return {
        **WHO,
        "office_public": b64u(PUBLIC["office"]),
        "device_sealing_private": b64u(PRIVATE["device_sealing"]),
        "sheet_key": {"statement": b64u(statement), "sig": b64u(office.sign(b"doorstep-sheet-key-v1", statement))},
        "roll_0": b64u(first_roll(AGENCY, DEVICE, 1)),
        "items": [
            {
                "item": item,
                "expect": {
                    "kind": c.kind,
                    "ref": str(c.ref),
                    "version": seq,
                    "body": c.body,
                    "roll": b64u(row["roll"]),
                },
            }
            for seq, (item, c, row) in enumerate(zip(wire, contents, rows, strict=True), 1)
        ],
        "refused": [{"item": wire[0] | {"sig": wire[1]["sig"]}}, {"item": wire[1] | {"ct": wire[0]["ct"]}}],
    }


def receipt_vectors() -> dict[str, Any]:
    body = canonical(
        {
            "v": 1,
            **WHO,
            "op": str(OP),
            "seq": 1,
            "link": b64u(sha256(b"link")),
            "status": "received",
            "at": "2026-11-18T15:00:00.000Z",
        }
    )
    signature = sign(PRIVATE["door"], b"doorstep-receipt-v1" + body)
    return {
        "door_public": b64u(PUBLIC["door"]),
        "receipts": [{"receipt": b64u(body), "sig": b64u(signature), "expect": json.loads(body)}],
        "refused": [{"receipt": b64u(body.replace(b"received", b"accepted")), "sig": b64u(signature)}],
    }


SOUGHT_ANSWERS = {"birth_date": "1970-02-28", "mother_maiden_name": "PENA", "postcode": "06700"}
OTHERS_ANSWERS = {"curp": "GODE561231HDFRRN09", "phone_last4": "0199"}
CODES = {0: "0123456789ABC", 2: "ZYXWVTSRQPNMK", 3: "H0H0H0H0H0H0H"}


def _brief(person: UUID, role: str) -> dict[str, Any]:
    party = {"person": str(person), "name": "Persona Inventada", "role": role}
    return {"party": party, "accounts": [], "history": [], "letters": [], "more": []}


def _stretched(number: int, answers: dict[str, str]) -> dict[str, bytes]:
    return {
        kind: stretch(answer.encode(), answer_salt(AGENCY, PERSON, number, kind), ROUNDS)
        for kind, answer in answers.items()
    }


def lock_vectors() -> dict[str, Any]:
    """The one sought behind lock 0, nobody behind 1, a guarantor behind 2, an attorney (code only) behind 3."""
    openers = {"attestation": bytes(range(200, 232)), "before_arrival": bytes(range(16, 48))}
    answers = {0: SOUGHT_ANSWERS, 2: OTHERS_ANSWERS, 3: {}}
    briefs = {0: _brief(PERSON, "debtor"), 2: _brief(GUARANTOR, "guarantor"), 3: _brief(ATTORNEY, "attorney")}
    locks = [empty_lock(number) for number in range(4)]
    for number, brief in briefs.items():
        place, key = LockPlace(VISIT, number), bytes(range(100 + number, 132 + number))
        known = _stretched(number, answers[number])
        pairs = [known[first] + known[second] for first, second in combinations(sorted(known), 2)]
        locks[number] = sealed_lock(place, key, brief, pairs)
        locks[number]["code"] = wrap_by_code(place, DEVICE, key, CODES[number])
        if number != 3:
            locks[number]["attestation"] = wrap_under_sheet(place, BY_ATTESTATION, openers["attestation"], key)
        if number == 0:
            locks[number]["before_arrival"] = wrap_under_sheet(place, BEFORE_ARRIVAL, openers["before_arrival"], key)
    groups = {"birth_date": "birth", "mother_maiden_name": "name", "postcode": "postcode"}
    sought, other = answers[0], answers[2]
    return {
        **WHO,
        "visit": str(VISIT),
        "stretched": {kind: b64u(value) for kind, value in _stretched(0, sought).items()},
        "body": {
            "person": str(PERSON),
            "questions": [{"kind": kind, "group": group} for kind, group in groups.items()],
            "openers": {name: b64u(opener) for name, opener in openers.items()},
            "locks": locks,
        },
        "tries": [
            {"claim": "sought", "answers": _but(sought, "postcode"), "expect": {"lock": 0, "brief": briefs[0]}},
            {"claim": "sought", "answers": _but(sought, "birth_date"), "expect": {"lock": 0, "brief": briefs[0]}},
            {"claim": "other", "answers": other, "expect": {"lock": 2, "brief": briefs[2]}},
            {"claim": "sought", "code": CODES[0], "expect": {"lock": 0, "brief": briefs[0]}},
            {"claim": "other", "code": CODES[2], "expect": {"lock": 2, "brief": briefs[2]}},
            {"claim": "other", "code": CODES[3], "expect": {"lock": 3, "brief": briefs[3]}},
            {"claim": "sought", "opener": "attestation", "expect": {"lock": 0, "brief": briefs[0]}},
            {"claim": "other", "opener": "attestation", "expect": {"lock": 2, "brief": briefs[2]}},
            {"claim": "sought", "opener": "before_arrival", "expect": {"lock": 0, "brief": briefs[0]}},
            # One wrong answer, right answers of another party, a code of another lock, an opener not meant for it.
            {"claim": "sought", "answers": _but(sought, "postcode") | {"birth_date": "1970-02-27"}, "expect": None},
            {"claim": "other", "answers": _but(sought, "postcode"), "expect": None},
            {"claim": "other", "answers": {"curp": other["curp"], "tax_id": "GODE561231GR8"}, "expect": None},
            {"claim": "sought", "code": CODES[0][:-1] + "D", "expect": None},
            {"claim": "sought", "code": CODES[2], "expect": None},
            {"claim": "other", "code": CODES[0], "expect": None},
            {"claim": "other", "opener": "before_arrival", "expect": None},
        ],
        "no_tries": [
            {"claim": "sought", "answers": {"birth_date": "1970-02-28"}, "refused": "two-answers-needed"},
            {"claim": "sought", "answers": sought, "refused": "two-answers-needed"},
            {"claim": "sought", "answers": {"birth_date": "1970-02-28", "curp": "x"}, "refused": "two-answers-needed"},
            {"claim": "other", "answers": {"birth_date": "1970-02-28", "shoe_size": "44"},
             "refused": "two-answers-needed"},
            {"claim": "sought", "code": "0123456789AB", "refused": "not-a-code"},
            {"claim": "sought", "code": "0123456789ABU", "refused": "not-a-code"},
        ],
        "other_device": {"device": str(OTHER_DEVICE), "claim": "sought", "code": CODES[0], "expect": None},
    }  # fmt: skip


def _but(answers: dict[str, str], left_out: str) -> dict[str, str]:
    return {kind: answer for kind, answer in answers.items() if kind != left_out}


def main() -> None:
    for name, vectors in (
        ("op", op_vectors),
        ("item", item_vectors),
        ("receipt", receipt_vectors),
        ("lock", lock_vectors),
    ):
        (HERE / f"{name}.json").write_text(json.dumps(vectors(), indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
