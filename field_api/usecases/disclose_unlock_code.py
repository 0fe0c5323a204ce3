"""Tell an unlock code, once, and make a new one when that is not enough."""

from __future__ import annotations

import os
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from field_api.domain.confidential import Confidential, DisclosureRefused, declared_audience
from field_api.domain.disclosure import Audience, Label
from field_api.domain.vocabulary import ChangeKind, VisitEventKind
from field_api.platform.ids import new_serial
from field_api.platform.problems import Problem
from field_api.platform.tenancy import current_agency
from field_api.platform.wiring import office_keys
from field_api.queries.entitled_parties import parties_of_visits
from field_api.records.base import load
from field_api.records.visits import Visit, VisitKey
from field_api.usecases.make_visit_keys import KEY_BYTES, KEY_PLACE
from field_api.usecases.note_visit_event import note_visit_event, staff_actor
from field_api.usecases.tell_agent import tell_agent


def disclose_unlock_code(
    session: Session, visit_id: UUID, person_id: UUID, *, reason: str, by: UUID | None, now: datetime
) -> str:
    """The 13 characters that open this party's locked part, for a dispatcher to read out on the telephone.

    Once only: who lost it asks for another (`reissue_unlock_code`). The reason goes into the visit's story, the code
    does not. Needs a declared audience that may see it. Raises `bad-request`, `not-found`, `already-done`, `conflict`.
    """
    key = _locked(session, visit_id, person_id, reason)
    if key.code_disclosed_at is not None:
        raise Problem("already-done", "this code was told before: issue another one")
    code = key.unlock_code.reveal(_who())
    key.code_disclosed_at, key.code_disclosed_by, key.code_reason = now, by, Confidential(reason)
    body = {"person_id": str(person_id), "reason": reason}
    note_visit_event(session, visit_id, VisitEventKind.CODE_DISCLOSED, now, staff_actor(by), body)
    session.flush()
    return code


def reissue_unlock_code(
    session: Session, visit_id: UUID, person_id: UUID, *, reason: str, by: UUID | None, now: datetime
) -> VisitKey:
    """Make a new code, not yet told to anybody; phones get the locked part sealed anew. Raises as above.

    The key is made anew as well: the old code opens nothing of what is published from now on, not even for somebody who
    kept the old item and got the old key out of it.
    """
    key = _locked(session, visit_id, person_id, reason)
    key.sealed_key = office_keys().of(current_agency()).seal_at_rest(KEY_PLACE, os.urandom(KEY_BYTES))
    key.unlock_code = Confidential(new_serial(), Label.PERSONAL)
    key.code_disclosed_at = key.code_disclosed_by = key.code_reason = None
    visit = load(session, Visit, visit_id)
    body = {"person_id": str(person_id), "reason": reason, "code": "issued anew"}
    note_visit_event(session, visit_id, VisitEventKind.NOTE, now, staff_actor(by), body)
    tell_agent(session, visit.agent_id, ChangeKind.CODE, visit_id, urgent=True)
    session.flush()
    return key


def _who() -> Audience:
    """Whoever asked: a dispatcher or a manager. The value itself refuses those who may not see it."""
    who = declared_audience()
    if who is None:
        raise DisclosureRefused("no audience was declared for this work")
    return who


def _locked(session: Session, visit_id: UUID, person_id: UUID, reason: str) -> VisitKey:
    if not reason.strip():
        raise Problem("bad-request", "a reason is needed", at="reason")
    visit = load(session, Visit, visit_id)
    if visit.state != "published":
        raise Problem("conflict", f"the visit is {visit.state}")
    key = session.scalars(
        select(VisitKey)
        .where(VisitKey.agency_id == current_agency(), VisitKey.visit_id == visit_id, VisitKey.person_id == person_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    parties = parties_of_visits(session, [visit_id]).get(visit_id, ())
    if key is None or person_id not in {party.person_id for party in parties}:
        raise Problem("not-found", "no such party at this visit")
    return key
