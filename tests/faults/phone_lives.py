"""What a phone's process does until it ends or is killed: run by `processes.start`."""

from __future__ import annotations

import os
import random
from pathlib import Path

from failpoints import Armed, arm, step_of
from wire import DOOR, call_it, enter

from sync.phone import Patience, Phone
from sync.phone.operations import Recorded

TRIES = 40
PAUSE_S = 0.02


def opened(directory: Path, passphrase: str, armed: Armed | None) -> Phone:
    arm(armed)
    return Phone.open(directory, passphrase, patience=_patience(), step=step_of(armed))


def pull(directory: Path, passphrase: str, armed: Armed | None, limit: int) -> None:
    with opened(directory, passphrase, armed) as phone:
        phone.pull(limit)


def a_session(directory: Path, passphrase: str, armed: Armed | None, visits: list[str], seed: int, shown: Path) -> None:
    """Record a little, send, fetch, send again. What the agent was shown as done is a line of `shown`."""
    chance = random.Random(seed)
    with opened(directory, passphrase, armed) as phone:
        _show(shown, phone.session())
        for _ in range(chance.randrange(1, 4)):
            visit = chance.choice(visits)
            _show(shown, phone.arrive(visit) if chance.random() < 0.5 else phone.note(visit, f"nota {seed}"))
        phone.push(batch=chance.choice([1, 2, 50]))
        phone.pull(limit=chance.choice([1, 3, 100]))
        phone.push()


def push_from(namespace: str, door: str, directory: Path, passphrase: str) -> None:
    """Send the queue, one operation a call, over a network that may go silent: a phone gives such a call up soon."""
    from sync.phone import calls

    enter(namespace)
    call_it(DOOR, door)
    calls.TIMEOUT_S = (1.0, 1.0)
    with opened(directory, passphrase, None) as phone:
        phone.push(batch=1)


def _patience() -> Patience:
    import time

    return Patience(tries=TRIES, first_s=PAUSE_S, longest_s=PAUSE_S, sleep=lambda _: time.sleep(PAUSE_S))


def _show(shown: Path, recorded: Recorded) -> None:
    descriptor = os.open(shown, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.write(descriptor, f"{recorded.op} {recorded.seq}\n".encode())
    os.close(descriptor)
