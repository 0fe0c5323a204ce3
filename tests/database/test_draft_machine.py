"""Whatever a dispatcher does to a draft, and however often the rest is put in order: every change is kept, no law broken.

The times are looked at by `route_checks`, which knows nothing of the code that made them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import time
from uuid import UUID

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select
from sqlalchemy.orm import Session

from field_api.adapters.solver_pyvrp import PyVrpSolver
from field_api.domain.changes_by_hand import Change
from field_api.domain.draft_orders import ChangeByHand
from field_api.domain.route_checks import broken_promises
from field_api.domain.routing import PlacedRoute, PlacedStop, RoutingAnswer
from field_api.platform.database import transaction
from field_api.platform.problems import Problem
from field_api.queries.draft_agents import draft_agents
from field_api.queries.draft_problem import StopOnPlan, problem_of, stops_of_plan
from field_api.queries.plan_version import plan_version
from field_api.records.base import load
from field_api.records.planning import NotPlanned, Plan, Route
from field_api.usecases.change_draft import change_draft
from field_api.usecases.plan_day import plan_day
from field_api.usecases.reoptimise_draft import reoptimise_draft
from tests.planning_world import MEXICO_CITY, NOW, PARTS, WEDNESDAY, World

PARTS_NOW = replace(PARTS, solver=PyVrpSolver(iterations=20, without_improvement=10))
PLACES = 11


@dataclass
class Said:
    """What was said by hand about accounts, as the test remembers it."""

    agent: dict[UUID, UUID] = field(default_factory=dict)
    at: set[UUID] = field(default_factory=set)  # held at the position that they had then
    added: set[UUID] = field(default_factory=set)
    dropped: set[UUID] = field(default_factory=set)


@dataclass
class Town:
    agency: UUID
    accounts: list[UUID]
    agents: list[UUID]


class DraftMachine(RuleBasedStateMachine):
    town: Town

    @initialize(seed=st.integers(0, 3))
    def drafted(self, seed: int) -> None:
        self.said, self.version = Said(), 1
        with transaction(self.town.agency) as session:
            plan = plan_day(session, WEDNESDAY, parts=PARTS_NOW, now=NOW, seed=seed, discard_changes=True)
            self.plan_id = plan.id

    @rule(pick=st.integers(0, 99), hold_position=st.booleans())
    def pin(self, pick: int, hold_position: bool) -> None:
        stop = self.stop(pick)
        if stop and self.change(ChangeByHand.PIN, stop_id=stop.stop_id, hold_position=hold_position):
            self.hold(stop, stop.agent_id, hold_position)

    @rule(pick=st.integers(0, 99))
    def unpin(self, pick: int) -> None:
        stop = self.stop(pick)
        if stop and self.change(ChangeByHand.UNPIN, stop_id=stop.stop_id):
            self.free(stop)

    @rule(pick=st.integers(0, 99), agent=st.integers(0, 2), position=st.one_of(st.none(), st.integers(1, 6)))
    def move(self, pick: int, agent: int, position: int | None) -> None:
        stop, to = self.stop(pick), self.town.agents[agent]
        if stop and self.change(ChangeByHand.MOVE, stop_id=stop.stop_id, agent_id=to, position=position):
            self.free(stop)
            self.hold(stop, to, position is not None)

    @rule(agent=st.integers(0, 2), chance=st.randoms(use_true_random=False))
    def reorder(self, agent: int, chance) -> None:
        own = [stop for stop in self.stops() if stop.agent_id == self.town.agents[agent]]
        chance.shuffle(own)
        order = tuple(stop.stop_id for stop in own)
        if own and self.change(ChangeByHand.REORDER, agent_id=self.town.agents[agent], order=order):
            for stop in own:
                self.hold(stop, stop.agent_id, True)

    @rule(agent=st.integers(0, 2), other=st.integers(0, 2))
    def reassign(self, agent: int, other: int) -> None:
        one, two = self.town.agents[agent], self.town.agents[other]
        mine, theirs = ([stop for stop in self.stops() if stop.agent_id == whose] for whose in (one, two))
        if mine and self.change(ChangeByHand.REASSIGN, agent_id=one, to_agent_id=two):
            for stop in (*mine, *theirs):
                self.hold(stop, two if stop in mine else one, False)

    @rule(pick=st.integers(0, 99))
    def drop(self, pick: int) -> None:
        stop = self.stop(pick)
        if stop and self.change(ChangeByHand.DROP, stop_id=stop.stop_id, reason="porque sí"):
            self.free(stop)
            self.said.dropped |= stop.accounts
            self.said.added -= stop.accounts

    @rule(pick=st.integers(0, 99), agent=st.one_of(st.none(), st.integers(0, 2)))
    def add(self, pick: int, agent: int | None) -> None:
        out = [account for account in self.town.accounts if account not in self.planned()]
        if not out:
            return
        account = out[pick % len(out)]
        to = None if agent is None else self.town.agents[agent]
        if self.change(ChangeByHand.ADD, account_id=account, agent_id=to):
            self.said.added.add(account)
            self.said.dropped.discard(account)
            if to is not None:
                self.said.agent[account] = to

    @precondition(lambda self: self.version > 1)
    @rule(seed=st.integers(0, 3))
    def optimise(self, seed: int) -> None:
        before = self.held_at()
        with transaction(self.town.agency) as session:
            seen = [plan_version(session, load(session, Plan, self.plan_id))]
            reoptimise_draft(session, self.plan_id, parts=PARTS_NOW, now=NOW, by=None, seen=seen, seed=seed)
        self.version += 1
        for account, (position, _) in self.held_at().items():
            assert position == before[account][0], "a stop is held at another position than before"

    @invariant()
    def everything_holds(self) -> None:
        with transaction(self.town.agency) as session:
            plan = load(session, Plan, self.plan_id)
            assert plan.version == self.version
            stops = stops_of_plan(session, plan, PARTS_NOW)
            self.each_account_is_somewhere_once(session, stops)
            for faults in self.broken(session, plan, stops):
                assert faults == []
        by_account = {account: stop for stop in stops for account in stop.accounts}
        assert {account: by_account[account].agent_id for account in self.said.agent} == self.said.agent
        assert self.said.added <= set(by_account) and not self.said.dropped & set(by_account)
        lengths = {
            agent: max(s.position for s in stops if s.agent_id == agent) for agent in {s.agent_id for s in stops}
        }
        for account in self.said.at:
            stop = by_account[account]
            assert stop.position == min(stop.pinned_position or 0, lengths[stop.agent_id])

    def each_account_is_somewhere_once(self, session: Session, stops: list[StopOnPlan]) -> None:
        why_not = session.scalars(select(NotPlanned.account_id).where(NotPlanned.plan_id == self.plan_id))
        on_routes = [account for stop in stops for visit in stop.visits for account, _ in visit.accounts]
        assert sorted([*why_not, *on_routes]) == sorted(self.town.accounts)

    def broken(self, session: Session, plan: Plan, stops: list[StopOnPlan]) -> Iterator[list[str]]:
        """What each agent's route breaks, by its times as they are written."""
        agents = draft_agents(session, plan, NOW)
        routes = session.scalars(
            select(Route).where(Route.plan_id == plan.id).execution_options(populate_existing=True)
        )
        for route in list(routes):
            own = [stop for stop in stops if stop.agent_id == route.agent_id]
            problem = problem_of([agents.known[route.agent_id]], own, PARTS_NOW.travel)
            assert own and [stop.position for stop in own] == list(range(1, len(own) + 1))
            placed = tuple(PlacedStop(number, stop.arrival_from) for number, stop in enumerate(own))
            as_written = PlacedRoute(
                0, route.starts_at, route.ends_at, route.distance_m, route.travel_s, placed, route.lunch_at
            )
            yield broken_promises(problem, RoutingAnswer((as_written,), ()))

    def change(self, kind: ChangeByHand, **more) -> bool:
        """Whether it was done; refused, it leaves everything as it was."""
        if kind is ChangeByHand.MOVE and more.get("position") is None:
            more.pop("position")
        with transaction(self.town.agency) as session:
            seen = [plan_version(session, load(session, Plan, self.plan_id))]
            try:
                change_draft(session, self.plan_id, Change(kind, **more), parts=PARTS_NOW, now=NOW, by=None, seen=seen)
            except Problem as refused:
                assert refused.code in ("cannot-be-kept", "invalid-change", "rule-refuses"), refused
                session.rollback()
                return False
        self.version += 1
        return True

    def stops(self) -> list[StopOnPlan]:
        with transaction(self.town.agency) as session:
            return stops_of_plan(session, load(session, Plan, self.plan_id), PARTS_NOW)

    def stop(self, pick: int) -> StopOnPlan | None:
        stops = sorted(self.stops(), key=lambda stop: (stop.agent_id, stop.position))
        return stops[pick % len(stops)] if stops else None

    def planned(self) -> set[UUID]:
        return {account for stop in self.stops() for account in stop.accounts}

    def held_at(self) -> dict[UUID, tuple[int | None, UUID]]:
        return {a: (s.pinned_position, s.agent_id) for s in self.stops() for a in s.accounts if a in self.said.at}

    def hold(self, stop: StopOnPlan, agent: UUID, position: bool) -> None:
        self.said.agent |= dict.fromkeys(stop.accounts, agent)
        self.said.at |= stop.accounts if position else frozenset()

    def free(self, stop: StopOnPlan) -> None:
        self.said.at -= stop.accounts
        for account in stop.accounts:
            self.said.agent.pop(account, None)


def town(agency: UUID) -> Town:
    """Two agents whose days are short, so that not everything fits; a third who speaks another language; two debtors at
    one door, two accounts of one debtor."""
    with transaction(agency) as session:
        world = World(session)
        accounts = []
        for number in range(PLACES - 2):
            person, _, account = world.household((MEXICO_CITY[0] + number * 0.02, MEXICO_CITY[1] + number % 3 * 0.01))
            accounts.append(account.id)
        accounts += [world.account(person).id, world.household(MEXICO_CITY)[2].id]
        agents = [
            world.agent("MX-1", hours=(time(9), time(11, 30))).id,
            world.agent("MX-2", (MEXICO_CITY[0] + 0.2, MEXICO_CITY[1]), hours=(time(10), time(12, 30))).id,
            world.agent("MX-3", languages=("fr",)).id,
        ]
        return Town(agency, accounts, agents)


def run(agency: UUID, **more) -> None:
    machine = type("Machine", (DraftMachine,), {"town": town(agency)})
    quiet = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]
    run_state_machine_as_test(machine, settings=settings(deadline=None, suppress_health_check=quiet, **more))


def test_changes_by_hand_are_kept_and_break_nothing(agency: UUID) -> None:
    run(agency, max_examples=2, stateful_step_count=5, derandomize=True)


@pytest.mark.prove
def test_changes_by_hand_are_kept_and_break_nothing_in_the_long_run(agency: UUID) -> None:
    run(agency, max_examples=60, stateful_step_count=25)
