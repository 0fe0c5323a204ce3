"""Keep new contact data from a door as candidates: a person in the office accepts or rejects each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from field_api.domain.confidential import Confidential
from field_api.domain.contact_data import may_be_asked, may_use_number, read_email, read_phone
from field_api.domain.vocabulary import ContactKind, Relation
from field_api.platform.bounded_json import canonical
from field_api.records.people import ContactCandidate
from field_api.usecases.operation_context import AtTheDoor


def add_contact_candidates(
    session: Session,
    door: AtTheDoor,
    contacts: Sequence[Mapping[str, Any]],
    *,
    source: Relation,
    person_id: UUID | None,
) -> int:
    """Add one candidate per entry (docs/outcomes.md, "contact"), in the order given; returns how many.

    Nothing is refused: what cannot be used is kept, flagged and not usable. With nobody of the visit (None) the
    same is flagged and no candidate made.
    """
    for position, contact in enumerate(contacts):
        given_by = contact.get("source", source)
        value, flags = _read(contact, door.address.country)
        if contact["kind"] is ContactKind.PHONE and not may_use_number(door.address.jurisdiction, given_by):
            flags.append("not-from-obligor")
        if not may_be_asked(given_by):
            door.flag("asked-where-not-allowed")
        if person_id is None:
            continue
        session.add(
            ContactCandidate(
                person_id=person_id,
                visit_id=door.visit.id,
                op_id=door.operation.op_id,
                position=position,
                kind=contact["kind"].value,
                value=Confidential(canonical(value).decode()),
                source=given_by.value,
                usable=not flags,
                flags=",".join([*(["late"] if door.late else []), *flags]),
                recorded_at=door.at,
            )
        )
    return 0 if person_id is None else len(contacts)


def _read(contact: Mapping[str, Any], country: str) -> tuple[dict[str, Any], list[str]]:
    """The candidate's value as plain JSON data, and what is wrong with it."""
    value = {name: _plain(item) for name, item in contact.items() if name not in ("kind", "source")}
    match contact["kind"]:
        case ContactKind.PHONE:
            read = read_phone(contact["value"], contact.get("region", country))
            return {**value, "value": read.value}, [read.flag] if read.flag else []
        case ContactKind.EMAIL:
            read = read_email(contact["value"])
            return {**value, "value": read.value}, [read.flag] if read.flag else []
        case ContactKind.ADDRESS:
            return {**value, "country": contact.get("country", country)}, []
        case _:
            return value, []


def _plain(item: Any) -> Any:
    return item.value if isinstance(item, Enum) else item
