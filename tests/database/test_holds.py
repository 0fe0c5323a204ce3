"""A hold takes hold at once: visits go, phones are told, the plan says why, and a repeat changes nothing."""

from __future__ import annotations

from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select, text

from field_api.domain.vocabulary import HoldKind
from field_api.platform.database import transaction
from field_api.platform.ids import new_id
from field_api.platform.problems import Problem
from field_api.queries.blocked_accounts import blocked_accounts
from field_api.records.accounts import Hold
from field_api.records.base import load
from field_api.records.changes import Change
from field_api.records.planning import NotPlanned, Stop
from field_api.records.visits import Visit, VisitEvent
from field_api.usecases.lift_hold import lift_hold
from field_api.usecases.place_hold import place_hold
from field_api.usecases.withdraw_visit import withdraw_visit
from tests.planning_world import NOW, World, wait_for_waiters


def two_accounts_one_visit(agency: UUID) -> tuple[UUID, UUID, UUID]:
    """(visit, first account, second account) of one person's published visit."""
    with transaction(agency) as session:
        world = World(session)
        person, address, first = world.household()
        second = world.account(person)
        visit = world.visit(world.route(world.agent()), 1, address, person, first, second)
        return visit.id, first.id, second.id


def test_the_last_account_held_takes_the_visit_off_its_route(agency: UUID) -> None:
    visit_id, first, second = two_accounts_one_visit(agency)
    with transaction(agency) as session:
        place_hold(session, kind=HoldKind.PAID, reason="pagó en tienda", now=NOW, account_id=first)
    with transaction(agency) as session:
        visit = session.scalars(select(Visit)).one()
        assert (visit.state, visit.assignment_version) == ("published", 1)
        assert [(c.kind, c.ref, c.urgent) for c in session.scalars(select(Change))] == [("visit", visit_id, True)]
        place_hold(session, kind=HoldKind.DISPUTE, reason="no es suya", now=NOW, account_id=second)
    with transaction(agency) as session:
        visit = session.scalars(select(Visit)).one()
        assert (visit.state, visit.assignment_version, visit.stop_id) == ("withdrawn", 2, None)
        assert visit.withdrawn_at == NOW
        assert session.scalars(select(Stop)).all() == []
        assert len(session.scalars(select(Change)).all()) == 2
        kinds = session.scalars(select(VisitEvent.kind).order_by(VisitEvent.id)).all()
        assert kinds == ["hold", "withdrawn", "hold"]
        assert {row.account_id for row in session.scalars(select(NotPlanned))} == {first, second}


def test_one_operation_places_one_hold_however_often_it_comes(agency: UUID) -> None:
    _, first, _ = two_accounts_one_visit(agency)
    op = new_id()
    for _ in range(3):
        with transaction(agency) as session:
            place_hold(session, kind=HoldKind.PAID, reason="folio 7", now=NOW, account_id=first, op_id=op)
    with transaction(agency) as session:
        assert len(session.scalars(select(Hold)).all()) == 1
        assert len(session.scalars(select(Change)).all()) == 1


def test_a_hold_on_a_guarantor_stops_every_account_he_stands_for(agency: UUID) -> None:
    with transaction(agency) as session:
        world = World(session)
        debtor, address, account = world.household()
        guarantor = world.person()
        world.party(account, guarantor, "guarantor")
        payer = world.person()
        world.party(account, payer, "payer")
        visit = world.visit(world.route(world.agent()), 1, address, debtor, account, state="planned")
        account_id, guarantor_id, payer_id, visit_id = account.id, guarantor.id, payer.id, visit.id
    with transaction(agency) as session:
        place_hold(session, kind=HoldKind.ATTORNEY, reason="lic. inventado", now=NOW, person_id=payer_id)
        assert blocked_accounts(session, {account_id}) == set()
        place_hold(session, kind=HoldKind.ATTORNEY, reason="lic. inventado", now=NOW, person_id=guarantor_id)
        assert blocked_accounts(session, {account_id}) == {account_id}
        assert load(session, Visit, visit_id).state == "withdrawn"
        assert session.scalars(select(Change)).all() == []  # no phone had heard of a planned visit


def test_a_lifted_hold_frees_the_account_and_cannot_be_lifted_twice(agency: UUID) -> None:
    _, first, _ = two_accounts_one_visit(agency)
    with transaction(agency) as session:
        hold = place_hold(session, kind=HoldKind.CLARIFICATION, reason="aclaración", now=NOW, account_id=first)
        lift_hold(session, hold.id, reason="resuelta", now=NOW, lifted_by=None)
        session.flush()
        assert blocked_accounts(session, {first}) == set()
        with pytest.raises(Problem, match="already-done"):
            lift_hold(session, hold.id, reason="otra vez", now=NOW, lifted_by=None)


def test_a_hold_that_is_about_one_account_needs_one(agency: UUID) -> None:
    with transaction(agency) as session:
        person = World(session).person()
        with pytest.raises(Problem, match="bad-request"):
            place_hold(session, kind=HoldKind.PAID, reason="x", now=NOW, person_id=person.id)
        with pytest.raises(Problem, match="bad-request"):
            place_hold(session, kind=HoldKind.PAID, reason="x", now=NOW)
        with pytest.raises(Problem, match="not-found"):
            place_hold(session, kind=HoldKind.PAID, reason="x", now=NOW, account_id=new_id())


def test_holds_placed_at_once_on_the_two_accounts_of_a_visit_withdraw_it(app: Flask, agency: UUID) -> None:
    """The second waits for the visit row and then sees the first: neither leaves the visit standing."""
    from threading import Thread

    visit_id, first, second = two_accounts_one_visit(agency)

    def hold(account_id: UUID) -> None:
        with app.app_context(), transaction(agency) as session:
            place_hold(session, kind=HoldKind.PAID, reason="pagó", now=NOW, account_id=account_id)

    with transaction(agency) as session:
        # Hold the visit row, so that both wait there at the same time.
        session.execute(text("SELECT 1 FROM office.visit WHERE id = :id FOR UPDATE"), {"id": visit_id})
        threads = [Thread(target=hold, args=(account,)) for account in (first, second)]
        for thread in threads:
            thread.start()
        wait_for_waiters(2)
    for thread in threads:
        thread.join(timeout=30)
    with transaction(agency) as session:
        assert load(session, Visit, visit_id).state == "withdrawn"


def test_a_visit_is_withdrawn_by_hand_once(agency: UUID) -> None:
    visit_id, *_ = two_accounts_one_visit(agency)
    with transaction(agency) as session:
        withdraw_visit(session, visit_id, reason="calle cerrada", now=NOW, by=None)
    with transaction(agency) as session, pytest.raises(Problem, match="already-done"):
        withdraw_visit(session, visit_id, reason="otra vez", now=NOW, by=None)
