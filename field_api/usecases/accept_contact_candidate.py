"""Accept contact data from a door: they become a contact point, an address, or a representative of the person."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import exists, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session
from tzfpy import get_tz

from field_api.domain.cells import fold
from field_api.domain.confidential import audience
from field_api.domain.contact_data import read_phone
from field_api.domain.disclosure import Audience
from field_api.domain.places import jurisdiction_of
from field_api.domain.row_errors import CellRefused
from field_api.domain.vocabulary import REPRESENTATIVES, ContactKind, OutcomeKind, Relation
from field_api.platform.columns import fingerprint
from field_api.platform.ids import new_id
from field_api.platform.problems import Problem
from field_api.platform.tenancy import current_agency
from field_api.records.accounts import Party
from field_api.records.base import load
from field_api.records.people import Address, ContactCandidate, ContactPoint, Person
from field_api.records.results import Attempt
from field_api.records.visits import Visit
from field_api.usecases.lock_visit import accounts_owed_by

PLACE = ("street", "number", "interior", "neighbourhood", "city", "municipality", "postcode", "state", "country")
"""What makes a place the same place; the importer fingerprints the same parts (a test holds them together)."""
_SOURCES = {Relation.SOUGHT: "debtor", Relation.GUARANTOR: "obligor"}


def accept_contact_candidate(
    session: Session, candidate_id: UUID, *, decided_by: UUID | None, now: datetime
) -> ContactCandidate:
    """Accept it. A number that may not be used stays so; a third party that was named gets no row of their own.

    Raises Problem `not-found`, `already-done`, `invalid-fields` (cannot be dialled, written to or visited).
    """
    candidate = undecided(session, candidate_id)
    if "invalid" in candidate.flags:
        raise Problem("invalid-fields", "this cannot be dialled or written to: reject it", at="value")
    with audience(Audience.OFFICE_JOB):
        value: dict[str, Any] = json.loads(candidate.value.reveal(Audience.OFFICE_JOB))
    match ContactKind(candidate.kind):
        case ContactKind.PHONE | ContactKind.EMAIL:
            _add_contact_point(session, candidate, candidate.person_id, candidate.kind, value["value"])
        case ContactKind.ADDRESS:
            _add_address(session, candidate, value, now)
        case ContactKind.PERSON:
            _add_representative(session, candidate, value)
    return decide(candidate, "accepted", decided_by, now)


def undecided(session: Session, candidate_id: UUID) -> ContactCandidate:
    """The candidate, locked. Raises `not-found`, `already-done`."""
    candidate = load(session, ContactCandidate, candidate_id, lock=True)
    if candidate.state != "new":
        raise Problem("already-done", f"the candidate was {candidate.state} before")
    return candidate


def decide(candidate: ContactCandidate, state: str, decided_by: UUID | None, now: datetime) -> ContactCandidate:
    candidate.state = state
    candidate.decided_at = now
    candidate.decided_by = decided_by
    return candidate


def _add_contact_point(session: Session, candidate: ContactCandidate, person_id: UUID, kind: str, text: str) -> None:
    """The same number again becomes usable once somebody entitled has given it; it never becomes less usable."""
    statement = insert(ContactPoint).values(
        agency_id=current_agency(),
        id=new_id(),
        person_id=person_id,
        kind=kind,
        value=text,
        fingerprint=fingerprint("contact_point.value")(text),
        source=_SOURCES.get(Relation(candidate.source), "third_party"),
        usable=candidate.usable,
    )
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["agency_id", "person_id", "kind", "fingerprint"],
            set_={"usable": ContactPoint.usable | statement.excluded.usable},
        )
    )


def _add_address(session: Session, candidate: ContactCandidate, value: Mapping[str, Any], now: datetime) -> None:
    """A further address, on the list for geocoding where it has no position. Moved: the old one is visited no more."""
    placed = "lat" in value and "lon" in value
    place = "|".join(fold(value.get(part) or "") for part in PLACE)
    texts = {name: value.get(name) for name in (*PLACE, "between_1", "between_2", "hint")}
    statement = insert(Address).values(
        agency_id=current_agency(),
        id=new_id(),
        person_id=candidate.person_id,
        **texts,
        latitude=value["lat"] if placed else None,
        longitude=value["lon"] if placed else None,
        timezone=get_tz(value["lon"], value["lat"]) or None if placed else None,
        geocode_state="given" if placed else "wanted",
        jurisdiction=_jurisdiction(value),
        fingerprint=fingerprint("address.fingerprint")(place),
        source=_SOURCES.get(Relation(candidate.source), "third_party"),
    )
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["agency_id", "person_id", "fingerprint"],
            set_={"retired_at": None, "version": Address.version + 1},
        )
    )
    _retire_left(session, candidate, now)


def _jurisdiction(value: Mapping[str, Any]) -> str:
    try:
        return jurisdiction_of(value["country"], value.get("state"))
    except CellRefused as refused:
        raise Problem("invalid-fields", "the state decides which rules hold and is not known", at="state") from refused


def _retire_left(session: Session, candidate: ContactCandidate, now: datetime) -> None:
    moved = exists().where(
        Attempt.agency_id == current_agency(),
        Attempt.op_id == candidate.op_id,
        Attempt.outcome == OutcomeKind.MOVED.value,
    )
    left = select(Visit.address_id).where(Visit.agency_id == current_agency(), Visit.id == candidate.visit_id)
    session.execute(
        update(Address)
        .where(Address.agency_id == current_agency(), Address.id.in_(left), moved)
        .values(retired_at=now, version=Address.version + 1)
        .execution_options(synchronize_session=False)
    )


def _add_representative(session: Session, candidate: ContactCandidate, value: Mapping[str, Any]) -> None:
    """An attorney, executor or guardian becomes a party of everything the person owes, with their number."""
    if Relation(value["relation"]) not in REPRESENTATIVES:
        return
    represented = load(session, Person, candidate.person_id)
    person = Person(
        creditor_id=represented.creditor_id,
        external_ref=f"candidate:{candidate.id}",
        name=value["name"],
        language=represented.language,
    )
    session.add(person)
    session.flush()
    for account_id in sorted(accounts_owed_by(session, represented.id)):
        session.add(Party(account_id=account_id, person_id=person.id, role=value["relation"]))
    phone = read_phone(value["phone"], _country(session, candidate)) if "phone" in value else None
    if phone is not None and phone.flag is None:
        _add_contact_point(session, candidate, person.id, ContactKind.PHONE.value, phone.value)


def _country(session: Session, candidate: ContactCandidate) -> str:
    visited = select(Address.country).join(
        Visit, (Visit.agency_id == Address.agency_id) & (Visit.address_id == Address.id)
    )
    return session.scalar(visited.where(Visit.agency_id == current_agency(), Visit.id == candidate.visit_id)) or "ZZ"
