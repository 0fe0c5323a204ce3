"""Identity answers are stretched once per party and kept sealed: 20,000 rounds are too many for every publish.

What is kept names the answer and the salt that it was made of, inside the seal: a changed answer finds nothing of the
old one, whoever changed it and whenever.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session

from field_api.domain.disclosure import Audience
from field_api.platform.keyring import OfficeKeys
from field_api.platform.sealing import sha256, stretch
from field_api.records.people import VerificationAnswer

ROUNDS = 20_000
PLACE = "verification_answer.stretched"
THREADS = 4  # hashlib lets go of the interpreter lock
HASH_BYTES = 32
KEPT = 8  # per answer: a guarantor of more debtors than that is stretched again now and then


@dataclass(frozen=True)
class Wanted:
    """An answer to be stretched for one lock: of the visits to one person sought, the lock's number there."""

    row: VerificationAnswer
    sought: UUID
    number: int

    @property
    def salt(self) -> bytes:
        return answer_salt(self.row.agency_id, self.sought, self.number, self.row.kind)


def answer_salt(agency_id: UUID, sought: UUID, number: int, kind: str) -> bytes:
    """Bound to agency, person sought, lock and kind, all of which every phone with the visit knows: the same birth date
    of two people stretches to two values, and the salt of a guarantor's lock says nothing about who that is."""
    parts = (b"doorstep-answer-v1", *(str(part).encode() for part in (agency_id, sought, number, kind)))
    return sha256(b"\x00".join(parts))


def stretched_answers(session: Session, keys: OfficeKeys, wanted: Iterable[Wanted]) -> dict[Wanted, bytes]:
    """Each answer's stretched form; those made anew are kept with the answer. Needs audience OFFICE_JOB."""
    tags = {item: _tag(item) for item in dict.fromkeys(wanted)}
    kept = {item.row.id: _kept(keys, item.row) for item in tags}
    known = {item: kept[item.row.id][tag] for item, tag in tags.items() if tag in kept[item.row.id]}
    missing = [item for item in tags if item not in known]
    with ThreadPoolExecutor(THREADS) as pool:
        made = list(pool.map(_stretched, [(_answer(item.row), item.salt) for item in missing]))
    for item, value in zip(missing, made, strict=True):
        known[item] = kept[item.row.id][tags[item]] = value
    for row in {item.row.id: item.row for item in missing}.values():
        row.stretched = keys.seal_at_rest(PLACE, _joined(kept[row.id]))
    session.flush()
    return known


def _stretched(work: tuple[bytes, bytes]) -> bytes:
    answer, salt = work
    return stretch(answer, salt, ROUNDS)


def _answer(row: VerificationAnswer) -> bytes:
    answer: str = row.answer.reveal(Audience.OFFICE_JOB)
    return answer.encode()


def _tag(item: Wanted) -> bytes:
    return sha256(item.salt + _answer(item.row))


def _kept(keys: OfficeKeys, row: VerificationAnswer) -> dict[bytes, bytes]:
    """Tag → stretched value. What an older release kept has another form, and is made anew."""
    if row.stretched is None:
        return {}
    plain = keys.open_at_rest(PLACE, row.stretched)
    if len(plain) % (2 * HASH_BYTES):
        return {}
    parts = [plain[start : start + HASH_BYTES] for start in range(0, len(plain), HASH_BYTES)]
    return dict(zip(parts[::2], parts[1::2], strict=True))


def _joined(kept: Mapping[bytes, bytes]) -> bytes:
    return b"".join(tag + value for tag, value in list(kept.items())[-KEPT:])
