"""Accounts that a dispatcher adds to a day that is under way: as stops, or why the law or the books forbid it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy.orm import Session

from field_api.domain.account_books import spoken_against
from field_api.domain.contact_rules import Refusal
from field_api.domain.eligibility import decide_all
from field_api.domain.ports import PlanningParts
from field_api.domain.stops import SoughtStop, gather_stops
from field_api.platform.problems import Problem
from field_api.queries.eligible_accounts import accounts_in_question, no_obligor
from field_api.queries.law_in_force import law_in_force


@dataclass(frozen=True)
class Newcomers:
    stops: tuple[SoughtStop, ...] = ()
    refused: tuple[tuple[UUID, Refusal], ...] = ()


def newcomers(session: Session, day: date, account_ids: Collection[UUID], parts: PlanningParts) -> Newcomers:
    """By the same rules as a draft. Raises `not-found` for an account that nobody knows."""
    if not account_ids:
        return Newcomers()
    law = law_in_force(session, parts)
    found = accounts_in_question(session, day, parts, law, account_ids)
    if set(account_ids) - set(found.books):
        raise Problem("not-found", "no such account", at="add")
    booked = {key: next(spoken_against(books, day, parts.rules.hold), None) for key, books in found.books.items()}
    candidates = [one for one in found.candidates if booked[one.account_id] is None]
    known = {candidate.account_id for candidate in found.candidates}
    eligible, refused = decide_all(candidates, day, law)
    refused += [(key, why) for key, why in booked.items() if why is not None]
    refused += [(key, no_obligor()) for key in booked if key not in known and booked[key] is None]
    return Newcomers(tuple(gather_stops(eligible)), tuple(sorted(refused, key=lambda pair: str(pair[0]))))
