"""An account that a dispatcher wants on a draft: whether a rule speaks against it, and at which stop it would be."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from sqlalchemy.orm import Session

from field_api.domain.account_books import spoken_against
from field_api.domain.changes_by_hand import CannotBeMeant, Change
from field_api.domain.contact_rules import Refusal
from field_api.domain.eligibility import Eligible, beside, decide, why_not_on
from field_api.domain.ports import PlanningParts
from field_api.domain.stops import SoughtStop, gather_stops
from field_api.platform.ids import new_id
from field_api.queries.draft_problem import StopOnPlan
from field_api.queries.eligible_accounts import accounts_in_question, no_obligor
from field_api.queries.law_in_force import law_in_force
from field_api.records.accounts import Account
from field_api.records.base import load
from field_api.records.planning import Plan

NEARBY_DEGREES = 0.01
"""Only stops as near as this are asked whether they are the same place: more than any geocoder's usual error."""


@dataclass(frozen=True)
class Addition:
    """`joins`: the stop at the same place that is on the draft already; its wish is then the one with the account."""

    stop_id: UUID
    account_id: UUID
    sought: SoughtStop
    joins: StopOnPlan | None


def addition(
    session: Session, plan: Plan, change: Change, stops: Sequence[StopOnPlan], parts: PlanningParts
) -> Addition | list[Refusal]:
    """Where the account would be sought, or every rule that speaks against it: the draft's own visits count for caps.

    Raises `not-found`; CannotBeMeant for an account that is on the draft, or that belongs to a stop elsewhere.
    """
    if change.account_id is None:
        raise CannotBeMeant("account_id", "an account is added")
    load(session, Account, change.account_id)
    if any(change.account_id in stop.accounts for stop in stops):
        raise CannotBeMeant("account_id", "the account is on the draft already")
    law = law_in_force(session, parts)
    found = accounts_in_question(session, plan.for_day, parts, law, [change.account_id])
    against = list(spoken_against(found.books[change.account_id], plan.for_day, parts.rules.hold))
    candidate = next(iter(found.candidates), None)
    if candidate is None:
        return [*against, no_obligor()]
    candidate = beside(candidate, {visit.person_id for stop in stops for visit in stop.visits}, plan.for_day)
    entry = decide(candidate, plan.for_day, law)
    if against or not isinstance(entry, Eligible):
        return [*against, *why_not_on(candidate, plan.for_day, law)]
    return _at_a_stop(change, entry, stops)


def _at_a_stop(change: Change, entry: Eligible, stops: Sequence[StopOnPlan]) -> Addition:
    joins = next(_same_place(entry, stops), None)
    if joins is None:
        if any(visit.person_id == entry.candidate.person_id for stop in stops for visit in stop.visits):
            raise CannotBeMeant("account_id", "the person is sought at another place of the draft")
        (sought,) = gather_stops([entry])
        return Addition(new_id(), entry.candidate.account_id, sought, None)
    if change.agent_id not in (None, joins.agent_id):
        raise CannotBeMeant("agent_id", "somebody is sought there already, on another agent's route")
    (together,) = gather_stops([*joins.entries, entry])
    return Addition(joins.stop_id, entry.candidate.account_id, replace(together, point=joins.sought.point), joins)


def _same_place(entry: Eligible, stops: Sequence[StopOnPlan]) -> Iterator[StopOnPlan]:
    """The stops that the planner would have made one of with it."""
    for stop in stops:
        near = (
            abs(stop.sought.point.latitude - entry.point.latitude) < NEARBY_DEGREES
            and abs(stop.sought.point.longitude - entry.point.longitude) < NEARBY_DEGREES
        )
        if near and stop.entries and len(gather_stops([*stop.entries, entry])) == 1:
            yield stop
