"""What is known of agents and of places decides who is sent where and when: skills, territories, lunch, times, minutes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID
from zoneinfo import ZoneInfo

import click
import pytest
from click.testing import CliRunner
from flask import Flask
from sqlalchemy import select

from doorstep.commands import address_rules, agency_planning, agent
from field_api.adapters.solver_pyvrp import PyVrpSolver
from field_api.platform.clock import SetClock
from field_api.platform.database import transaction
from field_api.platform.problems import Problem
from field_api.queries.route_sheets import route_sheets
from field_api.records.planning import Stop
from tests.office_client import OfficeClient
from tests.planning_world import MEXICO_CITY, PARTS, World

API = "/api/v1"
DAY = "2026-11-18"
HERE = {"latitude": MEXICO_CITY[0], "longitude": MEXICO_CITY[1]}
ZONE = ZoneInfo("America/Mexico_City")
POLICY = """
balance = 2.5
[minutes]
first = 20
[territories.North]
MX = ["07"]
[territories.South]
MX = ["14", "13"]
"""


@pytest.fixture(autouse=True)
def planning(office: Flask, agency: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    """The day before; commands act for the test's agency. The solver is the real one."""
    office.extensions["doorstep.clock"] = SetClock(datetime(2026, 11, 17, 15, tzinfo=UTC))
    office.extensions["doorstep.planning"] = lambda: replace(PARTS, solver=PyVrpSolver(iterations=100))

    @contextmanager
    def here() -> Iterator[UUID]:
        try:
            yield agency
        except Problem as problem:
            raise click.ClickException(f"{problem.code}: {problem.detail}") from problem

    for module in (agency_planning, agent, address_rules):
        monkeypatch.setattr(module, "office_context", here)


@pytest.fixture
def dispatcher(as_role: Callable[..., OfficeClient]) -> OfficeClient:
    return as_role("dispatcher")


def run(command: click.Command, *arguments: str, status: int = 0) -> str:
    answer = CliRunner().invoke(command, arguments, catch_exceptions=False)
    assert answer.exit_code == status, answer.output
    return answer.output


def an_agent(client: OfficeClient, code: str, **work: object) -> str:
    body = {"code": code, "name": "Ana Inventada", "languages": ["es"], "timezone": "America/Mexico_City", **work}
    answer = client.post(f"{API}/agents", json=body)
    assert answer.status_code == 201, answer.json
    lunch = {"minutes": 45, "begins_from": "12:30", "begins_until": "14:00"}
    shift = {"starts_at": "09:00", "ends_at": "18:00", "start": HERE, "lunch": lunch}
    shown = client.put(f"{API}/agents/{answer.json['id']}/shifts/2", json=shift)
    assert (shown.json["lunch_minutes"], shown.json["lunch_from"]) == (45, "12:30:00")
    return answer.json["id"]


def test_who_goes_where_follows_from_what_is_known_of_agents_and_places(
    agency: UUID, dispatcher: OfficeClient, tmp_path: Path
) -> None:
    file = tmp_path / "planning.toml"
    file.write_text(POLICY, encoding="utf-8")
    assert '"first": 20' in run(agency_planning.planning, str(file))
    first = an_agent(dispatcher, "MX-1", skills=["Sign-Language"], territories=["North"])
    second = an_agent(dispatcher, "MX-2")
    assert dispatcher.patch(f"{API}/agents/{second}", json={"most_stops": 2}).json["most_stops"] == 2
    accounts: dict[str, UUID] = {}
    addresses: dict[str, UUID] = {}
    with transaction(agency) as session:
        world = World(session)

        def place(name: str, postcode: str | None, language: str = "es", **more: object) -> None:
            person = world.person(language=language)
            at = (MEXICO_CITY[0] + 0.003 * len(accounts), MEXICO_CITY[1])
            addresses[name] = world.address(person, at, postcode=postcode, **more).id
            accounts[name] = world.account(person).id

        place("deaf", "07300")
        place("south", "14000")
        place("south too", "13010")
        place("south three", "14-000")
        place("afternoon", "07010")
        place("thursdays", "07010")
        place("dog", "07010")
        place("french", None, language="fr")
        place("far and deaf", "99000")
    noted = dispatcher.patch(f"{API}/addresses/{addresses['deaf']}/visit-needs", json={"skills": ["sign-language"]})
    assert noted.json == {"known_times": [], "skills": ["sign-language"]}
    for name, arguments in {
        "afternoon": ("--times", "mon-fri 16:00-16:40,sat 10:00-12:00"),
        "thursdays": ("--times", "thu 10:00-12:00"),
        "dog": ("--skills", "heavy-dog"),
        "far and deaf": ("--skills", "sign-language"),
    }.items():
        run(address_rules.needs, str(addresses[name]), *arguments)
    drafted = dispatcher.post(f"{API}/plans", json={"day": DAY})
    assert drafted.status_code == 201, drafted.json

    north = dispatcher.get(f"{API}/agents/{first}/route?day={DAY}").json
    assert len(north["stops"]) == 2, "who must sign, and who is there in the afternoon"
    arrives = datetime.fromisoformat(north["stops"][1]["arrival_from"]).astimezone(ZONE)
    latest = datetime.fromisoformat(north["stops"][1]["arrival_to"]).astimezone(ZONE)
    assert f"{arrives:%H:%M}" >= "16:00" and f"{latest:%H:%M}" <= "16:20", "twenty minutes before they leave"
    lunch = datetime.fromisoformat(north["lunch_at"]).astimezone(ZONE)
    assert "12:30" <= f"{lunch:%H:%M}" <= "14:00"
    assert [line["lunch_at"] for line in drafted.json["routes"] if line["agent_code"] == "MX-1"] == [north["lunch_at"]]
    south = dispatcher.get(f"{API}/agents/{second}/route?day={DAY}").json
    assert len(south["stops"]) == 2 and south["lunch_at"] is None, "home before two"
    with transaction(agency) as session:
        assert set(session.scalars(select(Stop.service_s))) == {1_200}
        sheets = {one.sheet.agent_code: one.sheet for one in route_sheets(session, route_id=UUID(north["id"]))}
        assert sheets["MX-1"].lunch == f"{lunch:%H:%M}"

    def why(name: str) -> tuple[str, str]:
        query = f"account={accounts[name]}&day={DAY}"
        (reason,) = dispatcher.get(f"{API}/plans/why-not?{query}").json["reasons"]
        return reason["reason"], reason["rule"].partition(" ")[0]

    assert why("dog") == ("no_agent", "skills")
    assert why("french") == ("no_agent", "language")
    assert why("far and deaf") == ("no_agent", "agents")
    assert why("thursdays") == ("outside_contact_hours", "known-times")
    left = [name for name in ("south", "south too", "south three") if why_is_there(dispatcher, accounts[name])]
    assert [why(name) for name in left] == [("no_time_on_any_route", "no-time")]


def why_is_there(client: OfficeClient, account: UUID) -> bool:
    return client.get(f"{API}/plans/why-not?account={account}&day={DAY}").json["visit_id"] is None


def test_what_nobody_can_mean_is_refused(
    agency: UUID, dispatcher: OfficeClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "planning.toml"
    file.write_text('[territories.North]\nMX = ["07"]\n', encoding="utf-8")
    run(agency_planning.planning, str(file))
    who = an_agent(dispatcher, "MX-1")
    for body, at in (
        ({"territories": ["Nowhere"]}, "territories"),
        ({"skills": ["$$$"]}, "skills"),
        ({"most_stops": -1}, "most_stops"),
    ):
        refused = dispatcher.patch(f"{API}/agents/{who}", json=body)
        assert (refused.status_code, refused.json["code"]) == (422, "invalid-fields"), at
    assert "MX-1" in run(agent.agent, "change", "MX-1", "--territories", "North", "--skills", "", "--most-stops", "9")
    assert "conflict" in run(agency_planning.planning, "--none", status=1), "somebody works in the North"
    monkeypatch.setenv("COLUMNS", "200")
    listed = run(agent.agent, "list")
    assert "North" in listed and "lunch 45 min 12:30-14:00" in listed
    assert dispatcher.patch(f"{API}/agents/{who}", json={"territories": []}).json["territories"] == []
    assert run(agency_planning.planning, "--none") == "{}\n"
    with transaction(agency) as session:
        home = World(session).household()[1].id
    needs = dispatcher.patch(f"{API}/addresses/{home}/visit-needs", json={"known_times": ["always"]})
    assert (needs.status_code, needs.json["code"]) == (422, "invalid-fields")
    late = {"minutes": 45, "begins_from": "17:00", "begins_until": "19:00"}
    shift = {"starts_at": "09:00", "ends_at": "18:00", "start": HERE, "lunch": late}
    assert dispatcher.put(f"{API}/agents/{who}/shifts/2", json=shift).status_code == 422
    assert "needs --lunch" in run(
        agent.agent, "shift", "MX-1", "--from", "09:00", "--to", "17:00", "--start", "19.4,-99.1", "--lunch", "30", status=2
    )  # fmt: skip


def test_an_agency_may_have_its_agents_days_alike(agency: UUID, dispatcher: OfficeClient, tmp_path: Path) -> None:
    for code in ("MX-1", "MX-2"):
        an_agent(dispatcher, code)
    with transaction(agency) as session:
        world = World(session)
        for number in range(6):  # all on one's way home: one agent could do them
            world.household((MEXICO_CITY[0] + number / 2_000, MEXICO_CITY[1]))
    alone = dispatcher.post(f"{API}/plans", json={"day": DAY}).json
    assert [line["stops"] for line in alone["routes"]] == [6]
    file = tmp_path / "planning.toml"
    file.write_text("balance = 1.0\n", encoding="utf-8")
    run(agency_planning.planning, str(file))
    even = dispatcher.post(f"{API}/plans", json={"day": DAY}).json
    assert [line["stops"] for line in even["routes"]] == [3, 3]
