"""Look at a draft once more before it goes out: yesterday's plan, today's attempts, holidays, rules and hours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from field_api.domain.account_books import spoken_against
from field_api.domain.contact_rules import ContactWindow, Refusal, Rule
from field_api.domain.eligibility import Candidate, Law, as_sought, refusals_at, window_at
from field_api.domain.ports import PlanningParts
from field_api.domain.vocabulary import NotPlannedReason
from field_api.platform.tenancy import current_agency
from field_api.queries.arrays import among
from field_api.queries.eligible_accounts import InQuestion, accounts_in_question
from field_api.queries.law_in_force import law_in_force
from field_api.records.planning import Plan, Stop
from field_api.records.visits import Visit

NOT_THERE_ANY_MORE = Rule("moved", "the person sought or their address is another one by now", "H")


def recheck_draft(
    session: Session, plan: Plan, visits: Sequence[Visit], about: Mapping[UUID, set[UUID]], parts: PlanningParts
) -> dict[UUID, dict[UUID, Refusal]]:
    """By visit: the accounts that may not be visited as planned any more, each with the first reason.

    A stop whose contact hours are shorter by now keeps its place and gets the shorter ones. The caller has locked the
    accounts and the visits.
    """
    law = law_in_force(session, parts)
    accounts = {account_id for visit in visits for account_id in about[visit.id]}
    sought = {visit.person_id for visit in visits}
    found = accounts_in_question(session, plan.for_day, parts, law, accounts, sought=sought)
    candidates = {candidate.account_id: candidate for candidate in found.candidates}
    stops = _stops(session, visits)
    refused: dict[UUID, dict[UUID, Refusal]] = {}
    for visit in visits:
        for account_id in sorted(about[visit.id]):
            why = _against(found, candidates.get(account_id), account_id, visit, stops, plan, parts, law)
            if why is not None:
                refused.setdefault(visit.id, {})[account_id] = why
    return refused


def _against(
    found: InQuestion,
    candidate: Candidate | None,
    account_id: UUID,
    visit: Visit,
    stops: Mapping[UUID, Stop],
    plan: Plan,
    parts: PlanningParts,
    law: Law,
) -> Refusal | None:
    why = next(spoken_against(found.books[account_id], plan.for_day, parts.rules.hold), None)
    if why is not None:
        return why
    candidate = as_sought(candidate, visit.person_id)
    place = next((p for p in candidate.places if p.id == visit.address_id), None) if candidate is not None else None
    if candidate is None or place is None:
        return Refusal(NotPlannedReason.WITHDRAWN, NOT_THERE_ANY_MORE)
    why = next(refusals_at(candidate, place, plan.for_day, law), None)
    if why is not None:
        return why
    window = window_at(candidate, place, plan.for_day, law)
    return window if isinstance(window, Refusal) else _outside(window, stops, visit)


def _outside(window: ContactWindow, stops: Mapping[UUID, Stop], visit: Visit) -> Refusal | None:
    """Whether the planned time lies outside of the hours as they are now; longer hours are shortened."""
    if visit.stop_id is None:
        return None
    stop = stops[visit.stop_id]
    latest = window.closes_at - timedelta(seconds=stop.service_s)
    if stop.arrival_from < window.opens_at or stop.arrival_from > latest:
        return Refusal(NotPlannedReason.OUTSIDE_CONTACT_HOURS, window.rules[-1])
    if stop.visit_from is None or stop.visit_from < window.opens_at:
        stop.visit_from = window.opens_at
    if stop.visit_until > window.closes_at:
        stop.visit_until, stop.arrival_to = window.closes_at, min(stop.arrival_to, latest)
    return None


def _stops(session: Session, visits: Sequence[Visit]) -> dict[UUID, Stop]:
    wanted = [visit.stop_id for visit in visits if visit.stop_id is not None]
    query = select(Stop).where(Stop.agency_id == current_agency(), among(Stop.id, wanted))
    return {stop.id: stop for stop in session.scalars(query)}
