"""Stretch answers while a plan is still a draft, so that publishing it does not wait for them.

Publishing makes whatever is missing by itself; this takes the minutes out of it. A dispatcher looks at a draft for some
minutes before it is published, and the worker has nothing else to do then.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from field_api.domain.confidential import audience
from field_api.domain.disclosure import Audience
from field_api.domain.identity import ANSWER_KINDS
from field_api.domain.vocabulary import OBLIGORS
from field_api.platform.keyring import OfficeKeys
from field_api.platform.tenancy import current_agency
from field_api.queries.arrays import among
from field_api.queries.entitled_parties import parties_of_visits
from field_api.records.accounts import Party
from field_api.records.people import VerificationAnswer
from field_api.records.visits import Visit, VisitAccount
from sync.office.stretching import PLACE, Wanted, stretched_answers

BATCH = 200  # answers: about a second of work on two cores, so that phones' traffic is never kept waiting long


def stretch_ahead(session: Session, keys: OfficeKeys, *, now: datetime) -> int:
    """Stretch some of what planned visits will need. Returns the answers settled; 0 means that nothing waits."""
    rows = _waiting(session)
    if not rows:
        return 0
    with audience(Audience.OFFICE_JOB):
        stretched_answers(session, keys, _wanted(session, rows))
    for row in rows:
        if row.stretched is None:
            # Of somebody without a lock of their own: never needed, so not to be found here again.
            row.stretched = keys.seal_at_rest(PLACE, b"")
    session.flush()
    return len(rows)


def _waiting(session: Session) -> Sequence[VerificationAnswer]:
    """Answers of obligors of planned visits that nobody stretched yet, and that no other worker is at.

    Looked for every second, so from the planned visits: most answers of an agency are never stretched.
    """
    on_a_draft = (
        select(Party.person_id)
        .join(VisitAccount, (VisitAccount.agency_id == Party.agency_id) & (VisitAccount.account_id == Party.account_id))
        .join(Visit, (Visit.agency_id == VisitAccount.agency_id) & (Visit.id == VisitAccount.visit_id))
        .where(
            Visit.agency_id == current_agency(),
            Visit.state == "planned",
            Party.role.in_([role.value for role in OBLIGORS]),
        )
        .distinct()
        .cte("on_a_draft")
        .prefix_with("MATERIALIZED")
    )
    return session.scalars(
        select(VerificationAnswer)
        .where(
            VerificationAnswer.agency_id == current_agency(),
            VerificationAnswer.stretched.is_(None),
            VerificationAnswer.kind.in_(sorted(ANSWER_KINDS)),
            VerificationAnswer.person_id.in_(select(on_a_draft.c.person_id)),
        )
        .limit(BATCH)
        .with_for_update(skip_locked=True, of=VerificationAnswer)
    ).all()


def _wanted(session: Session, rows: Sequence[VerificationAnswer]) -> Iterator[Wanted]:
    """Each answer for every lock on a planned visit that its person stands behind."""
    by_person: dict[UUID, list[VerificationAnswer]] = defaultdict(list)
    for row in rows:
        by_person[row.person_id].append(row)
    sought = dict(_planned_visits(session, set(by_person)))
    for visit_id, parties in parties_of_visits(session, sought).items():
        for party in parties:
            for row in [] if party.by_code_only else by_person.get(party.person_id, ()):
                yield Wanted(row, sought[visit_id], party.number)


def _planned_visits(session: Session, people: set[UUID]) -> list[tuple[UUID, UUID]]:
    """(visit, person sought) of planned visits about accounts that one of these people owes."""
    rows = session.execute(
        select(Visit.id, Visit.person_id)
        .join(VisitAccount, (VisitAccount.agency_id == Visit.agency_id) & (VisitAccount.visit_id == Visit.id))
        .join(Party, (Party.agency_id == VisitAccount.agency_id) & (Party.account_id == VisitAccount.account_id))
        .where(Visit.agency_id == current_agency(), Visit.state == "planned", among(Party.person_id, people))
        .distinct()
    )
    return [(visit_id, person_id) for visit_id, person_id in rows]
