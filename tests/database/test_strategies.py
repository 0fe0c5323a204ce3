"""A creditor's strategy, its exclusions and what its file says of an account decide who is on a plan."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from click.testing import CliRunner
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from doorstep.commands import creditor_strategy
from doorstep.commands.creditor_strategy import exclude, strategy
from field_api.platform.database import transaction
from field_api.platform.ids import new_id
from field_api.platform.problems import Problem
from field_api.queries.account_books import account_books
from field_api.records.accounts import Account, Payment
from field_api.records.people import Person
from field_api.records.planning import NotPlanned, Stop
from field_api.records.results import Promise
from field_api.records.visits import Visit, VisitAccount
from field_api.usecases.create_creditor import change_creditor
from field_api.usecases.plan_day import plan_day
from field_api.usecases.publish_plan import publish_plan
from field_api.usecases.record_payment import record_payment
from field_api.usecases.settle_promises import settle_promises
from tests.fakes import NearestFirstSolver
from tests.planning_world import MEXICO_CITY, NOW, PARTS, WEDNESDAY, World


def why(session: Session) -> dict[UUID, str]:
    plan_day(session, WEDNESDAY, parts=PARTS, now=NOW)
    return {row.account_id: row.rule.partition(" ")[0] for row in session.scalars(select(NotPlanned))}


def set_strategy(session: Session, world: World, data: dict) -> None:
    change_creditor(session, world.creditor().id, {"strategy": data}, now=NOW)


def promise(session: Session, account: Account, person: Person, due_in_days: int, **more: object) -> None:
    session.add(
        Promise(
            account_id=account.id, person_id=person.id, op_id=new_id(), kind="full", amount_minor=100, currency="MXN",
            due_on=WEDNESDAY + timedelta(days=due_in_days), made_at=NOW - timedelta(days=30), **more,
        )
    )  # fmt: skip
    session.flush()


def paid(session: Session, account: Account, days: int, minor: int) -> None:
    on = WEDNESDAY + timedelta(days=days)
    session.add(Payment(account_id=account.id, external_ref=f"ref:{new_id()}", paid_on=on, amount_minor=minor))
    session.flush()


def test_promises_are_waited_for_or_were_broken(agency: UUID) -> None:
    with transaction(agency) as session:
        world = World(session)
        world.agent()
        bands = [{"broken_promises": 1, "weight": 7}]
        set_strategy(session, world, {"wait_for_promises": True, "bands": bands})
        waiting, broken, partly, kept = (world.household() for _ in range(4))
        promise(session, waiting[2], waiting[0], 0)
        for person, _, account in (broken, partly, kept):
            promise(session, account, person, -5)
        paid(session, partly[2], -6, 40)
        paid(session, kept[2], -9, 60)
        paid(session, kept[2], -5, 40)
        assert why(session) == {waiting[2].id: "strategy:wait-for-promises"}
        books = {one.account_id: one for one in account_books(session, WEDNESDAY)}
        four = [account.id for _, _, account in (waiting, broken, partly, kept)]
        assert [books[account].weight_on(WEDNESDAY) for account in four] == [1, 7, 1, 1]
        states = dict(session.execute(select(Promise.account_id, Promise.state)).all())
        assert [states[account] for account in four] == ["open", "broken", "partly", "kept"]
        set_strategy(session, world, {"wait_for_promises": True, "promise_grace_days": 3, "bands": bands})
        late = world.household()
        promise(session, late[2], late[0], -5)
        assert why(session)[late[2].id] == "strategy:wait-for-promises"  # a Friday, and three days of grace


def test_a_payment_told_of_by_a_call_or_a_file_decides_and_repeating_changes_nothing(agency: UUID) -> None:
    def settled(session: Session) -> int:
        return settle_promises(session, rules=PARTS.rules, calendars=PARTS.calendars, now=NOW)

    with transaction(agency) as session:
        world = World(session)
        person, _, account = world.household()
        promise(session, account, person, -5)
        assert (settled(session), settled(session)) == (1, 0)
        assert session.scalars(select(Promise.state)).all() == ["broken"]
        record_payment(session, account.id, ref="T-1", paid_on=WEDNESDAY - timedelta(days=5), amount_minor=100, now=NOW, by=None)  # fmt: skip
        assert (settled(session), settled(session)) == (1, 0)
        assert session.scalars(select(Promise.state)).all() == ["kept"]


def test_who_pays_on_the_evening_of_the_promise_kept_it_whatever_day_it_is_in_greenwich(agency: UUID) -> None:
    with transaction(agency) as session:
        world = World(session)
        person, address, account = world.household(timezone="America/Mexico_City")
        visit = world.visit(world.route(world.agent()), 1, address, person, account, state="done")
        promise(session, account, person, -8, visit_id=visit.id)
        made = session.scalars(select(Promise)).one()
        made.made_at = datetime(2026, 11, 10, 1, 30, tzinfo=UTC)  # half past seven in the evening of the ninth
        paid(session, account, -9, 100)  # on the ninth
        settle_promises(session, rules=PARTS.rules, calendars=PARTS.calendars, now=NOW)
        assert session.scalars(select(Promise.state)).all() == ["kept"]


def test_automatic_payers_are_visited_after_a_failed_payment_alone(agency: UUID) -> None:
    with transaction(agency) as session:
        world = World(session)
        world.agent()
        paying, failed, paid_since = (world.household()[2] for _ in range(3))
        for account in (paying, failed, paid_since):
            account.auto_pay = True
        failed.auto_pay_failed_on = paid_since.auto_pay_failed_on = WEDNESDAY - timedelta(days=9)
        failed.last_payment_on = WEDNESDAY - timedelta(days=40)
        paid_since.last_payment_on = WEDNESDAY - timedelta(days=8)
        session.flush()
        assert why(session) == {paying.id: "auto-pay", paid_since.id: "auto-pay"}


@pytest.mark.parametrize("by", ["contract", "strategy"])
def test_the_guarantor_is_sought_first_where_contract_or_strategy_say_so(agency: UUID, by: str) -> None:
    with transaction(agency) as session:
        world = World(session)
        world.agent()
        debtor, _, account = world.household()
        guarantor = world.person()
        world.address(guarantor)
        world.party(account, guarantor, "guarantor")
        alone, _, other = world.household()
        if by == "contract":
            account.guarantor_first = other.guarantor_first = True
        else:
            set_strategy(session, world, {"guarantor_first": True})
        session.flush()
        assert why(session) == {}
        assert set(session.scalars(select(Visit.person_id))) == {guarantor.id, alone.id}
        assert debtor.id != guarantor.id


def test_weights_choose_and_reach_the_solver(agency: UUID) -> None:
    seen: list[int] = []

    class Watching(NearestFirstSolver):
        def solve(self, problem, **how):
            seen.extend(stop.weight for stop in problem.stops)
            return super().solve(problem, **how)

    with transaction(agency) as session:
        world = World(session)
        world.agent()
        set_strategy(session, world, {"bands": [{"from": 90, "weight": 5}]})
        person, _, _ = world.household()
        world.account(person, due_on=WEDNESDAY - timedelta(days=3))
        away = world.person()
        world.address(away, (MEXICO_CITY[0] + 0.02, MEXICO_CITY[1]))
        world.account(away, due_on=WEDNESDAY - timedelta(days=3))
        plan_day(session, WEDNESDAY, parts=type(PARTS)(PARTS.rules, PARTS.calendars, PARTS.travel, Watching()), now=NOW)
        assert sorted(seen) == [1, 5] and len(session.scalars(select(Stop)).all()) == 2


def test_exclusions_hold_for_references_and_customers_now_and_later_and_take_visits_back(agency: UUID) -> None:
    with transaction(agency) as session:
        world = World(session)
        world.agent()
        households = [world.household((MEXICO_CITY[0] + n / 1000, MEXICO_CITY[1])) for n in range(3)]
        plan_id = plan_day(session, WEDNESDAY, parts=PARTS, now=NOW).id
    with transaction(agency) as session:
        publish_plan(session, plan_id, parts=PARTS, now=NOW, published_by=None)
        assert {visit.state for visit in session.scalars(select(Visit))} == {"published"}
        listed = ["CT-3", households[1][0].external_ref, "CT-LATER"]
        session.get_one(Account, (agency, households[0][2].id)).reference = "CT-3"
        session.flush()
        change_creditor(session, world.creditor().id, {"exclusions": listed}, now=NOW)
        left = session.scalars(select(VisitAccount.account_id).join(Visit, Visit.id == VisitAccount.visit_id).where(Visit.state == "published")).all()  # fmt: skip
        assert left == [households[2][2].id]
    with transaction(agency) as session:
        world.session = session
        later = world.account(session.get_one(Person, (agency, households[2][0].id)), reference="CT-LATER")
        assert why(session)[later.id] == "excluded"


def test_a_strategy_that_is_not_understood_is_refused_and_nothing_changes(agency: UUID) -> None:
    with transaction(agency) as session:
        creditor_id = World(session).creditor().id
    with pytest.raises(Problem) as refused, transaction(agency) as session:
        change_creditor(session, creditor_id, {"strategy": {"days_past_due": {"from": -1}}}, now=NOW)
    assert (refused.value.code, refused.value.at) == ("invalid-fields", "strategy.days_past_due.from")


def test_strategy_and_exclusions_on_the_command_line(
    app: Flask, agency: UUID, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(creditor_strategy, "office_context", lambda: nullcontext(agency))
    with transaction(agency) as session:
        name = World(session).creditor().name
    file = tmp_path / "s.toml"
    file.write_text("visits_at_most = 6\n[days_past_due]\nfrom = 30\n")
    told = CliRunner().invoke(strategy, [name, str(file)], catch_exceptions=False)
    assert '"from": 30' in told.output and '"visits_at_most": 6' in told.output
    assert CliRunner().invoke(strategy, [name, "--none"], catch_exceptions=False).output == "{}\n"
    file.write_text("CT-1\n\n  P2 \nCT-1\n")
    assert CliRunner().invoke(exclude, [name, str(file)], catch_exceptions=False).output == "2 excluded\n"
    assert CliRunner().invoke(exclude, ["Nobody"]).exit_code == 2
