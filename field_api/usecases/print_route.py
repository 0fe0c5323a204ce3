"""Print stacks: a route's sheet, a page between, its letters in route order; of one route, or of a whole day.

What is laid out is looked at first and locked last: while a printer's file is made, operations from doors go on.
Custody is noted only where nothing changed meanwhile; else that route is laid out again under its locks. Whoever prints
second finds what the first one noted, and prints copies.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from field_api.domain.confidential import audience
from field_api.domain.disclosure import Audience, Label
from field_api.domain.letters import LetterState
from field_api.domain.ports import Objects, Paper, PaperJob, PaperRefused, Papers
from field_api.domain.stacks import Separator
from field_api.platform.egress import Closed, OutletKind, declare, passed
from field_api.platform.problems import Problem
from field_api.platform.sealing import same, sha256
from field_api.queries.route_sheets import RouteSheet, route_sheets
from field_api.queries.stack_letters import StackLetter, put_in_stack, stack_letters
from field_api.records.visits import LetterCustody
from field_api.rules.letters import all_texts
from field_api.rules.stacks import separator_words
from field_api.usecases.issue_papers import letter_data, letter_jobs, sheet_job

FILE_NAME = declare(
    OutletKind.DOWNLOAD_NAME,
    "printed-route",
    Audience.MACHINE,
    shape=Closed(Label.INTERNAL, re.compile(r"\d{4}-\d{2}-\d{2}(-[A-Za-z0-9._-]{1,20})?\.pdf")),
)


@dataclass(frozen=True)
class PrintedRoute:
    """A file for the printer. `elsewhere`: letters whose paper lies in another stack, which are to be moved."""

    file_name: str  # neutral: day and agent's code, or the day
    paper: Paper
    letters: int
    reprints: int
    elsewhere: int = 0
    routes: int = 1


def print_route(
    session: Session,
    route_id: UUID,
    *,
    renderer: Papers,
    objects: Objects,
    now: datetime,
    actor: str,
    unprinted: bool = False,
) -> PrintedRoute:
    """The whole stack of a route for the printer. A letter printed before is marked as a copy and counted; with
    `unprinted` it stays out.

    Letters of withdrawn visits and superseded ones stay out. Raises Problem `not-found`; `conflict` where a letter's
    content is no longer what was issued; `unavailable` where the stack cannot be laid out, or a picture is gone.
    """
    stack = _Stack(session, route_id, renderer, objects, unprinted)
    stack.take(now, actor)
    return PrintedRoute(
        passed(FILE_NAME, f"{stack.day}-{stack.seen.sheet.sheet.agent_code}.pdf"),
        stack.paper,
        len(stack.seen.letters),
        stack.seen.reprints,
        stack.seen.elsewhere,
    )


def print_day(
    session: Session,
    route_ids: Sequence[UUID],
    *,
    renderer: Papers,
    objects: Objects,
    now: datetime,
    actor: str,
    unprinted: bool = False,
) -> PrintedRoute:
    """The stacks of a day's routes in one file, one after the other: all are noted as printed, or none is.

    Raises Problem `not-found` also where there is no route, and as `print_route` does.
    """
    if not route_ids:
        raise Problem("not-found", "there is no route to print")
    stacks = [_Stack(session, route_id, renderer, objects, unprinted, of_day=True) for route_id in route_ids]
    for stack in stacks:
        stack.take(now, actor)
    seen = [stack.seen for stack in stacks]
    return PrintedRoute(
        passed(FILE_NAME, f"{stacks[0].day}.pdf"),
        renderer.joined([stack.paper for stack in stacks]),
        sum(len(one.letters) for one in seen),
        sum(one.reprints for one in seen),
        sum(one.elsewhere for one in seen),
        len(stacks),
    )


@dataclass(frozen=True)
class _Seen:
    """What a stack is made of, from one look at the database."""

    sheet: RouteSheet
    letters: tuple[StackLetter, ...]
    elsewhere: int

    @property
    def reprints(self) -> int:
        return sum(one.times_printed > 0 for one in self.letters)


class _Stack:
    """One route's: laid out as it is made, taken when the others are laid out too."""

    def __init__(
        self,
        session: Session,
        route_id: UUID,
        renderer: Papers,
        objects: Objects,
        unprinted: bool,
        *,
        of_day: bool = False,
    ) -> None:
        self._session, self._route_id, self._renderer, self._objects = session, route_id, renderer, objects
        self._unprinted, self._of_day = unprinted, of_day
        self.seen = self._look(lock=False)
        self.paper = self._laid_out()

    @property
    def day(self) -> str:
        return self.seen.sheet.for_day.isoformat()

    def take(self, now: datetime, actor: str) -> None:
        """Lock the letters; where something changed since they were looked at, lay out again; note custody."""
        now_seen = self._look(lock=True)
        if now_seen != self.seen:
            self.seen = now_seen
            self.paper = self._laid_out()
        for one in now_seen.letters:
            note_print(self._session, one, now, actor)
        self._session.flush()

    def _look(self, *, lock: bool) -> _Seen:
        letters = stack_letters(self._session, self._route_id, lock=lock)
        sheet = next(iter(route_sheets(self._session, route_id=self._route_id)), None)
        if sheet is None:
            raise Problem("not-found", "no such route")
        wanted = [one for one in letters if not (self._unprinted and one.times_printed)]
        here = tuple(one for one in wanted if not one.elsewhere)
        return _Seen(sheet, here, len(wanted) - len(here))

    def _laid_out(self) -> Paper:
        job = sheet_job(self.seen.sheet)
        with audience(Audience.ENTITLED_PARTY):
            entries, files = entries_of(self._session, self.seen.letters, self._renderer, self._objects)
            separator = _separator(self.seen.sheet, self.seen.letters)
            data = {
                # Of one file for all routes every part has the file's title.
                "title": self.day if self._of_day else job.data["title"],
                "stacks": [{"sheet": job.data, "separator": separator, "letters": entries}],
                "qr": [*job.data["qr"], *(one.letter.serial for one in self.seen.letters)],
            }
            [paper] = self._renderer.render([PaperJob("stack", data, job.made_at, files)])
        if isinstance(paper, PaperRefused):
            raise Problem("unavailable", f"the stack cannot be laid out: {paper.reason}")
        return paper


def entries_of(
    session: Session, letters: Sequence[StackLetter], renderer: Papers, objects: Objects
) -> tuple[list[dict[str, Any]], Mapping[str, bytes]]:
    """Each letter as the stack's template takes it, and the files that they show. Needs audience ENTITLED_PARTY.

    A letter that a creditor's own template lays out is made apart, where that template sees no other letter, and comes
    into the stack as its finished pages.
    """
    entries, files = [], dict[str, bytes]()
    jobs = _jobs(session, letters, objects)
    own = [job for job in jobs if job.data["letter"].get("template")]
    made = dict(zip(map(id, own), renderer.render(own), strict=True))
    for one, job in zip(letters, jobs, strict=True):
        entry = {"letter": job.data["letter"], "mark": job.data["mark"]}
        if id(job) not in made:
            files |= job.files
        else:
            paper = _paper_of(made[id(job)], one)
            name = f"{sha256(paper.pdf).hex()}.pdf"
            files[name] = paper.pdf
            entry |= {"finished": name, "pages": paper.pages}
        entries.append(entry)
    return entries, files


def letter_paper(session: Session, one: StackLetter, renderer: Papers, objects: Objects) -> Paper:
    """One letter by itself, marked where it is a copy. Needs audience ENTITLED_PARTY. Raises Problem as `print_route`
    does."""
    [paper] = renderer.render(_jobs(session, [one], objects))
    return _paper_of(paper, one)


def _paper_of(paper: Paper | PaperRefused, one: StackLetter) -> Paper:
    if isinstance(paper, PaperRefused):
        raise Problem("unavailable", f"a letter cannot be laid out: {paper.reason}", at=one.letter.serial)
    return paper


def _jobs(session: Session, letters: Sequence[StackLetter], objects: Objects) -> list[PaperJob]:
    for one in letters:
        content = one.letter.content.reveal(Audience.ENTITLED_PARTY).encode()
        if one.letter.content_sha256 is None or not same(sha256(content), bytes(one.letter.content_sha256)):
            raise Problem("conflict", "a letter's content is not what was issued", at=one.letter.serial)
    jobs = letter_jobs(session, [one.letter for one in letters], objects, [_mark(one) for one in letters])
    for one, job in zip(letters, jobs, strict=True):
        if isinstance(job, PaperRefused):
            raise Problem("unavailable", f"a letter cannot be laid out: {job.reason}", at=one.letter.serial)
    return [job for job in jobs if isinstance(job, PaperJob)]


def _mark(one: StackLetter) -> str:
    """In the letter's own language."""
    if not one.times_printed:
        return ""
    language = letter_data(one.letter)["letter"]["parts"][0]["language"]
    return f"{all_texts()[language].words['copy']} {one.times_printed + 1}"


def _separator(sheet: RouteSheet, letters: Sequence[StackLetter]) -> dict[str, Any]:
    """The page between sheet and letters."""
    stops = [one.belongs.stop for one in letters if one.belongs]
    copies = sum(one.times_printed > 0 for one in letters)
    page = Separator(sheet.sheet.agent_code, sheet.sheet.day, stops, copies)
    return page.data(separator_words(sheet.language))


def note_print(session: Session, one: StackLetter, now: datetime, actor: str, reason: str = "") -> None:
    """One more paper of the letter lies where it belongs."""
    one.letter.state = LetterState.PRINTED.value
    put_in_stack(one.letter, one.belongs)
    extra: dict[str, Any] = {"print": one.times_printed + 1}
    if one.belongs:
        extra["stack"] = one.belongs.wire()
    if reason:
        extra["reason"] = reason
    session.add(LetterCustody(letter_id=one.letter.id, state=one.letter.state, at=now, actor=actor, extra=extra))
