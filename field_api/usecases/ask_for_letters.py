"""Write a letter that the office asks for: what was promised, how it is paid by instalments, that a dispute came in."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from field_api.domain.confidential import audience
from field_api.domain.disclosure import Audience
from field_api.domain.letter_steps import ASKED_FOR, CONFIRMS, holds_against
from field_api.domain.letters import LetterKind
from field_api.domain.vocabulary import Role
from field_api.platform.problems import Problem
from field_api.platform.tenancy import current_agency
from field_api.queries.arrays import among
from field_api.queries.blocked_accounts import excluded_accounts
from field_api.queries.letter_facts import LetterNeed, letter_needs
from field_api.queries.letter_stages import NEVER_CAME, Happened, happened
from field_api.records.accounts import Account, Party
from field_api.records.base import load
from field_api.records.visits import Letter, Visit
from field_api.usecases.lock_visit import lock_visit
from field_api.usecases.note_visit_event import staff_actor
from field_api.usecases.renew_letters import supersede
from field_api.usecases.want_letters import standing_letters
from field_api.usecases.write_letters import write_letters


def ask_for_letters(
    session: Session,
    visit_id: UUID,
    kind: LetterKind,
    *,
    account_id: UUID | None = None,
    now: datetime,
    by: UUID | None,
) -> list[Letter]:
    """The letters of this kind to the person whom the visit sought, one for each account (or the one named) about which
    there is something to write: an open promise, a promise of several payments, an open dispute.

    Asked again it gives the same letters, unless a later promise is to be confirmed, or one was refused, destroyed or
    lost. Raises `invalid-fields` for a kind
    that goes with visits alone, `not-found`; `hold-in-force` naming the holds (a letter is sent to nobody who asked not
    to be contacted or has an attorney); `conflict` where there is nothing to write, or the account is closed or
    excluded.
    """
    if kind not in ASKED_FOR:
        raise Problem("invalid-fields", "promise_confirmation, payment_plan or dispute_acknowledgement", at="kind")
    visit = lock_visit(session, visit_id)  # and its accounts, as holds lock them: one placed now is seen or waits
    with audience(Audience.OFFICE_JOB):
        needs = _needs(session, visit, account_id, now)
        about = happened(session, {need.pair for need in needs})
        needs = [need for need in needs if _has_what(kind, about[need.pair])]
        if not needs:
            raise Problem("conflict", "there is no such promise or dispute that is open", at="kind")
        _refuse_where_not_allowed(session, kind, needs, about)
        standing = {letter.account_id: letter for letter in standing_letters(session, [visit.id], {kind})}
        fresh = [need for need in needs if _to_be_written(kind, standing.get(need.account_id), about[need.pair])]
        supersede(
            session,
            [standing.pop(need.account_id) for need in fresh if need.account_id in standing],
            now,
            actor=staff_actor(by),
            reason="asked again",
        )
        written = write_letters(session, [(need, kind) for need in fresh], about, now, actor=staff_actor(by))
    wanted = {need.account_id for need in needs}
    return [*(letter for key, letter in standing.items() if key in wanted), *written]


def _needs(session: Session, visit: Visit, account_id: UUID | None, now: datetime) -> list[LetterNeed]:
    needs = [need.dated(now) for need in letter_needs(session, [visit.id], now)]
    if account_id is None:
        return needs
    load(session, Account, account_id)
    found = [need for need in needs if need.account_id == account_id]
    if not found:
        raise Problem("conflict", "the visit is not about this account", at="account")
    return found


def _has_what(kind: LetterKind, about: Happened) -> bool:
    """Whether there is something that a letter of this kind would state."""
    if kind is LetterKind.DISPUTE_ACKNOWLEDGEMENT:
        return about.dispute is not None
    return about.promise is not None and (kind is LetterKind.PROMISE_CONFIRMATION or about.promise.as_plan)


def _to_be_written(kind: LetterKind, standing: Letter | None, about: Happened) -> bool:
    if standing is None or standing.state in NEVER_CAME:  # what was lacking may be there by now
        return True
    return kind in CONFIRMS and about.stage.unconfirmed


def _refuse_where_not_allowed(
    session: Session, kind: LetterKind, needs: list[LetterNeed], about: dict[tuple[UUID, UUID], Happened]
) -> None:
    account_ids = {need.account_id for need in needs}
    refuse_held(kind, (about[need.pair] for need in needs))
    refuse_closed(session, account_ids)
    refuse_represented(session, account_ids)


def refuse_held(kind: LetterKind, about: Iterable[Happened]) -> None:
    """Raises `hold-in-force`, naming the holds under which a letter of this kind is not sent."""
    holds = sorted({hold.value for each in about for hold in holds_against(kind, each.holds)})
    if holds:
        raise Problem("hold-in-force", f"no such letter is sent while these holds are on: {', '.join(holds)}")


def refuse_closed(session: Session, account_ids: Iterable[UUID]) -> None:
    """Raises `conflict` for an account that is closed, or on its creditor's list of whom nobody contacts."""
    if closed_accounts(session, account_ids):
        raise Problem("conflict", "the account is closed, or its creditor excludes it")


def closed_accounts(session: Session, account_ids: Iterable[UUID]) -> set[UUID]:
    """Those that are closed or excluded. Two statements."""
    wanted = set(account_ids)
    closed = select(Account.id).where(
        Account.agency_id == current_agency(), among(Account.id, wanted), Account.state != "placed"
    )
    return {*session.scalars(closed), *session.scalars(excluded_accounts(wanted))}


def refuse_represented(session: Session, account_ids: Iterable[UUID]) -> None:
    """Raises `conflict` where an attorney is known: who is represented is not written to (15 USC 1692c(a)(2))."""
    if represented_accounts(session, account_ids):
        raise Problem("conflict", "an attorney is known of the account: nothing is sent past them")


def represented_accounts(session: Session, account_ids: Iterable[UUID]) -> set[UUID]:
    """Those of which an attorney is known."""
    attorney = select(Party.account_id).where(
        Party.agency_id == current_agency(), among(Party.account_id, account_ids), Party.role == Role.ATTORNEY.value
    )
    return set(session.scalars(attorney))
