"""The agent is warned of words that a third party must not read; what was recorded is kept as it is."""

from __future__ import annotations

import json
from contextlib import nullcontext

import pytest
from click.testing import CliRunner
from phone_world import World

import doorstep.commands.phone as commands
from sync.phone import Phone


def test_a_note_that_tells_of_a_debt_is_recorded_with_a_warning(world: World, phone: Phone) -> None:
    recorded = phone.note(world.visits[0], "le dije que debe $500")
    assert recorded.warnings == ("debe", "amount")
    [(_, kept)] = phone.handset.store.all("op")
    _, content = world.office.read_op(kept["document"])
    assert content["body"] == {"words": "le dije que debe $500"}


def test_words_are_looked_at_before_they_are_kept(phone: Phone) -> None:
    assert phone.words_in("su deuda") == ["deuda"] and phone.words_in("portón azul") == []
    assert phone.status()["ops_recorded"] == 0


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"contacts": [{"kind": "address", "street": "Sol", "hint": "donde cobran"}]}, ("cobro",)),
        ({"note": "portón azul, tocar fuerte"}, ()),
    ],
)
def test_hints_inside_an_outcome_are_looked_at(
    world: World, phone: Phone, body: dict[str, object], expected: tuple[str, ...]
) -> None:
    assert phone.record_outcome(world.visits[0], "moved", body).warnings == expected


def test_the_command_prints_the_warning_and_records(
    world: World, phone: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "open_phone", lambda directory, file: nullcontext(phone))
    arguments = ["record", "--dir", "unused", "note", world.visits[0], "owes two grand"]
    answer = CliRunner().invoke(commands.phone, arguments)
    assert answer.exit_code == 0 and "warning" in answer.stderr and "owe" in answer.stderr
    assert json.loads(answer.stdout)["kind"] == "note" and phone.status()["ops_recorded"] == 1
