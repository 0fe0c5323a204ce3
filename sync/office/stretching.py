"""Identity answers are stretched once per party and kept sealed: 20,000 rounds are too many for every publish."""

from __future__ import annotations

from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

from sqlalchemy.orm import Session

from field_api.domain.disclosure import Audience
from field_api.platform.keyring import OfficeKeys
from field_api.platform.sealing import sha256, stretch
from field_api.records.people import VerificationAnswer

ROUNDS = 20_000
PLACE = "verification_answer.stretched"
THREADS = 4  # hashlib lets go of the interpreter lock


def stretched_answers(session: Session, keys: OfficeKeys, answers: Collection[VerificationAnswer]) -> dict[UUID, bytes]:
    """The stretched form of each answer, by its id; those made anew are kept. Needs audience OFFICE_JOB."""
    known = {row.id: keys.open_at_rest(PLACE, row.stretched) for row in answers if row.stretched is not None}
    wanted = {row.id: row for row in answers if row.stretched is None}
    work = [(row.answer.reveal(Audience.OFFICE_JOB).encode(), answer_salt(row)) for row in wanted.values()]
    with ThreadPoolExecutor(THREADS) as pool:
        made = list(pool.map(lambda item: stretch(item[0], item[1], ROUNDS), work))
    for row, value in zip(wanted.values(), made, strict=True):
        row.stretched = keys.seal_at_rest(PLACE, value)
        known[row.id] = value
    session.flush()
    return known


def answer_salt(row: VerificationAnswer) -> bytes:
    """Bound to agency, person and kind: the same birth date of two people stretches to two values."""
    parts = (b"doorstep-answer-v1", str(row.agency_id).encode(), str(row.person_id).encode(), row.kind.encode())
    return sha256(b"\x00".join(parts))
