"""A sheet filled in by hand becomes ordinary operations of its agent: once, corrected where typed otherwise, shown
beside what a phone says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from doorstep.commands import sheet as sheet_command
from field_api.adapters.typst_papers import TypstPapers
from field_api.domain.paper_entry import TypedRow
from field_api.domain.vocabulary import OpKind
from field_api.platform.clock import SetClock
from field_api.platform.database import transaction
from field_api.platform.ids import new_id
from field_api.platform.problems import Problem
from field_api.platform.wiring import objects
from field_api.queries.paper_form import paper_form
from field_api.records.accounts import Hold
from field_api.records.base import load
from field_api.records.changes import Change
from field_api.records.log import LogEntry
from field_api.records.people import ContactCandidate
from field_api.records.planning import Stop
from field_api.records.results import Attempt
from field_api.records.visits import Letter, Visit
from field_api.usecases.enter_paper_sheet import EnteredSheet, RowState, enter_paper_sheet
from field_api.usecases.issue_papers import issue_papers
from field_api.usecases.want_letters import want_letters
from tests.office_client import add_person
from tests.outcome_world import Phone
from tests.paper_world import paper_world, stating
from tests.planning_world import NOW

EVENING = datetime(2026, 11, 19, 1, 0, tzinfo=UTC)  # of the 18th in Mexico City
CLERK = new_id()


class Paper:
    """A printed sheet: two people at the first stop, one at each of two more, with letters."""

    def __init__(self, agency: UUID, *, printed: bool = True) -> None:
        self.agency = agency
        with transaction(agency) as session:
            world = paper_world(session)
            creditor = stating(world)
            route = world.route(world.agent())
            self.route, self.agent = route.id, route.agent_id
            self.visits: list[UUID] = []
            for position, people in ((1, 2), (2, 1), (3, 1)):
                for number in range(people):
                    person = world.person(creditor, name=f"Persona Inventada {position}{number}")
                    place, account = world.address(person), world.account(person)
                    visit = world.visit(route, position, place, person, account)
                    self.visits.append(visit.id)
            # Both people of the first stop are sought at one address.
            first, second = (load(session, Visit, one) for one in self.visits[:2])
            left = second.stop_id
            second.stop_id = first.stop_id
            session.flush()
            session.execute(Stop.__table__.delete().where(Stop.id == left))
            if printed:
                want_letters(session, self.visits, NOW)
            self.plan = route.plan_id
        if printed:
            self.issue()

    def issue(self) -> None:
        with transaction(self.agency) as session:
            issue_papers(session, self.plan, renderer=TypstPapers(), objects=objects(), now=NOW)

    def type(self, now: datetime = EVENING, issue: str | None = None, **typed: TypedRow) -> EnteredSheet:
        given = [(name.removeprefix("row"), row) for name, row in typed.items()]
        return enter_paper_sheet(lambda: transaction(self.agency), self.route, given, issue=issue, by=CLERK, now=now)

    def phone(self, visit: int) -> Phone:
        with transaction(self.agency) as session:
            sought = load(session, Visit, self.visits[visit]).person_id
        return Phone(self.agency, self.agent, self.visits[visit], sought, [])


@pytest.fixture
def paper(agency: UUID) -> Paper:
    return Paper(agency)


@pytest.fixture
def unprinted(agency: UUID) -> Paper:
    """Its rows are those that the route has now."""
    return Paper(agency, printed=False)


def _all(paper: Paper, kind: type) -> list:
    with transaction(paper.agency) as session:
        return list(session.scalars(select(kind).order_by(kind.id)))


def test_rows_become_operations_of_the_agent_once_and_marked_from_paper(paper: Paper) -> None:
    rows_typed = {
        "row1a": TypedRow(time="9:05", box="3"),
        "row1b": TypedRow(
            time="9.20", box="2b", phone="55 1234 5678", email="ana@example.com", note="vuelve por la tarde"
        ),
        "row2": TypedRow(time="11:00", box="1", envelope="12", person="María Inventada", address="Calle Nueva 4"),
        "row3": TypedRow(),
    }
    done = paper.type(**rows_typed)
    assert [row.state for row in done.rows] == [RowState.RECORDED] * 3 + [RowState.BLANK]
    assert not any(row.differs for row in done.rows)
    again = paper.type(**rows_typed, now=EVENING + timedelta(hours=1))
    assert [row.state for row in again.rows] == [RowState.UNCHANGED] * 3 + [RowState.BLANK]
    attempts = _all(paper, Attempt)
    assert [(one.outcome, one.from_paper, one.agent_id, one.right_party) for one in attempts] == [
        ("nobody_there", True, paper.agent, False),
        ("third_party_attended", True, paper.agent, False),
        ("client_located", True, paper.agent, True),
    ]
    assert [one.at.isoformat() for one in attempts] == [
        "2026-11-18T15:05:00+00:00", "2026-11-18T15:20:00+00:00", "2026-11-18T17:00:00+00:00",
    ]  # fmt: skip
    assert all("from-paper" in one.flags and "late" not in one.flags for one in attempts)
    with transaction(paper.agency) as session:
        states = {visit.id: visit.state for visit in session.scalars(select(Visit))}
        letters = {letter.visit_id: letter.state for letter in session.scalars(select(Letter))}
        candidates = session.scalars(select(ContactCandidate).order_by(ContactCandidate.recorded_at)).all()
        told = Counter(session.scalars(select(Change.ref).where(Change.kind == "visit")))
        typed_by = session.scalars(
            select(LogEntry.detail).where(LogEntry.detail["decision"].astext == "paper-row-typed")
        ).all()
    assert [states[visit] for visit in paper.visits] == ["done", "done", "done", "published"]
    assert [letters[visit] for visit in paper.visits] == ["issued", "issued", "handed_over", "issued"]
    assert [(one.kind, one.source) for one in candidates] == [
        ("phone", "spouse"), ("email", "spouse"), ("address", "sought"), ("person", "sought"),
    ]  # fmt: skip
    assert [told[visit] - told[paper.visits[3]] for visit in paper.visits] == [1, 1, 1, 0], (
        "a phone that comes back to life learns that they are done"
    )
    assert {one["by"] for one in typed_by} == {str(CLERK)} and len(typed_by) == 3


def test_typed_otherwise_is_a_correction_and_what_is_added_comes_beside(unprinted: Paper) -> None:
    paper = unprinted
    paper.type(row2=TypedRow(time="11:00", box="8a", phone="55 1234 5678"))
    [corrected] = paper.type(row2=TypedRow(time="11:10", box="3", phone="55 1234 5678")).rows
    assert (corrected.state, [one.kind for one in corrected.operations]) == (RowState.CORRECTED, [OpKind.CORRECTION])
    assert "correction" in corrected.operations[0].effect.flags
    [added] = paper.type(row2=TypedRow(time="11:10", box="3", phone="55 1234 5678", email="ana@example.com")).rows
    assert [one.kind for one in added.operations] == [OpKind.CONTACT]
    [back] = paper.type(row2=TypedRow(time="11:00", box="8a", phone="55 1234 5678", email="ana@example.com")).rows
    assert [one.kind for one in back.operations] == [OpKind.CORRECTION], "typed back is a fact of its own"
    assert [one.outcome for one in _all(paper, Attempt)] == ["unsafe", "nobody_there", "unsafe"]
    assert [one.kind for one in _all(paper, ContactCandidate)] == ["phone", "email"]
    assert {one.kind for one in _all(paper, Hold)} == {"unsafe_place"}, "what stops work stands until somebody lifts it"


def test_what_cannot_be_read_is_named_and_the_other_rows_stand(unprinted: Paper) -> None:
    paper = unprinted
    done = paper.type(
        row1a=TypedRow(time="9:75", box="3 5", letter="z", envelope="14"),
        row2=TypedRow(box="2"),
        row3=TypedRow(time="9:00", box="3"),
        row7=TypedRow(box="3"),
    )
    told = {row.row: [(one.field, one.trouble.value) for one in row.unreadable] for row in done.rows}
    assert told == {
        "1a": [("time", "not-a-time"), ("box", "several-boxes"), ("envelope", "no-such-box")],
        "2": [("letter", "letter-missing")],
        "3": [],
        "7": [("row", "no-such-row")],
    }
    assert [one.outcome for one in _all(paper, Attempt)] == ["nobody_there"]
    assert done.rows[0].typed.box == "3 5", "what was typed is given back to be mended"


def test_what_a_phone_says_otherwise_is_shown_beside(unprinted: Paper) -> None:
    paper = unprinted
    paper.type(row2=TypedRow(time="11:00", box="3", envelope="13"), row3=TypedRow(time="12:00", box="3"))
    for visit, outcome in ((2, "vacant"), (3, "nobody_there")):
        assert "again" in paper.phone(visit).outcome(outcome).flags
    with transaction(paper.agency) as session:
        form = {row.row: row for row in paper_form(session, paper.route).rows}
    assert form["2"].differs and [one.what for one in form["2"].reported] == ["vacant"]
    assert not form["3"].differs and form["3"].reported
    assert form["2"].typed == TypedRow(time="11:00", box="3", envelope="13") and form["1a"].typed is None
    assert {one.outcome for one in _all(paper, Attempt)} == {"nobody_there", "vacant"}, "neither is hidden"


def test_a_paper_of_before_the_visit_was_given_away_is_late_and_nothing_of_it_is_lost(paper: Paper) -> None:
    with transaction(paper.agency) as session:
        [old] = [paper_form(session, paper.route).issue]
        withdrawn = load(session, Visit, paper.visits[3])
        withdrawn.state, withdrawn.stop_id, withdrawn.assignment_version = "withdrawn", None, 2
    paper.issue()
    with transaction(paper.agency) as session:
        fresh = paper_form(session, paper.route)
    assert fresh.issue != old and fresh.issues == (fresh.issue, old)
    assert [row.row for row in fresh.rows] == ["1a", "1b", "2"]
    [named] = paper.type(row3=TypedRow(box="3")).rows
    assert named.unreadable[0].trouble.value == "no-such-row"
    [late] = paper.type(row3=TypedRow(time="9:00", box="3"), issue=old.lower()).rows
    assert late.operations[0].effect.verdict.value == "late"
    with pytest.raises(Problem, match="not-found"):
        paper.type(row3=TypedRow(box="3"), issue="ZZZZZZ")


def test_notes_are_searched_and_hours_are_judged_where_a_time_is_written(unprinted: Paper) -> None:
    paper = unprinted
    done = paper.type(
        row1a=TypedRow(note="dice que no debe nada, saldo 300"),
        row1b=TypedRow(box="3"),
        row2=TypedRow(time="6 am", box="3"),
        row3=TypedRow(time="9:00"),
    )
    flags = {row.row: row.operations[0].effect.flags for row in done.rows}
    assert "debt-words" in flags["1a"] and "time-not-written" in flags["1a"]
    assert "outside-hours" not in flags["1b"] and "outside-hours" in flags["2"]
    assert [row.operations[0].kind for row in done.rows] == [
        OpKind.NOTE,
        OpKind.OUTCOME,
        OpKind.OUTCOME,
        OpKind.ARRIVED,
    ]
    assert done.rows[2].operations[0].effect.flags.count("from-paper") == 1


@pytest.fixture
def terminal(app, agency: UUID, monkeypatch: pytest.MonkeyPatch) -> str:
    """The commands act for the test's agency; returns the sign-in of whoever types."""

    @contextmanager
    def here() -> Iterator[UUID]:
        yield agency

    monkeypatch.setattr(sheet_command, "office_context", here)
    app.extensions["doorstep.clock"] = SetClock(EVENING)
    return add_person(agency, "dispatcher")


def test_a_sheet_is_typed_in_at_a_terminal_and_from_a_file(unprinted: Paper, terminal: str, tmp_path: Path) -> None:
    paper, day = unprinted, ["--date", "2026-11-18"]
    asked = [*day, "--route", "MX-1", "--by", terminal]
    by_hand = CliRunner().invoke(
        sheet_command.sheet, ["enter", *asked], input="9:05 3\n9:20 2\n9:20 2b +\n55 1234 5678\n\n\n\nregresa\n\n-\n"
    )
    assert by_hand.exit_code == 0, by_hand.output
    assert "letter: letter-missing" in by_hand.output and by_hand.output.count("recorded") == 2
    file = tmp_path / "rows.csv"
    written = CliRunner().invoke(sheet_command.sheet, ["rows", *day, "--route", "MX-1", "--out", str(file)])
    assert (
        written.exit_code == 0
        and "'" not in file.read_text()
        and "1b,9:20,2b,,,55 1234 5678,,,,regresa" in file.read_text()
    )
    file.write_text(file.read_text().replace("\n3,,", "\n3,8:00,").replace("\n2,,,", "\n2,25:00,3,"))
    entered = CliRunner().invoke(sheet_command.sheet, ["enter", *asked, "--file", str(file)])
    assert entered.exit_code == 1 and "mend them" in entered.output
    assert entered.output.count("unchanged") == 2 and "time: not-a-time" in entered.output
    assert [one.outcome for one in _all(paper, Attempt)] == ["nobody_there", "third_party_attended"]
    odd = tmp_path / "odd.json"
    odd.write_text('{"rows": [3]}')
    refused = CliRunner().invoke(sheet_command.sheet, ["enter", *asked, "--file", str(odd)])
    assert refused.exit_code == 1 and "names its row" in refused.output
    printed = CliRunner().invoke(sheet_command.sheet, ["print", *day, "--out", str(tmp_path / "all.pdf")])
    assert printed.exit_code == 0 and (tmp_path / "all.pdf").stat().st_mode & 0o777 == 0o600
