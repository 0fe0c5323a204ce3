"""`doorstep photo` as an operator runs it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import pytest
from click.testing import CliRunner

from doorstep.commands.photo import photo as photo_command
from tests.photo_world import PhotoWorld
from tests.pictures import jpeg

pytest_plugins = ["tests.photo_fixtures"]


@pytest.fixture
def world(world: PhotoWorld, agency: UUID, monkeypatch: pytest.MonkeyPatch) -> PhotoWorld:
    """Commands act here, and not in an installation of their own."""

    @contextmanager
    def here() -> Iterator[UUID]:
        yield agency

    monkeypatch.setattr("doorstep.commands.photo.office_context", here)
    return world


def run(*arguments: str) -> str:
    answer = CliRunner().invoke(photo_command, arguments, catch_exceptions=False)
    assert answer.exit_code == 0, answer.output
    return answer.output


def test_the_list_names_states_and_uploads_that_nobody_declares(world: PhotoWorld) -> None:
    developed = world.developed(jpeg())
    world.upload(world.seal(jpeg(100, 100)))
    lines = run("list").splitlines()
    assert len(lines) == 2
    assert lines[0].split()[:3] == [str(developed.id), "developed", "facade"]
    assert lines[1] == "1 uploads are whole and no operation declares them"
    assert run("list", "--state", "refused").splitlines() == lines[1:]


def test_destroying_asks_first(world: PhotoWorld) -> None:
    developed = world.developed(jpeg())
    arguments = ["destroy", str(developed.id), "--reason", "not-needed"]
    assert CliRunner().invoke(photo_command, arguments, input="n\n").exit_code == 1
    assert world.only().state == "developed"
    assert run(*arguments, "--yes").endswith(f"destroyed {developed.id}\n")
    assert world.only().state == "destroyed"


def test_a_refused_photo_is_allowed_from_the_terminal(world: PhotoWorld) -> None:
    photo = world.seal(jpeg())
    world.declare(photo, None)
    world.upload(photo)
    world.work()
    photo_id = world.only().id
    assert run("allow", str(photo_id), "--reason", "in writing") == f"allowed {photo_id}: the worker develops it\n"
    world.work()
    assert world.only().state == "developed"
