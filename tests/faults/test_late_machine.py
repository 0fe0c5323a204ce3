"""Withdrawn or reassigned while a phone was offline: in every interleaving the report is kept, late, seen and told.

Two agents' phones, the door, the worker and a dispatcher take turns as hypothesis likes. What should be late is known
from the turns alone; nothing of it is read from the database.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest
from fault_world import House
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select

from field_api.domain.vocabulary import ChangeKind
from field_api.platform.clock import SystemClock
from field_api.platform.database import transaction
from field_api.platform.wiring import office_keys
from field_api.queries.visit_story import visit_story
from field_api.records.agency import Creditor
from field_api.records.planning import Route
from field_api.usecases.reassign_visit import reassign_visit
from field_api.usecases.tell_agent import tell_agent
from field_api.usecases.withdraw_visit import withdraw_visit
from sync.mailbox import InboxOp
from sync.office.apply import apply_device
from sync.office.publish import publish_changes
from sync.phone import NotAllowed, Phone
from tests.planning_world import NOW, PARTS, World

pytest_plugins = ["fault_fixtures"]
pytestmark = pytest.mark.xdist_group("faults")
NAMES = ("here", "there")
OUTCOME = "outcome"


@dataclass
class Assigned:
    """A visit as the dispatcher's own turns made it."""

    agent: str
    version: int = 1
    withdrawn: bool = False
    done: bool = False


@dataclass
class Reported:
    """An operation as its phone made it. `late`: what its verdict must be, once it was applied."""

    phone: str
    visit: str
    version: int
    kind: str
    received: bool = False
    late: bool | None = None


@dataclass
class TwoAgents:
    house: House
    phones: dict[str, Phone]
    agents: dict[str, UUID]
    world_serial: int = 0
    seen: dict[str, int] = field(default_factory=lambda: {"late": 0, "applied": 0, "examples": 0})


class Machine(RuleBasedStateMachine):
    visits = Bundle("visits")

    def __init__(self, two: TwoAgents) -> None:
        super().__init__()
        self.two, self.house = two, two.house
        self.assigned: dict[str, Assigned] = {}
        self.reports: dict[str, Reported] = {}
        with transaction(self.house.agency) as session:
            world = World(session)
            first = world.route(world_agent(session, two.agents["here"]))
            second = world.route_beside(first, two.agents["there"])
            self.routes = {"here": first.id, "there": second.id}

    @initialize(target=visits)
    def a_day_begins(self) -> Any:
        """Each agent has a visit out already; what comes later takes whatever time it takes."""
        begun = [self.assign(name) for name in NAMES]
        for name in NAMES:
            self.publish(name)
            self.pull(name)
        for name, visit in zip(NAMES, begun, strict=True):
            self.record_offline(visit, name, OUTCOME)
        return multiple(*begun)

    @rule(target=visits, agent=st.sampled_from(NAMES))
    def assign(self, agent: str) -> str:
        with transaction(self.house.agency) as session:
            known = {one.jurisdiction: one for one in session.scalars(select(Creditor))}
            self.two.world_serial += 100
            world = World(session, serial=self.two.world_serial, creditors=known)
            route = session.get_one(Route, {"agency_id": self.house.agency, "id": self.routes[agent]})
            person, address, account = world.household()
            visit = world.visit(route, self.two.world_serial, address, person, account)
            tell_agent(session, self.two.agents[agent], ChangeKind.VISIT, visit.id)
            self.assigned[str(visit.id)] = Assigned(agent)
            return str(visit.id)

    @rule(visit=visits)
    def withdraw(self, visit: str) -> None:
        of = self.assigned[visit]
        if of.withdrawn or of.done:
            return
        with transaction(self.house.agency) as session:
            withdraw_visit(session, UUID(visit), reason="pagó", now=SystemClock().now(), by=None)
        of.withdrawn, of.version = True, of.version + 1

    @rule(visit=visits)
    def reassign(self, visit: str) -> None:
        of = self.assigned[visit]
        if of.withdrawn or of.done:
            return
        other = next(name for name in NAMES if name != of.agent)
        with transaction(self.house.agency) as session:
            reassign_visit(session, UUID(visit), self.two.agents[other], parts=PARTS, now=NOW, by=None)
        of.agent, of.version = other, of.version + 1

    @rule(visit=visits, name=st.sampled_from(NAMES), what=st.sampled_from(["note", "note", OUTCOME]))
    def record_offline(self, visit: str, name: str, what: str) -> None:
        """Whatever the phone knows: it may be long out of date, or the other agent's by now."""
        phone = self.two.phones[name]
        try:
            done = [phone.arrive(visit)] if what == "note" else _nobody(phone, visit)
        except NotAllowed:
            return
        version = phone.handset.store.get("work", visit)["assignment_version"]
        for recorded in done:
            self.reports[recorded.op] = Reported(name, visit, version, recorded.kind)

    @rule(name=st.sampled_from(NAMES))
    def push(self, name: str) -> None:
        self.two.phones[name].push()
        for report in self.reports.values():
            report.received = report.received or report.phone == name

    @rule(name=st.sampled_from(NAMES))
    def pull(self, name: str) -> None:
        self.two.phones[name].pull()

    @rule(name=st.sampled_from(NAMES))
    def publish(self, name: str) -> None:
        with transaction(self.house.agency) as session:
            keys = office_keys().of(self.house.agency)
            publish_changes(session, keys, self.two.agents[name], now=SystemClock().now())

    @rule(name=st.sampled_from(NAMES))
    def apply(self, name: str) -> None:
        device = UUID(self.two.phones[name].handset.device)
        apply_device(self.house.agency, office_keys().of(self.house.agency), device, now=SystemClock().now())
        for report in self.reports.values():
            if report.phone == name and report.received and report.late is None:
                of = self.assigned[report.visit]
                report.late = of.withdrawn or of.agent != name or report.version < of.version
                of.done = of.done or (report.kind == OUTCOME and not report.late)

    @invariant()
    def every_operation_is_somewhere_and_what_was_applied_has_its_verdict(self) -> None:
        waiting = {entry["op"] for phone in self.two.phones.values() for entry in phone.queue()}
        inbox = self.house.inbox()
        for op, report in self.reports.items():
            assert op in waiting or op in inbox, "lost"
            assert (op in inbox) == report.received
            if report.late is not None:
                assert inbox[op][1] == ("late" if report.late else "applied"), report

    def teardown(self) -> None:
        """Everybody comes online: what was late is told to agent and dispatcher, and each has its one effect."""
        for name in NAMES:
            self.push(name)
            self.apply(name)
        self.house.work()
        for name in NAMES:
            self.two.phones[name].pull()
            assert self.two.phones[name].queue() == []
        self.every_operation_is_somewhere_and_what_was_applied_has_its_verdict()
        effects = self.house.effects()
        told = {name: {v["op"]: v for v in self.two.phones[name].verdicts()} for name in NAMES}
        for op, report in self.reports.items():
            assert effects[op] == 1
            verdict = told[report.phone][op]
            assert verdict["verdict"] == ("late" if report.late else "applied")
            assert ("late" in verdict["flags"]) == report.late
            self.two.seen[verdict["verdict"]] += 1
        self._the_dispatcher_sees_it()
        self._sheets_are_those_of_today()
        self.two.seen["examples"] += 1

    def _the_dispatcher_sees_it(self) -> None:
        for visit in {report.visit for report in self.reports.values()}:
            with transaction(self.house.agency) as session:
                events = {str(e.op_id): e.flags for e in visit_story(session, UUID(visit)).events if e.op_id}
            for op, report in self.reports.items():
                if report.visit == visit:
                    assert ("late" in events[op]) == report.late

    def _sheets_are_those_of_today(self) -> None:
        for name in NAMES:
            sheet = {stop.visit for stop in self.two.phones[name].today()}
            for visit, of in self.assigned.items():
                if not of.done:  # a visit that is done lies on its agent's sheet until the next one
                    assert (visit in sheet) == (of.agent == name and not of.withdrawn), (name, of)


def _nobody(phone: Phone, visit: str) -> list[Any]:
    met = phone.encounter(visit, "nobody")
    return [met, phone.record_outcome(visit, "nobody_there")]


def world_agent(session: Any, agent_id: UUID) -> Any:
    from field_api.records.base import load
    from field_api.records.planning import Agent

    return load(session, Agent, agent_id)


@pytest.fixture
def two(house: House) -> TwoAgents:
    agents = {"here": house.agent}
    phones = {"here": house.enrol("here")}
    with transaction(house.agency) as session:
        agents["there"] = World(session).agent(code="MX-2").id
    house.agent = agents["there"]
    phones["there"] = house.enrol("there")
    return TwoAgents(house, phones, agents)


@pytest.mark.parametrize(
    ("examples", "steps"), [(6, 16), pytest.param(400, 40, marks=pytest.mark.prove)], ids=["short", "long"]
)
def test_a_late_report_is_kept_seen_and_told_in_every_interleaving(two: TwoAgents, examples: int, steps: int) -> None:
    chosen = settings(
        phases=[Phase.generate],  # a smaller case would be found by living through many more days
        max_examples=examples, stateful_step_count=steps, deadline=None, database=None, derandomize=True,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    try:
        run_state_machine_as_test(lambda: Machine(two), settings=chosen)
    finally:
        for phone in two.phones.values():
            phone.close()
    print(two.seen)
    assert two.seen["late"] >= 2 and two.seen["applied"] > 0


def test_the_plainest_case_withdrawn_and_reassigned_while_both_phones_are_offline(two: TwoAgents) -> None:
    machine = Machine(two)
    kept, moved = machine.assign("here"), machine.assign("here")
    machine.publish("here")
    machine.pull("here")
    for visit in (kept, moved):
        machine.record_offline(visit, "here", OUTCOME)
    machine.withdraw(kept)
    machine.reassign(moved)
    machine.push("here")
    machine.apply("here")
    machine.teardown()
    assert two.seen == {"late": 4, "applied": 0, "examples": 1}
    with transaction(two.house.agency) as session:
        assert set(session.scalars(select(InboxOp.state))) == {"late"}
    for phone in two.phones.values():
        phone.close()
