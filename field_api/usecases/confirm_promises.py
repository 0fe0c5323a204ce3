"""Whoever promised gets it in writing, where the creditor's strategy says so: letters for the office's post."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from field_api.domain.confidential import audience
from field_api.domain.disclosure import Audience
from field_api.domain.letter_steps import CONFIRMS, confirmation, holds_against
from field_api.domain.letters import LetterKind, LetterState
from field_api.domain.vocabulary import HoldKind, PromiseState
from field_api.platform.tenancy import current_agency
from field_api.queries.blocked_accounts import open_holds_by_account
from field_api.queries.letter_facts import LetterNeed, letter_needs
from field_api.queries.letter_stages import Happened, Pair, happened
from field_api.records.accounts import Account
from field_api.records.agency import Creditor
from field_api.records.results import Promise
from field_api.records.visits import Letter, LetterCustody, Visit
from field_api.usecases.ask_for_letters import closed_accounts, represented_accounts
from field_api.usecases.lock_visit import lock_visits
from field_api.usecases.renew_letters import supersede
from field_api.usecases.want_letters import standing_letters
from field_api.usecases.write_letters import write_letters

LOOK_BACK = timedelta(days=30)
"""Promises that are older are confirmed by nobody's switch that was set today."""
AT_ONCE = 500
WRITTEN = (LetterState.WANTED.value, LetterState.REFUSED.value)
"""Where a letter's story begins. A later step, such as that it is posted, confirms nothing that was promised since."""


def confirm_promises(session: Session, now: datetime) -> list[Letter]:
    """Want a confirmation, or the plan's schedule, of each promise made at a door that has none, and give back what was
    written. Nothing while a hold is on; a promise that another letter confirms is confirmed. Repeated, it writes what
    is new. A fixed number of statements."""
    visit_ids = _visits(session, now)
    if not visit_ids:
        return []
    lock_visits(session, visit_ids)  # and their accounts: a hold, or another worker, is seen or waits
    with audience(Audience.OFFICE_JOB):
        needs = letter_needs(session, visit_ids, now)
        about = happened(session, {need.pair for need in needs})
        stopped = _stopped(session, {need.account_id for need in needs})
        due = [need for need in needs if need.account_id not in stopped and _is_due(need, about[need.pair])]
        wanted = _latest(due, about)
        keys = {need.key for need, _ in wanted}
        before = standing_letters(session, visit_ids, CONFIRMS)  # what was promised there, and corrected since
        old = [one for one in before if (one.visit_id, one.account_id, one.person_id) in keys]
        supersede(session, old, now, actor="system", reason="promised anew")
        return write_letters(session, wanted, about, now)


def _stopped(session: Session, account_ids: set[UUID]) -> set[UUID]:
    """Accounts about which nothing is sent: what a visit is about may have ended in part."""
    return closed_accounts(session, account_ids) | represented_accounts(session, account_ids)


def _is_due(need: LetterNeed, about: Happened) -> bool:
    kind = confirmation(about.stage)
    return need.steps.confirm_promises and about.stage.unconfirmed and not holds_against(kind, about.holds)


def _latest(needs: list[LetterNeed], about: Mapping[Pair, Happened]) -> list[tuple[LetterNeed, LetterKind]]:
    """One for each account and person: two visits with promises are confirmed at the later one."""
    by_pair = {need.pair: need for need in needs}
    return [(need, confirmation(about[pair].stage)) for pair, need in by_pair.items()]


def _visits(session: Session, now: datetime) -> list[UUID]:
    """At which the one sought promised something that is open still, of creditors who want it confirmed. What nothing
    is written about is left out here, or five hundred such would keep all others waiting."""
    holds = open_holds_by_account().subquery()
    against = [hold.value for hold in holds_against(LetterKind.PROMISE_CONFIRMATION, HoldKind)]
    held = select(holds.c.account_id).where(holds.c.kind.in_(against))
    confirmed = exists().where(
        Letter.agency_id == Promise.agency_id,
        Letter.account_id == Promise.account_id,
        Letter.person_id == Promise.person_id,
        Letter.kind.in_([kind.value for kind in CONFIRMS]),
        Letter.superseded_at.is_(None),
        LetterCustody.agency_id == Letter.agency_id,
        LetterCustody.letter_id == Letter.id,
        LetterCustody.state.in_(WRITTEN),
        LetterCustody.at >= Promise.made_at,
    )
    query = (
        select(Promise.visit_id)
        .distinct()
        .join(Account, (Account.agency_id == Promise.agency_id) & (Account.id == Promise.account_id))
        .join(Creditor, (Creditor.agency_id == Account.agency_id) & (Creditor.id == Account.creditor_id))
        .join(Visit, (Visit.agency_id == Promise.agency_id) & (Visit.id == Promise.visit_id))
        .where(
            Promise.agency_id == current_agency(),
            Promise.state == PromiseState.OPEN.value,
            Promise.made_at >= now - LOOK_BACK,
            Promise.person_id == Visit.person_id,
            Promise.currency == Account.currency,
            Account.state == "placed",
            Account.id.not_in(held),
            ~confirmed,
            Creditor.strategy["letters"]["confirm_promises"].as_boolean().is_(True),
        )
        .order_by(Promise.visit_id)
        .limit(AT_ONCE)
    )
    return [visit_id for visit_id in session.scalars(query) if visit_id is not None]
