"""Whom the law lets nobody visit any more on a day that agents are out on."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import date
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from field_api.domain.account_books import spoken_against
from field_api.domain.contact_rules import PastAttempt, Refusal, Rule
from field_api.domain.eligibility import Candidate, Law, as_sought, refusals_at
from field_api.domain.ports import PlanningParts
from field_api.domain.vocabulary import NotPlannedReason, OutcomeKind
from field_api.platform.tenancy import current_agency
from field_api.queries.arrays import among
from field_api.queries.draft_problem import VisitOnPlan
from field_api.queries.eligible_accounts import InQuestion, accounts_in_question
from field_api.queries.law_in_force import law_in_force
from field_api.records.results import Attempt

VISITED = Rule("visited", "somebody was there, as was reported after the visit had been given to another agent", "H")
NOT_THERE_ANY_MORE = Rule("moved", "the person sought or their address is another one by now", "H")


def still_lawful(
    session: Session, day: date, visits: Sequence[VisitOnPlan], parts: PlanningParts
) -> dict[UUID, Refusal]:
    """Of visits that are out: those with no account left that may be visited, with the first reason.

    That a visit is out is itself no reason against it, though it counts against any other; but what somebody reported
    of it is: it took place, and another agent is not to go there again.
    """
    law = law_in_force(session, parts)
    accounts = {account_id for visit in visits for account_id, _ in visit.accounts}
    found = accounts_in_question(session, day, parts, law, accounts, sought={visit.person_id for visit in visits})
    candidates = {candidate.account_id: candidate for candidate in found.candidates}
    reported = _reported(session, [visit.visit_id for visit in visits])
    refused: dict[UUID, Refusal] = {}
    for visit in visits:
        if visit.visit_id in reported:
            refused[visit.visit_id] = Refusal(NotPlannedReason.TOO_FREQUENT, VISITED)
            continue
        why = [
            _against(found, candidates.get(account_id), account_id, visit, day, parts, law)
            for account_id, _ in visit.accounts
        ]
        if why and all(why):
            refused[visit.visit_id] = next(one for one in why if one is not None)
    return refused


def _against(
    found: InQuestion,
    candidate: Candidate | None,
    account_id: UUID,
    visit: VisitOnPlan,
    day: date,
    parts: PlanningParts,
    law: Law,
) -> Refusal | None:
    books = found.books.get(account_id)
    if books is None:
        return Refusal(NotPlannedReason.WITHDRAWN, NOT_THERE_ANY_MORE)
    booked = spoken_against(replace(books, published_on=books.published_on - {day}), day, parts.rules.hold)
    if (why := next(booked, None)) is not None:
        return why
    candidate = as_sought(candidate, visit.person_id)
    place = next((p for p in candidate.places if p.id == visit.address_id), None) if candidate is not None else None
    if candidate is None or place is None:
        return Refusal(NotPlannedReason.WITHDRAWN, NOT_THERE_ANY_MORE)
    others = replace(candidate, past=_without_itself(candidate.past, day))
    return next(refusals_at(others, place, day, law), None)


def _without_itself(past: Sequence[PastAttempt], day: date) -> tuple[PastAttempt, ...]:
    """Without the one entry that says that this very visit is out today."""
    own = next((n for n, one in enumerate(past) if (one.on, one.channel, one.about) == (day, "visit", "account")), None)
    return tuple(one for number, one in enumerate(past) if number != own)


def _reported(session: Session, visit_ids: Collection[UUID]) -> set[UUID]:
    """Visits that are out and of which an attempt is on record: somebody else's, told late."""
    query = select(Attempt.visit_id).where(
        Attempt.agency_id == current_agency(),
        among(Attempt.visit_id, visit_ids),
        Attempt.outcome != OutcomeKind.SKIPPED.value,
    )
    return {visit_id for visit_id in session.scalars(query) if visit_id is not None}
