"""The guarantor first and the debtor after them, written consent, and who could really be sent on the next day."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from field_api.domain.changes_by_hand import Change
from field_api.domain.draft_orders import ChangeByHand
from field_api.platform.database import transaction
from field_api.platform.ids import new_id
from field_api.platform.problems import Problem
from field_api.queries.explain_account import explain_account
from field_api.records.accounts import Account
from field_api.records.people import Person
from field_api.records.planning import NotPlanned, Shift
from field_api.records.results import Attempt
from field_api.records.visits import Visit, VisitAccount
from field_api.usecases.change_account import change_account
from field_api.usecases.change_draft import change_draft
from field_api.usecases.plan_day import plan_day
from field_api.usecases.publish_plan import publish_plan
from tests.planning_world import NOW, PARTS, WEDNESDAY, World

BOSTON = (42.3601, -71.0589)


def visited(session: Session, account: Account, person: Person, days_ago: int, number: int) -> None:
    at = datetime.combine(WEDNESDAY - timedelta(days=days_ago), datetime.min.time(), UTC) + timedelta(hours=18)
    session.add(
        Attempt(
            number=number, account_id=account.id, person_id=person.id, op_id=new_id(), channel="visit", at=at,
            received_at=at, outcome="nobody_there", right_party=False, detail="{}",
        )
    )  # fmt: skip
    session.flush()


def sought(session: Session) -> tuple[dict[UUID, UUID], UUID]:
    """Whom the day's draft seeks about which account."""
    plan = plan_day(session, WEDNESDAY, parts=PARTS, now=NOW)
    rows = select(VisitAccount.account_id, Visit.person_id).join(Visit, Visit.id == VisitAccount.visit_id)
    return dict(session.execute(rows.where(Visit.state == "planned")).all()), plan.id


def guaranteed(world: World, **address: Any) -> tuple[Person, Person, Account]:
    debtor, _, account = world.household()
    guarantor = world.person()
    if address.pop("known", True):
        world.address(guarantor, **address)
    world.party(account, guarantor, "guarantor")
    return debtor, guarantor, account


def test_the_debtor_is_sought_where_the_guarantor_never_can_be_and_not_where_they_can_on_another_day(
    agency: UUID,
) -> None:
    with transaction(agency) as session:
        world = World(session)
        world.agent()
        strategy = {"guarantor_first": True, "debtor_after_guarantor": True, "guarantor_visits_at_most": 2}
        world.creditor().strategy = strategy
        fine, opted_out, nowhere = (
            guaranteed(world),
            guaranteed(world, visits_opted_out=True),
            guaranteed(world, known=False),
        )
        minor, exhausted, lately = guaranteed(world), guaranteed(world), guaranteed(world)
        minor[1].is_minor = True
        visited(session, exhausted[2], exhausted[1], 90, 1)
        visited(session, exhausted[2], exhausted[1], 20, 2)
        visited(session, lately[2], lately[1], 3, 3)
        neither = guaranteed(world, visits_opted_out=True)
        neither[0].is_minor = True
        session.flush()
        found, plan_id = sought(session)
        assert found == {
            fine[2].id: fine[1].id,
            **{account.id: debtor.id for debtor, _, account in (opted_out, nowhere, minor, exhausted)},
        }
        rules = {row.account_id: row.rule.partition(" ")[0] for row in session.scalars(select(NotPlanned))}
        assert rules == {lately[2].id: "mx-one-visit-a-week", neither[2].id: "address-opted-out"}
        reasons = explain_account(session, neither[2].id, WEDNESDAY, PARTS).reasons
        assert [one.rule.id for one in reasons] == ["address-opted-out", "minors"]
    with transaction(agency) as session:
        publish_plan(session, plan_id, parts=PARTS, now=NOW, published_by=None)
        assert set(session.scalars(select(Visit.state))) == {"published"}


def test_written_consent_lifts_the_cap_that_names_it_and_no_other(agency: UUID) -> None:
    with transaction(agency) as session:
        world = World(session)
        creditor = world.creditor("US-MA", "USD", "en")
        world.agent("US-1", BOSTON, "America/New_York", ("en",))
        person = world.person(creditor)
        world.address(person, BOSTON, country="US", jurisdiction="US-MA")
        account = world.account(person)
        visited(session, account, person, 10, 1)
        assert [one.rule.id for one in explain_account(session, account.id, WEDNESDAY, PARTS).reasons] == ["us-ma-one-visit-in-30-days"]  # fmt: skip
        with pytest.raises(Problem) as refused:
            change_account(session, account.id, {"visits_consented_on": date(2027, 1, 1)}, now=NOW, by=None)
        assert refused.value.at == "visits_consented_on"
        change_account(session, account.id, {"visits_consented_on": date(2026, 11, 1)}, now=NOW, by=None)
        assert sought(session)[0] == {account.id: person.id}
        assert explain_account(session, account.id, WEDNESDAY - timedelta(days=5), PARTS).reasons[0].rule.id == "us-one-visit-a-week"  # fmt: skip
        _, plan_id = sought(session)
        change_account(session, account.id, {"visits_consented_on": None}, now=NOW, by=None)
        publish_plan(session, plan_id, parts=PARTS, now=NOW, published_by=None)
        assert session.scalars(select(Visit.state)).all() == ["withdrawn"]


def test_the_next_possible_day_is_one_on_which_somebody_works_who_speaks_the_language(agency: UUID) -> None:
    with transaction(agency) as session:
        world = World(session)
        person, _, account = world.household()
        assert explain_account(session, account.id, WEDNESDAY, PARTS).next_on is None  # nobody works at all
        agent = world.agent()
        world.agent("EN-1", languages=("en",))
        for shift in session.scalars(select(Shift).where(Shift.agent_id == agent.id, Shift.weekday != 1)):
            session.delete(shift)
        session.flush()
        assert explain_account(session, account.id, WEDNESDAY, PARTS).next_on == date(2026, 11, 24)  # a Tuesday
        person.language = "en-GB"
        session.flush()
        assert explain_account(session, account.id, WEDNESDAY, PARTS).next_on == WEDNESDAY + timedelta(days=1)
        planned = explain_account(session, account.id, WEDNESDAY, PARTS).next_on
        assert planned is not None
        plan_day(session, planned, parts=PARTS, now=NOW)
        assert session.scalars(select(VisitAccount.account_id)).all() == [account.id]


def test_a_debtor_is_not_added_at_home_while_they_are_sought_elsewhere(agency: UUID) -> None:
    """Nobody is visited twice on one day, whomever the account would have sought first."""
    with transaction(agency) as session:
        world = World(session)
        world.agent()
        world.creditor().strategy = {"debtor_after_guarantor": True, "guarantor_visits_at_most": 1}
        debtor, work, _ = world.household()
        later = world.account(debtor)
        guarantor = world.person()
        world.party(later, guarantor, "guarantor")
        later.guarantor_first = True
        visited(session, later, guarantor, 40, 1)
        world.address(guarantor)
        later.state = "closed"  # not on the draft
        session.flush()
        _, plan_id = sought(session)
        later.state = "placed"
        work.retired_at = NOW  # moved since: another address is theirs by now
        world.address(debtor, (19.45, -99.14))
        session.flush()
        change = Change(ChangeByHand.ADD, account_id=later.id)
        with pytest.raises(Problem) as refused:
            change_draft(session, plan_id, change, parts=PARTS, now=NOW, by=None, seen=None)
        assert (refused.value.code, refused.value.at) == ("invalid-change", "account_id")
