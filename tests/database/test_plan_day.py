"""A plan has everything on it that may and can be visited, and says why of the rest."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from field_api.adapters.solver_pyvrp import PyVrpSolver
from field_api.domain.vocabulary import HoldKind
from field_api.platform.database import transaction
from field_api.platform.ids import new_id
from field_api.records.accounts import Account
from field_api.records.planning import Absence, NotPlanned, Plan, Route, Stop
from field_api.records.results import Attempt
from field_api.records.visits import Visit, VisitAccount, VisitEvent
from field_api.usecases.learn_travel import learn_travel
from field_api.usecases.place_hold import place_hold
from field_api.usecases.plan_day import plan_day
from tests.planning_world import BALTIMORE, MEXICO_CITY, NOW, PARTS, VADUZ, WEDNESDAY, World, statements


def why(session: Session) -> dict[UUID, str]:
    return {row.account_id: row.reason for row in session.scalars(select(NotPlanned))}


def planned(session: Session) -> set[UUID]:
    return set(session.scalars(select(VisitAccount.account_id)))


def attempt(
    session: Session,
    account: Account,
    person_id: UUID,
    at: datetime,
    channel: str = "visit",
    outcome: str = "nobody_there",
) -> None:
    number = len(session.scalars(select(Attempt)).all()) + 1
    session.add(
        Attempt(
            number=number, account_id=account.id, person_id=person_id, op_id=new_id(), channel=channel, at=at, received_at=at,
            outcome=outcome, right_party=False, detail="{}",
        )
    )  # fmt: skip
    session.flush()


def test_every_account_is_on_a_route_or_has_its_reason(agency: UUID) -> None:
    with transaction(agency) as session:
        world = World(session)
        expected: dict[UUID, str] = {}

        def account(
            reason: str, person_more: dict | None = None, at=MEXICO_CITY, address: dict | None = None, **more
        ) -> Account:
            person = world.person(**(person_more or {}))
            world.address(person, at, **(address or {}))
            expected_account = world.account(person, **more)
            expected[expected_account.id] = reason
            return expected_account

        world.agent()
        account("", balance_minor=10_001)
        account("below_threshold", balance_minor=10_000)
        account("not_due", due_on=WEDNESDAY)
        account("", due_on=WEDNESDAY - timedelta(days=1))
        place_hold(session, kind=HoldKind.DISPUTE, reason="x", now=NOW, account_id=account("on_hold").id)
        account("no_coordinates", at=None)
        account("visits_opted_out", address={"visits_opted_out": True})
        account("minor", person_more={"is_minor": True})
        account("no_agent", person_more={"language": "fr"})
        account("no_agent", at=BALTIMORE)
        account("outside_contact_hours", address={"jurisdiction": "JP"})
        again = account("too_frequent")
        attempt(session, again, session.scalars(select(Visit.person_id)).first() or world.person().id, NOW)
        closed = account("", state="closed")
        del expected[closed.id]
        account("below_threshold", balance_minor=100, currency="JPY")  # a hundred yen have no minor digits
        account("", balance_minor=101, currency="JPY")
        session.commit()
        plan_day(session, WEDNESDAY, parts=PARTS, now=NOW)
        assert why(session) == {key: reason for key, reason in expected.items() if reason}
        assert planned(session) == {key for key, reason in expected.items() if not reason}


def test_a_holiday_has_no_visits_and_names_its_law(agency: UUID) -> None:
    with transaction(agency) as session:
        world = World(session)
        world.household()
        world.agent()
        plan_day(session, date(2026, 11, 16), parts=PARTS, now=NOW - timedelta(days=7))
        row = session.scalars(select(NotPlanned)).one()
        assert row.reason == "no_visit_day" and "Ley Federal del Trabajo, art. 74" in row.rule


def test_accounts_of_one_person_are_one_visit_and_neighbours_one_stop(agency: UUID) -> None:
    with transaction(agency) as session:
        world = World(session)
        person, _, _ = world.household()
        world.account(person)
        world.household()  # another debtor at the same coordinates
        world.household((MEXICO_CITY[0] + 0.01, MEXICO_CITY[1]))
        world.agent()
        plan_day(session, WEDNESDAY, parts=PARTS, now=NOW)
        stops = session.scalars(select(Stop).order_by(Stop.position)).all()
        assert [stop.service_s for stop in stops] == [900, 600]
        visits = session.scalars(select(Visit)).all()
        assert sorted(len(_about(session, visit)) for visit in visits) == [1, 1, 2]
        assert {visit.state for visit in visits} == {"planned"}
        assert len(session.scalars(select(VisitEvent).where(VisitEvent.kind == "planned")).all()) == 3


def _about(session: Session, visit: Visit) -> list[UUID]:
    return list(session.scalars(select(VisitAccount.account_id).where(VisitAccount.visit_id == visit.id)))


def test_the_debtor_is_sought_and_a_guarantor_only_without_one(agency: UUID) -> None:
    with transaction(agency) as session:
        world = World(session)
        debtor, _, account = world.household()
        guarantor = world.person()
        world.address(guarantor)
        world.party(account, guarantor, "guarantor")
        world.agent()
        plan_day(session, WEDNESDAY, parts=PARTS, now=NOW)
        assert [visit.person_id for visit in session.scalars(select(Visit))] == [debtor.id]


def test_a_second_draft_replaces_the_first(agency: UUID) -> None:
    with transaction(agency) as session:
        world = World(session)
        world.household()
        world.household(None)
        world.agent()
    for _ in range(2):
        with transaction(agency) as session:
            plan_day(session, WEDNESDAY, parts=PARTS, now=NOW)
    with transaction(agency) as session:
        for table, count in ((Plan, 1), (Route, 1), (Stop, 1), (Visit, 1), (VisitEvent, 1), (NotPlanned, 1)):
            assert len(session.scalars(select(table)).all()) == count, table


def test_absent_agents_stay_at_home(agency: UUID) -> None:
    with transaction(agency) as session:
        world = World(session)
        world.household()
        session.add(Absence(agent_id=world.agent().id, first_day=WEDNESDAY, last_day=WEDNESDAY))
        plan_day(session, WEDNESDAY, parts=PARTS, now=NOW)
        assert [row.reason for row in session.scalars(select(NotPlanned))] == ["no_agent"]


def test_a_shift_under_way_starts_now(agency: UUID) -> None:
    with transaction(agency) as session:
        world = World(session)
        world.household()
        world.agent()
        noon = datetime(2026, 11, 18, 18, 0, tzinfo=UTC)
        plan_day(session, WEDNESDAY, parts=PARTS, now=noon)
        assert session.scalars(select(Stop)).one().arrival_from >= noon
        plan_day(session, WEDNESDAY, parts=PARTS, now=noon + timedelta(hours=6))
        assert session.scalars(select(Stop)).all() == []


@pytest.mark.parametrize(("channel", "outcome", "days_ago", "allowed"), [
    ("visit", "nobody_there", 6, False),
    ("visit", "nobody_there", 7, True),
    ("visit", "skipped", 1, True),
    ("call", "client_located", 1, True),
])  # fmt: skip
def test_one_visit_in_seven_days(agency: UUID, channel: str, outcome: str, days_ago: int, allowed: bool) -> None:
    with transaction(agency) as session:
        world = World(session)
        person, _, account = world.household()
        world.agent()
        when = datetime(2026, 11, 18, 18, 0, tzinfo=UTC) - timedelta(days=days_ago)
        attempt(session, account, person.id, when, channel, outcome)
        plan_day(session, WEDNESDAY, parts=PARTS, now=NOW)
        assert (account.id in planned(session)) is allowed


def test_a_published_visit_that_nobody_reported_counts_as_done(agency: UUID) -> None:
    with transaction(agency) as session:
        world = World(session)
        person, address, account = world.household()
        agent = world.agent()
        world.visit(world.route(agent, day=WEDNESDAY - timedelta(days=2)), 1, address, person, account)
        plan_day(session, WEDNESDAY, parts=PARTS, now=NOW)
        assert why(session) == {account.id: "too_frequent"}


def test_a_published_day_keeps_its_agents_and_accounts(agency: UUID) -> None:
    with transaction(agency) as session:
        world = World(session)
        person, address, account = world.household()
        _, _, other = world.household()
        world.visit(world.route(world.agent()), 1, address, person, account)
        plan_day(session, WEDNESDAY, parts=PARTS, now=NOW)
        assert why(session) == {account.id: "already_on_a_route", other.id: "no_agent"}


CITIES = {
    "MX": ("MXN", "es", MEXICO_CITY, "America/Mexico_City"),
    "US-MD": ("USD", "en", BALTIMORE, "America/New_York"),
    "LI": ("CHF", "de", VADUZ, "Europe/Vaduz"),
}


def three_cities(world: World, accounts: int) -> None:
    """Agents and as many accounts more in three cities."""
    for code, (currency, language, centre, zone) in CITIES.items():
        creditor = world.creditor(code, currency, language)
        for number in range(accounts // 3):
            person = world.person(creditor)
            at = (centre[0] + (number % 20) * 0.003, centre[1] + (number // 20) * 0.004)
            world.address(person, at, country=code[:2], jurisdiction=code)
            world.account(person)
        for number in (1, 2):
            world.agent(f"{code}-{number}-{accounts}", centre, zone, (language,), (time(9), time(18)))


def test_planning_takes_a_fixed_number_of_statements(agency: UUID) -> None:
    counts, world = [], None
    for accounts in (30, 300):
        with transaction(agency) as session:
            world = World(session) if world is None else replace(world, session=session)
            three_cities(world, accounts)
            learn_travel(session, PARTS.travel, NOW)  # once a week
        with transaction(agency) as session, statements() as seen:
            plan_day(session, WEDNESDAY, parts=PARTS, now=NOW)
        counts.append(len(seen))
    assert counts[0] == counts[1] < 45, counts


def test_the_real_solver_plans_three_cities_and_the_same_seed_plans_the_same(agency: UUID) -> None:
    parts = replace(PARTS, solver=PyVrpSolver(iterations=50))
    with transaction(agency) as session:
        three_cities(World(session), 90)
    days = []
    for _ in range(2):
        with transaction(agency) as session:
            plan = plan_day(session, WEDNESDAY, parts=parts, now=NOW, seed=7)
            assert len(plan.solver["parts"]) == 3
            rows = session.execute(
                select(Route.agent_id, Stop.position, Stop.address_id, Stop.arrival_from)
                .join(Stop, Stop.route_id == Route.id)
                .order_by(Route.agent_id, Stop.position)
            ).all()
            days.append(rows)
            assert len(rows) == 90
    assert days[0] == days[1]
