"""No operation is lost, whoever is killed wherever: operations on phones and in the inbox are those that were made.

One house lives through all runs: in each, one process is armed to die at a failpoint (`failpoints.FAILPOINTS`), or
several are killed at a moment of chance, while a phone records, sends and fetches. The dead are started again.
"""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from failpoints import FAILPOINTS, Armed, Failpoint, named
from fault_world import PASSPHRASE, House
from phone_lives import a_session
from processes import PATIENCE_S, killed, start, until
from sqlalchemy import select

import sync.phone
from field_api.platform.clock import SystemClock
from field_api.platform.database import transaction
from sync.mailbox import InboxOp
from sync.office.decide_quarantined import retry_all
from sync.office.turns import CRASHED_WORKER
from sync.phone import Patience, Phone

pytest_plugins = ["fault_fixtures"]
pytestmark = pytest.mark.xdist_group("faults")
# A dead worker's operation rests for two seconds, and each run has its processes to start: all of them are for `prove`.
WORKERS = {"after the effect", "effect and verdict, not committed", "items written, not committed"}
SHORT = [p for p in FAILPOINTS if p.part == "door" or p.told in WORKERS or (p.part == "phone" and p.number % 2)]
PHONE = Path(sync.phone.__file__).parent


class Runs:
    """Sessions of one phone in one house, and what must hold after each of them."""

    def __init__(self, house: House) -> None:
        self.house, self.shown = house, house.folder / "shown"
        self.phone_deaths = 0
        self.number = 0
        house.enrol().close()
        house.parts.start_worker()

    def run(self, armed: Armed | None, kill_after_s: dict[str, float] | None = None) -> bool:
        """One session. Whether somebody died in it."""
        self.number += 1
        parts, before = self.house.parts, self.deaths
        if armed and armed.point.part == "door":
            parts.start_door(armed)
        if armed and armed.point.part == "worker":
            parts.start_worker(armed)
        mine = armed if armed and armed.point.part == "phone" else None
        arguments = (self.house.folder / "phone", PASSPHRASE, mine, self.house.visits, self.number, self.shown)
        child = start(a_session, *arguments)
        due = sorted((kill_after_s or {}).items(), key=lambda item: item[1])
        began = time.monotonic()
        while child.is_alive() or due or (armed and armed.point.part == "worker" and self.deaths == before):
            passed_s = time.monotonic() - began
            assert passed_s < PATIENCE_S, f"{armed and armed.point}: the session does not end"
            while due and due[0][1] <= passed_s:
                victim = {"phone": child, "door": parts.door, "worker": parts.worker}[due.pop(0)[0]]
                if victim is not None:
                    killed(victim)
            parts.look_after()
            child.join(0.01)
        if armed and armed.point.part == "worker" and passed_s > PATIENCE_S / 2:
            raise AssertionError(f"{armed.point}: never reached")
        assert child.exitcode in (0, -signal.SIGKILL), f"{armed and armed.point}: {child.exitcode}"
        self.phone_deaths += child.exitcode != 0
        self.nothing_is_lost()
        if armed and armed.point.part == "door" and self.deaths == before:
            parts.start_door()  # it was not reached: it shall not die in another's run
        if armed and armed.point.part == "worker":
            self.apply_all()  # else the next failpoint meets the same operation, which stands aside after the second
        return self.deaths > before

    @property
    def deaths(self) -> int:
        return self.phone_deaths + self.house.parts.deaths

    def nothing_is_lost(self) -> None:
        """Read from the phone first: what it deletes must have been in the inbox before."""
        with self.house.open() as phone:
            made = int((phone.handset.store.get("state", "chain") or {"seq": 0})["seq"])
            waiting = {entry["op"]: entry["seq"] for entry in phone.queue()}
            durable = phone.status()["durable_seq"]
        taken = {op: seq for op, (seq, _) in self.house.inbox().items()}
        together = {**waiting, **taken}
        assert sorted(together.values()) == list(range(1, made + 1)), "an operation is gone, or is there twice"
        assert shown_in(self.shown).items() <= together.items(), "what the agent was shown as done is gone"
        assert all(seq <= durable and op in taken for op, seq in together.items() if op not in waiting)

    def apply_all(self) -> None:
        def is_all_applied() -> bool:
            self.house.parts.look_after()
            return not any(state == "received" for _, state, _ in self.reasons())

        until(is_all_applied)

    def reasons(self) -> list[tuple[int, str, str | None]]:
        with transaction(self.house.agency) as session:
            odd = select(InboxOp.seq, InboxOp.state, InboxOp.reason).where(InboxOp.state != "applied")
            return [(row.seq, row.state, row.reason) for row in session.execute(odd)]

    def come_to_rest(self) -> int:
        """Everybody lives and the network is good: all is applied once, and the phone is empty. How many there were."""
        self.house.parts.look_after()
        self.apply_all()
        # A worker that died twice with one operation in hand leaves it to a person, who has it tried again.
        assert {(state, reason) for _, state, reason in self.reasons()} <= {("quarantined", CRASHED_WORKER)}
        with transaction(self.house.agency) as session:
            retry_all(session, CRASHED_WORKER, reason="nobody's fault", by=None, now=SystemClock().now())
        self.apply_all()
        assert self.reasons() == []
        with self.house.open(patience=Patience(tries=20)) as phone:
            _until_empty(phone)
            made = phone.status()["ops_recorded"]
        inbox = self.house.inbox()
        assert sorted(seq for seq, _ in inbox.values()) == list(range(1, made + 1))
        assert {state for _, state in inbox.values()} == {"applied"}
        effects = self.house.effects()
        assert set(effects.values()) == {1} and effects.keys() <= inbox.keys()
        # A session says something about the phone, not about a visit: it stands in no visit's story.
        assert len(inbox) - len(effects) == self._sessions()
        return made

    def _sessions(self) -> int:
        with self.house.open() as phone:
            return int(phone.status()["recorded"]["session"])


def _until_empty(phone: Phone) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        phone.push()
        phone.pull()
        status = phone.status()
        if not phone.queue() and status["verdicts"] == {"applied": status["ops_recorded"]}:
            return
        told = status["verdicts"], status["queue"], status["ops_recorded"]
        assert time.monotonic() < deadline, told
        time.sleep(0.05)


def shown_in(path: Path) -> dict[str, int]:
    lines = path.read_text().splitlines() if path.exists() else []
    return {op: int(seq) for op, seq in (line.split() for line in lines)}


def _at_random(chance: random.Random) -> dict[str, float]:
    victims = chance.sample(["phone", "door", "worker"], chance.randrange(1, 4))
    return {victim: chance.random() * 0.4 for victim in victims}


@pytest.fixture
def runs(house: House) -> Runs:
    return Runs(house)


def test_every_failpoint_names_what_is_there() -> None:
    source = "".join(path.read_text() for path in PHONE.glob("*.py"))
    for point in FAILPOINTS:
        if point.when in ("before", "after"):
            assert callable(getattr(*named(point))), point
        else:
            assert f'step("{point.when}")' in source, point
    assert [point.number for point in FAILPOINTS] == list(range(1, 36))


def test_no_operation_is_lost_at_failpoints_nor_at_random(runs: Runs) -> None:
    _all_of(runs, SHORT, rounds=1, at_random=3)


@pytest.mark.prove
def test_no_operation_is_lost_in_a_thousand_runs(runs: Runs) -> None:
    _all_of(runs, FAILPOINTS, rounds=20, at_random=1_000 - 20 * len(FAILPOINTS))


def _all_of(runs: Runs, points: Sequence[Failpoint], rounds: int, at_random: int) -> None:
    chance = random.Random(rounds)
    reached = {point.number: 0 for point in points}
    for round_ in range(rounds):
        for point in points:
            times = 1 if round_ == 0 else chance.randrange(1, point.most_times + 1)
            reached[point.number] += runs.run(Armed(point, times))
    for _ in range(at_random):
        runs.run(None, _at_random(chance))
    assert [number for number, times in reached.items() if not times] == [], "failpoints that nobody reached"
    made = runs.come_to_rest()
    print(f"{runs.number} runs, {runs.deaths} deaths, {made} operations")
