"""Make a plan's papers: a visit sheet per route, a PDF per letter, sealed in the object store, custody begun."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from field_api.domain.confidential import audience
from field_api.domain.disclosure import Audience
from field_api.domain.letter_shown import must_show
from field_api.domain.letters import LetterState
from field_api.domain.ports import Objects, Paper, PaperFailed, PaperJob, PaperRefused, Papers
from field_api.domain.sheets import sheet_data
from field_api.platform.bounded_json import loads
from field_api.platform.problems import Problem
from field_api.platform.sealing import sha256
from field_api.queries.route_sheets import RouteSheet, route_sheets
from field_api.records.base import load
from field_api.records.planning import Plan, Route, Stop
from field_api.records.visits import Letter, LetterCustody, Sheet, Visit
from field_api.rules.sheets import words_for
from field_api.usecases.keep_house import keep_house
from field_api.usecases.letter_files import LetterFiles
from field_api.usecases.tell_of_letters import tell_of_letters

MAX_LETTER_BYTES = 256 * 1024


@dataclass(frozen=True)
class IssuedPapers:
    """What this call made; what was issued before is not counted again."""

    sheets: int
    letters: int
    letters_refused: int


def issue_papers(session: Session, plan_id: UUID, *, renderer: Papers, objects: Objects, now: datetime) -> IssuedPapers:
    """Render and keep what is wanted for the plan's routes. Idempotent: an unchanged sheet is not issued twice.

    A letter that cannot be laid out (a glyph that the fonts lack, an address too long for the window) becomes
    `refused` with the reason; the rest go on. Raises Problem `not-found`, `conflict` (a draft), PaperFailed.
    """
    plan = load(session, Plan, plan_id)
    if plan.state in ("draft", "publishing"):  # it may be replaced at any moment, and nobody goes out by it
        raise Problem("conflict", "the plan is a draft: publish it first")
    issued, refused = _issue_letters(session, plan, renderer, objects, now)
    # After the letters: one that cannot be laid out has no place in the stack, and sheets count the places.
    sheets = _issue_sheets(session, plan, renderer, objects, now)
    return IssuedPapers(sheets, issued, refused)


def sheet_job(found: RouteSheet) -> PaperJob:
    """The paper of a route: written in the agent's language, with a script in each language that its people speak."""
    with audience(Audience.AGENT):  # open data alone: a secret value would be refused here
        scripts = {words.language: words for words in map(words_for, found.spoken)}
        data = sheet_data(found.sheet, words_for(found.language), list(scripts.values()))
    return PaperJob("sheet", data, made_at(found.for_day))


def letter_data(letter: Letter, mark: str = "") -> dict[str, Any]:
    """The letter's content as its template takes it. Needs audience ENTITLED_PARTY: it is the letter's inside."""
    content = loads(letter.content.reveal(Audience.ENTITLED_PARTY).encode(), max_bytes=MAX_LETTER_BYTES)
    return {"letter": content, "mark": mark, "qr": [letter.serial]}


def made_at(for_day: date) -> datetime:
    """The time of creation that a paper carries: its day, so that the same facts give the same bytes."""
    return datetime.combine(for_day, time(), UTC)


def _issue_sheets(session: Session, plan: Plan, renderer: Papers, objects: Objects, now: datetime) -> int:
    found = route_sheets(session, plan_id=plan.id)
    with audience(Audience.AGENT):
        papers = [_made(paper) for paper in renderer.render([sheet_job(route) for route in found])]
    query = select(Sheet.route_id, Sheet.sha256).join(Route, Route.id == Sheet.route_id).where(Route.plan_id == plan.id)
    known = {(route_id, bytes(digest)) for route_id, digest in session.execute(query)}
    fresh = [
        (route, paper)
        for route, paper in zip(found, papers, strict=True)
        if (route.route_id, sha256(paper.pdf)) not in known
    ]
    session.add_all(
        Sheet(
            route_id=route.route_id,
            object_key=objects.put(paper.pdf),
            sha256=sha256(paper.pdf),
            pages=paper.pages,
            issued_at=now,
            rows=[row.wire() for row in route.rows],
        )
        for route, paper in fresh
    )
    session.flush()
    return len(fresh)


def _made(paper: Paper | PaperRefused) -> Paper:
    """An agent cannot go out without a sheet: here a refusal is a failure of the whole."""
    if isinstance(paper, PaperRefused):
        raise PaperFailed(f"sheet: {paper.reason}")
    return paper


def issue_letters(
    session: Session,
    letters: Sequence[Letter],
    *,
    renderer: Papers,
    objects: Objects,
    now: datetime,
    actor: str = "system",
) -> int:
    """Lay out and keep letters that are `wanted` and locked; returns how many could not be. Up to five statements
    beside what is written, whatever their number. Raises PaperFailed."""
    with audience(Audience.ENTITLED_PARTY):
        jobs = letter_jobs(session, letters, objects)
        papers = iter(renderer.render([job for job in jobs if isinstance(job, PaperJob)]))
        house = keep_house(session, renderer.house(), objects, now) if letters else b""
        for letter, job in zip(letters, jobs, strict=True):
            _settle(letter, next(papers) if isinstance(job, PaperJob) else job, objects, now)
            letter.house_sha256 = house if letter.state == LetterState.ISSUED else None
    session.add_all(
        LetterCustody(letter_id=letter.id, state=letter.state, at=now, actor=actor, extra={}) for letter in letters
    )
    session.flush()
    tell_of_letters(session, {letter.visit_id for letter in letters if letter.state == LetterState.ISSUED.value})
    return sum(letter.state == LetterState.REFUSED for letter in letters)


def letter_jobs(
    session: Session, letters: Sequence[Letter], objects: Objects, marks: Sequence[str] = ()
) -> list[PaperJob | PaperRefused]:
    """What lays out each letter, with the files beside it; `marks`: of each one, where they are copies. Needs audience
    ENTITLED_PARTY."""
    data = [letter_data(letter, mark) for letter, mark in zip(letters, marks or [""] * len(letters), strict=True)]
    files = LetterFiles(session, objects, (each["letter"] for each in data))
    return [_letter_job(each, files) for each in data]


def _letter_job(data: Mapping[str, Any], files: LetterFiles) -> PaperJob | PaperRefused:
    """It is made on the day that it bears: the same content gives the same bytes years later."""
    content = data["letter"]
    shown = must_show(content) if content.get("template") else {}
    try:
        beside = files.of(content)
    except KeyError:
        return PaperRefused("picture-missing")
    return PaperJob("letter", data, made_at(date.fromisoformat(content["dated_on"])), beside, shown)


def _issue_letters(session: Session, plan: Plan, renderer: Papers, objects: Objects, now: datetime) -> tuple[int, int]:
    letters = _wanted(session, plan.id)
    refused = issue_letters(session, letters, renderer=renderer, objects=objects, now=now)
    return len(letters) - refused, refused


def _wanted(session: Session, plan_id: UUID) -> Sequence[Letter]:
    query = (
        select(Letter)
        .join(Visit, Visit.id == Letter.visit_id)
        .join(Stop, Stop.id == Visit.stop_id)
        .join(Route, Route.id == Stop.route_id)
        .where(
            Route.plan_id == plan_id,
            Letter.state == LetterState.WANTED.value,
            Letter.superseded_at.is_(None),
            Visit.state != "withdrawn",
        )
        .order_by(Route.agent_id, Stop.position, Letter.id)
        .with_for_update(of=Letter)
        .execution_options(populate_existing=True)
    )
    return session.scalars(query).all()


def _settle(letter: Letter, paper: Paper | PaperRefused, objects: Objects, now: datetime) -> None:
    if isinstance(paper, PaperRefused):
        letter.state = LetterState.REFUSED.value
        letter.refusal = f"layout: {paper.reason}" + (f" ({paper.at})" if paper.at else "")
        return
    content = letter.content.reveal(Audience.ENTITLED_PARTY).encode()
    template = loads(content, max_bytes=MAX_LETTER_BYTES).get("template")
    letter.state = LetterState.ISSUED.value
    letter.content_sha256 = sha256(content)
    letter.template_sha256 = bytes.fromhex(template) if template else None
    letter.pdf_sha256 = sha256(paper.pdf)
    letter.object_key = objects.put(paper.pdf)
    letter.pages = paper.pages
    letter.issued_at = now
