"""Running a day's script, and taking it up again after the process was killed."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from doorstep.phone_day.network import RoughNetwork
from doorstep.phone_day.script import Script
from doorstep.phone_day.verbs import DO, Day, Line
from sync.phone import Phone, PhoneError, ShiftedClock, SystemClock

PLACE = "script"  # the phone's own store remembers how far the script came


class Unexpected(Exception):
    """A step went otherwise than the script expects; `line` says how."""

    def __init__(self, line: Line) -> None:
        super().__init__(f"step {line['step']} ({line['do']})")
        self.line = line


def run_day(directory: Path, passphrase: str, script: Script, folder: Path, tell: Callable[[Line], None]) -> Line:
    """Do the script's steps from where it stopped; returns the summary. Raises Unexpected, PhoneError."""
    clock = ShiftedClock.showing(script.clock) if script.clock else SystemClock()
    kill_at: dict[str, int] = {}
    with (
        RoughNetwork() as network,
        Phone.open(
            directory, passphrase, clock=clock, transport=network, step=lambda name: _die(kill_at, name)
        ) as phone,
    ):
        day = Day(phone, network, folder, kill_at=kill_at)
        place = _place(phone, script)
        day.order, day.last_op = place["order"], place["ops"]
        for number in range(place["next"], len(script.steps)):
            _mark(day, script, number)
            line = _do(day, number, script.steps[number])
            if "op" in line:
                day.last_op[str(number)] = line["op"]
            tell(line)
        _mark(day, script, len(script.steps))
        return {"summary": phone.status(), "answers_lost": network.lost, "batches_repeated": network.repeated}


def _die(kill_at: dict[str, int], name: str) -> None:
    """As a flat battery does it: no clean-up, no last words."""
    if name in kill_at:
        kill_at[name] -= 1
        if kill_at[name] <= 0:
            os.kill(os.getpid(), signal.SIGKILL)


def _do(day: Day, number: int, step: dict[str, Any]) -> Line:
    """One step. `refused` names the refusal that is expected, `expect` parts of the line that must hold."""
    verb = step["do"]
    head: Line = {"step": number, "do": verb}
    try:
        line = head | DO[verb](day, step)
    except PhoneError as error:
        line = head | {"refused": error.code}
        if error.code != step.get("refused"):
            raise Unexpected(line | {"detail": error.detail}) from error
        return line
    expected = step.get("expect", {})
    if step.get("refused") or any(line.get(name) != value for name, value in expected.items()):
        raise Unexpected(line | {"expected": step.get("refused") or expected})
    return line


def _chain_seq(phone: Phone) -> int:
    return int((phone.handset.store.get("state", "chain") or {"seq": 0})["seq"])


def _place(phone: Phone, script: Script) -> dict[str, Any]:
    """Where this script stopped. A step that had recorded its operation before the process died is not done again."""
    kept: dict[str, Any] | None = phone.handset.store.get("state", PLACE)
    if kept is None or kept["digest"] != script.digest:
        return {"next": 0, "order": [], "ops": {}}
    recorded = _chain_seq(phone) > kept["seq"]
    return {"next": kept["next"] + recorded, "order": kept["order"], "ops": kept["ops"]}


def _mark(day: Day, script: Script, number: int) -> None:
    kept = {
        "digest": script.digest,
        "next": number,
        "seq": _chain_seq(day.phone),
        "order": day.order,
        "ops": day.last_op,
    }
    day.phone.handset.store.put("state", PLACE, kept)
