"""A dispatcher looks at a draft, changes it by hand, has the rest put in order, and publishes it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select

from field_api.adapters.solver_pyvrp import PyVrpSolver
from field_api.domain.changes_by_hand import Change
from field_api.domain.draft_orders import ChangeByHand
from field_api.platform.clock import SetClock
from field_api.platform.database import transaction
from field_api.queries.draft_view import draft_view
from field_api.records.log import LogEntry
from field_api.usecases.change_draft import change_draft
from field_api.usecases.plan_day import one_planner_at_a_time, plan_day
from field_api.usecases.reoptimise_draft import reoptimise_draft
from tests.office_client import OfficeClient
from tests.planning_world import MEXICO_CITY, NOW, PARTS, World, statements, wait_for_waiters

API = "/api/v1"
DAY = "2026-11-18"
QUICK = replace(PARTS, solver=PyVrpSolver(iterations=60, without_improvement=30))


@pytest.fixture
def office(office: Flask) -> Flask:
    office.extensions["doorstep.clock"] = SetClock(datetime(2026, 11, 17, 15, tzinfo=UTC))
    office.extensions["doorstep.planning"] = lambda: QUICK
    return office


@dataclass
class Desk:
    """A dispatcher before one draft: keeps the version that was looked at last."""

    client: OfficeClient
    plan_id: str = ""
    version: str = ""

    def draft(self, **more: object) -> Any:
        answer = self.client.post(f"{API}/plans", json={"day": DAY, **more})
        assert answer.status_code == 201, answer.json
        self.plan_id, self.version = answer.json["plan"]["id"], answer.json["version"]
        return answer.json

    def look(self) -> Any:
        answer = self.client.get(f"{API}/plans/{self.plan_id}/routes")
        assert answer.status_code == 200, answer.json
        self.version = answer.json["version"]
        assert answer.headers["ETag"] == f'"{self.version}"'
        return answer.json

    def change(self, kind: str, *, dry_run: bool = False, **body: object) -> Any:
        return self.client.post(
            f"{API}/plans/{self.plan_id}/changes{'?dry_run=true' if dry_run else ''}",
            json={"kind": kind, **body},
            headers={"If-Match": f'"{self.version}"'},
        )

    def done(self, kind: str, **body: object) -> Any:
        asked = self.change(kind, dry_run=True, **body)
        assert asked.status_code == 200 and not asked.json["done"] and asked.json["version"] == self.version, asked.json
        answer = self.change(kind, **body)
        assert answer.status_code == 200 and answer.json["done"], answer.json
        same = ("possible", "travel_s_more", "distance_m_more", "routes", "broken")
        assert {name: asked.json[name] for name in same} == {name: answer.json[name] for name in same}
        self.version = answer.json["version"]
        return answer.json

    def optimise(self, **body: object) -> Any:
        answer = self.client.post(
            f"{API}/plans/{self.plan_id}/optimise", json=body, headers={"If-Match": f'"{self.version}"'}
        )
        assert answer.status_code == 200, answer.json
        self.version = answer.json["version"]
        return answer.json

    def why(self, account: UUID) -> Any:
        return self.client.get(f"{API}/plans/why-not?account={account}&day={DAY}").json


@pytest.fixture
def desk(as_role: Callable[..., OfficeClient]) -> Desk:
    return Desk(as_role("dispatcher"))


def town(agency: UUID, count: int = 6) -> tuple[list[UUID], dict[str, UUID], World]:
    """Households in a row to the north, an agent at each end, and nobody else."""
    with transaction(agency) as session:
        world = World(session)
        accounts = [world.household((MEXICO_CITY[0] + n * 0.01, MEXICO_CITY[1]))[2].id for n in range(count)]
        south = world.agent("MX-1")
        north = world.agent("MX-2", (MEXICO_CITY[0] + count * 0.01, MEXICO_CITY[1]))
        return accounts, {"MX-1": south.id, "MX-2": north.id}, world


def stops(draft: Any, code: str) -> list[str]:
    return [stop["id"] for route in draft["routes"] if route["agent_code"] == code for stop in route["stops"]]


def everything(draft: Any) -> dict[str, dict[str, Any]]:
    return {stop["id"]: stop for route in draft["routes"] for stop in route["stops"]}


def test_looking_shows_loads_and_a_line_in_a_fixed_number_of_statements(agency: UUID, desk: Desk) -> None:
    town(agency, 12)
    desk.draft()
    desk.look()
    with statements() as seen:
        draft = desk.look()
    asked = [statement for statement in seen if "office.s" in statement or "office.r" in statement]
    assert len(seen) <= 16 and len(asked) <= 5, seen
    for route in draft["routes"]:
        assert route["work_s"] == 600 * len(route["stops"]) and route["idle_s"] >= 0
        assert route["line"]["type"] == "LineString" and len(route["line"]["coordinates"]) == len(route["stops"]) + 2
        assert route["line"]["coordinates"][0][0] == pytest.approx(MEXICO_CITY[1])
        assert [stop["position"] for stop in route["stops"]] == list(range(1, len(route["stops"]) + 1))
    assert sum(route["visits"] for route in draft["routes"]) == 12
    assert sum(route["travel_s"] for route in draft["routes"]) > 0


def test_every_change_is_done_kept_and_told(agency: UUID, desk: Desk) -> None:
    accounts, agents, _ = town(agency)
    south, north = str(agents["MX-1"]), str(agents["MX-2"])
    desk.draft()
    draft = desk.look()
    mine = stops(draft, "MX-1")
    assert len(everything(draft)) == 6 and len(mine) >= 4
    desk.done("move", stop_id=mine[3], agent_id=north)

    mine = stops(desk.look(), "MX-1")
    pinned = desk.done("pin", stop_id=mine[-1], hold_position=True)
    assert pinned["travel_s_more"] == 0 and pinned["routes"] == []
    moved = desk.done("move", stop_id=mine[0], agent_id=north, position=1)
    assert {route["agent_code"] for route in moved["routes"]} == {"MX-1", "MX-2"}
    changed = [route["travel_s_after"] - route["travel_s_before"] for route in moved["routes"]]
    assert moved["travel_s_more"] == sum(changed) and any(changed)
    assert all(route["above_shortest_s"] >= 0 for route in moved["routes"])
    draft = desk.look()
    assert stops(draft, "MX-2")[0] == mine[0] and everything(draft)[mine[0]]["pinned_position"]
    assert everything(draft)[mine[-1]]["pinned_agent"] and stops(draft, "MX-1")[-1] == mine[-1]

    other_way = stops(draft, "MX-2")[::-1]
    desk.done("reorder", agent_id=north, order=other_way)
    draft = desk.look()
    assert stops(draft, "MX-2") == other_way
    gone = other_way[0]
    desk.done("drop", stop_id=gone, reason="calle cerrada por obras")
    out = next(account for account in accounts if desk.why(account)["visit_id"] is None)
    assert desk.why(out)["reasons"] == [{"reason": "dropped", "rule": "dropped [H]: calle cerrada por obras"}]

    held = held_places(desk.look())
    assert len(held) >= 2 and all(position == pin for _, _, position, pin in held)
    optimised = desk.optimise()
    assert [(house, agent, pin) for house, agent, _, pin in held_places(optimised)] == [
        (house, agent, pin) for house, agent, _, pin in held
    ]
    lengths = {route["agent_code"]: len(route["stops"]) for route in optimised["routes"]}
    assert all(position == min(pin, lengths[agent]) for _, agent, position, pin in held_places(optimised))
    assert desk.why(out)["reasons"] == [{"reason": "dropped", "rule": "dropped [H]: calle cerrada por obras"}]
    assert len(everything(optimised)) == 5

    back = desk.done("add", account_id=str(out), agent_id=south, position=1)
    draft = desk.look()
    assert stops(draft, "MX-1")[0] == back["stop_id"] and everything(draft)[back["stop_id"]]["added"]
    assert desk.why(out)["visit_id"] and desk.why(out)["reasons"] == []
    mine, theirs = stops(draft, "MX-1"), stops(draft, "MX-2")
    desk.done("reassign", agent_id=south, to_agent_id=north)
    draft = desk.look()
    assert (stops(draft, "MX-2"), stops(draft, "MX-1")) == (mine, theirs)
    desk.done("unpin", stop_id=mine[0])
    assert not everything(desk.look())[mine[0]]["pinned_agent"]
    assert stops(desk.optimise(), "MX-2")  # those still held there

    story = desk.client.get(f"{API}/plans/{desk.plan_id}/changes").json["items"]
    kinds = ["move", "pin", "move", "reorder", "drop", "optimise", "add", "reassign", "unpin", "optimise"]
    assert [line["kind"] for line in story] == kinds
    assert [line["version"] for line in story] == list(range(2, 12)) and desk.version == "11.0"
    assert story[4]["reason"] == "calle cerrada por obras" and story[2]["detail"]["position"] == 1
    assert all(line["by"] for line in story)
    with transaction(agency) as session:
        logged = [entry.detail for entry in session.scalars(select(LogEntry).order_by(LogEntry.id))]
        assert [line["kind"] for line in logged if line.get("decision") == "plan-changed"] == kinds
        assert "obras" not in str(logged)
    published = desk.client.post(f"{API}/plans/{desk.plan_id}/publish", headers={"If-Match": '"10.0"'})
    assert (published.status_code, published.json["code"]) == (412, "precondition-failed")
    published = desk.client.post(f"{API}/plans/{desk.plan_id}/publish", headers={"If-Match": f'"{desk.version}"'})
    assert published.status_code == 200 and published.json["visits"] == 6
    assert desk.change("unpin", stop_id=mine[0]).json["code"] == "already-done"


def held_places(draft: Any) -> list[tuple[str, str, int, int]]:
    return sorted(place(draft, stop) for stop in everything(draft).values() if stop["pinned_position"])


def place(draft: Any, stop: dict[str, Any]) -> tuple[str, str, int, int]:
    """Its house, whose route, which position, which one it is held at. Optimising gives stops new ids."""
    agent = next(route["agent_code"] for route in draft["routes"] if stop["id"] in {s["id"] for s in route["stops"]})
    return stop["number"], agent, stop["position"], stop["pinned_position"]


def test_what_the_law_or_a_day_does_not_allow_is_refused_by_name(agency: UUID, desk: Desk) -> None:
    accounts, agents, world = town(agency, 3)
    with transaction(agency) as session:
        world.session = session
        far = world.household((MEXICO_CITY[0] + 1.6, MEXICO_CITY[1]))[2].id  # 250 km: no shift is so long
        small = world.account(world.person(), balance_minor=50).id
        french = world.person(language="fr")
        world.address(french)
        foreign = world.account(french).id
        young = world.person(is_minor=True)
        world.address(young)
        minor = world.account(young).id
    desk.draft()
    draft = desk.look()
    south = str(agents["MX-1"])

    refused = desk.change("add", account_id=str(far))
    assert (refused.status_code, refused.json["code"]) == (409, "cannot-be-kept")
    broken = {one["why"]: one["by"] for one in refused.json["broken"]}
    assert broken["after_shift"] > 600, broken  # seconds; and the agent and the stop that it is about
    assert all(one["agent_id"] in map(str, agents.values()) for one in refused.json["broken"])
    asked = desk.change("add", dry_run=True, account_id=str(far)).json
    assert not asked["possible"] and asked["broken"] == refused.json["broken"] and asked["stop_id"] is None
    spoken = desk.change("add", account_id=str(foreign), agent_id=south)
    assert [one["why"] for one in spoken.json["broken"]] == ["language"]

    for account, rule in ((small, "threshold"), (minor, "minors")):
        refused = desk.change("add", account_id=str(account))
        assert (refused.status_code, refused.json["code"]) == (409, "rule-refuses") and "broken" not in refused.json
        asked = desk.change("add", dry_run=True, account_id=str(account)).json
        assert not asked["possible"] and rule in [one["rule"] for one in asked["refusals"]]
    assert desk.look() == draft and desk.client.get(f"{API}/plans/{desk.plan_id}/changes").json["items"] == []

    one = next(iter(everything(draft)))
    for at, body in {
        "stop_id": {"kind": "pin", "stop_id": south},
        "order": {"kind": "reorder", "agent_id": everything_of(draft, one), "order": [south]},
        "agent_id": {"kind": "move", "stop_id": one, "agent_id": one},
        "account_id": {"kind": "add", "account_id": str(accounts[0])},
    }.items():
        answer = desk.change(**body)
        assert (answer.status_code, answer.json["code"], answer.json["at"]) == (422, "invalid-change", at)
    for body in (
        {"kind": "drop", "stop_id": one},
        {"kind": "move", "stop_id": one},
        {"kind": "pin", "stop_id": one, "position": 2},
    ):
        assert desk.change(**body).json["code"] == "invalid-fields"
    assert desk.change("add", account_id=one).json["code"] == "not-found"


def everything_of(draft: Any, stop: str) -> str:
    return next(route["agent_id"] for route in draft["routes"] if stop in {s["id"] for s in route["stops"]})


def test_a_second_dispatcher_has_to_look_again(agency: UUID, desk: Desk, as_role: Callable[..., OfficeClient]) -> None:
    accounts, _, _ = town(agency)
    desk.draft()
    draft = desk.look()
    other = Desk(as_role("manager"), desk.plan_id, desk.version)
    first, second = list(everything(draft))[:2]
    desk.done("pin", stop_id=first)
    late = other.change("pin", stop_id=second)
    assert (late.status_code, late.json["code"], late.json["at"]) == (412, "precondition-failed", "If-Match")
    other.look()
    assert other.change("pin", stop_id=second).status_code == 200
    changes = f"{API}/plans/{desk.plan_id}/changes"
    body = {"kind": "unpin", "stop_id": first}
    without = desk.client.post(changes, json=body)
    assert (without.status_code, without.json["code"]) == (428, "precondition-required")
    assert desk.client.post(f"{API}/plans/{desk.plan_id}/optimise", json={}).status_code == 428
    assert desk.client.post(changes, json=body, headers={"If-Match": f'W/"{other.version}"'}).status_code == 412
    listed = desk.client.post(changes, json=body, headers={"If-Match": f'"9.9", "{plus(other.version, 1)}"'})
    assert listed.status_code == 200 and listed.headers["ETag"] == f'"{listed.json["version"]}"'
    assert desk.client.post(changes, json=body, headers={"If-Match": "*"}).status_code == 200
    once = {"If-Match": f'"{desk.look() and desk.version}"', "Idempotency-Key": "una-vez"}
    answers = [desk.client.post(changes, json=body, headers=once) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200] and answers[0].json == answers[1].json

    desk.look()
    hold = {"kind": "paid", "reason": "pagó", "account_id": str(accounts[0])}
    assert desk.client.post(f"{API}/holds", json=hold).status_code == 201
    assert desk.change("pin", stop_id=first).status_code == 412  # the hold took a visit off what was looked at
    assert len(everything(desk.look())) == 5 and desk.version.endswith(".1")
    again = desk.client.post(f"{API}/plans", json={"day": DAY})
    assert (again.status_code, again.json["code"]) == (409, "conflict")
    desk.draft(discard_changes=True)
    assert not any(stop["pinned_agent"] for stop in everything(desk.look()).values())


def test_of_two_changes_at_once_one_wins_and_nothing_is_half_done(
    agency: UUID, desk: Desk, as_role: Callable[..., OfficeClient]
) -> None:
    town(agency, 4)
    desk.draft()
    draft = desk.look()
    both = [desk, Desk(as_role("dispatcher"), desk.plan_id, desk.version)]
    first, second = list(everything(draft))[:2]
    with transaction(agency) as session:
        # Both have read the version before either may go on: this holds the lock that they wait for.
        one_planner_at_a_time(session, date.fromisoformat(DAY))
        with ThreadPoolExecutor(2) as pool:
            asked = [
                pool.submit(one.change, "drop", stop_id=stop, reason=f"dropped by {number}")
                for number, (one, stop) in enumerate(zip(both, (first, second), strict=True))
            ]
            wait_for_waiters(2)
            session.commit()
            answers = [one.result() for one in asked]
    assert sorted(answer.status_code for answer in answers) == [200, 412]
    (lost,) = [number for number, answer in enumerate(answers) if answer.status_code == 412]
    left = everything(desk.look())
    assert (first in left, second in left) == (lost == 0, lost == 1) and desk.version == "2.0"
    story = desk.client.get(f"{API}/plans/{desk.plan_id}/changes").json["items"]
    assert [line["reason"] for line in story] == [f"dropped by {1 - lost}"]
    assert len(desk.client.get(f"{API}/plans/{desk.plan_id}/not-planned").json["items"]) == 1


def test_other_amounts_give_the_same_order_after_the_same_changes(agency: UUID, other_agency: UUID) -> None:
    """Twins: what is owed differs by a factor of thousands, who is visited does not."""
    twins = []
    for whose, balance_minor in ((agency, 10_100), (other_agency, 90_000_000)):
        with transaction(whose) as session:
            world = World(session)
            houses = [(MEXICO_CITY[0] + n * 0.013 % 0.07, MEXICO_CITY[1] + n * 0.011 % 0.05) for n in range(10)]
            for number, house in enumerate(houses):
                person = world.person()
                world.address(person, house)
                world.account(person, balance_minor + number * balance_minor // 7)
            world.agent("MX-1")
            world.agent("MX-2", (MEXICO_CITY[0] + 0.05, MEXICO_CITY[1]))
            plan = plan_day(session, date.fromisoformat(DAY), parts=QUICK, now=NOW)
            for kind, more in (("drop", {"reason": "x"}), ("pin", {"hold_position": True})):
                longest = max(draft_view(session, plan.id).routes, key=lambda route: len(route.stops))
                stop_id = longest.stops[1].stop.id
                asked = Change(ChangeByHand(kind), stop_id=stop_id, **more)
                change_draft(session, plan.id, asked, parts=QUICK, now=NOW, by=None, seen=None)
            reoptimise_draft(session, plan.id, parts=QUICK, now=NOW, by=None, seen=None)
            twins.append(
                [
                    (route.agent.code, entry.address.latitude, entry.address.longitude, entry.stop.arrival_from)
                    for route in draft_view(session, plan.id).routes
                    for entry in route.stops
                ]
            )
    assert twins[0] == twins[1] and len(twins[0]) == 9


def plus(version: str, more: int) -> str:
    by_hand, _, withdrawn = version.partition(".")
    return f"{int(by_hand) + more}.{withdrawn}"
