"""A printed sheet as somebody types it in: its rows, what was typed of each before, what phones reported meanwhile."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from field_api.domain.confidential import audience
from field_api.domain.disclosure import Audience
from field_api.domain.paper_entry import FIELDS, Line, TypedBefore, TypedRow
from field_api.domain.postal import street_line
from field_api.domain.sheet_rows import SheetRow, issue_mark
from field_api.domain.vocabulary import VisitEventKind
from field_api.platform.bounded_json import loads
from field_api.platform.problems import Problem
from field_api.queries.arrays import among
from field_api.queries.letter_facts import postal_address
from field_api.queries.route_sheets import route_sheets
from field_api.records.people import Address, Person
from field_api.records.planning import Agent, Plan, Route, Stop
from field_api.records.visits import Sheet, Visit, VisitEvent

FROM_PAPER = "from-paper"
_TELLING = ("arrived", "outcome", "correction", "letter", "contact", "note")
_MAX_STORY_BYTES = 256 * 1024


@dataclass(frozen=True)
class Reported:
    """What was recorded of a visit, by a phone or of another paper: an outcome's code, or how a letter was handled."""

    kind: str  # outcome | letter
    what: str
    at: datetime
    late: bool


@dataclass(frozen=True)
class FormRow:
    """`typed`: what stands, as it was typed last; `differs`: a phone says otherwise than this paper."""

    row: str
    visit_id: UUID
    version: int
    name: str
    address: str
    zone: ZoneInfo
    planned_at: datetime | None
    before: tuple[TypedBefore, ...]
    reported: tuple[Reported, ...]
    differs: bool

    @property
    def typed(self) -> TypedRow | None:
        return self.before[-1].typed if self.before else None


@dataclass(frozen=True)
class PaperForm:
    """`issue` marks the print whose rows these are; `issues` are all prints of the route, the newest first."""

    route_id: UUID
    agent_id: UUID
    agent_code: str
    agent_name: str
    for_day: date
    issue: str
    issues: tuple[str, ...]
    rows: tuple[FormRow, ...]


def paper_form(
    session: Session, route_id: UUID, issue: str | None = None, *, visit_ids: Collection[UUID] | None = None
) -> PaperForm:
    """The print with that mark, the newest where none is named, or (`visit_ids`) those of its rows. Raises Problem
    `not-found`: no such route, no such print. Six statements at most."""
    found = session.execute(
        select(Route, Agent, Plan.for_day)
        .join(Agent, (Agent.agency_id == Route.agency_id) & (Agent.id == Route.agent_id))
        .join(Plan, (Plan.agency_id == Route.agency_id) & (Plan.id == Route.plan_id))
        .where(Route.id == route_id)
    ).one_or_none()
    if found is None:
        raise Problem("not-found", "no such route")
    route, agent, day = found
    prints = _prints(session, route_id)
    mark = (issue or "").strip().upper() or next(iter(prints))
    if mark not in prints:
        raise Problem("not-found", "no print of this route has that mark in its foot", at="issue")
    rows = [row for row in prints[mark] if visit_ids is None or row.visit_id in visit_ids]
    return PaperForm(
        route.id, agent.id, agent.code, agent.name, day, mark, tuple(prints),
        tuple(_form_rows(session, route.id, rows, agent.timezone)),
    )  # fmt: skip


def _prints(session: Session, route_id: UUID) -> Mapping[str, Sequence[SheetRow]]:
    """By mark, the newest first. Of a route whose sheet was not kept, the rows that it has now."""
    query = select(Sheet.rows).where(Sheet.route_id == route_id, Sheet.rows.is_not(None))
    kept = [
        [SheetRow.read(row) for row in stored or ()]
        for stored in session.scalars(query.order_by(Sheet.issued_at.desc(), Sheet.id.desc()))
    ]
    if not kept:
        kept = [sheet.rows for sheet in route_sheets(session, route_id=route_id)]
    prints: dict[str, Sequence[SheetRow]] = {}
    for rows in kept:
        prints.setdefault(issue_mark(rows), rows)
    return prints


def _form_rows(session: Session, route_id: UUID, rows: Sequence[SheetRow], zone: str) -> list[FormRow]:
    ids = [row.visit_id for row in rows]
    places = session.execute(
        select(Visit.id, Person.name, Address, Stop.arrival_from)
        .join(Person, (Person.agency_id == Visit.agency_id) & (Person.id == Visit.person_id))
        .join(Address, (Address.agency_id == Visit.agency_id) & (Address.id == Visit.address_id))
        .outerjoin(Stop, (Stop.agency_id == Visit.agency_id) & (Stop.id == Visit.stop_id))
        .where(among(Visit.id, ids))
    )
    known = {visit_id: (name, address, planned) for visit_id, name, address, planned in places}
    told = _told(session, ids, route_id)
    return [
        FormRow(
            row.row, row.visit_id, row.version, known[row.visit_id][0],
            street_line(postal_address(known[row.visit_id][1])),
            ZoneInfo(known[row.visit_id][1].timezone or zone), known[row.visit_id][2], *told[row.visit_id],
        )
        for row in rows
        if row.visit_id in known  # one whose person was erased meanwhile has nothing to be typed of
    ]  # fmt: skip


_Told = tuple[tuple[TypedBefore, ...], tuple[Reported, ...], bool]


def _told(session: Session, visit_ids: Sequence[UUID], route_id: UUID) -> Mapping[UUID, _Told]:
    query = (
        select(VisitEvent)
        .where(among(VisitEvent.visit_id, visit_ids), VisitEvent.kind.in_(_TELLING))
        .order_by(VisitEvent.id)
        .execution_options(populate_existing=True)
    )
    by_visit: dict[UUID, list[tuple[VisitEvent, dict[str, Any]]]] = defaultdict(list)
    with audience(Audience.OFFICE_JOB):
        for event in session.scalars(query):
            body = loads(event.body.reveal(Audience.OFFICE_JOB).encode(), max_bytes=_MAX_STORY_BYTES)
            by_visit[event.visit_id].append((event, body.get("recorded") or {}))
    return {visit_id: _told_of(by_visit[visit_id], route_id) for visit_id in visit_ids}


def _told_of(story: Sequence[tuple[VisitEvent, dict[str, Any]]], route_id: UUID) -> _Told:
    """Only what the office itself typed is read as typed: a phone's body may hold any key."""
    own, others = [], []
    for event, recorded in story:
        mine = FROM_PAPER in event.flags and (recorded.get("paper") or {}).get("route") == str(route_id)
        (own if mine else others).append((event, recorded))
    reported = tuple(filter(None, (_reported(event, recorded) for event, recorded in others)))
    typed = tuple(filter(None, (_reported(event, recorded) for event, recorded in own)))
    return tuple(_before(event, recorded) for event, recorded in own), reported, _differ(reported, typed)


def _before(event: VisitEvent, recorded: Mapping[str, Any]) -> TypedBefore:
    paper = recorded["paper"]
    if event.op_id is None:
        raise ValueError("an operation from paper has an id")
    return TypedBefore(event.op_id, Line(paper["line"]), TypedRow(**dict(zip(FIELDS, paper["typed"], strict=True))))


def _reported(event: VisitEvent, recorded: Mapping[str, Any]) -> Reported | None:
    said = recorded.get("outcome")
    if event.kind == VisitEventKind.CORRECTION.value:
        said = said.get("outcome") if isinstance(said, dict) else None
    late = "late" in event.flags
    if event.kind == VisitEventKind.LETTER.value:
        return Reported("letter", str(recorded.get("handling")), event.at, late)
    if event.kind in (VisitEventKind.OUTCOME.value, VisitEventKind.CORRECTION.value) and said:
        return Reported("outcome", str(said), event.at, late)
    return None


def _differ(reported: Sequence[Reported], typed: Sequence[Reported]) -> bool:
    """The last word of each side on the same matter is not the same."""
    said, written = ({one.kind: one.what for one in side} for side in (reported, typed))
    return any(said[kind] != written[kind] for kind in said.keys() & written.keys())
