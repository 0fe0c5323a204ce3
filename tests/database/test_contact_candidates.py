"""Accepting contact data from a door: each kind becomes what it is, and never more usable than its source allows."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from field_api.domain.account_row import AddressData, PartyData
from field_api.domain.confidential import audience
from field_api.domain.disclosure import Audience
from field_api.domain.vocabulary import OpKind
from field_api.platform.database import transaction
from field_api.platform.problems import Problem
from field_api.platform.tenancy import acting_for
from field_api.records.accounts import Party
from field_api.records.people import Address, ContactCandidate, ContactPoint, Person
from field_api.usecases.accept_contact_candidate import accept_contact_candidate
from field_api.usecases.reject_contact_candidate import reject_contact_candidate
from field_api.usecases.write_account_batch import AccountWrites
from tests.outcome_world import Phone, published_visit

NOW = datetime(2026, 11, 19, 9, tzinfo=UTC)
MOBILE = {"kind": "phone", "value": "55 1234 5678"}


def brings(phone: Phone, source: str, *contacts: dict[str, Any]) -> None:
    phone.records(OpKind.CONTACT, {"source": source, "contacts": list(contacts)})


def accept_all(phone: Phone) -> None:
    with transaction(phone.agency) as session:
        new = session.scalars(
            select(ContactCandidate.id).where(ContactCandidate.state == "new").order_by(ContactCandidate.id)
        )
        for candidate_id in new.all():
            accept_contact_candidate(session, candidate_id, decided_by=None, now=NOW)


def rows(phone: Phone, kind: Any) -> list[Any]:
    with transaction(phone.agency) as session:
        return list(session.scalars(select(kind).order_by(kind.id)))


def test_a_neighbours_number_stays_unusable_until_the_debtor_gives_the_same(agency: UUID) -> None:
    phone = published_visit(agency)
    brings(phone, "neighbour", MOBILE)
    accept_all(phone)
    [point] = rows(phone, ContactPoint)
    assert (point.usable, point.source, point.person_id) == (False, "third_party", phone.sought)
    brings(phone, "sought", {"kind": "phone", "value": "+52 55 1234 5678"})
    accept_all(phone)
    assert [point.usable for point in rows(phone, ContactPoint)] == [True]
    brings(phone, "neighbour", MOBILE)
    accept_all(phone)
    assert [point.usable for point in rows(phone, ContactPoint)] == [True]


def test_what_cannot_be_dialled_is_not_accepted(agency: UUID) -> None:
    phone = published_visit(agency)
    brings(phone, "sought", {"kind": "phone", "value": "12"})
    with pytest.raises(Problem, match="invalid-fields"):
        accept_all(phone)
    assert rows(phone, ContactPoint) == []


def test_a_new_address_is_added_and_the_one_left_is_visited_no_more(agency: UUID) -> None:
    phone = published_visit(agency)
    phone.outcome("moved", told_by="relative", new_address={"street": "Avenida Otra", "number": "9", "city": "Toluca"})
    accept_all(phone)
    old, new = rows(phone, Address)
    assert (old.retired_at, new.retired_at) == (NOW, None)
    assert (new.street, new.country, new.jurisdiction, new.geocode_state) == ("Avenida Otra", "MX", "MX", "wanted")


def test_an_address_given_with_a_position_knows_its_time_zone(agency: UUID) -> None:
    phone = published_visit(agency)
    brings(phone, "sought", {"kind": "address", "street": "Calle Nueva", "lat": 20.67, "lon": -103.34})
    accept_all(phone)
    old, new = rows(phone, Address)
    assert (new.geocode_state, new.timezone) == ("given", "America/Mexico_City")
    assert old.retired_at is None


def test_an_address_in_an_unknown_state_is_refused_by_name(agency: UUID) -> None:
    phone = published_visit(agency)
    brings(phone, "sought", {"kind": "address", "street": "Main", "country": "US", "state": "Nowhere"})
    with pytest.raises(Problem) as refused:
        accept_all(phone)
    assert refused.value.at == "state"


def test_an_attorney_becomes_a_party_with_their_number(agency: UUID) -> None:
    phone = published_visit(agency, accounts=2)
    phone.located({"result": "attorney_named", "name": "Licenciada Inventada", "phone": "55 1111 2222"})
    accept_all(phone)
    attorneys = [party for party in rows(phone, Party) if party.role == "attorney"]
    assert {party.account_id for party in attorneys} == set(phone.accounts)
    [point] = rows(phone, ContactPoint)
    with audience(Audience.OFFICE_JOB):
        assert point.value.reveal(Audience.OFFICE_JOB) == "+525511112222"
    assert point.person_id == attorneys[0].person_id != phone.sought


def test_a_spouse_is_a_third_party_and_gets_no_row(agency: UUID) -> None:
    phone = published_visit(agency)
    brings(phone, "neighbour", {"kind": "person", "name": "Cónyuge Inventado", "relation": "spouse"})
    accept_all(phone)
    assert len(rows(phone, Person)) == 1
    assert [candidate.state for candidate in rows(phone, ContactCandidate)] == ["accepted"]


def test_a_candidate_is_decided_once(agency: UUID) -> None:
    phone = published_visit(agency)
    brings(phone, "sought", MOBILE)
    [candidate] = rows(phone, ContactCandidate)
    with transaction(agency) as session:
        reject_contact_candidate(session, candidate.id, decided_by=None, now=NOW)
    with pytest.raises(Problem, match="already-done"), transaction(agency) as session:
        accept_contact_candidate(session, candidate.id, decided_by=None, now=NOW)
    assert rows(phone, ContactPoint) == []


def test_importer_and_door_know_the_same_place_by_the_same_mark(agency: UUID) -> None:
    phone = published_visit(agency)
    brings(
        phone, "sought", {"kind": "address", "street": "Calle Ñandú", "number": "S/N", "city": "León", "country": "MX"}
    )
    accept_all(phone)
    added = rows(phone, Address)[-1]
    writes = AccountWrites(creditor_id=phone.sought, now=NOW)
    place = AddressData(street="calle nandu", number="S/N", city="Leon", country="MX", jurisdiction="MX")
    with acting_for(agency):
        writes.add_details(phone.sought, _party(place))
    assert (phone.sought, added.fingerprint) in writes.addresses


def _party(place: AddressData) -> PartyData:
    import dataclasses

    required = {
        field.name: "x"
        for field in dataclasses.fields(PartyData)
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    }
    return PartyData(**{**required, "address": place})
