"""Which custody states may follow which, where the paper lies then, and what the office has to do about it.

A letter exists on paper from `printed` on. A paper out with an agent lies in that agent's stack of a day (`Place`)
until it is handed over, posted, destroyed, given up as lost, or back in the office's own hands. What a phone says, "not
delivered", makes a letter `returned` while the paper is on its way: it stays in the stack until it is handed in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from uuid import UUID

from field_api.domain.letter_model import LetterState

NOT_ENTITLED = "recipient-not-entitled"
LETTER_UNKNOWN = "letter-unknown"
SUPERSEDED = "letter-superseded"

_S = LetterState
_OUT_OF_THE_OFFICE = frozenset({_S.HANDED_OVER, _S.POSTED, _S.DESTROYED, _S.LOST})
_FOLLOWS: Mapping[LetterState, frozenset[LetterState]] = {
    _S.WANTED: frozenset({_S.ISSUED, _S.REFUSED}),
    # Some agencies print at the agent's: the office knows of the print only when the letter was handed over.
    _S.ISSUED: frozenset({_S.PRINTED, _S.RETURNED, *_OUT_OF_THE_OFFICE}),
    _S.PRINTED: frozenset({_S.PRINTED, _S.RETURNED, _S.PULLED, *_OUT_OF_THE_OFFICE}),
    # Again `returned`: what the phone told, and then the paper itself.
    _S.RETURNED: frozenset({_S.PRINTED, _S.RETURNED, *_OUT_OF_THE_OFFICE}),
    _S.PULLED: frozenset({_S.PRINTED, *_OUT_OF_THE_OFFICE}),
    _S.POSTED: frozenset({_S.RETURNED, _S.LOST}),
    # What nobody could find may turn up, with the agent or under the printer.
    _S.LOST: frozenset({_S.PRINTED, _S.HANDED_OVER, _S.RETURNED, _S.PULLED, _S.DESTROYED}),
    _S.HANDED_OVER: frozenset(),
    _S.DESTROYED: frozenset(),
    _S.REFUSED: frozenset(),
}
PRINTABLE = tuple(state for state, following in _FOLLOWS.items() if _S.PRINTED in following)
"""States in which one more paper may be made of a letter."""
IN_THE_OFFICE = (_S.RETURNED, _S.PULLED)
"""Of a letter whose paper lies in no stack: the office has it and must destroy it or send it out again."""


def may_follow(present: LetterState, following: LetterState) -> bool:
    """Whether a letter in `present` may become `following`. What was handed over or destroyed stays so."""
    return following in _FOLLOWS[present]


def stays_in_stack(following: LetterState, *, told_from_the_door: bool) -> bool:
    """Whether the paper lies where it lay: only "not delivered" from a door leaves it with the agent."""
    return following is _S.RETURNED and told_from_the_door


@dataclass(frozen=True)
class Place:
    """Where a paper lies, or where it belongs: behind which stop of whose stack of which day."""

    agent_id: UUID
    on: date
    stop: int

    def wire(self) -> dict[str, str | int]:
        return {"agent": str(self.agent_id), "on": self.on.isoformat(), "stop": self.stop}


class Chased(StrEnum):
    """Why the office looks after a letter."""

    UNPRINTED = "unprinted"  # for a plan of today or tomorrow
    PULL = "pull"  # out of a stack of today or later: its visit was withdrawn, is somebody else's, or it was superseded
    OUTSTANDING = "outstanding"  # in a stack whose day is over: neither handed over nor handed in
    IN_OFFICE = "in_office"  # came back or was pulled
    TO_POST = "to_post"  # about a visit that is over: asked for by the office, or printed for no stack
    REFUSED = "refused"  # lately: data are missing
    LOST = "lost"


class ToDo(StrEnum):
    """What the office does about a letter that is chased."""

    PRINT = "print"
    MOVE = "move"  # out of one stack, into another, or to another place of it
    DESTROY = "destroy"
    FETCH = "fetch"  # from the agent, whose day is over
    POST = "post"
    DECIDE = "decide"  # destroy it or send it out again
    MEND = "mend"  # the creditor's or the agency's data
    LOOK = "look"  # for what is lost


def misplaced(lies: Place, belongs: Place | None) -> ToDo | None:
    """What is to be done about a paper in a stack. `belongs` None: its visit was withdrawn. None: it lies right."""
    if belongs is None:
        return ToDo.DESTROY
    return None if lies == belongs else ToDo.MOVE
