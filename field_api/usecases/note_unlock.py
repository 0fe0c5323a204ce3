"""A try at a lock, or a locked part that was shown: flag what is odd, put up for review what a manager must see.

Never refuses: it happened. The caller holds the lock on the visit, so of two operations the second sees the first.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from field_api.domain.disclosure import Audience
from field_api.domain.lock_policy import LockPolicy, lock_policy
from field_api.domain.unlocks import (
    IDENTITY_PASSED,
    NOT_BY_POLICY,
    OPENED_WITHOUT_CHECK,
    THIRD_PARTY_MET,
    TOO_MANY_TRIES,
    Before,
    passed_mark,
    review_reason,
    too_many,
    wrong_mark,
)
from field_api.domain.vocabulary import IdentityMethod, VisitEventKind
from field_api.platform.ids import new_id
from field_api.platform.tenancy import current_agency
from field_api.records.agency import Agency
from field_api.records.unlocks import UnlockReview
from field_api.usecases.operation_context import AtTheDoor


def note_check(session: Session, door: AtTheDoor, body: Mapping[str, Any]) -> dict[str, Any]:
    """One try. A stranger's is marked like a party's: what later verdicts say must not differ either."""
    door.person(body.get("person"))
    person_id, method = door.named(body.get("person")), body["method"]
    wrong = wrong_mark(method, body["claim"])
    before = _before(door, passed_mark(person_id), wrong)
    if too_many(method, before.wrong):
        door.flag(TOO_MANY_TRIES)
    if body["passed"]:
        if method is IdentityMethod.ATTESTATION and not _policy(session).attestation:
            door.flag(NOT_BY_POLICY)
        door.marks.extend((IDENTITY_PASSED, passed_mark(person_id)))
        _put_up(session, door, before)
    else:
        door.marks.append(wrong)
    return _distance(session, door, body)


def note_opened(session: Session, door: AtTheDoor, body: Mapping[str, Any]) -> dict[str, Any]:
    """A locked part was shown."""
    door.person(body.get("person"))
    before = _before(door, passed_mark(door.named(body.get("person"))), wrong="")
    if body["before_arrival"]:
        if not _policy(session).read_before_arrival:
            door.flag(NOT_BY_POLICY)
    elif not before.passed:
        door.flag(OPENED_WITHOUT_CHECK)
    _put_up(session, door, before)
    return _distance(session, door, body)


def _before(door: AtTheDoor, passed: str, wrong: str) -> Before:
    """The story of this visit; third parties count at the stop's other visits too, where this agent met them: who stood
    there hears what is said next, whosever visit it is. A stop is one place on one day's route."""
    third_parties, passes, wrongs = 0, 0, 0
    for line in door.told.of_stop(door.visit, VisitEventKind.ENCOUNTER, VisitEventKind.IDENTITY_CHECK):
        here, mine = line.visit_id == door.visit.id, line.actor == door.actor
        third_parties += THIRD_PARTY_MET in line.flags and (here or mine)
        passes += passed in line.flags and mine and here
        wrongs += wrong in line.flags and mine and here
    return Before(third_parties_met=third_parties, passed=passes > 0, wrong=wrongs)


def _put_up(session: Session, door: AtTheDoor, before: Before) -> None:
    reason = review_reason(before, door.flags)
    if reason is None:
        return
    row = {
        "agency_id": current_agency(),
        "id": new_id(),
        "visit_id": door.visit.id,
        "op_id": door.operation.op_id,
        "reason": reason.value,
        "put_up_at": door.now,
    }
    session.execute(insert(UnlockReview).values(**row).on_conflict_do_nothing())


def _policy(session: Session) -> LockPolicy:
    return lock_policy(session.get_one(Agency, current_agency()).policy)


def _distance(session: Session, door: AtTheDoor, body: Mapping[str, Any]) -> dict[str, Any]:
    """Metres from the address: by the operation's own position, else by that of this agent's arrival before it."""
    own = door.distance_of(body["position"])
    if own is not None:
        return {"distance_m": own, "distance_by": "position"}
    arrivals = [line for line in door.told.of_visit(door.visit, VisitEventKind.ARRIVED) if line.actor == door.actor]
    if not arrivals:
        return {}
    arrived = max(arrivals, key=lambda line: (line.at, line.id)).full(session)
    return {"distance_m": json.loads(arrived.body.reveal(Audience.OFFICE_JOB))["distance_m"], "distance_by": "arrival"}
