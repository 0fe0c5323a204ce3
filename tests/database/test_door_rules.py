"""What a visit tells phones for their own rules: who was asked before, whether nobody may be, what is stricter here."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from field_api.domain.disclosure import BadMatrix
from field_api.domain.vocabulary import OpKind
from field_api.platform.database import transaction
from field_api.platform.wiring import office_keys
from field_api.queries.phone_visits import running_agency
from field_api.records.accounts import Account
from field_api.records.agency import Creditor
from field_api.records.base import load
from field_api.records.people import Address, Person
from field_api.records.visits import Visit
from sync.office.door_rules import Narrower
from sync.office.visit_body import sheet_visits
from tests.outcome_world import Phone, published_visit
from tests.planning_world import World, statements


def body_of(phone: Phone) -> dict[str, Any]:
    with transaction(phone.agency) as session:
        visits = sheet_visits(session, office_keys().of(phone.agency), phone.agent_id, [phone.visit_id])
        return visits[phone.visit_id].body_for(phone.device_id)


def ask(phone: Phone, relation: str, whom: str | None) -> None:
    phone.records(OpKind.ENCOUNTER, {"relation": relation, "location_asked": True, "whom": whom})


def test_each_person_asked_is_told_once_in_a_fixed_order(app: Flask, agency: UUID) -> None:
    phone = published_visit(agency)
    assert body_of(phone)["location"] == {"closed": False, "asked": []}
    for relation, whom in (("spouse", "same_home"), ("neighbour", "shop"), ("neighbour", "shop"), ("neighbour", None)):
        ask(phone, relation, whom)
    assert body_of(phone)["location"]["asked"] == [
        {"relation": "neighbour", "whom": None},
        {"relation": "neighbour", "whom": "shop"},
        {"relation": "spouse", "whom": "same_home"},
    ]


def test_another_visit_of_the_person_tells_family_and_the_neighbours_of_its_own_address(
    app: Flask, agency: UUID
) -> None:
    phone = published_visit(agency)
    ask(phone, "neighbour", "shop")
    ask(phone, "relative", "same_home")
    with transaction(agency) as session:
        world = World(session, serial=500)
        person = load(session, Person, phone.sought)
        address = world.address(person)
        visit = Visit(agent_id=phone.agent_id, person_id=person.id, address_id=address.id, state="published")
        session.add(visit)
        session.flush()
        elsewhere = replace(phone, visit_id=visit.id)
    assert body_of(elsewhere)["location"]["asked"] == [{"relation": "relative", "whom": "same_home"}]


def _creditor_of(session: Session, person: Person) -> Creditor:
    return load(session, Creditor, person.creditor_id)


def test_known_counsel_closes_the_question_without_saying_why(app: Flask, agency: UUID) -> None:
    phone = published_visit(agency)
    with transaction(agency) as session:
        world = World(session, serial=600)
        counsel = world.person(_creditor_of(session, load(session, Person, phone.sought)))
        world.party(load(session, Account, phone.accounts[0]), counsel, "attorney")
    location = body_of(phone)["location"]
    assert location == {"closed": True, "asked": []}


def test_the_open_part_says_what_kind_of_place_it_is(app: Flask, agency: UUID) -> None:
    phone = published_visit(agency, kind="work")
    assert body_of(phone)["open"]["place"] == "work"


def test_what_the_agency_made_stricter_travels_and_nothing_else(app: Flask, agency: UUID) -> None:
    phone = published_visit(agency)
    assert body_of(phone)["narrower"] == {}
    with transaction(agency) as session:
        running_agency(session).policy = {"disclosure": {"neighbour": {"location_question": "never"}}}
    assert body_of(phone)["narrower"] == {
        "neighbour": {"location_question": "never"},
        "guard": {"location_question": "never"},
    }


def test_a_policy_that_would_tell_more_publishes_nothing(app: Flask, agency: UUID) -> None:
    with transaction(agency) as session:
        office = running_agency(session)
        office.policy = {"disclosure": {"spouse": {"balance": "yes"}}}
        with pytest.raises(BadMatrix):
            Narrower(office)


def test_the_rules_of_many_doors_cost_no_more_statements(app: Flask, agency: UUID) -> None:
    phone = published_visit(agency)
    with transaction(agency) as session:
        first = load(session, Visit, phone.visit_id)
        address = load(session, Address, first.address_id)
        more = [
            Visit(agent_id=first.agent_id, person_id=first.person_id, address_id=address.id, state="published")
            for _ in range(5)
        ]
        session.add_all(more)
        session.flush()
        wanted = [visit.id for visit in more]
    body_of(phone)  # keys and stretched answers are made once
    counts = []
    for visits in (wanted[:1], wanted):
        with transaction(agency) as session:
            sheet_visits(session, office_keys().of(agency), phone.agent_id, visits)
        with transaction(agency) as session, statements() as seen:
            sheet_visits(session, office_keys().of(agency), phone.agent_id, visits)
        counts.append(len(seen))
    assert counts[0] == counts[1]
