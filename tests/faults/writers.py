"""A writer that changes visits and publishes, and may roll back or die at any commit: run as a process of its own."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.orm import Session

from field_api.domain.vocabulary import ChangeKind
from field_api.platform.clock import SystemClock
from field_api.platform.database import transaction
from field_api.platform.settings import Settings
from field_api.platform.wiring import office_keys
from field_api.records.visits import Visit
from field_api.usecases.tell_agent import tell_agent
from sync.office.publish import publish_changes

FATES = ("commit", "roll back", "die before", "die after")
WEIGHTS = (82, 8, 5, 5)
LONGEST_PAUSE_S = 0.03


class RolledBack(Exception):
    """Everything was done, and then taken back."""


def write(settings: Settings, agency: UUID, agent: UUID, visits: list[str], seed: int, rounds: int, told: Path) -> None:
    """`rounds` times: raise a visit's version and say so, then publish. Each committed change is a line of `told`."""
    from doorstep.app import worker_app

    chance = random.Random(seed)
    with worker_app(settings).app_context():
        keys = office_keys().of(agency)

        def change(session: Session, visit: UUID) -> None:
            session.execute(
                update(Visit).where(Visit.id == visit).values(assignment_version=Visit.assignment_version + 1)
            )
            tell_agent(session, agent, ChangeKind.VISIT, visit, urgent=chance.random() < 0.3)
            session.flush()

        def publish(session: Session) -> None:
            publish_changes(session, keys, agent, now=SystemClock().now())

        for _ in range(rounds):
            visit = chance.choice(visits)
            if _meets_its_fate(chance, agency, lambda session, visit=visit: change(session, UUID(visit))):  # type: ignore[misc]  # a default argument
                _tell(told, visit)
            _meets_its_fate(chance, agency, publish)


def _meets_its_fate(chance: random.Random, agency: UUID, act: Callable[[Session], None]) -> bool:
    """Whether it was committed, where this process is still there to tell."""
    (fate,) = chance.choices(FATES, WEIGHTS)
    with suppress(RolledBack):
        with transaction(agency) as session:
            act(session)
            time.sleep(chance.random() * LONGEST_PAUSE_S)  # a slow transaction: others overtake it
            if fate == "die before":
                os.kill(os.getpid(), signal.SIGKILL)
            if fate == "roll back":
                raise RolledBack
        if fate == "die after":
            os.kill(os.getpid(), signal.SIGKILL)
        return True
    return False


def _tell(told: Path, line: str) -> None:
    descriptor = os.open(told, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.write(descriptor, f"{line}\n".encode())
    os.close(descriptor)
