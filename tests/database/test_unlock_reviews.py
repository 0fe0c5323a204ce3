"""What the office makes of tries and unlocks: who, how far away, what is odd, what a manager must look at."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select

from field_api.domain.confidential import audience
from field_api.domain.disclosure import Audience
from field_api.domain.unlocks import ReviewState
from field_api.domain.vocabulary import OpKind
from field_api.platform.database import transaction
from field_api.platform.ids import new_id
from field_api.platform.problems import Problem
from field_api.queries.unlocks import Unlock, unlock_lines, unlocks
from field_api.records.agency import Agency, Creditor
from field_api.records.base import load
from field_api.records.log import LogEntry
from field_api.records.planning import Route
from field_api.records.unlocks import UnlockReview
from field_api.records.visits import Visit, VisitEvent
from field_api.usecases.decide_unlock_review import decide_unlock_review
from tests.outcome_world import HERE, RECEIVED, Phone, published_visit
from tests.planning_world import World, statements

RIGHT = {"method": "answers", "passed": True, "claim": "sought", "kinds": ["postcode", "tax_id"]}
WRONG = RIGHT | {"passed": False}
SHOWN = {"parts": ["brief"]}


def reviews(agency: UUID) -> list[tuple[str, str]]:
    with transaction(agency) as session:
        rows = session.execute(select(UnlockReview.reason, UnlockReview.state).order_by(UnlockReview.id))
        return [(row.reason, row.state) for row in rows]


def told(agency: UUID, **filters: object) -> list[Unlock]:
    with transaction(agency) as session, audience(Audience.MANAGER):
        rows = session.execute(unlocks(**filters).order_by(VisitEvent.id)).all()  # type: ignore[arg-type]  # as a view does
        return unlock_lines(session, [(event, review) for event, review in rows])


def test_an_ordinary_check_is_listed_with_its_distance_and_needs_no_review(app: Flask, agency: UUID) -> None:
    phone = published_visit(agency)
    phone.records(OpKind.ARRIVED, {"position": HERE | {"lat": 19.4335}})
    phone.records(OpKind.ENCOUNTER, {"relation": "claims_to_be_sought"})
    phone.records(OpKind.IDENTITY_CHECK, WRONG)
    phone.records(OpKind.IDENTITY_CHECK, RIGHT | {"position": HERE})
    phone.records(OpKind.OPENED, SHOWN)
    lines = told(agency)
    assert [(line.what, line.method, line.distance_by) for line in lines] == [
        ("failed", "answers", "arrival"),
        ("passed", "answers", "position"),
        ("opened", None, "arrival"),
    ]
    assert lines[0].distance_m == pytest.approx(100, abs=2) and lines[1].distance_m == 0
    assert lines[0].agent and lines[0].agent_id == phone.agent_id and lines[0].flags == []
    assert lines[0].at < RECEIVED and isinstance(lines[0].at, datetime)
    assert reviews(agency) == []
    assert [line.what for line in told(agency, what="failed")] == ["failed"]
    assert [line.what for line in told(agency, what="opened", agent_id=phone.agent_id)] == ["opened"]
    assert told(agency, visit_id=new_id()) == [] == told(agency, agent_id=new_id())


@pytest.mark.parametrize("relation", ["spouse", "minor", "neighbour", "employer", "authority"])
def test_every_unlock_after_a_third_party_is_put_up(app: Flask, agency: UUID, relation: str) -> None:
    phone = published_visit(agency)
    phone.records(OpKind.ENCOUNTER, {"relation": relation})
    phone.records(OpKind.ENCOUNTER, {"relation": "claims_to_be_sought"})
    phone.records(OpKind.IDENTITY_CHECK, WRONG)
    phone.records(OpKind.IDENTITY_CHECK, RIGHT)
    phone.records(OpKind.OPENED, SHOWN)
    assert reviews(agency) == [("after-third-party", "open")] * 2
    assert [line.review is not None for line in told(agency)] == [False, True, True]


def _beside(phone: Phone, *, same_stop: bool) -> Phone:
    """The same agent's visit to somebody else, behind the same door or at the next stop."""
    with transaction(phone.agency) as session:
        world = World(session, serial=500, creditors={"MX": session.scalars(select(Creditor)).one()})
        sought, place, owed = world.household()
        route = session.scalars(select(Route)).one()
        visit = world.visit(route, 2, place, sought, owed)
        if same_stop:
            visit.stop_id = load(session, Visit, phone.visit_id).stop_id
        return replace(phone, visit_id=visit.id, sought=sought.id, accounts=[owed.id], seq=100)


@pytest.mark.parametrize("same_stop", [True, False])
def test_a_third_party_met_at_another_visit_of_the_stop_counts(app: Flask, agency: UUID, same_stop: bool) -> None:
    phone = published_visit(agency)
    beside = _beside(phone, same_stop=same_stop)
    beside.records(OpKind.ENCOUNTER, {"relation": "spouse"})
    phone.records(OpKind.IDENTITY_CHECK, RIGHT)
    phone.records(OpKind.OPENED, SHOWN)
    assert reviews(agency) == [("after-third-party", "open")] * (2 if same_stop else 0)


def test_checks_and_tries_at_another_visit_of_the_stop_count_there_alone(app: Flask, agency: UUID) -> None:
    phone = published_visit(agency)
    beside = _beside(phone, same_stop=True)
    for _ in range(6):
        beside.records(OpKind.IDENTITY_CHECK, WRONG)
    beside.records(OpKind.IDENTITY_CHECK, RIGHT | {"person": str(phone.sought), "claim": "other"})
    assert "opened-without-check" in phone.records(OpKind.OPENED, SHOWN).flags
    assert "too-many-tries" not in phone.records(OpKind.IDENTITY_CHECK, RIGHT).flags


def test_whom_another_agent_met_at_another_visit_of_the_stop_does_not_count(app: Flask, agency: UUID) -> None:
    phone = published_visit(agency)
    beside = _beside(phone, same_stop=True)
    replace(beside, agent_id=new_id()).records(OpKind.ENCOUNTER, {"relation": "spouse"})
    phone.records(OpKind.IDENTITY_CHECK, RIGHT)
    assert reviews(agency) == []


def test_a_stop_of_many_visits_takes_no_more_statements(app: Flask, agency: UUID) -> None:
    phone = published_visit(agency)
    with statements() as alone:
        phone.records(OpKind.IDENTITY_CHECK, RIGHT)
    _beside(phone, same_stop=True)
    with statements() as beside:
        phone.records(OpKind.IDENTITY_CHECK, RIGHT)
    assert len(beside) == len(alone)


@pytest.mark.parametrize("relation", ["claims_to_be_sought", "nobody", "attorney"])
def test_nobody_else_puts_an_unlock_up(app: Flask, agency: UUID, relation: str) -> None:
    phone = published_visit(agency)
    phone.records(OpKind.ENCOUNTER, {"relation": relation})
    phone.records(OpKind.IDENTITY_CHECK, RIGHT)
    assert reviews(agency) == []


def test_the_sixth_wrong_answer_is_flagged_and_a_right_one_after_five_is_put_up(app: Flask, agency: UUID) -> None:
    phone = published_visit(agency)
    flags = [phone.records(OpKind.IDENTITY_CHECK, WRONG).flags for _ in range(6)]
    assert ["too-many-tries" in some for some in flags] == [False] * 5 + [True]
    assert "too-many-tries" not in phone.records(OpKind.IDENTITY_CHECK, WRONG | {"claim": "other"}).flags
    assert "too-many-tries" not in phone.records(OpKind.IDENTITY_CHECK, RIGHT | {"method": "code", "kinds": []}).flags
    assert "too-many-tries" in phone.records(OpKind.IDENTITY_CHECK, RIGHT).flags
    assert reviews(agency) == [("too-many-tries", "open")]


def test_eleven_wrong_codes_are_flagged(app: Flask, agency: UUID) -> None:
    phone = published_visit(agency)
    code = {"method": "code", "passed": False}
    flags = [phone.records(OpKind.IDENTITY_CHECK, code).flags for _ in range(11)]
    assert ["too-many-tries" in some for some in flags] == [False] * 10 + [True]


def test_what_was_opened_without_a_check_of_that_person_is_flagged_and_put_up(app: Flask, agency: UUID) -> None:
    phone = published_visit(agency)
    phone.records(OpKind.IDENTITY_CHECK, WRONG)
    assert "opened-without-check" in phone.records(OpKind.OPENED, SHOWN).flags
    phone.records(OpKind.IDENTITY_CHECK, RIGHT)
    assert "opened-without-check" not in phone.records(OpKind.OPENED, SHOWN).flags
    assert reviews(agency) == [("opened-without-check", "open")]
    other = Phone(agency, new_id(), phone.visit_id, phone.sought, phone.accounts)
    assert "opened-without-check" in other.records(OpKind.OPENED, SHOWN).flags, "another agent's check"


def test_what_the_agencys_policy_does_not_allow_is_put_up(app: Flask, agency: UUID) -> None:
    phone = published_visit(agency)
    attested = RIGHT | {"method": "attestation", "kinds": [], "document": "passport"}
    ahead = SHOWN | {"before_arrival": True}
    assert "not-by-policy" in phone.records(OpKind.IDENTITY_CHECK, attested).flags
    assert "not-by-policy" in phone.records(OpKind.OPENED, ahead).flags
    with transaction(agency) as session:
        session.get_one(Agency, agency).policy = {"lock": {"attestation": True, "read_before_arrival": True}}
    assert "not-by-policy" not in phone.records(OpKind.IDENTITY_CHECK, attested).flags
    assert not {"not-by-policy", "opened-without-check"} & set(phone.records(OpKind.OPENED, ahead).flags)
    assert reviews(agency) == [("not-by-policy", "open")] * 2


def test_a_decision_is_taken_once_with_a_word_and_stands_in_story_and_log(app: Flask, agency: UUID) -> None:
    phone = published_visit(agency)
    phone.records(OpKind.OPENED, SHOWN)
    by = new_id()
    with transaction(agency) as session:
        review_id = session.scalars(select(UnlockReview.id)).one()
        with pytest.raises(Problem, match="bad-request"):
            decide_unlock_review(session, review_id, state=ReviewState.OBJECTED, note=" ", by=by, now=RECEIVED)
        with pytest.raises(Problem, match="bad-request"):
            decide_unlock_review(session, review_id, state=ReviewState.OPEN, note="x", by=by, now=RECEIVED)
        decide_unlock_review(session, review_id, state=ReviewState.OBJECTED, note="Nobody asked", by=by, now=RECEIVED)
        with pytest.raises(Problem, match="already-done"):
            decide_unlock_review(session, review_id, state=ReviewState.ACCEPTED, note=None, by=by, now=RECEIVED)
    with transaction(agency) as session, audience(Audience.MANAGER):
        event = session.scalars(select(VisitEvent).where(VisitEvent.kind == "unlock_reviewed")).one()
        assert event.actor == f"staff:{by}" and "Nobody asked" in event.body.reveal(Audience.MANAGER)
        assert session.scalars(select(LogEntry).where(LogEntry.ref == f"visit_event/{event.id}")).one()
        assert "Nobody asked" not in repr(session.scalars(select(UnlockReview)).one().note)


def test_a_list_of_unlocks_takes_three_statements_however_long(app: Flask, agency: UUID) -> None:
    phone = published_visit(agency)
    for _ in range(2):
        phone.records(OpKind.IDENTITY_CHECK, RIGHT | {"person": str(phone.sought)})
    with statements() as few:
        told(agency)
    for _ in range(10):
        phone.records(OpKind.OPENED, SHOWN | {"person": str(phone.sought)})
    with statements() as many:
        lines = told(agency)
    assert len(lines) == 12 and lines[0].person == lines[-1].person and lines[0].person
    assert len(many) == len(few)
    assert len([statement for statement in many if statement.startswith("SELECT office")]) == 3


def test_a_check_costs_a_bounded_number_of_statements(app: Flask, agency: UUID) -> None:
    phone = published_visit(agency)
    phone.records(OpKind.ARRIVED, {"position": HERE})
    with statements() as first:
        phone.records(OpKind.IDENTITY_CHECK, WRONG)
    for _ in range(8):
        phone.records(OpKind.IDENTITY_CHECK, WRONG)
    with statements() as later:
        phone.records(OpKind.IDENTITY_CHECK, WRONG)
    assert len(later) == len(first)
