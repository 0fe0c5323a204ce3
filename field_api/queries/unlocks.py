"""Unlocks as a manager sees them: every try at a lock, and every locked part that was shown.

The page is one statement; names come in two more, whatever its length. What a try was stands in the event's sealed
body.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from field_api.domain.confidential import DisclosureRefused, declared_audience
from field_api.domain.unlocks import IDENTITY_PASSED, is_mark
from field_api.domain.vocabulary import VisitEventKind
from field_api.platform.tenancy import current_agency
from field_api.queries.arrays import among
from field_api.records.people import Person
from field_api.records.planning import Agent
from field_api.records.unlocks import UnlockReview
from field_api.records.visits import VisitEvent

KINDS = (VisitEventKind.IDENTITY_CHECK.value, VisitEventKind.OPENED.value)


@dataclass(frozen=True)
class Unlock:
    """One try or one showing. `person` is whose lock it was; None for a failed try of somebody not sought."""

    id: UUID
    visit_id: UUID
    op_id: UUID | None
    at: datetime
    what: str  # passed | failed | opened
    method: str | None
    claim: str | None
    document: str | None
    person_id: UUID | None
    person: str | None
    agent_id: UUID | None
    agent: str | None
    distance_m: float | None
    distance_by: str | None
    flags: list[str]
    review: UnlockReview | None = field(default=None)


def unlocks(
    *,
    what: str | None = None,
    agent_id: UUID | None = None,
    visit_id: UUID | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Select[Any]:
    """The events to page over, with their reviews."""
    query = (
        select(VisitEvent, UnlockReview)
        .outerjoin(
            UnlockReview, (UnlockReview.agency_id == VisitEvent.agency_id) & (UnlockReview.op_id == VisitEvent.op_id)
        )
        .where(VisitEvent.agency_id == current_agency(), VisitEvent.kind.in_(KINDS))
    )
    if what == "opened":
        query = query.where(VisitEvent.kind == VisitEventKind.OPENED.value)
    elif what is not None:
        passed = VisitEvent.flags.contains([IDENTITY_PASSED])
        query = query.where(VisitEvent.kind == KINDS[0], passed if what == "passed" else ~passed)
    if agent_id is not None:
        query = query.where(VisitEvent.actor == f"agent:{agent_id}")
    if visit_id is not None:
        query = query.where(VisitEvent.visit_id == visit_id)
    if since is not None:
        query = query.where(VisitEvent.at >= since)
    if until is not None:
        query = query.where(VisitEvent.at < until)
    return query


def unlock_reviews(*, state: str | None, reason: str | None = None) -> Select[Any]:
    """Reviews with the event that each is about."""
    query = (
        select(UnlockReview, VisitEvent)
        .join(
            VisitEvent,
            (VisitEvent.agency_id == UnlockReview.agency_id)
            & (VisitEvent.op_id == UnlockReview.op_id)
            & VisitEvent.kind.in_(KINDS),
        )
        .where(UnlockReview.agency_id == current_agency())
    )
    if state is not None:
        query = query.where(UnlockReview.state == state)
    return query.where(UnlockReview.reason == reason) if reason is not None else query


def unlock_lines(session: Session, rows: Sequence[tuple[VisitEvent, UnlockReview | None]]) -> list[Unlock]:
    """The events told, in their order. The declared audience must be one that may see them."""
    who = declared_audience()
    if who is None:
        raise DisclosureRefused("no audience was declared for this work")
    read = [(event, review, json.loads(event.body.reveal(who))) for event, review in rows]
    people = _names(session, Person, {_person(body) for event, _, body in read})
    agents = _names(session, Agent, {_agent(event) for event, _, _ in read})
    return [_line(event, review, body, people, agents) for event, review, body in read]


def _names(session: Session, kind: type[Person] | type[Agent], ids: set[UUID | None]) -> dict[UUID | None, str]:
    wanted = {row_id for row_id in ids if row_id is not None}
    named = select(kind.id, kind.name).where(kind.agency_id == current_agency(), among(kind.id, wanted))
    return {row.id: row.name for row in session.execute(named)}


def _person(body: dict[str, Any]) -> UUID | None:
    named = body["recorded"].get("person")
    return UUID(named) if named else None


def _agent(event: VisitEvent) -> UUID | None:
    kind, _, number = event.actor.partition(":")
    return UUID(number) if kind == "agent" else None


def _line(
    event: VisitEvent,
    review: UnlockReview | None,
    body: dict[str, Any],
    people: dict[UUID | None, str],
    agents: dict[UUID | None, str],
) -> Unlock:
    recorded, person_id, agent_id = body["recorded"], _person(body), _agent(event)
    tried = "passed" if IDENTITY_PASSED in event.flags else "failed"
    return Unlock(
        id=event.id,
        visit_id=event.visit_id,
        op_id=event.op_id,
        at=event.at,
        what="opened" if event.kind == VisitEventKind.OPENED.value else tried,
        method=recorded.get("method"),
        claim=recorded.get("claim"),
        document=recorded.get("document"),
        person_id=person_id,
        person=people.get(person_id),
        agent_id=agent_id,
        agent=agents.get(agent_id),
        distance_m=body["distance_m"],
        distance_by=body["effects"].get("distance_by"),
        flags=[flag for flag in event.flags if not is_mark(flag)],
        review=review,
    )
