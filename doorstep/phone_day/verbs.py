"""What each verb of a script does with a phone. Each returns what to print: ids and codes, never contents."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from doorstep.phone_day.network import RoughNetwork
from sync.phone import Later, NotAllowed, Phone, Recorded

POLL_S = 0.05
TIMEOUT_S = 120.0
Step = dict[str, Any]
Line = dict[str, Any]


@dataclass
class Day:
    """A phone at work. `order` is the sheet's order when it was first seen, so that numbers keep their meaning.
    `kill_at` says at which of the phone's steps the process ends itself, after so many of them."""

    phone: Phone
    network: RoughNetwork
    folder: Path  # where relative file names are
    order: list[str] = field(default_factory=list)
    kill_at: dict[str, int] = field(default_factory=dict)
    last_op: dict[str, str] = field(default_factory=dict)

    def visit(self, step: Step) -> str:
        """A visit by id, or by its number on the sheet as first seen, from 0. Raises NotAllowed `unknown-visit`."""
        named = step["visit"]
        if not isinstance(named, int):
            return str(named)
        self.remember_order()
        if not 0 <= named < len(self.order):
            raise NotAllowed("unknown-visit", f"the sheet had {len(self.order)} visits")
        return self.order[named]

    def remember_order(self) -> None:
        self.order = self.order or [stop.visit for stop in self.phone.today()]

    def opened(self, step: Step) -> str:
        """The party named, or the last one whose part was opened at the visit."""
        if "person" in step:
            return str(step["person"])
        return next(iter(reversed(self.phone.opened_for(self.visit(step)))), "")


def _rest(step: Step, *used: str) -> dict[str, Any]:
    """The step's other keys: they go into the body as they are."""
    return {key: value for key, value in step.items() if key not in {"do", "visit", "expect", "refused", *used}}


def _line(recorded: Recorded) -> Line:
    told = {"warnings": list(recorded.warnings)} if recorded.warnings else {}
    told |= {"hours": list(recorded.hours)} if recorded.hours else {}
    return {"op": recorded.op, "seq": recorded.seq, "kind": recorded.kind, **told}


def wait(day: Day, step: Step) -> Line:
    until = time.monotonic() + step.get("timeout_s", TIMEOUT_S)
    while not (day.folder / step["file"]).exists():
        if time.monotonic() > until:
            raise Later("barrier", "the awaited file did not come")
        time.sleep(POLL_S)
    return {"file": step["file"]}


def touch(day: Day, step: Step) -> Line:
    (day.folder / step["file"]).touch()
    return {"file": step["file"]}


def network(day: Day, step: Step) -> Line:
    day.network.lose_answers = int(step.get("lose_answers", 0))
    day.network.repeat = int(step.get("repeat", 0))
    return {}


def kill(day: Day, step: Step) -> Line:
    day.kill_at[str(step["at"])] = int(step.get("times", 1))
    return {"at": step["at"]}


def pull(day: Day, step: Step) -> Line:
    pulled = day.phone.pull()
    day.remember_order()
    return asdict(pulled)


def push(day: Day, step: Step) -> Line:
    return asdict(day.phone.push(batch=int(step.get("batch", 50))))


def upload(day: Day, step: Step) -> Line:
    return asdict(day.phone.upload_photos())


def settle(day: Day, step: Step) -> Line:
    """Pull until the office has said of every operation what became of it."""
    until = time.monotonic() + step.get("timeout_s", TIMEOUT_S)
    while True:
        day.phone.pull()
        status = day.phone.status()
        judged = sum(n for verdict, n in status["verdicts"].items() if verdict != "held")
        if judged >= status["ops_recorded"]:
            return {"verdicts": status["verdicts"]}
        if time.monotonic() > until:
            raise Later("unsettled", f"{status['ops_recorded'] - judged} operations without a verdict")
        time.sleep(float(step.get("every_s", 0.25)))


def status(day: Day, step: Step) -> Line:
    return day.phone.status()


def session(day: Day, step: Step) -> Line:
    return _line(day.phone.session(**_rest(step)))


def arrive(day: Day, step: Step) -> Line:
    return _line(day.phone.arrive(day.visit(step), **_rest(step)))


def encounter(day: Day, step: Step) -> Line:
    return _line(day.phone.encounter(day.visit(step), step["relation"], **_rest(step, "relation")))


def location(day: Day, step: Step) -> Line:
    return _line(day.phone.ask_location(day.visit(step), step.get("whom")))


def company(day: Day, step: Step) -> Line:
    return _line(day.phone.asked_for_company(day.visit(step)))


def may_say(day: Day, step: Step) -> Line:
    """Which moments of the script and which fields are allowed now; never their words."""
    now = day.phone.may_say(day.visit(step))
    return {
        "relation": now.relation,
        "lines": [line.moment for line in now.lines],
        "fields": sorted(now.fields),
        "may_check": now.may_check,
        "may_ask_location": now.may_ask_location,
        "ends": now.ends,
        "proposes": now.proposes,
    }


def _whose(step: Step) -> str:
    return str(step.get("person", "sought"))


def check(day: Day, step: Step) -> Line:
    visit, tried = day.visit(step), (step.get("answers"), step.get("code"))
    result = day.phone.check_identity(visit, _whose(step), *tried, position=step.get("position"))
    return {**_line(result.recorded), "passed": result.passed, "tries_left": result.tries_left}


def attest(day: Day, step: Step) -> Line:
    result = day.phone.attest(day.visit(step), _whose(step), step["document"], step.get("position"))
    return {**_line(result.recorded), "passed": result.passed}


def read_before_arrival(day: Day, step: Step) -> Line:
    return {"person": day.phone.read_before_arrival(day.visit(step)).person}


def opened(day: Day, step: Step) -> Line:
    parts, shown_s = step.get("parts", ["brief"]), step.get("shown_s")
    return _line(day.phone.opened(day.visit(step), day.opened(step), parts, shown_s, step.get("position")))


def outcome(day: Day, step: Step) -> Line:
    body = _rest(step, "outcome")
    line = _line(day.phone.record_outcome(day.visit(step), step["outcome"], body))
    return {**line, "outcome": step["outcome"]}


def letter(day: Day, step: Step) -> Line:
    return _line(day.phone.letter(day.visit(step), step["handling"], **_rest(step, "handling")))


def contact(day: Day, step: Step) -> Line:
    rest = _rest(step, "source", "contacts")
    return _line(day.phone.contact(day.visit(step), step["source"], step["contacts"], **rest))


def photo_permission(day: Day, step: Step) -> Line:
    rest = _rest(step, "granted", "by", "subjects")
    subjects = step.get("subjects", ())
    return _line(day.phone.photo_permission(day.visit(step), step["granted"], step["by"], subjects, **rest))


def photo(day: Day, step: Step) -> Line:
    rest = _rest(step, "file", "subject")
    return _line(day.phone.photo(day.visit(step), day.folder / step["file"], step["subject"], **rest))


def note(day: Day, step: Step) -> Line:
    return _line(day.phone.note(day.visit(step), step["words"]))


def correction(day: Day, step: Step) -> Line:
    """`corrects` is an op id, or the number of the script's step that recorded it."""
    corrects = day.last_op.get(str(step["corrects"]), str(step["corrects"]))
    return _line(day.phone.correction(corrects, step["words"], step.get("outcome")))


DO: dict[str, Callable[[Day, Step], Line]] = {
    verb.__name__: verb
    for verb in (
        wait, touch, network, kill, pull, push, upload, settle, status, session, arrive, encounter, location,
        company, may_say, check, attest, read_before_arrival, opened, outcome, letter, contact, photo_permission,
        photo, note, correction,
    )
}  # fmt: skip
