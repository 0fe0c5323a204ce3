"""`doorstep quarantine` as an operator runs it: listed, looked at, tried again, put right, released, dismissed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from click.testing import CliRunner, Result

from doorstep.commands.quarantine import quarantine
from field_api.platform.problems import Problem
from tests.door_client import Phone, b64u, un64
from tests.sync_day import Day, states

pytest_plugins = ["tests.door_fixtures"]
Run = Callable[..., Result]


@pytest.fixture
def run(day: Day, monkeypatch: pytest.MonkeyPatch) -> Run:
    @contextmanager
    def here() -> Iterator[UUID]:
        yield day.agency

    monkeypatch.setattr("doorstep.commands.quarantine.office_context", here)

    def invoke(*arguments: str) -> Result:
        return CliRunner().invoke(quarantine, arguments)

    return invoke


def told(result: Result) -> str:
    assert result.exit_code == 0, (result.output, result.exception)
    return result.output


def id_of(operation: dict[str, str]) -> str:
    return str(json.loads(un64(operation["protected"]))["op"])


class Kept:
    """One phone with an operation of an unknown kind, one that needs it, and bytes with a wrong signature."""

    def __init__(self, day: Day, phone: Phone) -> None:
        self.unknown = phone.operation("levitated", {"height": "CANARY"}, visit=day.visits[0], av=1)
        self.needs_it = phone.operation(
            "encounter", {"relation": "relative"}, visit=day.visits[0], av=1, deps=(UUID(id_of(self.unknown)),)
        )
        self.spoiled = phone.operation("arrived", {}, visit=day.visits[0], av=1) | {"sig": b64u(bytes(64))}
        phone.push(self.unknown, self.needs_it, self.spoiled)
        day.work()


@pytest.fixture
def kept(day: Day) -> Kept:
    return Kept(day, day.enrol())


def bytes_id(run: Run) -> str:
    (line,) = (line for line in told(run("list")).splitlines() if "bad-signature" in line)
    return line.split()[0]


def test_everything_without_effect_is_listed_with_its_reason(run: Run, kept: Kept) -> None:
    lines = told(run("list")).splitlines()
    by_id = {line.split()[0]: line for line in lines[:2]}  # they came at one moment: their order is that of their ids
    assert by_id[id_of(kept.unknown)].endswith("unknown-kind")
    assert by_id[id_of(kept.needs_it)].endswith(f"waits for {id_of(kept.unknown)}")
    assert len(lines) == 3 and "bad-signature" in lines[2]
    assert [line.split()[0] for line in told(run("list", "--state", "held")).splitlines()] == [id_of(kept.needs_it)]
    assert [line.split()[0] for line in told(run("list", "--why", "unknown-kind")).splitlines()] == [
        id_of(kept.unknown)
    ]


def test_what_is_sealed_is_shown_where_it_is_asked_for_alone(run: Run, kept: Kept) -> None:
    looked = told(run("show", id_of(kept.unknown)))
    assert "unknown-kind" in looked and f"needed by {id_of(kept.needs_it)}" in looked and "CANARY" not in looked
    assert "CANARY" in told(run("show", id_of(kept.unknown), "--content"))
    odd = bytes_id(run)
    assert "bad-signature" in told(run("show", odd)) and "arrived" in told(run("show", odd, "--content"))


def test_tried_again_it_ends_where_it_was_as_long_as_nothing_changed(day: Day, run: Run, kept: Kept) -> None:
    assert told(run("retry", id_of(kept.unknown), "--reason", "new release")).strip() == "received"
    day.work()
    assert states(day)[0] == ("quarantined", "unknown-kind")
    assert told(run("retry", "--why", "unknown-kind", "--reason", "new release")) == "1 are tried again\n"
    assert run("retry", "--reason", "neither").exit_code == 2
    assert run("retry", id_of(kept.unknown), "--why", "unknown-kind", "--reason", "both").exit_code == 2
    refused = run("retry", bytes_id(run), "--reason", "bytes").exception
    assert isinstance(refused, Problem) and refused.code == "not-found"


def test_released_those_that_need_it_go_on(day: Day, run: Run, kept: Kept) -> None:
    assert told(run("release", id_of(kept.unknown), "--reason", "looked at")) == "released\n"
    day.work()
    assert states(day) == [("quarantined", "unknown-kind"), ("applied", None)]
    assert told(run("release", bytes_id(run), "--reason", "looked at")) == "released\n"


def test_put_right_it_takes_effect(day: Day, run: Run, kept: Kept, tmp_path: Path) -> None:
    body = tmp_path / "body.json"
    body.write_text("[]")
    right = ("--kind", "arrived", "--body", str(body), "--visit", str(day.visits[0]), "--reason", "meant that")
    asked = ("mend", id_of(kept.unknown), *right)
    assert (run(*asked).exit_code, "an object is needed" in run(*asked).output) == (2, True)
    body.write_text("{}")
    assert told(run(*asked)).strip() == "applied"
    day.work()
    assert [state for state, _ in states(day)] == ["applied", "applied"]
    assert told(run("mend", bytes_id(run), *right)) == "applied\n"


def test_a_correction_without_the_visit_that_it_needs_is_told_so(run: Run, kept: Kept, tmp_path: Path) -> None:
    body = tmp_path / "body.json"
    body.write_text("{}")
    for which in (id_of(kept.unknown), bytes_id(run)):
        refused = run("mend", which, "--kind", "arrived", "--body", str(body), "--reason", "meant that").exception
        assert isinstance(refused, Problem)
        assert (refused.code, refused.at) == ("bad-request", "visit_id")
        assert "belongs to a visit" in refused.detail


def test_dismissed_it_is_listed_no_more_and_kept(run: Run, kept: Kept) -> None:
    for each in (id_of(kept.unknown), bytes_id(run)):
        assert told(run("dismiss", each, "--reason", "nothing to do")) == "dismissed\n"
    assert [line.split()[0] for line in told(run("list")).splitlines()] == [id_of(kept.needs_it)]
    assert len(told(run("list", "--all")).splitlines()) == 3
    assert "dismiss  by command" in told(run("show", id_of(kept.unknown)))


def test_what_nobody_has_is_said(run: Run, kept: Kept) -> None:
    for command in ("show", "release", "dismiss"):
        more = () if command == "show" else ("--reason", "x")
        missing = run(command, str(uuid4()), *more).exception
        assert isinstance(missing, Problem) and missing.code == "not-found"
