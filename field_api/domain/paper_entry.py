"""A visit sheet that was filled in by hand, typed in afterwards: what each row says, as bodies of ordinary operations.

Nothing is judged here but whether it can be read. What cannot is named by field, and everything else stands.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass, fields
from datetime import UTC, date, datetime, time
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from field_api.domain.sheets import ENVELOPE_NUMBERS, LETTERS, OUTCOME_NUMBERS
from field_api.domain.vocabulary import (
    ContactKind,
    IdentityMethod,
    LetterHandling,
    NotDeliveredReason,
    OpKind,
    OutcomeKind,
    Relation,
)

TIME_NOT_WRITTEN = "time-not-written"
"""Of an operation whose row has no time: it is put where the plan had the visit."""
OPERATIONS = UUID("5b6a6b3e-6f0b-5e0f-9d0c-3f7f5d1c2a90")
"""The namespace of these operations' ids, so that typing a sheet twice makes none twice."""

_TIME = re.compile(r"(\d{1,2})\s*(?:[:.hH]\s*(\d{2})?|(\d{2}))?\s*([aApP])?\.?\s*[mM]?\.?")
_BOX = re.compile(r"(\d{1,3})\s*([A-Za-z])?")
_MOST = {
    "time": 12, "box": 8, "letter": 8, "envelope": 8,
    "phone": 40, "email": 320, "address": 200, "person": 200, "note": 2_000,
}  # fmt: skip
"""What the small fields need (their patterns are tried on nothing longer); what an operation's body takes of the others
(docs/outcomes.md, Bodies)."""


class Line(StrEnum):
    """What of a row one operation is about: each has its own story of being typed and typed again."""

    OUTCOME = "outcome"
    ENVELOPE = "envelope"
    CONTACT = "contact"
    NOTE = "note"
    ARRIVED = "arrived"


class Trouble(StrEnum):
    """Why a field cannot be read. Codes are stable."""

    NO_SUCH_ROW = "no-such-row"
    ROW_TWICE = "row-twice"
    NOT_A_TIME = "not-a-time"
    NO_SUCH_TIME = "no-such-time"  # that night the clocks were put forward
    LATER_THAN_NOW = "later-than-now"
    NO_SUCH_BOX = "no-such-box"
    SEVERAL_BOXES = "several-boxes"
    NO_SUCH_LETTER = "no-such-letter"
    LETTER_MISSING = "letter-missing"  # who it was: the agent knows
    LETTER_WITHOUT_BOX = "letter-without-box"
    TOO_LONG = "too-long"


@dataclass(frozen=True)
class Unreadable:
    field: str
    trouble: Trouble


@dataclass(frozen=True)
class TypedRow:
    """One row as somebody typed it from the paper; empty where nothing is written."""

    time: str = ""  # local, at the address
    box: str = ""  # 1 to 11
    letter: str = ""
    envelope: str = ""  # 12 or 13
    phone: str = ""
    email: str = ""
    address: str = ""
    person: str = ""
    note: str = ""

    @classmethod
    def of(cls, typed: Mapping[str, str | None]) -> TypedRow:
        """Of a form or a file: blanks around go, what no text holds becomes a blank."""
        return cls(**{name: _plain(typed.get(name) or "") for name in FIELDS})

    @property
    def blank(self) -> bool:
        return not any(astuple(self))


FIELDS = tuple(field.name for field in fields(TypedRow))


@dataclass(frozen=True)
class ReadRow:
    """`at` None: no time is written. `outcome` and the rest are bodies, `contacts` candidates with their kind."""

    at: datetime | None
    outcome: Mapping[str, Any] | None
    envelope: Mapping[str, Any] | None
    contacts: tuple[Mapping[str, Any], ...]
    note: str


def read_row(typed: TypedRow, *, day: date, zone: ZoneInfo, now: datetime) -> ReadRow | tuple[Unreadable, ...]:
    """What a row that is not blank says, or every field that cannot be read."""
    troubles: list[Unreadable] = list(_too_long(typed))
    if troubles:
        return tuple(troubles)
    at = _at(typed.time, day, zone, now)
    outcome = _outcome(typed)
    envelope = _envelope(typed)
    for part in (at, outcome, envelope):
        if isinstance(part, Unreadable):
            troubles.append(part)
    if troubles or isinstance(at, Unreadable) or isinstance(outcome, Unreadable) or isinstance(envelope, Unreadable):
        return tuple(troubles)
    return ReadRow(at, outcome, envelope, tuple(_contacts(typed)), typed.note)


@dataclass(frozen=True)
class TypedBefore:
    """One operation that was made of the same row of the same paper before."""

    op_id: UUID
    line: Line
    typed: TypedRow


@dataclass(frozen=True)
class PaperOperation:
    op_id: UUID
    line: Line
    kind: OpKind
    body: dict[str, Any]


def operations_of(
    row: ReadRow, typed: TypedRow, before: Sequence[TypedBefore], *, route_id: UUID, visit_id: UUID
) -> list[PaperOperation]:
    """What has to be recorded so that the office knows all that the row says, and knows it once.

    What was typed before and is so still, however it is spelt, makes nothing. An outcome that is typed otherwise is a
    correction of the last one; what was left out this time stands: facts are added, never taken away.
    """
    known = {line: [one for one in before if one.line is line] for line in Line}
    fresh = [contact for contact in row.contacts if contact not in _typed_contacts(before)]
    found: list[PaperOperation] = []

    def add(line: Line, kind: OpKind, body: Mapping[str, Any]) -> None:
        name = f"{route_id}/{visit_id}/{line.value}/{len(known[line])}"
        found.append(PaperOperation(uuid5(OPERATIONS, name), line, kind, dict(body)))

    last = known[Line.OUTCOME][-1] if known[Line.OUTCOME] else None
    if row.outcome is not None and (last is None or _says_otherwise(typed, last.typed)):
        body = {**row.outcome, **({"note": row.note} if row.note else {}), "contacts": fresh}
        if last is None:
            add(Line.OUTCOME, OpKind.OUTCOME, body)
        else:
            words = "typed again from the paper sheet"
            add(Line.OUTCOME, OpKind.CORRECTION, {"corrects": str(last.op_id), "words": words, "outcome": body})
        fresh = []
    sent = known[Line.ENVELOPE]
    if row.envelope is not None and (not sent or _envelope(sent[-1].typed) != row.envelope):
        add(Line.ENVELOPE, OpKind.LETTER, row.envelope)
    if fresh:
        add(Line.CONTACT, OpKind.CONTACT, {"source": _source(row.outcome), "contacts": fresh})
    if row.note and row.outcome is None and all(one.typed.note != row.note for one in before):
        add(Line.NOTE, OpKind.NOTE, {"words": row.note})
    if row.at and not (found or before):
        add(Line.ARRIVED, OpKind.ARRIVED, {})
    return found


def _says_otherwise(typed: TypedRow, before: TypedRow) -> bool:
    """Of what an outcome's operation says: 9.05 and 905, 2b and 2 with b beside it, are the same. A time or a note that
    is left out this time is not taken back."""
    return (
        _outcome(typed) != _outcome(before)
        or (typed.time != "" and _hour_and_minute(typed.time) != _hour_and_minute(before.time))
        or typed.note not in ("", before.note)
    )


def _typed_contacts(before: Sequence[TypedBefore]) -> list[Mapping[str, Any]]:
    return [contact for one in before for contact in _contacts(one.typed)]


def _plain(text: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in text).strip()


def _too_long(typed: TypedRow) -> Iterator[Unreadable]:
    for name, most in _MOST.items():
        if len(getattr(typed, name)) > most:
            yield Unreadable(name, Trouble.TOO_LONG)


def _at(written: str, day: date, zone: ZoneInfo, now: datetime) -> datetime | Unreadable | None:
    """9:05, 9.05, 905, 9 h 05, 4:30 pm. Of an hour that there is twice that night the first."""
    read = _hour_and_minute(written)
    if not isinstance(read, tuple):
        return read
    hour, minute = read
    local = datetime.combine(day, time(hour, minute), zone)
    at = local.astimezone(UTC)
    if at.astimezone(zone).time() != local.time():
        return Unreadable("time", Trouble.NO_SUCH_TIME)
    return at if at <= now else Unreadable("time", Trouble.LATER_THAN_NOW)


def _hour_and_minute(written: str) -> tuple[int, int] | Unreadable | None:
    if not written:
        return None
    found = _TIME.fullmatch(written)
    if found is None:
        return Unreadable("time", Trouble.NOT_A_TIME)
    hour, minute = int(found[1]), int(found[2] or found[3] or 0)
    if found[4]:
        if not 1 <= hour <= 12:
            return Unreadable("time", Trouble.NOT_A_TIME)
        hour = hour % 12 + (12 if found[4] in "pP" else 0)
    return (hour, minute) if hour <= 23 and minute <= 59 else Unreadable("time", Trouble.NOT_A_TIME)


def _outcome(typed: TypedRow) -> Mapping[str, Any] | Unreadable | None:
    if not typed.box:
        return Unreadable("letter", Trouble.LETTER_WITHOUT_BOX) if typed.letter else None
    found = _BOX.fullmatch(typed.box)
    if found is None:
        several = len(re.findall(r"\d+", typed.box)) > 1
        return Unreadable("box", Trouble.SEVERAL_BOXES if several else Trouble.NO_SUCH_BOX)
    kind = OUTCOME_NUMBERS.get(int(found[1]))
    if kind is None:
        return Unreadable("box", Trouble.NO_SUCH_BOX)
    return _with_letter(kind, (typed.letter or found[2] or "").lower())


def _with_letter(kind: OutcomeKind, letter: str) -> Mapping[str, Any] | Unreadable:
    letters = LETTERS.get(kind, {})
    if letter and letter not in letters:
        return Unreadable("letter", Trouble.NO_SUCH_LETTER)
    meant = letters[letter].value if letter else None
    match kind:
        case OutcomeKind.CLIENT_LOCATED:
            # Without a phone there is no lock to open: who it is, the agent saw from a document.
            return {
                "outcome": kind.value,
                "party": {"relation": Relation.SOUGHT.value},
                "identified_by": IdentityMethod.ATTESTATION.value,
            }
        case OutcomeKind.THIRD_PARTY_ATTENDED:
            if meant is None:
                return Unreadable("letter", Trouble.LETTER_MISSING)
            return {"outcome": kind.value, "relation": meant}
        case OutcomeKind.UNSAFE:
            return {"outcome": kind.value, "danger": meant or "other"}
        case OutcomeKind.SKIPPED:
            return {"outcome": kind.value, "reason": meant or "other"}
        case _:
            return {"outcome": kind.value}


def _envelope(typed: TypedRow) -> Mapping[str, Any] | Unreadable | None:
    if not typed.envelope:
        return None
    handling = ENVELOPE_NUMBERS.get(int(typed.envelope)) if re.fullmatch(r"[0-9]{1,3}", typed.envelope) else None
    if handling is None:
        return Unreadable("envelope", Trouble.NO_SUCH_BOX)
    if handling is LetterHandling.HANDED_OVER:
        return {"handling": handling.value, "recipient": Relation.SOUGHT.value}
    return {"handling": handling.value, "reason": NotDeliveredReason.NOT_MET.value}


def _contacts(typed: TypedRow) -> Iterator[Mapping[str, Any]]:
    if typed.phone:
        yield {"kind": ContactKind.PHONE.value, "value": typed.phone}
    if typed.email:
        yield {"kind": ContactKind.EMAIL.value, "value": typed.email}
    if typed.address:
        yield {"kind": ContactKind.ADDRESS.value, "street": typed.address}
    if typed.person:
        yield {"kind": ContactKind.PERSON.value, "name": typed.person, "relation": Relation.NOBODY.value}


def _source(outcome: Mapping[str, Any] | None) -> str:
    """Who gave contact data that stand beside an outcome recorded before; nobody: the paper does not say."""
    if outcome is None:
        return Relation.NOBODY.value
    party: Mapping[str, str] = outcome.get("party", {})
    return str(party.get("relation") or outcome.get("relation") or Relation.NOBODY.value)
