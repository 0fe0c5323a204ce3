"""A day's script is checked before anything is done; the door's address is signed in one form."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from phone_world import PASSPHRASE, World

from doorstep.phone_day.network import RoughNetwork
from doorstep.phone_day.run import Unexpected, run_day
from doorstep.phone_day.script import VERBS, BadScript, read_script
from doorstep.phone_day.verbs import DO, Day
from sync.phone import NotAllowed, Phone
from sync.phone.address import read_address
from sync.phone.patience import Patience


def _script(folder: Path, *steps: Any, **more: Any) -> Path:
    path = folder / "script.json"
    path.write_text(json.dumps({"v": 1, "steps": list(steps), **more}))
    return path


def test_every_verb_of_the_table_is_done_and_documented() -> None:
    assert set(DO) == set(VERBS)
    document = (Path(__file__).parents[3] / "docs" / "phone-script.md").read_text()
    assert [verb for verb in VERBS if f"`{verb}`" not in document] == []


@pytest.mark.parametrize(
    ("steps", "complaint"),
    [
        ([{"do": "dance"}], "step 0"),
        ([{"do": "pull"}, {"do": "check"}], r"step 1 \(check\): visit missing"),
        (["pull"], "step 0"),
    ],
)
def test_a_wrong_script_names_the_step(tmp_path: Path, steps: list[Any], complaint: str) -> None:
    with pytest.raises(BadScript, match=complaint):
        read_script(_script(tmp_path, *steps))


@pytest.mark.parametrize("clock", ["yesterday", "1970-01-01T00:00:00", 5])
def test_a_clock_without_a_zone_is_refused(tmp_path: Path, clock: object) -> None:
    with pytest.raises(BadScript, match="clock"):
        read_script(_script(tmp_path, clock=clock))


def test_what_goes_otherwise_than_expected_ends_the_day_and_is_taken_up_there(
    world: World, phone: Phone, tmp_path: Path
) -> None:
    phone.close()
    note = {"do": "note", "visit": 0, "words": "once"}
    path = _script(tmp_path, note, {"do": "encounter", "visit": 0, "relation": "sought"}, note)
    lines: list[dict[str, Any]] = []
    for _ in range(2):
        with pytest.raises(Unexpected) as unexpected:
            run_day(world.directory, PASSPHRASE, read_script(path), tmp_path, lines.append)
        assert unexpected.value.line["refused"] == "no-identity-check"
    assert [line["do"] for line in lines] == ["note"], "the note is not recorded again"
    refused = {"do": "encounter", "visit": 0, "relation": "sought", "refused": "no-identity-check"}
    summary = run_day(
        world.directory, PASSPHRASE, read_script(_script(tmp_path, refused, note)), tmp_path, lines.append
    )
    assert summary["summary"]["recorded"] == {"note": 2}


def test_numbers_keep_their_meaning_when_a_visit_is_taken_back(world: World, phone: Phone, tmp_path: Path) -> None:
    with RoughNetwork() as network:
        day = Day(phone, network, tmp_path)
        assert day.visit({"visit": 0}) == world.visits[0]
        world.publish(0, version=2, state="withdrawn")
        phone.pull()
        assert [day.visit({"visit": number}) for number in (1, 2)] == world.visits[1:]
        with pytest.raises(NotAllowed, match="unknown-visit"):
            day.visit({"visit": 3})


@pytest.mark.parametrize(
    ("address", "authority", "path"),
    [
        ("https://Door.Example", "door.example", "/phone/v1"),
        ("https://door.example:443/", "door.example", "/phone/v1"),
        ("https://door.example:8443/a/", "door.example:8443", "/a/phone/v1"),
        ("http://127.0.0.1:8401", "127.0.0.1:8401", "/phone/v1"),
        ("http://[::1]:8401", "[::1]:8401", "/phone/v1"),
    ],
)
def test_the_authority_has_one_form(address: str, authority: str, path: str) -> None:
    read = read_address(address)
    assert (read.authority, read.path) == (authority, path)


def test_waits_grow_carry_jitter_and_never_undercut_what_was_told() -> None:
    least, most = Patience(chance=lambda: 0.0), Patience(chance=lambda: 1.0)
    assert [most.wait_s(attempt, 0) for attempt in (0, 1, 2, 20)] == [0.5, 1.0, 2.0, 30.0]
    assert least.wait_s(3, 9.0) == 9.0 and most.wait_s(0, 2.0) == 3.0 and most.wait_s(5, 8.0) == 10.0
