"""The end of an agent's day: what comes back is handed in by serial number, and what is missing has a name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from field_api.domain.letter_custody import Place, may_follow
from field_api.domain.letters import LetterState
from field_api.platform.tenancy import current_agency
from field_api.queries.stack_letters import place_of
from field_api.records.base import load
from field_api.records.people import Person
from field_api.records.planning import Agent
from field_api.records.visits import Letter
from field_api.usecases.hand_over_letter import CustodyStep, note_custody, plain_serial, return_letter
from field_api.usecases.post_letter import note_came_back

MAX_SERIALS = 500
"""In one call: more letters than any agent carries in a day."""


class HandedIn(StrEnum):
    """What became of one serial number."""

    RETURNED = "returned"
    OF_ANOTHER = "of_another"  # returned too, out of the stack of another agent or day
    TWICE = "twice"  # it is in the office already, or was typed before
    NOT_POSSIBLE = "not_possible"  # it is recorded as handed over, posted or destroyed: noted, and for a manager
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class HandInLine:
    typed: int  # which one of those that were typed, from 0
    result: HandedIn
    was: str | None  # the letter's state before


@dataclass(frozen=True)
class StillOut:
    """A letter that the agent took along and neither gave to anybody nor brought back."""

    id: UUID
    serial: str
    stop: int
    name: str
    state: str


@dataclass(frozen=True)
class HandIn:
    lines: list[HandInLine]
    missing: list[StillOut]


def hand_in_letters(
    session: Session, agent_id: UUID, on: date, serials: Sequence[str], *, now: datetime, actor: str
) -> HandIn:
    """Take back what is typed or scanned; without serials it says what is expected. Each step is a row of custody.

    A fixed number of statements beside the rows that are written. Raises Problem `not-found` for the agent.
    """
    agent = load(session, Agent, agent_id)
    found = _letters(session, [plain_serial(serial) for serial in serials])
    lines: list[HandInLine] = []
    for typed, serial in enumerate(serials):
        letter = found.get(plain_serial(serial))
        was = letter.state if letter else None
        result = _take(session, letter, agent.id, on, now, actor) if letter else HandedIn.UNKNOWN
        lines.append(HandInLine(typed, result, was))
    session.flush()
    return HandIn(lines, still_out(session, agent.id, on))


def still_out(session: Session, agent_id: UUID, on: date) -> list[StillOut]:
    """What lies in the agent's stack of the day, in its order. One statement."""
    query = (
        select(Letter.id, Letter.serial, Letter.stack_stop, Person.name, Letter.state)
        .join(Person, (Person.agency_id == Letter.agency_id) & (Person.id == Letter.person_id))
        .where(Letter.agency_id == current_agency(), Letter.stack_on == on, Letter.stack_agent_id == agent_id)
        .order_by(Letter.stack_stop, Letter.id)
    )
    return [StillOut(*row) for row in session.execute(query)]


def _letters(session: Session, serials: Sequence[str]) -> dict[str, Letter]:
    """Locked by id, so that two who hand in at once never wait for each other in a circle."""
    query = (
        select(Letter)
        .where(Letter.agency_id == current_agency(), Letter.serial.in_(set(serials)))
        .order_by(Letter.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return {letter.serial: letter for letter in session.scalars(query)}


def _take(session: Session, letter: Letter, agent_id: UUID, on: date, now: datetime, actor: str) -> HandedIn:
    lies, step = place_of(letter), CustodyStep(now, actor, extra={"hand_in": str(agent_id)})
    if lies is None and letter.state in (LetterState.RETURNED.value, LetterState.PULLED.value):
        return HandedIn.TWICE
    if not may_follow(LetterState(letter.state), LetterState.RETURNED):
        note_custody(
            session, letter, CustodyStep(now, actor, extra={**step.extra, "flag": f"letter-was-{letter.state}"})
        )
        return HandedIn.NOT_POSSIBLE
    posted = letter.state == LetterState.POSTED.value
    return_letter(session, letter, step)
    if posted:
        note_came_back(session, letter, step)
    return HandedIn.RETURNED if _of(lies, agent_id, on) else HandedIn.OF_ANOTHER


def _of(lies: Place | None, agent_id: UUID, on: date) -> bool:
    return lies is None or (lies.agent_id, lies.on) == (agent_id, on)
