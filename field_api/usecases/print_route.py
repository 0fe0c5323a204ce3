"""Print a route: one PDF in route order, the sheet, a page between, the letters; custody noted, reprints counted."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from field_api.domain.confidential import audience
from field_api.domain.disclosure import Audience, Label
from field_api.domain.letters import LetterState
from field_api.domain.ports import Paper, PaperJob, PaperRefused, Papers
from field_api.platform.egress import Closed, OutletKind, declare, passed
from field_api.platform.problems import Problem
from field_api.platform.sealing import same, sha256
from field_api.queries.route_sheets import route_sheets
from field_api.records.planning import Stop
from field_api.records.visits import Letter, LetterCustody, Visit
from field_api.rules.letters import all_texts
from field_api.usecases.issue_papers import letter_data, sheet_job

_PRINTABLE = (LetterState.ISSUED.value, LetterState.PRINTED.value, LetterState.RETURNED.value)
FILE_NAME = declare(
    OutletKind.DOWNLOAD_NAME,
    "printed-route",
    Audience.MACHINE,
    shape=Closed(Label.INTERNAL, re.compile(r"\d{4}-\d{2}-\d{2}-[A-Za-z0-9._-]{1,20}\.pdf")),
)


@dataclass(frozen=True)
class PrintedRoute:
    file_name: str  # neutral: day and agent's code
    paper: Paper
    letters: int
    reprints: int


def print_route(session: Session, route_id: UUID, *, renderer: Papers, now: datetime, actor: str) -> PrintedRoute:
    """The whole stack of a route for the printer. A letter printed before is marked as a copy and counted.

    Withdrawn visits' letters stay out. Raises Problem `not-found`; `conflict` where a letter's content is no longer
    what was issued; `unavailable` where the stack cannot be laid out.
    """
    found = next(iter(route_sheets(session, route_id=route_id)), None)
    if found is None:
        raise Problem("not-found", "no such route")
    sheet = sheet_job(found)
    with audience(Audience.ENTITLED_PARTY):
        letters = _letters(session, route_id)
        times = _times_printed(session, letters)
        entries = [_entry(letter, times[letter.id]) for letter in letters]
    data = {
        "sheet": sheet.data,
        "letters": entries,
        "qr": [*sheet.data["qr"], *(letter.serial for letter in letters)],
    }
    with audience(Audience.ENTITLED_PARTY):
        [paper] = renderer.render([PaperJob("stack", data, sheet.made_at)])
    if isinstance(paper, PaperRefused):
        raise Problem("unavailable", f"the stack cannot be laid out: {paper.reason}")
    for letter in letters:
        _note_print(session, letter, times[letter.id] + 1, now, actor)
    session.flush()
    reprints = sum(times[letter.id] > 0 for letter in letters)
    name = passed(FILE_NAME, f"{found.for_day.isoformat()}-{found.sheet.agent_code}.pdf")
    return PrintedRoute(name, paper, len(letters), reprints)


def _letters(session: Session, route_id: UUID) -> Sequence[Letter]:
    query = (
        select(Letter)
        .join(Visit, Visit.id == Letter.visit_id)
        .join(Stop, Stop.id == Visit.stop_id)
        .where(
            Stop.route_id == route_id,
            Letter.state.in_(_PRINTABLE),
            Letter.superseded_at.is_(None),
            Visit.state != "withdrawn",
        )
        .order_by(Stop.position, Letter.person_id, Letter.id)
        .with_for_update(of=Letter)
        .execution_options(populate_existing=True)
    )
    return session.scalars(query).all()


def _times_printed(session: Session, letters: Sequence[Letter]) -> Counter[UUID]:
    query = (
        select(LetterCustody.letter_id, func.count())
        .where(
            LetterCustody.letter_id.in_([letter.id for letter in letters]),
            LetterCustody.state == LetterState.PRINTED.value,
            LetterCustody.extra.has_key("print"),
        )
        .group_by(LetterCustody.letter_id)
    )
    return Counter(dict(session.execute(query).all()))


def _entry(letter: Letter, printed: int) -> dict[str, Any]:
    content = letter.content.reveal(Audience.ENTITLED_PARTY).encode()
    if letter.content_sha256 is None or not same(sha256(content), bytes(letter.content_sha256)):
        raise Problem("conflict", "a letter's content is not what was issued", at=letter.serial)
    data = letter_data(letter)
    word = all_texts()[data["letter"]["parts"][0]["language"]].words["copy"]
    return {"letter": data["letter"], "mark": f"{word} {printed + 1}" if printed else ""}


def _note_print(session: Session, letter: Letter, number: int, now: datetime, actor: str) -> None:
    letter.state = LetterState.PRINTED.value
    session.add(LetterCustody(letter_id=letter.id, state=letter.state, at=now, actor=actor, extra={"print": number}))
