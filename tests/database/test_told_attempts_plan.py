"""What was tried on other channels makes visits possible that law and strategy refuse without it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import click
import pytest
from click.testing import CliRunner
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from doorstep.commands import attempts
from field_api.domain.confidential import audience
from field_api.domain.disclosure import Audience
from field_api.platform.clock import SetClock
from field_api.platform.database import transaction
from field_api.platform.problems import Problem
from field_api.queries.explain_account import explain_account
from field_api.records.planning import NotPlanned
from field_api.records.results import Attempt
from field_api.usecases.plan_day import plan_day
from field_api.usecases.record_attempts import record_attempts
from tests.planning_world import NOW, PARTS, WEDNESDAY, World

LONDON = (51.5074, -0.1278)


def why(session: Session) -> dict[UUID, str]:
    plan_day(session, WEDNESDAY, parts=PARTS, now=NOW)
    return {row.account_id: row.rule.partition(" ")[0] for row in session.scalars(select(NotPlanned))}


def told(number: int, account: str, channel: str, days_ago: int, outcome: str) -> dict[str, str]:
    on = (WEDNESDAY - timedelta(days=days_ago)).isoformat()
    return {"id": f"a-{number}", "account": account, "channel": channel, "at": on, "outcome": outcome}


def a_british_agency(session: Session) -> tuple[World, UUID]:
    """An agent in London and three accounts of three people there."""
    world = World(session)
    creditor = world.creditor("GB", "GBP", "en")
    world.agent("GB-1", LONDON, "Europe/London", ("en",))
    for number in range(3):
        person = world.person(creditor)
        world.address(person, (LONDON[0] + number / 1000, LONDON[1]), country="GB", jurisdiction="GB")
        world.account(person, reference=f"GB-{number}")
    return world, creditor.id


def test_a_british_account_is_planned_once_its_notice_was_given_and_not_before(agency: UUID) -> None:
    with transaction(agency) as session:
        _, creditor_id = a_british_agency(session)
        assert set(why(session).values()) == {"gb-prior-notice"}
        rows = [
            told(1, "GB-0", "letter", 3, "sent"),
            told(2, "GB-1", "letter", 3, "sent"), told(3, "GB-1", "letter", 1, "returned"),
            told(4, "GB-2", "call", 3, "no_answer"),
        ]  # fmt: skip
        kept = record_attempts(session, creditor_id, rows, now=NOW, by=None)
        assert (kept.recorded, kept.known, kept.refused) == (4, 0, [])
        refused = why(session)
        assert list(refused.values()) == ["gb-prior-notice"] * 2 and len(refused) == 2
        called = next(iter(refused))
        record_attempts(session, creditor_id, [told(5, "GB-1", "call", 1, "reached"), told(6, "GB-2", "email", 1, "sent")], now=NOW, by=None)  # fmt: skip
        explained = explain_account(session, called, WEDNESDAY, PARTS)
        assert [one.rule.id for one in explained.reasons] == ["gb-prior-notice"]
        assert explained.next_on == WEDNESDAY + timedelta(days=1)


def test_a_strategy_has_its_calls_and_letters_first(agency: UUID) -> None:
    with transaction(agency) as session:
        world = World(session)
        world.agent()
        world.creditor().strategy = {"attempts_first": {"call": 2, "letter": 1}}
        account = world.household()[2]
        account.reference = "CT-X"
        session.flush()
        rows = [told(1, "CT-X", "call", 5, "no_answer"), told(2, "CT-X", "call", 4, "reached"), told(3, "CT-X", "letter", 9, "sent")]  # fmt: skip
        assert why(session) == {account.id: "strategy:call-first"}
        record_attempts(session, world.creditor().id, rows[:2], now=NOW, by=None)
        assert why(session) == {account.id: "strategy:letter-first"}
        record_attempts(session, world.creditor().id, rows, now=NOW, by=None)
        assert why(session) == {}


def test_attempts_are_kept_once_and_numbered_and_faults_keep_no_other_out(agency: UUID) -> None:
    with transaction(agency) as session:
        _, creditor_id = a_british_agency(session)
        good = told(1, "GB-0", "letter", 3, "sent")
        rows = [good, good, {**good, "outcome": "delivered"}, {**good, "account": "GB-9"}, {**good, "channel": "call"}, {**good, "account": "GB-1"}]  # fmt: skip
        kept = record_attempts(session, creditor_id, rows, now=NOW, by=None)
        assert (kept.recorded, kept.known) == (2, 1)
        assert [(index, at) for index, at, _ in kept.refused] == [(2, "id"), (3, "account"), (4, "outcome")]
        again = record_attempts(session, creditor_id, [good], now=NOW, by=None)
        assert (again.recorded, again.known, again.refused) == (0, 1, [])
        rows_kept = session.scalars(select(Attempt).order_by(Attempt.number)).all()
        assert [row.number for row in rows_kept] == [1, 2] and not any(row.right_party for row in rows_kept)
        assert rows_kept[0].op_id == rows_kept[1].op_id  # one letter about two accounts
        with audience(Audience.OFFICE_JOB):
            said = json.loads(rows_kept[0].detail.reveal(Audience.OFFICE_JOB))
        assert said == {"by": "agency", "id": "a-1", "outcome": "sent", "told_by": None}
    with pytest.raises(Problem), transaction(agency) as session:
        record_attempts(session, UUID(int=1), [good], now=NOW, by=None)


def test_a_file_of_attempts(app: Flask, agency: UUID, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def here() -> Iterator[UUID]:
        try:
            yield agency
        except Problem as problem:
            raise click.ClickException(f"{problem.code}: {problem.detail}") from problem

    monkeypatch.setattr(attempts, "office_context", here)
    app.extensions["doorstep.clock"] = SetClock(NOW)
    with transaction(agency) as session:
        name = a_british_agency(session)[0].creditor("GB").name

    def run(text: str) -> str:
        file = tmp_path / "attempts.csv"
        file.write_text(text)
        return CliRunner().invoke(attempts.attempts, ["import", str(file), "--creditor", name]).output

    rows = "a-1;GB-0;letter;2026-11-14;sent;creditor\n\na-2;GB-7;letter;2026-11-14;sent;\na-3;GB-1;call;2026-11-14 10:00;reached;\n"  # fmt: skip
    output = run("id;account;channel;at;outcome;by\n" + rows)
    assert "1 recorded, 0 known before, 2 left out" in output and "GB-7" not in output
    lines = [line.split() for line in output.splitlines() if line.strip()[:3] in ("│ 4", "│ 5")]
    assert [line[3] for line in lines] == ["account", "at"], output
    assert "0 recorded, 1 known before" in run("id,account,channel,at,outcome\na-1,GB-0,letter,2026-11-14,sent\n")
    assert "invalid-file" in run("id,account,channel,at,outcome,notes\na-1,GB-0,letter,2026-11-14,sent,debe 500\n")
