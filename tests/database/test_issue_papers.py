"""Papers of a plan: sheets that tell nothing, letters that tell all, printed in route order, custody kept."""

from __future__ import annotations

import re
from datetime import date
from io import BytesIO
from uuid import UUID

import pytest
from pypdf import PdfReader
from sqlalchemy import select, update

from field_api.adapters.typst_papers import TypstPapers
from field_api.domain.debt_words import find_debt_words
from field_api.domain.letters import LetterState
from field_api.domain.vocabulary import LetterHandling, Relation
from field_api.platform.database import transaction
from field_api.platform.ids import new_id
from field_api.platform.problems import Problem
from field_api.platform.wiring import objects
from field_api.records.planning import Agent, Plan
from field_api.records.visits import Letter, LetterCustody, Sheet, Visit
from field_api.usecases.issue_papers import IssuedPapers, issue_papers
from field_api.usecases.print_route import print_route
from field_api.usecases.read_letter import read_letter
from field_api.usecases.take_custody_step import take_custody_step
from field_api.usecases.take_letter_note import take_letter_note
from field_api.usecases.want_letters import want_letters
from tests.paper_world import paper_world, stating
from tests.planning_world import NOW

pytestmark = pytest.mark.usefixtures("app")
PAPERS = TypstPapers()
SECRETS = ("1,234.56", "CT-", "línea blanca", "Mueblería", "Puerta Norte", "quejas@")


def text_of(pdf: bytes) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(BytesIO(pdf)).pages)


@pytest.fixture
def published(agency: UUID) -> tuple[UUID, UUID, UUID]:
    """(agency, plan, route) with three stops in Mexico: S/N with streets between, an alias, a telling hint."""
    with transaction(agency) as session:
        world = paper_world(session)
        creditor = stating(world)
        route = world.route(world.agent())
        places = [
            {"number": None, "between_1": "Río Uno", "between_2": "Río Dos", "hint": "Portón azul"},
            {"number": "17-A", "hint": "preguntar por el adeudo de $500.00"},
            {"number": "SN"},
        ]
        visits = []
        for position, place in enumerate(places, start=1):
            person = world.person(creditor, alias="Lupita" if position == 2 else None)
            address = world.address(person, postcode="06500", neighbourhood="Juárez", **place)
            account = world.account(person, 123_456, reference=f"CT-000{position}")
            visits.append(world.visit(route, position, address, person, account).id)
        want_letters(session, visits, NOW)
        return agency, route.plan_id, route.id


def _issue(agency: UUID, plan_id: UUID) -> IssuedPapers:
    with transaction(agency) as session:
        return issue_papers(session, plan_id, renderer=PAPERS, objects=objects(), now=NOW)


def _print(agency: UUID, route_id: UUID):
    with transaction(agency) as session:
        return print_route(session, route_id, renderer=PAPERS, objects=objects(), now=NOW, actor="system")


def test_a_sheet_shows_whom_to_ask_for_and_where_and_nothing_that_tells_why(published) -> None:
    agency, plan_id, _ = published
    assert _issue(agency, plan_id) == IssuedPapers(sheets=1, letters=3, letters_refused=0)
    with transaction(agency) as session:
        [sheet] = session.scalars(select(Sheet)).all()
        serials = session.scalars(select(Letter.serial)).all()
        pdf = objects().get(sheet.object_key)
    text = text_of(pdf)
    for shown in ("Persona Inventada 1", "S/N", "entre Río Uno y Río Dos", "Portón azul", "17-A", "Lupita", "06500"):
        assert shown in text
    assert "preguntar por" not in text, "a hint that tells of a debt stays off the paper"
    for secret in (*SECRETS, *serials):
        assert secret not in text and secret.encode() not in pdf
    assert find_debt_words(text) == []


def test_papers_are_sealed_in_the_object_store_and_their_names_tell_nothing(published, settings) -> None:
    agency, plan_id, _ = published
    _issue(agency, plan_id)
    files = [path for path in settings.office_objects.rglob("*") if path.is_file()]
    assert len(files) == 5, "a sheet, three letters, and the house's templates by which they were laid out"
    for path in files:
        assert re.fullmatch(r"[0-9a-f]{32}", path.name)
        assert b"%PDF" not in path.read_bytes()


def test_issuing_again_makes_nothing_new(published) -> None:
    agency, plan_id, _ = published
    _issue(agency, plan_id)
    assert _issue(agency, plan_id) == IssuedPapers(0, 0, 0)


def test_a_letter_says_what_its_jurisdiction_requires(published) -> None:
    agency, plan_id, _ = published
    _issue(agency, plan_id)
    with transaction(agency) as session:
        letter = session.scalars(select(Letter).order_by(Letter.id)).first()
        text = text_of(read_letter(session, letter.id, objects=objects(), now=NOW))
        assert (letter.state, letter.pages) == ("issued", 4)
        assert letter.content_sha256 is not None
    for said in ("Agencia Puerta Norte", "Responsable Inventada", "Mueblería Ficticia MX", "CT-000", "$1,234.56"):
        assert said in text
    for said in ("1 de noviembre de 2026", "quejas@muebleria.example", "Los pagos se hacen sólo a", letter.serial):
        assert said in text


def test_a_letter_that_cannot_be_laid_out_is_refused_and_the_others_go_on(published) -> None:
    agency, _, _ = published
    with transaction(agency) as session:
        world = paper_world(session)
        creditor = stating_again(session, world)
        agent = session.scalars(select(Agent)).one()
        route = world.route(agent, day=date(2026, 11, 19))
        visits = []
        for position, name in enumerate(("\U00020005", "Persona Legible"), start=1):
            person = world.person(creditor, name=name)
            visits.append(
                world.visit(
                    route, position, world.address(person), person, world.account(person, reference=f"X{position}")
                ).id
            )
        want_letters(session, visits, NOW)
        made = issue_papers(session, route.plan_id, renderer=PAPERS, objects=objects(), now=NOW)
        assert made == IssuedPapers(sheets=1, letters=1, letters_refused=1)
        refused = session.scalars(select(Letter).where(Letter.state == "refused")).one()
        assert refused.refusal == "layout: missing-glyph" and refused.object_key is None


def stating_again(session, world):
    from field_api.records.agency import Creditor

    creditor = session.scalars(select(Creditor)).one()
    world.creditors["MX"] = creditor
    world.serial = 100
    return creditor


def test_a_route_prints_as_one_stack_in_route_order_and_copies_are_marked(published) -> None:
    agency, plan_id, route_id = published
    _issue(agency, plan_id)
    first, second = _print(agency, route_id), _print(agency, route_id)
    text = text_of(first.paper.pdf)
    assert (first.letters, first.reprints, second.reprints) == (3, 0, 3)
    assert first.file_name == "2026-11-18-MX-1.pdf"
    assert text.index("CT-0001") < text.index("CT-0002") < text.index("CT-0003")
    assert "Copia" not in text and "Copia 2" in text_of(second.paper.pdf)
    with transaction(agency) as session:
        prints = session.scalars(select(LetterCustody.extra).where(LetterCustody.state == "printed")).all()
    assert sorted(extra["print"] for extra in prints) == [1, 1, 1, 2, 2, 2]


def test_a_withdrawn_visits_letter_is_not_printed(published) -> None:
    agency, plan_id, route_id = published
    _issue(agency, plan_id)
    with transaction(agency) as session:
        session.scalars(select(Visit)).first().state = "withdrawn"
    assert _print(agency, route_id).letters == 2


def test_a_letter_whose_content_is_no_longer_what_was_issued_is_not_printed(published) -> None:
    agency, plan_id, route_id = published
    _issue(agency, plan_id)
    with transaction(agency) as session:
        session.scalars(select(Letter)).first().content_sha256 = b"\0" * 32
    with pytest.raises(Problem) as refusal:
        _print(agency, route_id)
    assert refusal.value.code == "conflict"


def _note(agency: UUID, recipient: Relation | None, handling=LetterHandling.HANDED_OVER, op_id=None) -> list[str]:
    with transaction(agency) as session:
        visit = session.scalars(select(Visit).order_by(Visit.id)).first()
        return take_letter_note(
            session,
            visit=visit,
            handling=handling,
            recipient=recipient,
            at=NOW,
            actor="agent:x",
            op_id=op_id or new_id(),
        )


def _state(agency: UUID) -> str:
    with transaction(agency) as session:
        visit = session.scalars(select(Visit).order_by(Visit.id)).first()
        return session.scalars(select(Letter.state).where(Letter.visit_id == visit.id)).one()


@pytest.mark.parametrize("recipient", [Relation.SPOUSE, Relation.CLAIMS_TO_BE_SOUGHT, Relation.NEIGHBOUR, None])
def test_only_a_verified_recipient_makes_a_letter_handed_over(published, recipient) -> None:
    agency, plan_id, _ = published
    _issue(agency, plan_id)
    assert _note(agency, recipient) == ["recipient-not-entitled"]
    assert _state(agency) == "issued"
    assert _note(agency, Relation.SOUGHT) == []
    assert _state(agency) == "handed_over"


def test_the_same_operation_twice_is_one_step_of_custody(published) -> None:
    agency, plan_id, _ = published
    _issue(agency, plan_id)
    op_id = new_id()
    _note(agency, Relation.SOUGHT, op_id=op_id)
    assert _note(agency, Relation.SOUGHT, op_id=op_id) == []
    with transaction(agency) as session:
        assert len(session.scalars(select(LetterCustody).where(LetterCustody.op_id == op_id)).all()) == 1


def test_what_was_handed_over_stays_so_and_a_later_return_is_flagged(published) -> None:
    agency, plan_id, _ = published
    _issue(agency, plan_id)
    _note(agency, Relation.SOUGHT)
    assert _note(agency, None, LetterHandling.NOT_DELIVERED) == ["letter-was-handed_over"]
    assert _state(agency) == "handed_over"


def test_the_office_takes_a_letter_back_and_destroys_it_but_not_twice(published) -> None:
    agency, plan_id, _ = published
    _issue(agency, plan_id)
    with transaction(agency) as session:
        letter_id = session.scalars(select(Letter.id)).first()
        for step in (LetterState.RETURNED, LetterState.DESTROYED):
            take_custody_step(session, letter_id, step, recipient=None, staff_id=new_id(), now=NOW)
        with pytest.raises(Problem) as refusal:
            take_custody_step(session, letter_id, LetterState.DESTROYED, recipient=None, staff_id=new_id(), now=NOW)
    assert refusal.value.code == "conflict"


def test_times_on_the_sheet_are_local(published) -> None:
    agency, plan_id, _ = published
    _issue(agency, plan_id)
    with transaction(agency) as session:
        text = text_of(objects().get(session.scalars(select(Sheet.object_key)).one()))
    assert "10:00–11:00" in text and "21:00" in text and "09:00–17:00" in text


def test_a_draft_has_no_papers_and_so_can_be_replaced(published) -> None:
    agency, plan_id, _ = published
    with transaction(agency) as session:
        session.execute(update(Plan).where(Plan.id == plan_id).values(state="draft"))
    with pytest.raises(Problem) as refused:
        _issue(agency, plan_id)
    assert refused.value.code == "conflict"
