"""One visit of a draft is reassigned or withdrawn by itself: a change by hand as any other, seen by other dispatchers
and kept by whoever optimises after it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select

from field_api.adapters.solver_pyvrp import PyVrpSolver
from field_api.platform.database import transaction
from field_api.platform.problems import Problem
from field_api.queries.plan_version import plan_version
from field_api.records.base import load
from field_api.records.drafts import PlanChange
from field_api.records.people import Address
from field_api.records.planning import NotPlanned, Plan, Route
from field_api.records.visits import Visit, VisitAccount
from field_api.usecases.lock_visit import lock_accounts
from field_api.usecases.opt_out_of_visits import opt_out_of_visits
from field_api.usecases.plan_day import plan_day
from field_api.usecases.reassign_visit import reassign_visit
from field_api.usecases.reoptimise_draft import reoptimise_draft
from field_api.usecases.withdraw_visit import withdraw_visit
from tests.planning_world import MEXICO_CITY, NOW, PARTS, WEDNESDAY, World, wait_for_waiters

QUICK = replace(PARTS, solver=PyVrpSolver(iterations=60, without_improvement=30))


@pytest.fixture
def drafted(agency: UUID) -> tuple[UUID, dict[str, UUID]]:
    """A plan's id and agents by code: three households beside the first agent, one beside the second, far away."""
    with transaction(agency) as session:
        world = World(session)
        for house in (0, 1, 2, 20):
            world.household((MEXICO_CITY[0] + 0.01 * house, MEXICO_CITY[1]))
        near = world.agent("MX-1").id
        far = world.agent("MX-2", (MEXICO_CITY[0] + 0.2, MEXICO_CITY[1])).id
        plan_id = plan_day(session, WEDNESDAY, parts=QUICK, now=NOW).id
        return plan_id, {"MX-1": near, "MX-2": far}


def held_by(session, account_id: UUID) -> UUID | None:
    query = select(Visit.agent_id).join(VisitAccount, VisitAccount.visit_id == Visit.id)
    return session.scalars(query.where(VisitAccount.account_id == account_id, Visit.state == "planned")).one_or_none()


def first_of(session, agent_id: UUID) -> tuple[UUID, UUID]:
    query = select(Visit.id, VisitAccount.account_id).join(VisitAccount, VisitAccount.visit_id == Visit.id)
    return session.execute(query.where(Visit.agent_id == agent_id).order_by(Visit.id)).first()


def test_a_reassigned_visit_of_a_draft_is_another_version_and_stays_with_its_agent(
    agency: UUID, drafted: tuple[UUID, dict[str, UUID]]
) -> None:
    plan_id, agents = drafted
    with transaction(agency) as session:
        seen = plan_version(session, load(session, Plan, plan_id))
        visit_id, account_id = first_of(session, agents["MX-1"])
        reassign_visit(session, visit_id, agents["MX-2"], parts=QUICK, now=NOW, by=None)
    with transaction(agency) as session, pytest.raises(Problem, match="precondition-failed"):
        reoptimise_draft(session, plan_id, parts=QUICK, now=NOW, by=None, seen={seen})
    with transaction(agency) as session:
        assert [line.kind for line in session.scalars(select(PlanChange))] == ["move"]
        reoptimise_draft(session, plan_id, parts=QUICK, now=NOW, by=None, seen=None)
        assert held_by(session, account_id) == agents["MX-2"]
        assert "areas" in load(session, Plan, plan_id).solver


def test_a_withdrawn_visit_of_a_draft_does_not_come_back_by_optimising(
    agency: UUID, drafted: tuple[UUID, dict[str, UUID]]
) -> None:
    plan_id, agents = drafted
    with transaction(agency) as session:
        visit_id, account_id = first_of(session, agents["MX-1"])
        withdraw_visit(session, visit_id, reason="calle cerrada", now=NOW, by=None)
    with transaction(agency) as session:
        reoptimise_draft(session, plan_id, parts=QUICK, now=NOW, by=None, seen=None)
        assert held_by(session, account_id) is None
        why = session.scalars(select(NotPlanned).where(NotPlanned.account_id == account_id)).one()
        assert (why.reason, why.rule) == ("dropped", "dropped [H]: calle cerrada")


def test_opting_out_and_a_phones_operation_never_wait_for_each_other(app: Flask, agency: UUID) -> None:
    """An operation locks accounts, and at its end the address whose house it found."""
    with transaction(agency) as session:
        world = World(session)
        person, address, account = world.household()
        world.visit(world.route(world.agent()), 1, address, person, account)
        address_id, account_id = address.id, account.id

    def opts_out() -> None:
        with app.app_context(), transaction(agency) as session:
            opt_out_of_visits(session, address_id, now=NOW)

    with ThreadPoolExecutor(1) as pool:
        with transaction(agency) as session:
            lock_accounts(session, [account_id])
            done = pool.submit(opts_out)
            wait_for_waiters(1)
            load(session, Address, address_id, lock=True).hint = "puerta verde"
        done.result()
    with transaction(agency) as session:
        assert session.scalars(select(Visit.state)).all() == ["withdrawn"]


def test_who_is_out_by_another_plan_of_the_day_gets_no_second_route(agency: UUID) -> None:
    with transaction(agency) as session:
        world = World(session)
        (person, address, account), (_, theirs, _) = world.household(), world.household()
        mine = world.visit(world.route(world.agent()), 1, address, person, account)
        planned = world.visit(world.route(world.agent("MX-3"), state="draft"), 1, address, person, state="planned")
        other = world.agent("MX-2")
        out = world.route(other)
        world.visit(out, 1, theirs, world.person())
        reassign_visit(session, mine.id, other.id, parts=QUICK, now=NOW, by=None)
        assert session.scalars(select(Route.id).where(Route.agent_id == other.id)).all() == [out.id]
        with pytest.raises(Problem, match="conflict"):
            reassign_visit(session, planned.id, other.id, parts=QUICK, now=NOW, by=None)
