"""A letter goes out by mail: it is posted, and counts as an attempt on the channel of letters."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from field_api.domain.confidential import Confidential, audience
from field_api.domain.disclosure import Audience
from field_api.domain.letter_days import received_by, validation_until
from field_api.domain.letter_rules import ASKING
from field_api.domain.letters import LetterKind, LetterState
from field_api.domain.vocabulary import MadeBy, ToldChannel, ToldOutcome
from field_api.platform.bounded_json import canonical
from field_api.platform.problems import Problem
from field_api.platform.tenancy import current_agency
from field_api.queries.letter_stages import happened
from field_api.queries.stack_letters import put_in_stack
from field_api.records.base import load
from field_api.records.people import Address
from field_api.records.results import Attempt
from field_api.records.visits import Letter, LetterCustody, Visit
from field_api.rules.letters import rules_for
from field_api.usecases.add_attempts import add_attempts
from field_api.usecases.ask_for_letters import refuse_closed, refuse_held, refuse_represented
from field_api.usecases.hand_over_letter import CustodyStep, note_custody
from field_api.usecases.issue_papers import letter_data

_NAMESPACE = UUID("3c0a7a52-9a0e-5b1e-8a9d-5f5d3f1f2b60")


def post_letter(session: Session, letter: Letter, step: CustodyStep) -> list[str]:
    """The letter is `posted`. The caller has locked its account, so that a hold placed now is seen or waits, then the
    letter, and has seen that its state allows it.

    Counts for waits and caps as a letter that somebody tells of does, once for each time that it is sent. Raises
    `conflict` for one that was superseded, whose account is closed, excluded or represented, or that names too early a
    day; `hold-in-force`.
    """
    refuse_giving(session, letter)
    refuse_late(session, letter, step.at, by_mail=True)
    letter.state = LetterState.POSTED.value
    put_in_stack(letter, None)
    note_custody(session, letter, step)
    _note_attempt(session, letter, ToldOutcome.SENT, step)
    return []


def refuse_giving(session: Session, letter: Letter) -> None:
    """What the office neither posts nor hands over. Raises as `post_letter` does."""
    if letter.superseded_at is not None:
        raise Problem("conflict", "another letter stands in the place of this one: destroy it")
    pair = (letter.account_id, letter.person_id)
    with audience(Audience.OFFICE_JOB):
        refuse_held(LetterKind(letter.kind), happened(session, [pair]).values())
    refuse_closed(session, [letter.account_id])
    refuse_represented(session, [letter.account_id])


def refuse_late(session: Session, letter: Letter, at: datetime, *, by_mail: bool) -> None:
    """Raises `conflict` where the letter names a last day to dispute the debt that would come too soon after it: the
    days to answer count from its receipt (12 CFR 1006.34(b)(5)), and it was dated for another day."""
    rules = rules_for(letter.jurisdiction)
    period = rules.validation if rules else None
    if period is None or letter.kind not in ASKING:
        return
    with audience(Audience.ENTITLED_PARTY):
        stated = validation_until(date.fromisoformat(letter_data(letter)["letter"]["dated_on"]), period)
    today = at.astimezone(_zone(session, letter)).date()
    if (received_by(today, period) if by_mail else today) + timedelta(days=period.days_to_answer) > stated:
        raise Problem("conflict", "the last day that it names to dispute the debt comes too soon: destroy it")


def _zone(session: Session, letter: Letter) -> ZoneInfo:
    address = load(session, Address, load(session, Visit, letter.visit_id).address_id)
    return ZoneInfo(address.timezone or "UTC")


def note_came_back(session: Session, letter: Letter, step: CustodyStep) -> None:
    """A posted letter that is returned came to nobody: notices by letter do not count it."""
    _note_attempt(session, letter, ToldOutcome.RETURNED, step)


def _note_attempt(session: Session, letter: Letter, outcome: ToldOutcome, step: CustodyStep) -> None:
    times = session.scalars(
        select(func.count()).where(
            LetterCustody.agency_id == current_agency(),
            LetterCustody.letter_id == letter.id,
            LetterCustody.state == LetterState.POSTED.value,
        )
    ).one()
    said = {"outcome": outcome.value, "id": f"letter:{letter.id}", "by": MadeBy.AGENCY.value, "told_by": step.actor}
    attempt = Attempt(
        account_id=letter.account_id,
        person_id=letter.person_id,
        op_id=uuid5(_NAMESPACE, f"{letter.id}:{outcome.value}:{times}"),
        channel=ToldChannel.LETTER.value,
        at=step.at,
        received_at=step.at,
        outcome=outcome.value,
        right_party=False,
        detail=Confidential(canonical(said).decode()),
    )
    add_attempts(session, [attempt])
