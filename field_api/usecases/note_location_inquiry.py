"""A location question was put at a door: remember to whom, flag what was not allowed, tell who may meet them next."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from field_api.domain.disclosure import NO_OVERRIDES, BadMatrix, Cells, agency_overrides
from field_api.domain.location_inquiry import ASKED_AGAIN, Inquiry, is_allowed, is_counted, was_asked_before
from field_api.domain.vocabulary import ChangeKind, Relation, Whom
from field_api.platform.tenancy import current_agency
from field_api.queries.location_inquiries import earlier_inquiries, with_counsel
from field_api.queries.phone_visits import running_agency
from field_api.records.visits import Visit
from field_api.usecases.operation_context import AtTheDoor
from field_api.usecases.tell_agent import tell_agent


def note_location_inquiry(session: Session, door: AtTheDoor, relation: Relation, whom: Whom | None) -> None:
    """Never refuses: it was asked. Flags `asked-where-not-allowed`, `attorney-known`, `location-asked-again`.

    The caller holds the lock on everything that the person sought owes, so of two inquiries the second sees the first.
    """
    person_id, jurisdiction = door.visit.person_id, door.address.jurisdiction
    ours = _ours(session)
    allowed = is_allowed(relation, jurisdiction, ours)
    if not allowed:
        door.flag("asked-where-not-allowed")
    if with_counsel(session, [person_id]):
        door.flag("attorney-known")
    if allowed and not is_counted(relation, jurisdiction, ours):
        return
    inquiry = Inquiry(relation, whom, door.address.id)
    if was_asked_before(inquiry, earlier_inquiries(session, [person_id])[person_id]):
        door.flag(ASKED_AGAIN)
    door.marks.extend(inquiry.marks)
    _tell_others(session, door)


def _ours(session: Session) -> Cells:
    """What the agency made stricter. A policy that cannot be read stops what is told (sync.office.door_rules), never
    what happened: the question is judged by the rule alone."""
    try:
        return agency_overrides(running_agency(session).policy)
    except BadMatrix:
        return NO_OVERRIDES


def _tell_others(session: Session, door: AtTheDoor) -> None:
    """Whoever else carries a visit to this person must not ask the same people again."""
    carried = select(Visit.id, Visit.agent_id).where(
        Visit.agency_id == current_agency(), Visit.person_id == door.visit.person_id, Visit.state == "published"
    )
    for visit_id, agent_id in session.execute(carried.order_by(Visit.id)):
        if (visit_id, agent_id) != (door.visit.id, door.operation.agent_id):
            tell_agent(session, agent_id, ChangeKind.VISIT, visit_id, urgent=True)
