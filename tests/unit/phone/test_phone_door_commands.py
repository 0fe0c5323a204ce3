"""The same walk with `doorstep phone`, one short process per verb: what an agent at a terminal is shown, and no more."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from phone_world import PASSPHRASE, World
from small_office import GUARANTOR_ANSWERS

from doorstep.commands.phone import phone as commands
from sync.phone import Phone
from sync.phone.vocabulary import RELATIONS

NAME, AGENCY = "Prueba Canaria", "Agencia Puerta Norte"
TRY = json.dumps({"answers": {"birth_date": "31/12/1956", "mother_maiden_name": "peña"}})
THEIR_TRY = json.dumps({"answers": GUARANTOR_ANSWERS})
NEVER_NAMED = {"minor", "neighbour", "guard", "employer", "authority", "nobody"}
TOLD_UNASKED = {"sought", "guarantor", "attorney", "executor", "guardian", "authority"}
Run = Callable[..., Result]


@pytest.fixture
def visit(world: World, enrolled: Phone) -> str:
    made = world.office.visit_body(world.visits[0], world.person)
    place = {"jurisdiction": "MX", "place": "home", "address": {"street": "Avenida Canaria", "number": "12"}}
    world.publish(0, open={**made["open"], **place})
    enrolled.pull()
    enrolled.close()
    return world.visits[0]


@pytest.fixture
def run(world: World, tmp_path: Path) -> Run:
    secret = tmp_path / "passphrase"
    secret.write_text(PASSPHRASE)

    def command(*arguments: str, stdin: str = "") -> Result:
        where = ["--dir", str(world.directory), "--passphrase-file", str(secret)]
        return CliRunner().invoke(commands, [arguments[0], *where, *arguments[1:]], input=stdin)

    return command


def told(result: Result) -> dict[str, Any]:
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_the_list_and_the_opening_line(visit: str, run: Run) -> None:
    assert {line.split()[0] for line in run("who").stdout.splitlines()} == RELATIONS
    now = told(run("who", visit))
    assert [line["moment"] for line in now["lines"]] == ["open"] and now["relation"] is None
    assert AGENCY not in run("who", visit).output


@pytest.mark.parametrize("relation", sorted(RELATIONS))
def test_each_audience_by_commands(visit: str, run: Run, relation: str) -> None:
    if relation in ("sought", "guarantor"):
        assert "no-identity-check" in run("record", "encounter", visit, relation).output
        assert run("record", "encounter", visit, "claims_to_be_sought").exit_code == 0
        whose, answers = ("sought", TRY) if relation == "sought" else ("other", THEIR_TRY)
        assert run("check", visit, "--whose", whose, stdin=answers).exit_code == 0
    met = run("record", "encounter", visit, relation)
    assert told(met)["now"] == told(run("who", visit))
    assert (NAME in met.output) is (relation not in NEVER_NAMED)
    assert (AGENCY in met.output) is (relation in TOLD_UNASKED)
    asked = run("record", "company", visit)
    assert (AGENCY in asked.output) is (relation not in {"minor", "employer", "nobody"})
    question = run("record", "location", visit, "other")
    allowed = {"sought", "guarantor", "executor", "guardian", "spouse", "relative", "neighbour", "guard"}
    assert (question.exit_code == 0) is (relation in allowed)
    if relation in {"spouse", "relative", "neighbour", "guard"}:
        line = told(question)["line"]
        assert line == {"moment": "location_of_place", "text": "¿Dónde queda el número 12 de Avenida Canaria?"}
        assert "location-already-asked" in run("record", "location", visit, "other").output
