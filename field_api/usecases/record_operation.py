"""Let one operation from a phone take effect: the fact is kept, and what follows from it happens at once.

Sync calls this in device order; operations that lock no more than their visits may share a transaction. Rules and
flags: docs/outcomes.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from field_api.domain.confidential import audience
from field_api.domain.debt_words import find_debt_words
from field_api.domain.disclosure import Audience
from field_api.domain.evidence import when_it_happened
from field_api.domain.operations import Effect, RecordedOperation
from field_api.domain.outside_text import OPEN_TEXTS
from field_api.domain.unlocks import THIRD_PARTY_MET, is_third_party
from field_api.domain.vocabulary import OpKind, OutcomeKind, Verdict, VisitEventKind
from field_api.queries.passed_checks import passed_checks
from field_api.queries.photo_declarations import PERMISSION_WITHDRAWN
from field_api.usecases.add_contact_candidates import add_contact_candidates
from field_api.usecases.add_promises import replace_promises
from field_api.usecases.apply_outcome import apply_outcome
from field_api.usecases.note_location_inquiry import note_location_inquiry
from field_api.usecases.note_unlock import note_check, note_opened
from field_api.usecases.note_visit_event import note_visit_event
from field_api.usecases.operation_context import AtTheDoor, at_the_door
from field_api.usecases.operation_schemas import read_body
from field_api.usecases.take_letter_note import take_letter_note
from field_api.usecases.visits_in_hand import VisitsInHand, take_in_hand

PERMISSION_GRANTED = "permission-granted"
AT_A_DOOR = frozenset(
    {OpKind.ARRIVED, OpKind.ENCOUNTER, OpKind.IDENTITY_CHECK, OpKind.OUTCOME, OpKind.LETTER, OpKind.CONTACT}
)
"""What is recorded while somebody stands at a door: a manager sees where that was outside of the contact hours."""


def record_operation(
    session: Session, operation: RecordedOperation, *, now: datetime, in_hand: VisitsInHand | None = None
) -> Effect:
    """Read, lock, apply and note one operation; never commits.

    Whoever has the visits of several operations `in_hand` finishes them itself, after the last one.

    Returns APPLIED, or LATE where the visit was withdrawn or reassigned meanwhile: then only the plan stays as it is.
    Raises UnreadableOperation for a body that does not fit its kind or names what the office does not know; the caller
    rolls back to before this call and quarantines the operation with the reason.
    """
    body = read_body(operation.kind, operation.body)
    if operation.kind is OpKind.SESSION:
        return Effect(Verdict.APPLIED, when_it_happened(operation.evidence, operation.received_at).flags)
    with audience(Audience.OFFICE_JOB):
        visits = in_hand or take_in_hand(session, [operation.visit_id] if operation.visit_id else [])
        door = at_the_door(visits, operation, now)
        if any(find_debt_words(text) for text in open_texts(operation.kind, body)):
            door.flag("debt-words")
        if operation.kind in AT_A_DOOR and body.get("outcome") is not OutcomeKind.SKIPPED:
            door.flag_hours()
        effects = _APPLY.get(operation.kind, _fact_alone)(session, door, body)
        _note(session, door, body, effects)
        if in_hand is None:
            visits.finish(session)
    return Effect(Verdict.LATE if door.late else Verdict.APPLIED, tuple(door.flags))


def _fact_alone(_session: Session, door: AtTheDoor, body: Mapping[str, Any]) -> dict[str, Any]:
    door.person(body.get("person"))
    return {}


def _arrived(_session: Session, door: AtTheDoor, body: Mapping[str, Any]) -> dict[str, Any]:
    door.flag_place(body["position"])
    door.note_house_found(body)
    door.note_hazards(body)
    return {}


def _encounter(session: Session, door: AtTheDoor, body: Mapping[str, Any]) -> dict[str, Any]:
    if is_third_party(body["relation"]):
        door.marks.append(THIRD_PARTY_MET)
    if body["location_asked"]:
        note_location_inquiry(session, door, body["relation"], body["whom"])
    return {}


def _outcome(session: Session, door: AtTheDoor, body: Mapping[str, Any]) -> dict[str, Any]:
    return apply_outcome(session, door, body, door.operation.body)


def _correction(session: Session, door: AtTheDoor, body: Mapping[str, Any]) -> dict[str, Any]:
    """A new fact beside the old one; a corrected outcome takes effect, and the old promises stand no longer."""
    door.flag("correction")
    if "outcome" not in body:
        return {}
    recorded = {**door.operation.body["outcome"], "corrects": str(body["corrects"])}
    effects = apply_outcome(session, door, body["outcome"], recorded)
    replace_promises(session, door, body["corrects"])
    return effects


def _letter(session: Session, door: AtTheDoor, body: Mapping[str, Any]) -> dict[str, Any]:
    flags = take_letter_note(
        session,
        visit=door.visit,
        handling=body["handling"],
        recipient=body.get("recipient"),
        at=door.at,
        actor=door.actor,
        op_id=door.operation.op_id,
        serial=body.get("serial"),
        checked=None if door.operation.from_paper else passed_checks(session, door.visit.id, door.actor),
    )
    door.flag(*flags)
    return {}


def _contact(session: Session, door: AtTheDoor, body: Mapping[str, Any]) -> dict[str, Any]:
    person_id = door.person(body.get("person"))
    added = add_contact_candidates(session, door, body["contacts"], source=body["source"], person_id=person_id)
    return {"contact_candidates": added}


def _photo_permission(_session: Session, door: AtTheDoor, body: Mapping[str, Any]) -> dict[str, Any]:
    door.marks.append(PERMISSION_GRANTED if body["granted"] else PERMISSION_WITHDRAWN)
    return {}


def _photo(_session: Session, door: AtTheDoor, body: Mapping[str, Any]) -> dict[str, Any]:
    if body["permission"] not in _standing_permissions(door):
        door.flag("no-permission")
    return {}


def _standing_permissions(door: AtTheDoor) -> set[UUID | None]:
    """Operations that granted a permission on this visit after which none was taken back."""
    standing: set[UUID | None] = set()
    for line in door.told.of_visit(door.visit, VisitEventKind.PHOTO_PERMISSION):
        standing = set() if PERMISSION_WITHDRAWN in line.flags else standing | {line.op_id}
    return standing


_APPLY: dict[OpKind, Callable[[Session, AtTheDoor, Mapping[str, Any]], dict[str, Any]]] = {
    OpKind.ARRIVED: _arrived,
    OpKind.ENCOUNTER: _encounter,
    OpKind.IDENTITY_CHECK: note_check,
    OpKind.OPENED: note_opened,
    OpKind.OUTCOME: _outcome,
    OpKind.CORRECTION: _correction,
    OpKind.LETTER: _letter,
    OpKind.CONTACT: _contact,
    OpKind.PHOTO_PERMISSION: _photo_permission,
    OpKind.PHOTO: _photo,
}


def _note(session: Session, door: AtTheDoor, body: Mapping[str, Any], effects: Mapping[str, Any]) -> None:
    """The story's line: what was recorded, word for word, with clocks, distance, verdict and what it placed."""
    operation, evidence = door.operation, door.operation.evidence
    event = note_visit_event(
        session,
        door.visit.id,
        VisitEventKind(operation.kind.value),
        door.at,
        door.actor,
        {
            "recorded": operation.body,
            "verdict": (Verdict.LATE if door.late else Verdict.APPLIED).value,
            "effects": dict(effects),
            "distance_m": effects.get("distance_m", door.distance_of(body.get("position"))),
            "device": str(operation.device_id) if operation.device_id else None,
            "seq": operation.seq,
            "received_at": operation.received_at.isoformat(),
            "wall_clock": operation.wall_clock.isoformat(),
            "anchor_at": evidence.anchor_at.isoformat() if evidence.anchor_at else None,
            "monotonic_ms": evidence.monotonic_ms,
            "boot_id": evidence.boot_id,
            "assignment_version": operation.assignment_version,
        },
        operation.op_id,
        [*door.flags, *door.withheld, *door.marks],
    )
    door.told.add(event)


def open_texts(kind: OpKind, body: Mapping[str, Any]) -> Iterator[str]:
    """The free texts that should hold nothing of a debt. What a located client said may, and is left out."""
    if kind is OpKind.NOTE:
        yield body["words"]
    located = body.get("outcome") is OutcomeKind.CLIENT_LOCATED
    yield from _texts({name: part for name, part in body.items() if not (located and name == "note")})


def _texts(part: Any) -> Iterator[str]:
    if isinstance(part, Mapping):
        for name, inner in part.items():
            if name in OPEN_TEXTS and isinstance(inner, str):
                yield inner
            else:
                yield from _texts(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from _texts(inner)
