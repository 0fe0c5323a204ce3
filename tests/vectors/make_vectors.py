"""Writes op.json, item.json, receipt.json and lock.json beside this file: `python -m tests.vectors.make_vectors`.

Keys are fixed and worthless. Signatures, nonces and HPKE are random, so a new run writes other bytes that mean the same.
What a phone makes is made by tests/door_client.py, what the agency makes by its own code: each side's tests read the
other's bytes. Every document says in `expect` what a reader must find, or with which code it must refuse.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric import ec

from field_api.platform.bounded_json import canonical
from field_api.platform.sealing import b64u, public_key_of, seal_to, sha256, sign, stretch
from sync.office.items import Content, FeedWriter, SheetKeyInUse
from sync.office.locks import LockPlace, seal_brief, wrap_by_answers, wrap_by_code
from sync.roll import first_roll
from tests.door_client import Phone

AGENCY = UUID("0190a0e0-0000-7000-8000-000000000001")
DEVICE = UUID("0190a0e0-0000-4000-8000-000000000002")
VISIT = UUID("0190a0e0-0000-4000-8000-000000000003")
PERSON = UUID("0190a0e0-0000-7000-8000-000000000004")
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
                "expect": {"kind": "note", "body": {"words": "timbre azul"}, "link": b64u(phone.link), "seq": 2},
            },
            {"op": second | {"ct": flipped}, "expect": {"refused": "bad-signature"}},
            {"op": first | {"sig": second["sig"]}, "expect": {"refused": "bad-signature"}},
            {"op": {"protected": first["protected"]}, "expect": {"refused": "bad-form"}},
        ],
    }


def item_vectors() -> dict[str, Any]:
    office: Any = _Office()
    writer = FeedWriter(office, DEVICE, 1, 0, first_roll(AGENCY, DEVICE, 1), SHEET_KEY)
    contents = [
        Content("verdict", OP, {"seq": 1, "verdict": "applied", "reason": None, "flags": ["far-away"]}),
        Content(
            "visit", VISIT, {"state": "withdrawn", "assignment_version": 2, "stop": None, "open": None, "locks": []}
        ),
    ]
    rows = [writer.write(content) for content in contents]
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


def lock_vectors() -> dict[str, Any]:
    place, key = LockPlace(VISIT, PERSON), bytes(range(100, 132))
    brief = {"party": {"name": "Persona Inventada", "role": "debtor"}, "accounts": [], "history": [], "letters": []}
    answers = {"birth_date": "1970-02-28", "postcode": "06700"}
    stretched = {
        kind: stretch(
            answer.encode(),
            sha256(b"\x00".join([b"doorstep-answer-v1", str(AGENCY).encode(), str(PERSON).encode(), kind.encode()])),
            20_000,
        )
        for kind, answer in answers.items()
    }
    code = "0123456789ABC"
    by_answers = wrap_by_answers(place, key, stretched["birth_date"], stretched["postcode"])
    by_code = wrap_by_code(place, DEVICE, key, code)
    wraps = [
        {"method": "answers", "kinds": ["birth_date", "postcode"], "wrap": by_answers},
        {"method": "code", "kinds": [], "wrap": by_code},
    ]
    return {
        **WHO,
        "visit": str(VISIT),
        "answers": answers,
        "stretched": {kind: b64u(value) for kind, value in stretched.items()},
        "code": code,
        "lock": {
            "person": str(PERSON), "role": "debtor", "name": "Persona Inventada",
            "questions": [{"kind": "birth_date", "group": "birth"}, {"kind": "postcode", "group": "postcode"}],
            "wraps": wraps, "ct": seal_brief(place, key, brief),
        },
        "expect": brief,
        "refused": {"answers": {"birth_date": "1970-02-27", "postcode": "06700"}, "code": "0123456789ABD"},
    }  # fmt: skip


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
