"""Publishing makes keys, letters and word for phones; a hold wins; a visit changes hands with new keys."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from field_api.domain.confidential import audience
from field_api.domain.disclosure import Audience
from field_api.domain.vocabulary import HoldKind
from field_api.platform.database import transaction
from field_api.platform.ids import CROCKFORD
from field_api.platform.problems import Problem
from field_api.platform.wiring import office_keys
from field_api.records.base import load
from field_api.records.changes import Change
from field_api.records.planning import NotPlanned, Plan, Route, Stop
from field_api.records.visits import Letter, Visit, VisitAccount, VisitEvent, VisitKey
from field_api.usecases.disclose_unlock_code import disclose_unlock_code, reissue_unlock_code
from field_api.usecases.make_visit_keys import KEY_PLACE
from field_api.usecases.place_hold import place_hold
from field_api.usecases.plan_day import plan_day
from field_api.usecases.publish_plan import publish_plan
from field_api.usecases.reassign_visit import reassign_visit
from tests.planning_world import MEXICO_CITY, NOW, PARTS, WEDNESDAY, World, statements, wait_for_waiters


def a_draft(agency: UUID, households: int = 2, agents: int = 1) -> tuple[UUID, list[UUID]]:
    """(plan id, account ids) of a drafted day."""
    with transaction(agency) as session:
        world = World(session)
        accounts = [world.household((MEXICO_CITY[0] + n * 0.001, MEXICO_CITY[1]))[2].id for n in range(households)]
        for number in range(agents):
            world.agent(f"MX-{number}")
    with transaction(agency) as session:
        return plan_day(session, WEDNESDAY, parts=PARTS, now=NOW).id, accounts


def publish(agency: UUID, plan_id: UUID) -> None:
    with transaction(agency) as session:
        publish_plan(session, plan_id, parts=PARTS, now=NOW, published_by=None)


def visit_about(session: Session, account_id: UUID) -> Visit:
    query = select(Visit).join(VisitAccount, VisitAccount.visit_id == Visit.id)
    return session.scalars(query.where(VisitAccount.account_id == account_id)).one()


def test_publishing_gives_every_obligor_a_key_and_tells_the_phones(agency: UUID) -> None:
    with transaction(agency) as session:
        world = World(session)
        _, _, account = world.household()
        guarantor = world.person()
        world.party(account, guarantor, "guarantor")
        world.party(account, world.person(), "payer")
        world.agent()
    with transaction(agency) as session:
        plan_id = plan_day(session, WEDNESDAY, parts=PARTS, now=NOW).id
    publish(agency, plan_id)
    with transaction(agency) as session, audience(Audience.OFFICE_JOB):
        visit = session.scalars(select(Visit)).one()
        assert (visit.state, visit.published_at, visit.assignment_version) == ("published", NOW, 1)
        keys = session.scalars(select(VisitKey)).all()
        assert {key.person_id for key in keys} == {visit.person_id, guarantor.id}
        opened = {office_keys().of(agency).open_at_rest(KEY_PLACE, key.sealed_key) for key in keys}
        assert {len(key) for key in opened} == {32} and len(opened) == 2
        codes = [key.unlock_code.reveal(Audience.OFFICE_JOB) for key in keys]
        assert all(len(code) == 13 and set(code) <= set(CROCKFORD) for code in codes)
        route = session.scalars(select(Route)).one()
        changes = [(c.agent_id, c.kind, c.ref) for c in session.scalars(select(Change).order_by(Change.id))]
        assert changes == [(route.agent_id, "route", route.id), (route.agent_id, "visit", visit.id)]
        assert len(session.scalars(select(Letter)).all()) == 1
        assert session.scalars(select(VisitEvent.kind).order_by(VisitEvent.id)).all() == ["planned", "published"]


def test_a_plan_is_published_once(agency: UUID) -> None:
    plan_id, _ = a_draft(agency)
    publish(agency, plan_id)
    with pytest.raises(Problem, match="already-done"):
        publish(agency, plan_id)


def test_what_was_held_since_the_draft_is_not_published(agency: UUID) -> None:
    plan_id, (held, free) = a_draft(agency)
    with transaction(agency) as session:
        # Straight into the table: as if the draft had been made from older books than the hold.
        session.execute(
            text(
                "INSERT INTO office.hold (agency_id, id, account_id, kind, reason, placed_at, op_id)"
                " VALUES (:agency, gen_random_uuid(), :account, 'paid', '', now(), gen_random_uuid())"
            ),
            {"agency": agency, "account": held},
        )
    publish(agency, plan_id)
    with transaction(agency) as session:
        assert {visit.state: visit.assignment_version for visit in session.scalars(select(Visit))} == {
            "withdrawn": 2,
            "published": 1,
        }
        assert visit_about(session, free).state == "published"
        assert [row.account_id for row in session.scalars(select(NotPlanned))] == [held]
        assert len(session.scalars(select(VisitKey)).all()) == 1
        assert len(session.scalars(select(Change).where(Change.kind == "visit")).all()) == 1


def test_a_hold_and_a_publishing_at_the_same_time_leave_nothing_published(app: Flask, agency: UUID) -> None:
    """Both orders end alike: whoever comes second sees the other, since both lock the account row first."""
    plan_id, (account_id,) = a_draft(agency, households=1)

    def run(work) -> None:
        with app.app_context(), transaction(agency) as session:
            work(session)

    works = (
        lambda s: place_hold(s, kind=HoldKind.PAID, reason="pagó", now=NOW, account_id=account_id),
        lambda s: publish_plan(s, plan_id, parts=PARTS, now=NOW, published_by=None),
    )
    with transaction(agency) as session:
        session.execute(text("SELECT 1 FROM office.account WHERE id = :id FOR UPDATE"), {"id": account_id})
        pool = ThreadPoolExecutor(2)
        running = [pool.submit(run, work) for work in works]
        wait_for_waiters(2)
    for future in running:
        future.result(timeout=30)
    pool.shutdown()
    with transaction(agency) as session:
        visit = session.scalars(select(Visit)).one()
        assert (visit.state, visit.assignment_version) == ("withdrawn", 2)


def test_publishing_takes_a_bounded_number_of_statements(agency: UUID) -> None:
    plan_id, _ = a_draft(agency, households=60, agents=3)
    with transaction(agency) as session, statements() as seen:
        publish_plan(session, plan_id, parts=PARTS, now=NOW, published_by=None)
    assert len(seen) < 50, len(seen)


def test_a_reassigned_visit_goes_last_with_new_keys_and_the_old_phone_hears_first(agency: UUID) -> None:
    plan_id, accounts = a_draft(agency, households=60, agents=2)
    publish(agency, plan_id)
    with transaction(agency) as session:
        routes = {route.agent_id: route for route in session.scalars(select(Route))}
        visit = visit_about(session, accounts[0])
        old_agent, visit_id, old_key = visit.agent_id, visit.id, session.scalars(
            select(VisitKey.sealed_key).where(VisitKey.visit_id == visit.id)
        ).one()  # fmt: skip
        other = next(agent for agent in routes if agent != old_agent)
        last = max(session.scalars(select(Stop.position).where(Stop.route_id == routes[other].id)))
        session.query(Change).delete()
    with transaction(agency) as session:
        reassign_visit(session, visit_id, other, parts=PARTS, now=NOW, by=None)
    with transaction(agency) as session:
        visit = load(session, Visit, visit_id)
        assert (visit.agent_id, visit.assignment_version, visit.state) == (other, 2, "published")
        stop = load(session, Stop, visit.stop_id)
        assert stop.position == last + 1 and stop.arrival_to <= stop.visit_until - timedelta(seconds=stop.service_s)
        key = session.scalars(select(VisitKey.sealed_key).where(VisitKey.visit_id == visit_id)).one()
        assert key != old_key
        changes = [(c.agent_id, c.kind, c.urgent) for c in session.scalars(select(Change).order_by(Change.id))]
        assert changes == [(old_agent, "visit", True), (other, "route", False), (other, "visit", False)]
    with transaction(agency) as session, pytest.raises(Problem, match="already-done"):
        reassign_visit(session, visit_id, other, parts=PARTS, now=NOW, by=None)


def test_nobody_gets_a_visit_after_the_contact_hours(agency: UUID) -> None:
    plan_id, accounts = a_draft(agency, households=60, agents=2)
    publish(agency, plan_id)
    with transaction(agency) as session:
        visit = visit_about(session, accounts[0])
        other = next(r.agent_id for r in session.scalars(select(Route)) if r.agent_id != visit.agent_id)
        late = datetime(2026, 11, 19, 2, 45, tzinfo=UTC)  # 20:45 in Mexico City, ten minutes are too many
        with pytest.raises(Problem, match="conflict"):
            reassign_visit(session, visit.id, other, parts=PARTS, now=late, by=None)


def test_an_agent_without_a_route_gets_one_from_the_shift_or_nothing(agency: UUID) -> None:
    plan_id, (account_id,) = a_draft(agency, households=1)
    publish(agency, plan_id)
    with transaction(agency) as session:
        world = World(session)
        free = world.agent("MX-9")
        visit = visit_about(session, account_id)
        reassign_visit(session, visit.id, free.id, parts=PARTS, now=NOW, by=None)
        assert {route.agent_id for route in session.scalars(select(Route))} >= {free.id}
        from field_api.records.planning import Agent

        nobody = Agent(code="MX-X", name="Sin turno", languages=["es"], timezone="America/Mexico_City")
        session.add(nobody)
        session.flush()
        with pytest.raises(Problem, match="conflict"):
            reassign_visit(session, visit.id, nobody.id, parts=PARTS, now=NOW, by=None)


def test_a_code_is_told_once_and_another_one_is_another(agency: UUID) -> None:
    plan_id, _ = a_draft(agency, households=1)
    publish(agency, plan_id)
    with transaction(agency) as session, audience(Audience.DISPATCHER):
        visit = session.scalars(select(Visit)).one()
        ask = {"reason": "llamó desde la puerta", "by": None, "now": NOW}
        code = disclose_unlock_code(session, visit.id, visit.person_id, **ask)
        with pytest.raises(Problem, match="already-done"):
            disclose_unlock_code(session, visit.id, visit.person_id, **ask)
        with pytest.raises(Problem, match="bad-request"):
            reissue_unlock_code(session, visit.id, visit.person_id, reason=" ", by=None, now=NOW)
        reissue_unlock_code(session, visit.id, visit.person_id, **ask)
        assert disclose_unlock_code(session, visit.id, visit.person_id, **ask) != code
        for event in session.scalars(select(VisitEvent)):
            assert code not in event.body.reveal(Audience.DISPATCHER)
        assert session.scalars(select(Change.kind).order_by(Change.id.desc())).first() == "code"


def test_a_draft_that_was_replaced_cannot_be_published(agency: UUID) -> None:
    plan_id, _ = a_draft(agency)
    with transaction(agency) as session:
        plan_day(session, WEDNESDAY, parts=PARTS, now=NOW)
    with pytest.raises(Problem, match="not-found"):
        publish(agency, plan_id)
    with transaction(agency) as session:
        assert [plan.state for plan in session.scalars(select(Plan))] == ["draft"]
