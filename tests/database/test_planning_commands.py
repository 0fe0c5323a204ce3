"""The same day on the command line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID
from xml.etree import ElementTree

import click
import pytest
from click.testing import CliRunner
from flask import Flask
from sqlalchemy import select

from doorstep.commands import address, agent, hold, plan, visit
from field_api.domain.vocabulary import OpKind
from field_api.platform.clock import SetClock
from field_api.platform.crash import StartRefused
from field_api.platform.database import transaction
from field_api.platform.problems import Problem
from field_api.records.accounts import Hold
from field_api.records.base import load
from field_api.records.people import Address
from field_api.records.places import HouseFinding
from field_api.records.visits import Visit
from tests.outcome_world import published_visit
from tests.planning_world import MEXICO_CITY, PARTS, World

DAY = "2026-11-18"
HERE = f"{MEXICO_CITY[0]},{MEXICO_CITY[1]}"


@pytest.fixture(autouse=True)
def _here(app: Flask, agency: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands act for the test's agency, on the eve of the day, with the fake solver."""

    @contextmanager
    def here() -> Iterator[UUID]:
        try:
            yield agency
        except Problem as problem:
            raise click.ClickException(f"{problem.code}: {problem.detail}") from problem

    for module in (address, agent, hold, plan, visit):
        monkeypatch.setattr(module, "office_context", here)
    app.extensions["doorstep.clock"] = SetClock(datetime(2026, 11, 17, 15, tzinfo=UTC))
    app.extensions["doorstep.planning"] = lambda: PARTS


def run(command: click.Command, *arguments: str) -> str:
    answer = CliRunner().invoke(command, arguments, catch_exceptions=False)
    assert answer.exit_code == 0, answer.output
    return answer.output


def an_agent(code: str) -> None:
    run(agent.agent, "add", code, "--name", "Ana Inventada", "--languages", "es", "--timezone", "America/Mexico_City")
    run(agent.agent, "shift", code, "--from", "09:00", "--to", "17:00", "--start", HERE)


def test_a_day_on_the_command_line(agency: UUID) -> None:
    with transaction(agency) as session:
        world = World(session)
        accounts = [world.household((MEXICO_CITY[0] + n / 1000, MEXICO_CITY[1]))[2].id for n in range(2)]
        world.household(None, street="Calle de Nadie")
        waiting = world.serial
    an_agent("MX-1")
    output = run(plan.plan, "--date", DAY, "--publish")
    assert "2 visits on 1 routes" in output and "no_coordinates" in output and "estimates" in output
    an_agent("MX-2")
    with transaction(agency) as session:
        first, second = session.scalars(select(Visit).order_by(Visit.id))
        ids, person = (str(first.id), str(second.id)), str(first.person_id)
    assert "MX-2" in run(visit.visit, "reassign", ids[0], "--to", "MX-2")
    code = run(visit.visit, "code", ids[0], person, "--reason", "llamó").strip()
    assert len(code) == 13
    assert run(visit.visit, "code", ids[0], person, "--reason", "llamó", "--anew").strip() != code
    assert "withdrawn" in run(visit.visit, "withdraw", ids[1], "--reason", "calle cerrada")
    run(hold.hold, "place", "--kind", "dispute", "--reason", "no es suya", "--account", str(accounts[0]))
    assert "dispute" in run(hold.hold, "list")
    with transaction(agency) as session:
        placed = str(session.scalars(select(Hold.id)).one())
    assert "lifted" in run(hold.hold, "lift", placed, "--reason", "aclarado")
    assert "MX-1" in run(agent.agent, "list")
    run(agent.agent, "absence", "MX-1", "--from", "2026-11-20")
    run(agent.agent, "languages", "MX-1", "es,en")
    run(agent.agent, "shift", "MX-1", "--days", "fri", "--off")
    assert waiting and "wanted" in run(address.address, "list")


def test_square_brackets_of_a_creditors_address_are_listed_as_they_are(agency: UUID) -> None:
    with transaction(agency) as session:
        World(session).household(None, street="Calle", number="[/b]", hint="[lado]")
    told = run(address.address, "list")
    assert "[/b]" in told and "[lado]" in told


def test_a_plan_as_json_with_pictures_and_its_progress_in_lines(agency: UUID, tmp_path: Path) -> None:
    with transaction(agency) as session:
        world = World(session)
        for number in ("10", "20"):
            world.household((MEXICO_CITY[0] + int(number) / 10_000, MEXICO_CITY[1]), number=number)
        between = world.household(None, number="16")[1].id
        world.household(None, street="Calle de Nadie")
    an_agent("MX-1")
    asked = ["--date", DAY, "--json", "--pictures", str(tmp_path / "pictures")]
    answer = CliRunner().invoke(plan.plan, asked, catch_exceptions=False)
    told = json.loads(answer.stdout)
    (route,) = told["routes"]
    assert (told["estimates"], told["visits"], told["not_planned"]) == (True, 3, {"no_coordinates": 1})
    assert (route["agent"], route["stops"], route["timezone"]) == ("MX-1", 3, "America/Mexico_City")
    assert 0 < route["load"] < 1 and route["hours"] > route["driving_hours"] > 0
    assert "accounts: 1 of 1" in answer.stderr and "neighbours: 1 of 1" in answer.stderr
    (picture,) = (tmp_path / "pictures").iterdir()
    assert picture.name == f"{DAY}-MX-1.svg"
    drawn = ElementTree.fromstring(picture.read_text())
    texts = [element.text for element in drawn.iter() if element.text and element.text.strip()]
    assert texts[:3] == ["1", "2", "3"] and texts[-1] == "N ↑" and len(texts) == 5, "numbers, a scale and north"
    with transaction(agency) as session:
        assert load(session, Address, between).place_quality == "interpolated"


def test_a_plan_refuses_settings_that_are_none_by_their_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOORSTEP_GEOCODER_URL", "https://geo.example")
    monkeypatch.setenv("DOORSTEP_GEOCODER_DELAY_S", "soon")
    answer = CliRunner().invoke(plan.plan, ["--date", DAY])
    assert isinstance(answer.exception, StartRefused) and "DOORSTEP_GEOCODER_DELAY_S" in str(answer.exception)


def test_what_an_agent_found_is_decided_on_the_command_line(agency: UUID) -> None:
    phone = published_visit(agency)
    for north in (0.01, 0.02):
        position = {"lat": MEXICO_CITY[0] + north, "lon": MEXICO_CITY[1], "accuracy_m": 7.0}
        phone.records(OpKind.ARRIVED, {"position": position, "house_found": True})
    assert "too-far" in run(address.address, "found")
    with transaction(agency) as session:
        near, far = (str(row.id) for row in session.scalars(select(HouseFinding).order_by(HouseFinding.latitude)))
    assert near in run(address.address, "found"), "an id is for copying"
    assert "applied" in run(address.address, "accept", near)
    assert "rejected" in run(address.address, "reject", far)


def test_a_hold_by_the_creditors_own_number(agency: UUID) -> None:
    with transaction(agency) as session:
        world = World(session)
        account = world.account(world.person(), reference="CT-77")
        creditor = world.creditor().name
    assert account
    place = ["place", "--kind", "paid", "--reason", "pagó", "--creditor", creditor, "--reference"]
    assert "is in force" in run(hold.hold, *place, "CT-77")
    answer = CliRunner().invoke(hold.hold, [*place, "CT-78"])
    assert answer.exit_code == 1 and "not-found" in answer.output


def test_nonsense_is_refused_in_one_line() -> None:
    for arguments in (
        ["shift", "MX-1", "--from", "09:00"],
        ["shift", "MX-1", "--days", "fri-mon", "--off"],
        ["shift", "MX-1", "--from", "09:00", "--to", "10:00", "--start", "here"],
    ):
        answer = CliRunner().invoke(agent.agent, arguments)
        assert answer.exit_code == 2 and "Error" in answer.output
