"""Enrolment at the door (docs/protocol.md §4): it stores claims for a hash and hands out the office's answer.

The secret never comes here, so nothing in here can tell a right claim from a wrong one or make an answer.
"""

from __future__ import annotations

from datetime import datetime
from typing import TypeAlias
from uuid import UUID

from flask import Blueprint, request
from flask.typing import ResponseReturnValue
from sqlalchemy import Row, Select, func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from field_api.platform.bounded_json import BadJson, loads
from field_api.platform.database import across_agencies, transaction
from field_api.platform.problems import Problem
from field_api.platform.sealing import Unsealable, b64u, from_b64u, sha256
from field_api.platform.wiring import clock
from sync.mailbox import MAX_CLAIMS, Enrolment, EnrolmentClaim

MAX_BODY_BYTES, MAX_REQUEST_BYTES = 4 * 1024, 2_048
RETRY = {"Retry-After": "1"}

blueprint = Blueprint("enrolments", __name__)
Found: TypeAlias = Row[UUID, UUID, datetime, bytes | None, bytes | None]


@blueprint.post("/enrolments")
def claim() -> ResponseReturnValue:
    hashed, claimed, mac = _read_claim()
    enrolment = _find("hash", hashed.hex(), select(*_SEEN).where(Enrolment.hash == hashed))
    if enrolment is None or enrolment.expires_at <= clock().now():
        raise _refused()
    with transaction(enrolment.agency_id) as session:
        _keep(session, enrolment, claimed, mac)
    return {"enrolment": str(enrolment.id)}, 202, RETRY


@blueprint.get("/enrolments/<uuid:enrolment_id>")
def answer(enrolment_id: UUID) -> ResponseReturnValue:
    enrolment = _find("id", str(enrolment_id), select(*_SEEN).where(Enrolment.id == enrolment_id))
    if enrolment is None:
        raise Problem("not-found", "no such enrolment")
    if enrolment.answer is None:
        if enrolment.expires_at <= clock().now():
            raise _refused()
        return {"enrolment": str(enrolment_id)}, 202, RETRY
    return {"answer": b64u(enrolment.answer), "mac": b64u(enrolment.answer_mac or b"")}


_SEEN = (
    Enrolment.agency_id, Enrolment.id, Enrolment.expires_at, Enrolment.answer, Enrolment.answer_mac,
)  # fmt: skip


def _refused() -> Problem:
    return Problem("enrolment-refused", "this code is unknown, used or expired")


def _read_claim() -> tuple[bytes, bytes, bytes]:
    """Hash, request and MAC of the body. Raises Problem."""
    request.max_content_length = MAX_BODY_BYTES
    try:
        body = loads(request.get_data(cache=False), max_bytes=MAX_BODY_BYTES)
    except BadJson as error:
        raise Problem("invalid-json", str(error)) from error
    try:
        hashed, claimed, mac = (from_b64u(body[name]) for name in ("hash", "request", "mac"))
    except (TypeError, KeyError, AttributeError, Unsealable) as error:
        raise Problem("bad-request", "hash, request and mac are base64url texts") from error
    if len(hashed) != 32 or len(mac) != 32 or not 0 < len(claimed) <= MAX_REQUEST_BYTES:
        raise Problem("bad-request", f"hash and mac have 32 bytes, request at most {MAX_REQUEST_BYTES}")
    return hashed, claimed, mac


def _find(by: str, value: str, query: Select[UUID, UUID, datetime, bytes | None, bytes | None]) -> Found | None:
    """The one enrolment that somebody who knows its hash or id may see: the agency is not known yet."""
    with across_agencies("a phone that enrols knows a hash or an id; the agency follows from the row") as session:
        session.execute(text(f"SELECT set_config('doorstep.enrolment_{by}', :value, true)"), {"value": value})
        return session.execute(query).one_or_none()


def _keep(session: Session, enrolment: Found, claimed: bytes, mac: bytes) -> None:
    """Keep the claim, once. A used enrolment takes the bytes it has already; no hash takes more than five."""
    digest = sha256(claimed + mac)
    mine = (EnrolmentClaim.agency_id == enrolment.agency_id, EnrolmentClaim.enrolment_id == enrolment.id)
    for _ in range(MAX_CLAIMS + 1):  # two phones at once may ask for the same position: the next one is free
        known, last = session.execute(
            select(
                func.count().filter(EnrolmentClaim.sha256 == digest),
                func.coalesce(func.max(EnrolmentClaim.position), 0),
            ).where(*mine)
        ).one()
        if known:
            return
        if enrolment.answer is not None or last >= MAX_CLAIMS:
            raise _refused()
        statement = insert(EnrolmentClaim).values(
            agency_id=enrolment.agency_id, enrolment_id=enrolment.id, position=last + 1, sha256=digest,
            request=claimed, mac=mac, received_at=clock().now(),
        )  # fmt: skip
        if session.execute(statement.on_conflict_do_nothing().returning(EnrolmentClaim.position)).first():
            session.execute(text("NOTIFY doorstep_inbox"))
            return
    raise _refused()
