"""`doorstep photo` as an operator runs it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import pytest
from click.testing import CliRunner

from doorstep.commands.photo import photo as photo_command
from field_api.platform.problems import Problem
from media.sandbox.run import Undevelopable
from tests.photo_phone import head
from tests.photo_world import PhotoWorld
from tests.pictures import jpeg, jpeg_with_everything

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


def test_undeclared_uploads_are_listed_and_destroyed_by_hand(world: PhotoWorld) -> None:
    declared = world.developed(jpeg())
    lost = world.seal(jpeg(100, 100))
    address = world.upload(lost)
    (line,) = run("list", "--undeclared").splitlines()
    upload_id, state, size = line.split()[:3]
    assert (upload_id, state, int(size)) == (address.rpartition("/")[2], "complete", len(lost.sealed))
    arguments = ["destroy-upload", upload_id, "--reason", "not-needed"]
    assert CliRunner().invoke(photo_command, arguments, input="n\n").exit_code == 1
    assert run(*arguments, "--yes").endswith(f"destroyed {upload_id}\n")
    assert run("list", "--undeclared") == ""
    for gone in (upload_id, str(declared.upload_id)):
        again = CliRunner().invoke(photo_command, ["destroy-upload", gone, "--reason", "not-needed", "--yes"])
        assert isinstance(again.exception, Problem) and again.exception.code == "not-found"
    assert (world.only().state, len(world.uploads())) == ("developed", 2)
    assert head(world.phone, address).status_code == 410


def test_what_an_operation_declares_is_no_upload_to_destroy(world: PhotoWorld) -> None:
    photo = world.seal(jpeg())
    address = world.upload(photo)
    world.declare(photo, world.permit())
    upload_id = address.rpartition("/")[2]
    answer = CliRunner().invoke(photo_command, ["destroy-upload", upload_id, "--reason", "not-needed", "--yes"])
    assert isinstance(answer.exception, Problem) and answer.exception.code == "conflict"
    world.work()
    assert world.only().state == "developed"


def test_lists_are_by_hint_too(world: PhotoWorld) -> None:
    developed = world.developed(jpeg_with_everything())
    assert run("list", "--hint", "file-elsewhere").split()[0] == str(developed.id)
    assert run("list", "--hint", "like-a-screenshot") == ""
    assert CliRunner().invoke(photo_command, ["list", "--undeclared", "--hint", "no-position"]).exit_code == 2


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


def test_a_quarantined_photograph_is_tried_again_when_what_was_wrong_is_mended(
    world: PhotoWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr("media.sandbox.run.Sandbox.develop", _crashes)
        quarantined = world.developed(jpeg())
    assert (quarantined.state, quarantined.reason) == ("quarantined", "decoder-crashed")
    assert run("try-again", str(quarantined.id)) == "1 come again in the worker's next round\n"
    assert (world.only().state, world.only().attempts) == ("awaiting", 0)
    world.work()
    assert world.only().state == "developed"
    again = CliRunner().invoke(photo_command, ["try-again", str(quarantined.id)])
    assert isinstance(again.exception, Problem) and again.exception.code == "conflict"


def _crashes(_sandbox: object, _picture: bytes, **_: object) -> None:
    raise Undevelopable("decoder-crashed")
