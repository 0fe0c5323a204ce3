"""Planned where and when, or every reason why not and the next day on which it could be."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from field_api.domain.contact_rules import Refusal, Rule
from field_api.domain.eligibility import Eligible, decide
from field_api.domain.next_possible import HORIZON_DAYS, Known, next_possible
from field_api.domain.ports import PlanningParts
from field_api.domain.vocabulary import NotPlannedReason
from field_api.platform.tenancy import current_agency
from field_api.queries.eligible_accounts import accounts_in_question, no_obligor
from field_api.queries.law_in_force import law_in_force
from field_api.queries.roster import roster
from field_api.records.accounts import Account
from field_api.records.base import load
from field_api.records.people import Address
from field_api.records.planning import Agent, NotPlanned, Plan, Route, Stop
from field_api.records.visits import Visit, VisitAccount

OF_THE_PLAN = (
    NotPlannedReason.NO_AGENT,
    NotPlannedReason.NO_TIME_ON_ANY_ROUTE,
    NotPlannedReason.NO_ROAD,
    NotPlannedReason.OUTSIDE_CONTACT_HOURS,
    NotPlannedReason.TOO_FREQUENT,
    NotPlannedReason.WITHDRAWN,
    NotPlannedReason.DROPPED,
)
"""Reasons that a plan may have beside what rules say of the account alone: no agent's shift meets the hours, somebody
who seems to be the same person is visited on that day."""
_WRITTEN = re.compile(r"(?P<id>\S+) \[(?P<confidence>[HML])\]: (?P<source>.*)", re.DOTALL)


@dataclass(frozen=True)
class Planned:
    """The visit that is about the account on that day."""

    visit_id: UUID
    state: str  # planned | published | done
    plan_id: UUID
    route_id: UUID
    agent_code: str
    agent_name: str
    position: int
    arrival_from: datetime
    arrival_to: datetime
    visit_until: datetime
    street: str
    number: str | None
    city: str | None


@dataclass(frozen=True)
class Explanation:
    """`planned`, or `reasons`. Neither: it is possible on that day and no plan has it yet, `hours` say when.

    `next_on` is the first later day without a reason, on which somebody works who could go, as things stand; None where
    there is none up to `searched_days` later, or where it is planned.
    """

    account_id: UUID
    day: date
    planned: Planned | None
    reasons: list[Refusal]
    opens_at: datetime | None
    closes_at: datetime | None
    next_on: date | None
    searched_days: int


def explain_account(session: Session, account_id: UUID, day: date, parts: PlanningParts) -> Explanation:
    """The answer for any account and date. About twenty statements. Raises `not-found`."""
    load(session, Account, account_id)
    planned = _planned(session, account_id, day)
    if planned is not None:
        return Explanation(account_id, day, planned, [], None, None, None, HORIZON_DAYS)
    law = law_in_force(session, parts)
    found = accounts_in_question(session, day, parts, law, [account_id])
    known = Known(found.books[account_id], next(iter(found.candidates), None))
    reasons = known.reasons_on(day, law, parts.rules.hold, no_obligor())
    window = decide(known.candidate, day, law) if known.candidate is not None and not reasons else None
    return Explanation(
        account_id,
        day,
        None,
        list(dict.fromkeys([*reasons, *_of_the_plan(session, account_id, day)])),
        window.window.opens_at if isinstance(window, Eligible) else None,
        window.window.closes_at if isinstance(window, Eligible) else None,
        next_possible(known, day, law, parts.rules.hold, no_obligor(), roster(session)),
        HORIZON_DAYS,
    )


def _planned(session: Session, account_id: UUID, day: date) -> Planned | None:
    query = (
        select(
            Visit.id,
            Visit.state,
            Plan.id,
            Route.id,
            Agent.code,
            Agent.name,
            Stop.position,
            Stop.arrival_from,
            Stop.arrival_to,
            Stop.visit_until,
            Address.street,
            Address.number,
            Address.city,
        )
        .join(VisitAccount, (VisitAccount.agency_id == Visit.agency_id) & (VisitAccount.visit_id == Visit.id))
        .join(Stop, (Stop.agency_id == Visit.agency_id) & (Stop.id == Visit.stop_id))
        .join(Route, (Route.agency_id == Stop.agency_id) & (Route.id == Stop.route_id))
        .join(Plan, (Plan.agency_id == Route.agency_id) & (Plan.id == Route.plan_id))
        .join(Agent, (Agent.agency_id == Visit.agency_id) & (Agent.id == Visit.agent_id))
        .join(Address, (Address.agency_id == Visit.agency_id) & (Address.id == Visit.address_id))
        .where(
            Visit.agency_id == current_agency(),
            VisitAccount.account_id == account_id,
            Plan.for_day == day,
            Visit.state.in_(["planned", "published", "done"]),
        )
        # What is out before what is a draft.
        .order_by(Visit.state == "planned", Visit.id)
        .limit(1)
    )
    row = session.execute(query).one_or_none()
    return None if row is None else Planned(*row)


def _of_the_plan(session: Session, account_id: UUID, day: date) -> list[Refusal]:
    """What the day's newest plan that knows the account says beside the rules."""
    query = (
        select(NotPlanned.reason, NotPlanned.rule)
        .join(Plan, (Plan.agency_id == NotPlanned.agency_id) & (Plan.id == NotPlanned.plan_id))
        .where(
            NotPlanned.agency_id == current_agency(),
            NotPlanned.account_id == account_id,
            Plan.for_day == day,
            NotPlanned.reason.in_([reason.value for reason in OF_THE_PLAN]),
        )
        .order_by(Plan.created_at.desc(), NotPlanned.id)
    )
    return list(_refusals(session.execute(query)))


def _refusals(rows: Iterable[Row[Any]]) -> Iterable[Refusal]:
    for reason, rule in rows:
        written = _WRITTEN.fullmatch(rule or "")
        read = (
            Rule(written["id"], written["source"], written["confidence"]) if written else Rule(reason, rule or "", "H")
        )
        yield Refusal(NotPlannedReason(reason), read)
