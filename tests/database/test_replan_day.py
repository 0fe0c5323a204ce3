"""A day planned again while agents are out: what changes reaches the phones that it concerns, and nobody else's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import delete, func, select

from field_api.adapters.solver_pyvrp import PyVrpSolver
from field_api.domain.confidential import Confidential
from field_api.domain.replanned import ChangeOfStop
from field_api.domain.vocabulary import VisitEventKind
from field_api.platform.database import transaction
from field_api.platform.ids import new_id
from field_api.platform.problems import Problem
from field_api.records.agency import Creditor
from field_api.records.changes import Change
from field_api.records.people import Address
from field_api.records.planning import Absence, Agent, NotPlanned, Plan, Route, Stop
from field_api.records.results import Attempt, AttemptHead
from field_api.records.visits import Letter, Visit, VisitAccount, VisitEvent, VisitKey
from field_api.usecases.note_visit_event import note_visit_event
from field_api.usecases.plan_day import plan_day
from field_api.usecases.publish_plan import publish_plan
from field_api.usecases.replan_day import Happened, replan_day
from field_api.usecases.replanned_day import Replanned
from tests.planning_world import MEXICO_CITY, NOW, PARTS, WEDNESDAY, World

QUICK = replace(PARTS, solver=PyVrpSolver(iterations=100, without_improvement=60))
MORNING = datetime(2026, 11, 18, 15, 40, tzinfo=UTC)  # 09:40 in Mexico City; the shifts begin at nine
EARLY = datetime(2026, 11, 18, 14, 30, tzinfo=UTC)  # before anybody leaves
EVERYBODY = "everybody"


class Out:
    """Three agents out, three kilometres apart, with four households each around where they start."""

    def __init__(self, agency: UUID, agents: int = 3, *, beside: bool = False) -> None:
        self.agency = agency
        with transaction(agency) as session:
            world = World(session)
            self.agents: dict[str, UUID] = {}
            for number in range(1, agents + 1):
                at = (MEXICO_CITY[0] + 0.027 * number, MEXICO_CITY[1])
                self.agents[f"MX-{number}"] = world.agent(f"MX-{number}", at=at).id
                for house in range(4):
                    world.household((at[0] + 0.002 * (house + 1), at[1]))
                if beside and number == 1:  # a second debtor at the first house
                    world.household((at[0] + 0.002, at[1]))
        with transaction(agency) as session:
            self.plan = plan_day(session, WEDNESDAY, parts=QUICK, now=NOW).id
        with transaction(agency) as session:
            publish_plan(session, self.plan, parts=QUICK, now=NOW, published_by=None)
            session.execute(delete(Change))

    def replan(
        self, *, now: datetime = MORNING, heard: Mapping[UUID, datetime] | str = EVERYBODY, **more: object
    ) -> Replanned:
        options = {key: more.pop(key) for key in ("preview", "expect", "seed", "weights") if key in more}
        phones = dict.fromkeys(self.agents.values(), now) if isinstance(heard, str) else heard
        with transaction(self.agency) as session:
            return replan_day(
                session, self.plan, Happened(**more), parts=QUICK, heard=phones, now=now, by=None, **options
            )

    def stops(self, code: str) -> list[tuple[int, UUID, datetime]]:
        """(position, visit, arrival from) of an agent's published visits, in order."""
        with transaction(self.agency) as session:
            query = (
                select(Stop.position, Visit.id, Stop.arrival_from)
                .join(Visit, Visit.stop_id == Stop.id)
                .where(Visit.agent_id == self.agents[code], Visit.state == "published")
                .order_by(Stop.position)
            )
            return [tuple(row) for row in session.execute(query)]

    def report_done(self, visit_id: UUID, at: datetime) -> None:
        """As an applied outcome leaves it."""
        with transaction(self.agency) as session:
            visit = session.scalars(select(Visit).where(Visit.id == visit_id)).one()
            visit.state, visit.done_at = "done", at + timedelta(minutes=1)
            for kind, moment in ((VisitEventKind.ARRIVED, at - timedelta(minutes=8)), (VisitEventKind.OUTCOME, at)):
                note_visit_event(session, visit.id, kind, moment, f"agent:{visit.agent_id}", {})

    def changes(self) -> dict[str, dict[str, int]]:
        """Change rows by agent's code and kind, urgent ones as `withdrawals`."""
        with transaction(self.agency) as session:
            codes = dict(session.execute(select(Agent.id, Agent.code)).all())
            found: dict[str, dict[str, int]] = {}
            for change in session.scalars(select(Change)):
                kinds = found.setdefault(codes[change.agent_id], {})
                kind = "withdrawals" if change.urgent else change.kind
                kinds[kind] = kinds.get(kind, 0) + 1
            return found

    def rows(self, statement) -> list:
        with transaction(self.agency) as session:
            return list(session.scalars(statement))


@pytest.fixture
def out(agency: UUID) -> Out:
    return Out(agency)


def test_stops_of_who_fell_ill_go_to_neighbours_and_only_they_are_told(out: Out) -> None:
    mine = out.stops("MX-1")
    assert len(mine) == 4
    for code in out.agents:
        out.report_done(out.stops(code)[0][1], MORNING - timedelta(minutes=15))
    looked = out.replan(ill=frozenset({out.agents["MX-1"]}), preview=True)
    assert out.changes() == {} and not looked.applied and out.stops("MX-1") == mine[1:]
    assert out.rows(select(Absence)) == []
    before = {code: out.stops(code) for code in ("MX-2", "MX-3")}
    keys = {key.visit_id: key.sealed_key for key in out.rows(select(VisitKey))}
    done = out.replan(ill=frozenset({out.agents["MX-1"]}), expect=looked.digest)
    assert done.applied and done.digest == looked.digest
    assert (done.told.moved, done.told.dropped) == (3, 0)
    assert done.disturbed == done.told.stops
    assert out.stops("MX-1") == []
    after = {code: out.stops(code) for code in ("MX-2", "MX-3")}
    gained = {visit for stops in after.values() for _, visit, _ in stops} - {
        visit for stops in before.values() for _, visit, _ in stops
    }
    assert gained == {visit for _, visit, _ in mine[1:]}
    told = out.changes()
    assert told["MX-1"] == {"withdrawals": 3, "route": 1}
    for code in ("MX-2", "MX-3"):
        changed = {visit for *_, visit, _ in set(after[code]) ^ set(before[code])} if code in told else set()
        assert told.get(code, {}).get("visit", 0) == len(changed), code
        assert (code in told) == (after[code] != before[code])
        positions = [position for position, *_ in after[code]]
        assert positions == sorted(set(positions))
        arrivals = [arrival for *_, arrival in after[code]]
        assert arrivals == sorted(arrivals)
    for visit in out.rows(select(Visit).where(Visit.id.in_(gained))):
        assert visit.assignment_version == 2 and visit.state == "published"
        assert keys[visit.id] != next(k.sealed_key for k in out.rows(select(VisitKey)) if k.visit_id == visit.id)
    assert [row.agent_id for row in out.rows(select(Absence))] == [out.agents["MX-1"]]
    assert out.rows(select(VisitEvent.kind).where(VisitEvent.at == MORNING)).count("reassigned") == 3
    again = out.replan(now=MORNING + timedelta(minutes=1))
    assert again.told.stops == 0  # nobody is ill anew, and everybody keeps what was told
    with pytest.raises(Problem, match="conflict"):
        out.replan(ill=frozenset({out.agents["MX-2"]}), expect=looked.digest)


def test_who_is_late_hears_new_times_for_what_is_affected_and_the_current_stop_stays(out: Out) -> None:
    mine = out.stops("MX-1")
    late = out.replan(late_s={out.agents["MX-1"]: 5_400})
    current = late.under.known[0].current
    assert current is not None and current.arrival_from == mine[0][2]
    after = out.stops("MX-1")
    assert after[0][:2] == mine[0][:2]
    assert after[0][2] > mine[0][2] + timedelta(hours=1)  # told anew, where it was
    kinds = {line.change for line in late.lines}
    assert kinds <= {ChangeOfStop.RETIMED, ChangeOfStop.MOVED} and ChangeOfStop.RETIMED in kinds
    told = out.changes()
    kept = [visit for _, visit, _ in after if visit in {v for _, v, _ in mine}]
    assert told["MX-1"]["visit"] == len(kept)
    with transaction(out.agency) as session:
        for stop in session.scalars(select(Stop)):
            assert stop.arrival_from <= stop.arrival_to <= stop.visit_until - timedelta(seconds=stop.service_s)


def test_nothing_told_and_all_in_time_changes_nothing_and_only_what_is_published_is_planned_again(out: Out) -> None:
    found = out.replan(now=EARLY)
    assert (found.lines, found.told.stops, out.changes()) == ((), 0, {})
    with pytest.raises(Problem, match="conflict"):
        out.replan(ill=frozenset({new_id()}))
    with transaction(out.agency) as session:
        session.get_one(Plan, {"agency_id": out.agency, "id": out.plan}).state = "publishing"
    with pytest.raises(Problem, match="conflict"):
        out.replan()


def test_an_account_comes_in_by_the_same_rules_as_into_a_draft(out: Out) -> None:
    with transaction(out.agency) as session:
        world = World(session)
        world.serial = 1_000
        world.creditors["MX"] = session.scalars(select(Creditor)).one()
        near = world.household((MEXICO_CITY[0] + 0.03, MEXICO_CITY[1]))[2].id
        closed = world.household(MEXICO_CITY)[2]
        closed.state = "closed"
        closed_id = closed.id
        known = session.scalars(select(VisitAccount.account_id)).first()
    found = out.replan(now=EARLY, added=(near, closed_id, known))
    assert {line.change for line in found.lines if line.stop is None} == {ChangeOfStop.ADDED}
    assert {account: why.reason.value for account, why in found.refused} == {
        closed_id: "closed",
        known: "already_on_a_route",
    }
    with transaction(out.agency) as session:
        visit = session.scalars(
            select(Visit).join(VisitAccount, VisitAccount.visit_id == Visit.id).where(VisitAccount.account_id == near)
        ).one()
        assert (
            visit.state == "published"
            and session.get_one(Stop, {"agency_id": out.agency, "id": visit.stop_id}).position > 0
        )
        assert session.scalar(select(func.count()).where(VisitKey.visit_id == visit.id)) == 1
        assert session.scalar(select(func.count()).where(Letter.visit_id == visit.id)) == 1
    told = out.changes()
    assert sum(kinds.get("visit", 0) for kinds in told.values()) >= 1 and len(told) == 1
    with pytest.raises(Problem, match="not-found"):
        out.replan(added=(new_id(),))


def test_what_was_visited_by_another_agent_meanwhile_is_not_visited_again(out: Out) -> None:
    """The first agent's phone was away, and reports late what it did at a stop that had been given to somebody else."""
    out.replan(ill=frozenset({out.agents["MX-1"]}))
    with transaction(out.agency) as session:
        visit = session.scalars(select(Visit).where(Visit.assignment_version == 2)).first()
        account = session.scalars(select(VisitAccount.account_id).where(VisitAccount.visit_id == visit.id)).one()
        session.add(AttemptHead(agency_id=out.agency, last_number=1))
        session.add(
            Attempt(
                number=1,
                account_id=account,
                person_id=visit.person_id,
                visit_id=visit.id,
                op_id=new_id(),
                agent_id=out.agents["MX-1"],
                channel="visit",
                at=MORNING,
                received_at=MORNING,
                outcome="nobody_there",
                right_party=False,
                late=True,
                flags=["late"],
                detail=Confidential("{}"),
                from_paper=False,
            )
        )
    found = out.replan(now=MORNING + timedelta(minutes=5))
    dropped = [line for line in found.lines if line.change is ChangeOfStop.DROPPED]
    assert [line.why.reason.value for line in dropped] == ["too_frequent"]
    with transaction(out.agency) as session:
        assert session.get_one(Visit, {"agency_id": out.agency, "id": visit.id}).state == "withdrawn"
        assert account in set(session.scalars(select(NotPlanned.account_id)))


def test_a_silent_phone_is_presumed_to_have_gone_on_and_what_is_taken_from_it_says_so(out: Out) -> None:
    noon = MORNING + timedelta(hours=3)
    found = out.replan(now=noon, heard={out.agents["MX-2"]: EARLY})
    assert found.lines == () and out.changes() == {}
    ill = out.replan(now=noon, heard={out.agents["MX-2"]: EARLY}, ill=frozenset({out.agents["MX-1"]}), preview=True)
    first = next(agent for agent in ill.looked_at if agent.code == "MX-1")
    assert ill.quiet(first) and len(ill.lines) == 4
    known = dict(zip([route.agent_id for route in ill.under.routes], ill.under.known, strict=True))
    assert all(fact.presumed for fact in known[out.agents["MX-2"]].facts)


def test_when_everybody_is_ill_everything_is_taken_back_and_the_reason_is_told(out: Out) -> None:
    found = out.replan(ill=frozenset(out.agents.values()))
    assert found.told.dropped == 12 or len(found.lines) == 12
    assert {visit.state for visit in out.rows(select(Visit))} == {"withdrawn"}
    rules = {row.rule for row in out.rows(select(NotPlanned))}
    assert len(rules) == 1 and all("planned again" in rule for rule in rules)


def test_someone_on_duty_without_a_route_gets_one(out: Out) -> None:
    with transaction(out.agency) as session:
        free = World(session).agent("MX-9", at=(MEXICO_CITY[0] + 0.03, MEXICO_CITY[1])).id
    out.agents["MX-9"] = free
    out.replan(ill=frozenset({out.agents["MX-1"], out.agents["MX-2"], out.agents["MX-3"]}))
    assert len(out.stops("MX-9")) == 12
    route = next(route for route in out.rows(select(Route)) if route.agent_id == free)
    assert route.plan_id == out.plan and route.travel_s > 0
    assert [position for position, *_ in out.stops("MX-9")] == list(range(1, 13))
    assert out.changes()["MX-9"] == {"route": 1, "visit": 12}


def test_a_stop_whose_other_visit_is_refused_moves_whole_and_leaves_no_empty_one(agency: UUID) -> None:
    """Two debtors at one door: one was visited by somebody else, the other goes to a neighbour."""
    out = Out(agency, beside=True)
    both = [stop for stop in out.stops("MX-1") if [s[0] for s in out.stops("MX-1")].count(stop[0]) == 2]
    assert len(both) == 2
    with transaction(agency) as session:
        account = session.scalars(select(VisitAccount.account_id).where(VisitAccount.visit_id == both[0][1])).one()
        person = session.scalars(select(Visit.person_id).where(Visit.id == both[0][1])).one()
        session.add(AttemptHead(agency_id=agency, last_number=1))
        session.add(
            Attempt(
                number=1, account_id=account, person_id=person, visit_id=both[0][1], op_id=new_id(), channel="visit",
                at=MORNING, received_at=MORNING, outcome="nobody_there", right_party=False, late=True, flags=["late"],
                detail=Confidential("{}"), from_paper=False,
            )
        )  # fmt: skip
    out.replan(ill=frozenset({out.agents["MX-1"]}))
    with transaction(agency) as session:
        assert session.scalars(select(Visit.state).where(Visit.id == both[0][1])).one() == "withdrawn"
        other = session.scalars(select(Visit).where(Visit.id == both[1][1])).one()
        assert other.state == "published" and other.agent_id != out.agents["MX-1"]
        sought = set(session.scalars(select(Visit.stop_id)))
        assert set(session.scalars(select(Stop.id))) <= sought


def test_when_somebody_is_there_is_no_contact_hour_when_a_time_is_told_anew(out: Out) -> None:
    with transaction(out.agency) as session:
        for address in session.scalars(select(Address)):
            address.known_times = ["mon-sun 07:00-17:30"]
        hours = set(session.execute(select(Stop.visit_from, Stop.visit_until)).all())
    out.replan(late_s={out.agents["MX-1"]: 5_400})
    with transaction(out.agency) as session:
        assert set(session.execute(select(Stop.visit_from, Stop.visit_until)).all()) == hours


def test_who_is_free_again_at_the_end_of_the_calendar_is_not_today(out: Out) -> None:
    found = out.replan(free_at={out.agents["MX-1"]: datetime.max.replace(tzinfo=UTC)})
    assert out.stops("MX-1") == [] and found.applied


def test_a_debtor_sought_after_their_guarantor_is_still_sought_where_the_guarantor_is_about_another_debt(
    agency: UUID,
) -> None:
    with transaction(agency) as session:
        world = World(session)
        agent = world.agent().id
        strategy = {"guarantor_first": True, "debtor_after_guarantor": True, "guarantor_visits_at_most": 1}
        world.creditor().strategy = strategy
        guarantor = world.person()
        world.address(guarantor)
        debtor, _, enough = world.household((MEXICO_CITY[0] + 0.01, MEXICO_CITY[1]))
        _, _, more = world.household((MEXICO_CITY[0] + 0.02, MEXICO_CITY[1]))
        for account in (enough, more):
            world.party(account, guarantor, "guarantor")
        session.add(AttemptHead(agency_id=agency, last_number=1))
        session.add(
            Attempt(
                number=1, account_id=enough.id, person_id=guarantor.id, op_id=new_id(), channel="visit",
                at=NOW - timedelta(days=40), received_at=NOW, outcome="nobody_there", right_party=False,
                detail=Confidential("{}"),
            )
        )  # fmt: skip
        debtor_id, guarantor_id = debtor.id, guarantor.id
    with transaction(agency) as session:
        plan = plan_day(session, WEDNESDAY, parts=QUICK, now=NOW).id
    with transaction(agency) as session:
        publish_plan(session, plan, parts=QUICK, now=NOW, published_by=None)
        assert set(session.scalars(select(Visit.person_id))) == {debtor_id, guarantor_id}
    with transaction(agency) as session:
        found = replan_day(session, plan, Happened(), parts=QUICK, heard={agent: EARLY}, now=EARLY, by=None)
        assert found.day.refused == {} and found.lines == ()
        assert set(session.scalars(select(Visit.state))) == {"published"}
