"""`doorstep print` writes one neutral, private file per published route, and nothing for a day without one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from uuid import UUID

import pytest
from click.testing import CliRunner, Result
from pypdf import PdfReader

from doorstep.commands.print_papers import print_papers
from field_api.platform.database import transaction
from field_api.usecases.want_letters import want_letters
from tests.paper_world import paper_world, stating
from tests.planning_world import NOW


@pytest.fixture
def two_routes(agency: UUID) -> UUID:
    with transaction(agency) as session:
        world = paper_world(session)
        creditor = stating(world)
        visits = []
        for code in ("MX-1", "MX-2"):
            route = world.route(world.agent(code))
            person = world.person(creditor)
            address = world.address(person)
            visits.append(world.visit(route, 1, address, person, world.account(person)).id)
        want_letters(session, visits, NOW)
    return agency


@pytest.fixture
def run(two_routes: UUID, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    @contextmanager
    def here() -> Iterator[UUID]:
        yield two_routes

    monkeypatch.setattr("doorstep.commands.print_papers.office_context", here)
    return lambda *arguments: CliRunner().invoke(print_papers, [*arguments, "--out", str(tmp_path / "out")])


def _written(tmp_path: Path) -> list[str]:
    return sorted(path.name for path in (tmp_path / "out").iterdir())


def test_each_route_becomes_one_private_file(run, tmp_path: Path) -> None:
    answer: Result = run("--date", "2026-11-18", "--card", "es")
    assert answer.exit_code == 0, answer.output
    assert _written(tmp_path) == ["2026-11-18-MX-1.pdf", "2026-11-18-MX-2.pdf", "card.pdf"]
    for path in (tmp_path / "out").iterdir():
        assert path.stat().st_mode & 0o077 == 0
    assert answer.output.count("8 pages, letters: 1") == 2, "sheet, separator, address page, letter: on both sides"


def test_one_route_can_be_chosen_and_a_second_print_says_that_it_holds_copies(run, tmp_path: Path) -> None:
    assert "copies" not in run("--date", "2026-11-18", "--route", "MX-2").output
    assert "letters: 1 (1 copies)" in run("--date", "2026-11-18", "--route", "MX-2").output
    assert _written(tmp_path) == ["2026-11-18-MX-2.pdf"]
    stack = PdfReader(BytesIO((tmp_path / "out" / "2026-11-18-MX-2.pdf").read_bytes()))
    assert "Copia 2" in stack.pages[-2].extract_text()


def test_a_day_without_routes_is_said_so(run) -> None:
    answer = run("--date", "2026-11-20")
    assert answer.exit_code == 1 and "no published route on this day" in answer.output
