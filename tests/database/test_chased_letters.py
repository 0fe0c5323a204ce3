"""Letters after the printer: what is printed twice, what lies in the wrong stack, what never came back."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from io import BytesIO
from uuid import UUID

import pikepdf
import pytest
from pypdf import PdfReader
from sqlalchemy import select, text, update
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Session

from field_api.adapters.typst_papers import TypstPapers
from field_api.domain.letter_custody import Chased
from field_api.domain.letters import LetterState
from field_api.domain.ports import Paper, PaperFailed
from field_api.domain.vocabulary import LetterHandling, Relation
from field_api.platform.database import transaction
from field_api.platform.ids import new_id
from field_api.platform.problems import Problem
from field_api.platform.wiring import objects
from field_api.queries.chased_letters import (
    KEYS,
    ChasedLetter,
    chase_counts,
    chased,
    chased_letter,
    refused_by_creditor,
)
from field_api.records.base import load
from field_api.records.visits import Letter, LetterCustody, Visit
from field_api.usecases.hand_in_letters import HandedIn, hand_in_letters
from field_api.usecases.issue_papers import issue_papers
from field_api.usecases.move_letter import move_letter
from field_api.usecases.print_letter import print_letter
from field_api.usecases.print_route import PrintedRoute, print_day, print_route
from field_api.usecases.reassign_visit import reassign_visit
from field_api.usecases.take_custody_step import take_custody_step
from field_api.usecases.take_letter_note import take_letter_note
from field_api.usecases.want_letters import want_letters
from field_api.usecases.withdraw_visit import withdraw_visit
from tests.paper_world import paper_world, stating
from tests.planning_world import NOW, PARTS, WEDNESDAY, statements, wait_for_waiters

pytestmark = pytest.mark.usefixtures("app")
PAPERS = TypstPapers()
THURSDAY = NOW + timedelta(days=2)


class Day:
    """Two agents' routes of Wednesday: three stops for MX-1, one for MX-2. Letters by their places on them."""

    def __init__(self, agency: UUID) -> None:
        self.agency = agency
        with transaction(agency) as session:
            world = paper_world(session)
            creditor = stating(world)
            first = world.agent("MX-1")
            route = world.route(first)
            beside = world.route_beside(route, world.agent("MX-2").id)
            self.plan_id, self.routes = route.plan_id, [route.id, beside.id]
            self.agents = [first.id, beside.agent_id]
            self.visits = []
            for on, stop in ((route, 1), (route, 2), (route, 3), (beside, 1)):
                person = world.person(creditor)
                visit = world.visit(on, stop, world.address(person), person, world.account(person, 123_456))
                self.visits.append(visit.id)
            want_letters(session, self.visits, NOW)
        self.issue()

    def issue(self) -> None:
        with transaction(self.agency) as session:
            issue_papers(session, self.plan_id, renderer=PAPERS, objects=objects(), now=NOW)

    def print(self, route: int = 0, **how: bool) -> PrintedRoute:
        with transaction(self.agency) as session:
            return print_route(
                session, self.routes[route], renderer=PAPERS, objects=objects(), now=NOW, actor="staff:one", **how
            )

    def letter(self, visit: int) -> Letter:
        with transaction(self.agency) as session:
            query = select(Letter).where(Letter.visit_id == self.visits[visit], Letter.superseded_at.is_(None))
            return session.scalars(query).one()

    def print_one(self, visit: int, reason: str = "", letter_id: UUID | None = None):
        with transaction(self.agency) as session:
            ask = {"renderer": PAPERS, "objects": objects(), "now": NOW, "actor": "staff:two"}
            return print_letter(session, letter_id or self.letter(visit).id, reason=reason, **ask)

    def step(self, letter: Letter, to: LetterState) -> None:
        with transaction(self.agency) as session:
            take_custody_step(session, letter.id, to, recipient=None, staff_id=None, now=NOW)

    def told(self, visit: int, handling: LetterHandling, recipient: Relation | None = None) -> list[str]:
        with transaction(self.agency) as session:
            told = {"handling": handling, "recipient": recipient, "at": NOW, "actor": "agent:x", "op_id": new_id()}
            return take_letter_note(session, visit=load(session, Visit, self.visits[visit]), **told)

    def chase(self, why: Chased, now=NOW) -> list[ChasedLetter]:
        with transaction(self.agency) as session:
            rows = session.execute(chased(why, now).order_by(*KEYS[why])).all()
            assert chase_counts(session, now)[why] == len(rows)
            return [chased_letter(why, row) for row in rows]

    def hand_in(self, *serials: str, agent: int = 0):
        with transaction(self.agency) as session:
            return hand_in_letters(session, self.agents[agent], WEDNESDAY, serials, now=THURSDAY, actor="staff:one")


@pytest.fixture
def day(agency: UUID) -> Day:
    return Day(agency)


def refusal(of) -> tuple[str, str | None]:
    with pytest.raises(Problem) as refused:
        of()
    return refused.value.code, refused.value.at


def text_of(paper: Paper) -> list[str]:
    return [page.extract_text() for page in PdfReader(BytesIO(paper.pdf)).pages]


def test_letters_of_withdrawn_and_moved_visits_are_pulled_and_what_is_never_handed_in_is_chased(day: Day) -> None:
    waits = day.chase(Chased.UNPRINTED)
    assert [(one.agent_code, one.stop, one.to_do) for one in waits] == [
        ("MX-1", 1, "print"), ("MX-1", 2, "print"), ("MX-1", 3, "print"), ("MX-2", 1, "print"),
    ]  # fmt: skip
    assert day.chase(Chased.UNPRINTED, NOW - timedelta(days=1)) == [], "the day after tomorrow comes later"
    assert (day.print().letters, day.print(1).letters) == (3, 1)
    assert day.chase(Chased.UNPRINTED) == day.chase(Chased.PULL) == []

    withdrawn, moved = day.letter(1), day.letter(2)
    with transaction(day.agency) as session:
        withdraw_visit(session, day.visits[1], reason="dispatcher", now=NOW, by=None)
        reassign_visit(session, day.visits[2], day.agents[1], parts=PARTS, now=NOW, by=None)
    pulled = day.chase(Chased.PULL)
    assert [(one.serial, one.agent_code, one.on, one.stop, one.to_do) for one in pulled] == [
        (withdrawn.serial, "MX-1", WEDNESDAY, 2, "destroy"), (moved.serial, "MX-1", WEDNESDAY, 3, "destroy"),
    ]  # fmt: skip
    assert [(one.agent_code, one.stop) for one in day.chase(Chased.UNPRINTED)] == [("MX-2", 2)], "another agent's name"
    day.issue()
    again = day.print(1, unprinted=True)
    assert (again.letters, again.reprints) == (1, 0), "the rest of the stack is printed already"

    day.step(withdrawn, LetterState.PULLED)
    assert [one.serial for one in day.chase(Chased.PULL)] == [moved.serial]
    assert [(one.serial, one.to_do) for one in day.chase(Chased.IN_OFFICE)] == [(withdrawn.serial, "decide")]
    day.step(withdrawn, LetterState.DESTROYED)
    day.step(moved, LetterState.DESTROYED)

    day.told(0, LetterHandling.NOT_DELIVERED)
    assert day.chase(Chased.IN_OFFICE) == day.chase(Chased.OUTSTANDING) == [], (
        "it is on its way, and the day is not over"
    )
    evening = NOW + timedelta(days=1, hours=13)  # Thursday in Greenwich, Wednesday evening there
    assert day.chase(Chased.OUTSTANDING, evening) == []
    out = day.chase(Chased.OUTSTANDING, THURSDAY)
    assert sorted((one.agent_code, one.stop, one.state, one.to_do) for one in out) == [
        ("MX-1", 1, "returned", "fetch"), ("MX-2", 1, "printed", "fetch"), ("MX-2", 2, "printed", "fetch"),
    ]  # fmt: skip


def test_what_an_agent_hands_in_is_back_and_what_is_missing_has_a_name(day: Day) -> None:
    day.print()
    day.print(1)
    first, second, third, other = (day.letter(visit) for visit in range(4))
    day.told(0, LetterHandling.NOT_DELIVERED)
    day.told(1, LetterHandling.HANDED_OVER, Relation.SOUGHT)
    expected = day.hand_in()
    assert [(one.serial, one.stop) for one in expected.missing] == [(first.serial, 1), (third.serial, 3)]
    typed = f"{first.serial[:4]}-{first.serial[4:].lower()}"
    done = day.hand_in(typed, "0000000000000", second.serial, other.serial)
    assert [line.result for line in done.lines] == [
        HandedIn.RETURNED, HandedIn.UNKNOWN, HandedIn.NOT_POSSIBLE, HandedIn.OF_ANOTHER,
    ]  # fmt: skip
    assert [(one.serial, one.name, one.state) for one in done.missing] == [
        (third.serial, "Persona Inventada 7", "printed")
    ]
    assert day.hand_in(first.serial).lines[0].result is HandedIn.TWICE
    back = day.chase(Chased.IN_OFFICE)
    assert {one.serial for one in back} == {first.serial, other.serial}
    day.step(third, LetterState.LOST)
    assert [one.serial for one in day.chase(Chased.LOST)] == [third.serial] and day.hand_in().missing == []
    assert day.hand_in(third.serial).lines[0].result is HandedIn.RETURNED, "it turned up"
    with transaction(day.agency) as session:
        story = session.scalars(
            select(LetterCustody)
            .where(LetterCustody.letter_id == first.id)
            .order_by(LetterCustody.at, LetterCustody.id)
        ).all()
        flagged = session.scalars(select(LetterCustody).where(LetterCustody.letter_id == second.id)).all()
    assert [(row.state, row.actor) for row in story] == [
        ("wanted", "system"), ("issued", "system"), ("printed", "staff:one"), ("returned", "agent:x"),
        ("returned", "staff:one"),
    ]  # fmt: skip
    assert [row.extra["flag"] for row in flagged if "flag" in row.extra] == ["letter-was-handed_over"]
    assert day.letter(1).state == "handed_over"


def test_a_single_letter_is_printed_with_a_reason_and_only_while_it_may_still_go_out(day: Day) -> None:
    assert day.print_one(0).number == 1, "the first paper needs none"
    assert refusal(lambda: day.print_one(0)) == ("invalid-fields", "reason")
    copy = day.print_one(0, "  the printer tore it ")
    assert copy.number == 2 and any("Copia 2" in page for page in text_of(copy.paper))
    with transaction(day.agency) as session:
        prints = select(LetterCustody).where(LetterCustody.state == "printed").order_by(LetterCustody.id)
        told = [(row.actor, row.extra["print"], row.extra.get("reason")) for row in session.scalars(prints)]
    assert told == [("staff:two", 1, None), ("staff:two", 2, "the printer tore it")]
    stack = day.print()
    assert (stack.letters, stack.reprints) == (3, 1)
    day.told(0, LetterHandling.HANDED_OVER, Relation.SOUGHT)
    day.step(day.letter(1), LetterState.DESTROYED)
    old = day.letter(2)
    with transaction(day.agency) as session:
        reassign_visit(session, day.visits[2], day.agents[1], parts=PARTS, now=NOW, by=None)
    for why in (lambda: day.print_one(0, "x"), lambda: day.print_one(1, "x")):
        assert refusal(why)[0] == "conflict"
    assert refusal(lambda: day.print_one(2, "x", old.id))[0] == "conflict", "superseded"
    assert refusal(lambda: day.print_one(2, "x"))[0] == "conflict", "not issued yet"
    with transaction(day.agency) as session:
        withdraw_visit(session, day.visits[3], reason="dispatcher", now=NOW, by=None)
    assert refusal(lambda: day.print_one(3))[0] == "conflict", "withdrawn"
    with transaction(day.agency) as session:
        assert session.scalars(select(Letter.state).where(Letter.visit_id == day.visits[3])).one() == "issued"


def test_a_paper_that_was_printed_for_no_stack_is_to_be_posted_or_destroyed(day: Day) -> None:
    day.print()
    with transaction(day.agency) as session:
        session.execute(update(Visit).where(Visit.id.in_(day.visits[:2])).values(state="done"))
    for visit in (0, 1):
        day.step(day.letter(visit), LetterState.RETURNED)
        day.print_one(visit, "torn at the door")
    old = day.letter(1)
    with transaction(day.agency) as session:
        session.execute(update(Letter).where(Letter.id == old.id).values(superseded_at=NOW))
    found = {one.id: (one.state, one.to_do) for one in day.chase(Chased.TO_POST)}
    assert found == {day.letter(0).id: ("printed", "post"), old.id: ("printed", "destroy")}


def test_a_letter_that_came_back_goes_into_its_stack_again_without_a_new_paper(day: Day) -> None:
    day.print()
    letter = day.letter(0)

    def move() -> None:
        with transaction(day.agency) as session:
            move_letter(session, letter.id, now=NOW, actor="staff:one")

    assert refusal(move) == ("already-done", None)
    day.step(letter, LetterState.PULLED)
    stack = day.print()
    assert (stack.letters, stack.elsewhere) == (2, 1), "what was pulled is put back, not printed twice"
    move()
    assert (day.letter(0).state, day.letter(0).stack_stop) == ("printed", 1)
    assert day.print().elsewhere == 0
    assert refusal(lambda: day.step(day.letter(3), LetterState.PULLED))[0] == "conflict", "never printed"


def test_two_who_print_at_once_make_one_first_paper_and_one_copy(day: Day, app) -> None:
    def print_too() -> PrintedRoute:
        with app.app_context():
            return day.print()

    with ThreadPoolExecutor(1) as other, transaction(day.agency) as session:
        first = print_route(
            session, day.routes[0], renderer=PAPERS, objects=objects(), now=NOW, actor="staff:one"
        )  # not committed yet
        second = other.submit(print_too)
        wait_for_waiters(1)
        assert not any("Copia" in page for page in text_of(first.paper))
        session.commit()
        done = second.result(timeout=60)
    assert (first.reprints, done.letters, done.reprints) == (0, 3, 3)
    assert sum("Copia 2" in page for page in text_of(done.paper)) >= 3, "what it had laid out first was thrown away"


def test_a_days_stacks_are_one_file_that_parts_on_both_sides_and_keeps_its_structure(day: Day) -> None:
    with transaction(day.agency) as session, statements() as seen:
        made = print_day(session, day.routes, renderer=PAPERS, objects=objects(), now=NOW, actor="staff:one")
    assert len(seen) <= 2 * 18, "for two routes, whatever their letters"
    assert (made.file_name, made.routes, made.letters, made.reprints) == ("2026-11-18.pdf", 2, 4, 0)
    pages = text_of(made.paper)
    assert len(pages) == made.paper.pages and len(pages) % 2 == 0
    serials = [day.letter(visit).serial for visit in range(4)]
    begins = [next(i for i, page in enumerate(pages) if serial in page) for serial in serials]
    separators = [i for i, page in enumerate(pages) if "Para la oficina" in page]
    assert begins == sorted(begins) and separators[0] < begins[0] < begins[2] < separators[1] < begins[3]
    assert all(place % 2 == 0 for place in (*begins, *separators)), "each on a front side"
    for place in separators:
        assert "MX-" in pages[place] and not pages[place + 1].strip()
        assert not any(secret in pages[place] for secret in (*serials, "Persona", "CT-", "Mueblería"))
    with pikepdf.open(BytesIO(made.paper.pdf)) as pdf:
        assert pdf.check_pdf_syntax() == []
        tree = pdf.Root.StructTreeRoot
        assert [str(part.S) for part in tree.K[0].K] == ["/Part", "/Part"]
        rows = dict(zip(*[iter(tree.ParentTree.Nums)] * 2, strict=True))
        marked = [page for page in pdf.pages if "/StructParents" in page.obj]
        assert len(marked) > 10
        for page in marked:
            for element in rows[page.obj.StructParents]:
                assert "/Pg" not in element or element.Pg.objgen == page.obj.objgen
        names = [str(name) for name in list(tree.IDTree.Names)[::2]]
        heads = [str(element.ID) for element in list(tree.IDTree.Names)[1::2]]
        assert names == heads == sorted(set(names)) and len(names) > 4, "heads of tables, each known once"
        assert str(pdf.open_metadata()["dc:title"]) == "2026-11-18"
    with pytest.raises(PaperFailed, match="part 1"):
        PAPERS.joined([Paper(b"%PDF-1.7 of somebody else", 1)])
    again = day.print(1)
    assert again.reprints == 1, "the day's file noted each letter"


@pytest.mark.parametrize("many", [20_000, pytest.param(100_000, marks=pytest.mark.prove)])
def test_lists_read_what_they_show_among_many_letters(day: Day, many: int) -> None:
    """Years of letters that were handed over, a few of every kind that is chased."""
    day.print()
    with transaction(day.agency) as session:
        _insert(session, day, many)
        session.execute(update(Visit).values(published_at=NOW))
        session.execute(text("ANALYZE office.letter, office.letter_custody, office.visit"))
    for why, now, index in (
        (Chased.PULL, NOW, "ix_letter_stack"),
        (Chased.OUTSTANDING, THURSDAY, "ix_letter_stack"),
        (Chased.IN_OFFICE, NOW, "ix_letter_in_office"),
        (Chased.TO_POST, NOW, None),
        (Chased.REFUSED, NOW, None),
        (Chased.LOST, NOW, None),
        (Chased.UNPRINTED, NOW, None),
    ):
        with transaction(day.agency) as session:
            scans = _scans(session, chased(why, now).order_by(*KEYS[why]).limit(51))
        assert scans and all(used for used, _ in scans), (why, scans)
        assert index in (None, *(used for used, _ in scans)), (why, scans)
        assert sum(touched for _, touched in scans) <= 300, (why, scans)
    with transaction(day.agency) as session, statements() as seen:
        assert chase_counts(session, NOW)[Chased.IN_OFFICE] == 40
        [refused] = refused_by_creditor(session, NOW)
    assert (refused.refusal, refused.count, len(seen)) == ("missing: responsible_persons (CONDUSEF)", 40, 3)


def _insert(session: Session, day: Day, many: int) -> None:
    letter = day.letter(0)
    values = {"agency": day.agency, "visit": letter.visit_id, "account": letter.account_id, "person": letter.person_id}
    session.execute(
        text("""
            INSERT INTO office.letter (agency_id, id, visit_id, account_id, person_id, kind, language, jurisdiction,
                serial, state, refusal, content, superseded_at)
            SELECT :agency, CAST(lpad(to_hex(n), 32, '0') AS uuid), :visit, :account, :person,
                CASE WHEN n > :many - 120 THEN 'reminder ' || n WHEN n % 3 = 0 THEN 'dispute_acknowledgement' ELSE 'reminder' END, 'es', 'MX',
                'T' || lpad(n::text, 12, '0'),
                CASE WHEN n > :many - 40 THEN 'returned' WHEN n > :many - 80 THEN 'lost' WHEN n > :many - 120 THEN
                    'refused' WHEN n % 2 = 0 THEN 'handed_over' ELSE 'destroyed' END,
                CASE WHEN n BETWEEN :many - 119 AND :many - 80 THEN 'missing: responsible_persons (CONDUSEF)' END,
                (SELECT content FROM office.letter WHERE agency_id = :agency LIMIT 1),
                CASE WHEN n BETWEEN :many - 119 AND :many - 80 THEN NULL ELSE now() END
            FROM generate_series(1, :many) n
        """),
        {**values, "many": many},
    )


def _indexes(node) -> list[str]:
    """Of a scan: its own, or those that its bitmap is put together from."""
    own = [node["Index Name"]] if "Index Name" in node else []
    return [*own, *(name for inner in node.get("Plans", ()) for name in _indexes(inner))]


def _scans(session: Session, statement) -> list[tuple[str | None, int]]:
    """Each scan of letters: its index, and the rows that it looked at."""
    compiled = statement.compile(dialect=postgresql.dialect(), compile_kwargs={"literal_binds": True})
    plan = session.scalar(text("EXPLAIN (ANALYZE, FORMAT JSON) " + str(compiled).replace(":", r"\:")))
    found: list[tuple[str | None, int]] = []

    def walk(node) -> None:
        if node.get("Relation Name") == "letter":
            index = next(iter(_indexes(node)), None)
            rows = (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"]
            found.append((index, int(rows)))
        for inner in node.get("Plans", ()):
            walk(inner)

    walk((plan if isinstance(plan, list) else json.loads(plan))[0]["Plan"])
    return found
