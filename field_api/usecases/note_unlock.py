"""A try at a lock, or a locked part that was shown: flag what is odd, put up for review what a manager must see.

Never refuses: it happened. The caller holds the lock on the visit, so of two operations the second sees the first.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import func, or_, select
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
from field_api.records.visits import Visit, VisitEvent
from field_api.usecases.operation_context import AtTheDoor


def note_check(session: Session, door: AtTheDoor, body: Mapping[str, Any]) -> dict[str, Any]:
    """One try. A stranger's is marked like a party's: what later verdicts say must not differ either."""
    door.person(body.get("person"))
    person_id, method = door.named(body.get("person")), body["method"]
    wrong = wrong_mark(method, body["claim"])
    before = _before(session, door, passed_mark(person_id), wrong)
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
    before = _before(session, door, passed_mark(door.named(body.get("person"))), wrong="")
    if body["before_arrival"]:
        if not _policy(session).read_before_arrival:
            door.flag(NOT_BY_POLICY)
    elif not before.passed:
        door.flag(OPENED_WITHOUT_CHECK)
    _put_up(session, door, before)
    return _distance(session, door, body)


def _before(session: Session, door: AtTheDoor, passed: str, wrong: str) -> Before:
    """The story of this visit; third parties count at the stop's other visits too, where this agent met them: who stood
    there hears what is said next, whosever visit it is. A stop is one place on one day's route."""
    mine, here = VisitEvent.actor == door.actor, VisitEvent.visit_id == door.visit.id
    counts = session.execute(
        select(
            func.count().filter(VisitEvent.flags.contains([THIRD_PARTY_MET]), or_(here, mine)),
            func.count().filter(VisitEvent.flags.contains([passed]), mine, here),
            func.count().filter(VisitEvent.flags.contains([wrong]), mine, here),
        ).where(
            VisitEvent.agency_id == current_agency(),
            VisitEvent.visit_id.in_(_visits_of_the_stop(session, door)),
            VisitEvent.kind.in_([VisitEventKind.ENCOUNTER.value, VisitEventKind.IDENTITY_CHECK.value]),
        )
    ).one()
    return Before(third_parties_met=counts[0], passed=counts[1] > 0, wrong=counts[2])


def _visits_of_the_stop(session: Session, door: AtTheDoor) -> list[UUID]:
    """This visit and those beside it. One that was taken back meanwhile has no stop, and stands alone."""
    if door.visit.stop_id is None:
        return [door.visit.id]
    beside = select(Visit.id).where(Visit.agency_id == current_agency(), Visit.stop_id == door.visit.stop_id)
    return [door.visit.id, *session.scalars(beside.where(Visit.id != door.visit.id))]


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
    arrived = session.scalars(
        select(VisitEvent)
        .where(
            VisitEvent.agency_id == current_agency(),
            VisitEvent.visit_id == door.visit.id,
            VisitEvent.kind == VisitEventKind.ARRIVED.value,
            VisitEvent.actor == door.actor,
        )
        .order_by(VisitEvent.at.desc(), VisitEvent.id.desc())
        .limit(1)
    ).one_or_none()
    if arrived is None:
        return {}
    return {"distance_m": json.loads(arrived.body.reveal(Audience.OFFICE_JOB))["distance_m"], "distance_by": "arrival"}
