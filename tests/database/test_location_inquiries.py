"""Where somebody is, is asked once per person asked; and "I am not that person" ends contact for good."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import ClauseElement, Executable, select, text
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Session

from field_api.domain.vocabulary import HoldKind, NotPlannedReason, OpKind, Relation, Whom
from field_api.platform.database import transaction
from field_api.queries.eligible_accounts import eligible_accounts
from field_api.queries.law_in_force import law_in_force
from field_api.queries.location_inquiries import earlier_inquiries, inquiry_events, with_counsel
from field_api.queries.phone_visits import running_agency
from field_api.queries.visit_story import visit_story
from field_api.records.accounts import Account
from field_api.records.agency import Creditor
from field_api.records.base import load
from field_api.records.changes import Change
from field_api.records.people import Person
from field_api.records.visits import Visit, VisitAccount, VisitEvent
from field_api.usecases.lift_hold import lift_hold
from field_api.usecases.place_hold import place_hold
from tests.outcome_world import RECEIVED, Phone, published_visit
from tests.planning_world import NOW, PARTS, WEDNESDAY, World, statements


def ask(phone: Phone, relation: str, whom: str | None = None) -> tuple[str, ...]:
    """The flags that the office gives to a location question."""
    body = {"relation": relation, "location_asked": True, "whom": whom}
    return phone.records(OpKind.ENCOUNTER, body).flags


def another_visit(phone: Phone, code: str = "MX-9", elsewhere: bool = False) -> Phone:
    """A second published visit to the same person, by another agent, at the same address or another."""
    with transaction(phone.agency) as session:
        world = World(session, serial=700)
        first = session.get_one(Visit, {"agency_id": phone.agency, "id": phone.visit_id})
        agent = world.agent(code)
        visit = Visit(agent_id=agent.id, person_id=first.person_id, address_id=first.address_id, state="published")
        if elsewhere:
            visit.address_id = _address(session, world, first.person_id)
        session.add(visit)
        session.flush()
        return replace(phone, agent_id=agent.id, visit_id=visit.id)


def _address(session: Session, world: World, person_id: UUID) -> UUID:
    return world.address(load(session, Person, person_id)).id


def test_a_policy_that_nobody_can_read_keeps_no_encounter_out(agency: UUID) -> None:
    phone = published_visit(agency)
    with transaction(agency) as session:
        running_agency(session).policy = {"disclosure": {"spouse": {"balance": "yes"}}}
    assert ask(phone, "neighbour", "shop") == ()
    assert ask(phone, "neighbour", "shop") == ("location-asked-again",)
    assert ask(phone, "minor", "other") == ("asked-where-not-allowed",)


def test_one_person_is_asked_once_by_whichever_agent(agency: UUID) -> None:
    phone = published_visit(agency)
    assert ask(phone, "neighbour", "next_door_left") == ()
    assert ask(phone, "neighbour", "next_door_right") == ()
    other = another_visit(phone)
    assert ask(other, "neighbour", "next_door_left") == ("location-asked-again",)
    assert ask(other, "spouse", "same_home") == ()
    assert ask(phone, "spouse", "same_home") == ("location-asked-again",)


def test_a_neighbour_elsewhere_is_another_and_a_spouse_is_not(agency: UUID) -> None:
    phone = published_visit(agency)
    ask(phone, "neighbour", "opposite")
    ask(phone, "spouse", "same_home")
    elsewhere = another_visit(phone, elsewhere=True)
    assert ask(elsewhere, "neighbour", "opposite") == ()
    assert ask(elsewhere, "spouse", "same_home") == ("location-asked-again",)


def test_an_older_phone_that_does_not_say_whom_asked_anybody_of_that_relation(agency: UUID) -> None:
    phone = published_visit(agency)
    assert ask(phone, "neighbour") == ()
    assert ask(phone, "neighbour", "shop") == ("location-asked-again",)
    assert ask(phone, "relative", "same_home") == ()


@pytest.mark.parametrize("relation", ["claims_to_be_sought", "minor", "older_or_disabled", "employer", "authority"])
def test_a_question_that_the_matrix_refuses_is_kept_and_flagged(agency: UUID, relation: str) -> None:
    phone = published_visit(agency)
    assert "asked-where-not-allowed" in ask(phone, relation, "other")


def test_what_the_agency_made_stricter_is_flagged_as_well(agency: UUID) -> None:
    phone = published_visit(agency)
    with transaction(agency) as session:
        running_agency(session).policy = {"disclosure": {"spouse": {"location_question": "never"}}}
    assert "asked-where-not-allowed" in ask(phone, "spouse", "same_home")
    assert "asked-where-not-allowed" not in ask(phone, "relative", "same_home")


def test_who_is_entitled_may_be_asked_as_often_as_needed(agency: UUID) -> None:
    phone = published_visit(agency)
    assert [ask(phone, "executor", "same_home") for _ in range(2)] == [(), ()]
    with transaction(agency) as session:
        assert earlier_inquiries(session, [phone.sought]) == {}


def test_where_counsel_is_known_any_question_is_flagged(agency: UUID) -> None:
    phone = published_visit(agency)
    with transaction(agency) as session:
        world = World(session, serial=800)
        creditor = world.creditor("US")  # any creditor: the attorney is only tied to the account
        counsel = world.person(creditor)
        world.party(load(session, Account, phone.accounts[0]), counsel, "attorney")
        assert with_counsel(session, [phone.sought]) == {phone.sought}
    assert "attorney-known" in ask(phone, "neighbour", "shop")


def test_the_other_phones_that_carry_this_person_are_told(agency: UUID) -> None:
    phone = published_visit(agency)
    other = another_visit(phone)
    ask(phone, "neighbour", "shop")
    with transaction(agency) as session:
        told = [(row.agent_id, row.ref) for row in session.scalars(select(Change))]
    assert told == [(other.agent_id, other.visit_id)]


def test_inquiries_of_many_people_are_one_statement_over_two_indexes(agency: UUID) -> None:
    phone = published_visit(agency)
    ask(phone, "neighbour", "above")
    with transaction(agency) as session:
        stranger = World(session, serial=900).person(session.scalars(select(Creditor)).one()).id
        with statements() as seen:
            found = earlier_inquiries(session, [phone.sought, stranger])
        assert len(seen) == 1 and stranger not in found
        assert [(one.relation, one.whom) for one in found[phone.sought]] == [(Relation.NEIGHBOUR, Whom.ABOVE)]
        session.execute(text("SET LOCAL enable_seqscan = off"))
        plan = "\n".join(session.scalars(Explained(inquiry_events([phone.sought, stranger]))))
    assert "ix_visit_person" in plan and "ix_visit_event" in plan and "Seq Scan" not in plan


class Explained(Executable, ClauseElement):
    """EXPLAIN of a statement, with its parameters."""

    inherit_cache = False

    def __init__(self, statement: Any) -> None:
        self.statement = statement


@compiles(Explained)
def _explain(element: Explained, compiler: Any, **options: Any) -> str:
    return "EXPLAIN " + compiler.process(element.statement, **options)


def test_whoever_is_not_that_person_is_visited_no_more(agency: UUID) -> None:
    phone = published_visit(agency)
    other = another_visit(phone)
    with transaction(agency) as session:
        # The account goes with the second visit as well, as planning would have it.
        session.add(VisitAccount(visit_id=other.visit_id, account_id=phone.accounts[0], role="debtor"))
    phone.outcome("wrong_person", lives_here="no")
    with transaction(agency) as session:
        states = {visit.id: visit.state for visit in session.scalars(select(Visit))}
        assert (states[phone.visit_id], states[other.visit_id]) == ("done", "withdrawn")
        assert [(row.agent_id, row.ref, row.urgent) for row in session.scalars(select(Change))] == [
            (other.agent_id, other.visit_id, True)
        ]
        found = eligible_accounts(session, WEDNESDAY, PARTS, law_in_force(session, PARTS))
    assert found.candidates == []
    reasons = {account: (why.reason, why.rule.id) for account, why in found.refused}
    assert reasons[phone.accounts[0]] == (NotPlannedReason.ON_HOLD, "hold:wrong_person")


def test_only_a_person_in_the_office_lifts_that_again(agency: UUID) -> None:
    phone = published_visit(agency)
    with transaction(agency) as session:
        hold = place_hold(session, kind=HoldKind.WRONG_PERSON, reason="said so", now=NOW, person_id=phone.sought)
        lift_hold(session, hold.id, reason="it was the twin", now=RECEIVED, lifted_by=None)
        refused = eligible_accounts(session, WEDNESDAY, PARTS, law_in_force(session, PARTS)).refused
    assert phone.accounts[0] not in {account for account, why in refused if why.reason is NotPlannedReason.ON_HOLD}


def test_marks_stand_in_the_story_beside_the_flags(agency: UUID) -> None:
    phone = published_visit(agency)
    ask(phone, "guard", "gatehouse")
    ask(phone, "guard", "gatehouse")
    with transaction(agency) as session:
        flags = list(session.scalars(select(VisitEvent.flags).order_by(VisitEvent.id)))
    told = [[flag for flag in of_one if flag.startswith("location")] for of_one in flags]
    mark = ["location-asked", "location-asked:guard:gatehouse"]
    assert told == [mark, ["location-asked-again", *mark]]


def test_the_story_counts_who_was_asked_here_again_and_in_all(agency: UUID) -> None:
    phone = published_visit(agency)
    ask(phone, "neighbour", "opposite")
    ask(phone, "neighbour", "opposite")
    ask(another_visit(phone), "spouse", "same_home")
    with transaction(agency) as session:
        counted = visit_story(session, phone.visit_id).inquiries
    assert (counted.here, counted.again, counted.in_all) == (2, 1, 3)
