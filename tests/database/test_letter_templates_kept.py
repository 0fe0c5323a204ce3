"""Creditors' templates in versions that stay, letters that are laid out by them, and letters made again byte for byte."""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from uuid import UUID

import pytest
from pypdf import PdfReader
from sqlalchemy import select, text, update
from sqlalchemy.exc import IntegrityError

from field_api.adapters import typst_worker
from field_api.adapters.pdf_text import read_pages
from field_api.adapters.typst_papers import TypstPapers
from field_api.domain.letter_templates import TemplateState
from field_api.domain.ports import House
from field_api.platform.database import transaction
from field_api.platform.problems import Problem
from field_api.platform.wiring import objects
from field_api.records.letter_templates import LetterHouse, LetterTemplate
from field_api.records.planning import Route
from field_api.records.visits import Letter
from field_api.usecases.add_letter_template import add_letter_template, set_template_state
from field_api.usecases.issue_papers import issue_letters
from field_api.usecases.print_route import print_route
from field_api.usecases.reproduce_letter import reproduce_letter
from field_api.usecases.want_letters import want_letters
from tests.paper_world import paper_world, stating
from tests.planning_world import NOW

pytestmark = pytest.mark.usefixtures("app")
EXAMPLE = Path(typst_worker.TEMPLATES, "examples", "two-columns.typ").read_bytes()
PAPERS = TypstPapers()
KINDS = ["notification"]


@dataclass(frozen=True)
class LaterPapers(TypstPapers):
    """A later release: the house's templates are others by now."""

    def house(self) -> House:
        now = super().house()
        body = json.dumps({**json.loads(now.body), "sources": {"letter.typ": "#panic()"}}).encode()
        return House(sha256(body).hexdigest(), now.typst_version, body)


@pytest.fixture
def kept(agency: UUID):
    """(agency, creditor's id, two visits on one route, the template's first version in use)."""
    with transaction(agency) as session:
        world = paper_world(session)
        creditor = stating(world)
        route = world.route(world.agent())
        visits = []
        for position in (1, 2):
            person = world.person(creditor)
            address, account = world.address(person), world.account(person, 123_456)
            visits.append(world.visit(route, position, address, person, account).id)
        made = add_letter_template(
            session, creditor.id, EXAMPLE, kinds=KINDS, renderer=PAPERS, now=NOW, actor="staff:1"
        )
        set_template_state(session, made.id, TemplateState.ACTIVE, renderer=PAPERS, now=NOW, actor="staff:1")
        return agency, creditor.id, visits, made.id


def _issue(agency: UUID) -> None:
    with transaction(agency) as session:
        wanted = session.scalars(select(Letter).where(Letter.state == "wanted").order_by(Letter.id)).all()
        issue_letters(session, wanted, renderer=PAPERS, objects=objects(), now=NOW)


def test_a_letter_is_laid_out_by_its_creditors_template_and_made_again_years_later(kept) -> None:
    agency, _, visits, template_id = kept
    with transaction(agency) as session:
        want_letters(session, visits, NOW)
    with transaction(agency) as session:  # retired before it is issued: the letter was composed for it
        set_template_state(session, template_id, TemplateState.RETIRED, renderer=PAPERS, now=NOW, actor="system")
    _issue(agency)
    with transaction(agency) as session:
        first, second = session.scalars(select(Letter).order_by(Letter.id)).all()
        assert first.state == "issued", first.refusal
        assert bytes(first.template_sha256 or b"") == sha256(EXAMPLE).digest()
        assert bytes(first.pdf_sha256 or b"") == sha256(objects().get(str(first.object_key))).digest()
        [house] = session.scalars(select(LetterHouse)).all()
        assert bytes(house.sha256) == bytes(first.house_sha256 or b"") == bytes(second.house_sha256 or b"")
        for papers in (PAPERS, LaterPapers()):
            made = reproduce_letter(session, first.serial, renderer=papers, objects=objects())
            assert made.identical and made.reasons == ()
        assert "Mueblería" in "".join(page.readable for page in read_pages(made.pdf)[2:])

        route_id = session.scalars(select(Route.id)).one()
        stack = print_route(session, route_id, renderer=PAPERS, objects=objects(), now=NOW, actor="system").paper
        drawn = PdfReader(BytesIO(stack.pdf)).pages
        assert len(drawn) == stack.pages and stack.pages >= 2 + 2 + 2 * (first.pages or 0)
        assert "Mueblería" in "".join(page.extract_text() for page in drawn), "finished pages are among the others"

        session.execute(update(Letter).where(Letter.id == second.id).values(pdf_sha256=b"x" * 32))
        session.expire_all()
        other = reproduce_letter(session, second.serial, renderer=PAPERS, objects=objects())
        assert not other.identical and other.reasons == ("the PDF in the object store is not the one that was issued",)
        with pytest.raises(Problem, match="not-found"):
            reproduce_letter(session, "AAAAAAAAAAAAA", renderer=PAPERS, objects=objects())


def test_a_letter_whose_template_leaves_out_what_it_must_show_is_not_issued_and_says_which(kept) -> None:
    """One that came in before what is asked of letters grew, or whose blind spot no sample found."""
    agency, creditor_id, visits, _ = kept
    source = EXAMPLE.replace(b"cards(b.rows)", b'cards(b.rows.filter(row => row.first() != "Contrato o cuenta"))')
    assert source != EXAMPLE
    row = {"version": 9, "kinds": KINDS, "languages": ["es"], "state": "active", "source": source.decode()}
    stamps = {"created_at": NOW, "created_by": "system", "state_at": NOW, "state_by": "system"}
    with transaction(agency) as session:
        session.add(LetterTemplate(creditor_id=creditor_id, sha256=sha256(source).digest(), **row, **stamps))
        session.flush()
        want_letters(session, visits[:1], NOW)
    _issue(agency)
    with transaction(agency) as session:
        letter = session.scalars(select(Letter).where(Letter.visit_id == visits[0])).one()
        assert letter.state == "refused"
        assert letter.refusal and letter.refusal.startswith("layout: not-shown (es/"), letter.refusal
        assert letter.refusal.endswith("facts: Contrato o cuenta)")


def test_a_version_is_never_changed_and_the_next_one_takes_its_place(kept) -> None:
    agency, creditor_id, _, first_id = kept
    with transaction(agency) as session, pytest.raises(IntegrityError, match="never changed"), session.begin_nested():
        session.execute(text("UPDATE office.letter_template SET source = source || ' '"))
    with transaction(agency) as session:
        newer = add_letter_template(
            session, creditor_id, EXAMPLE + b"\n", kinds=KINDS, renderer=PAPERS, now=NOW, actor="system"
        )
        assert (newer.version, newer.state) == (2, "draft")
        set_template_state(session, newer.id, TemplateState.ACTIVE, renderer=PAPERS, now=NOW, actor="system")
        first = session.get_one(LetterTemplate, {"agency_id": agency, "id": first_id}, populate_existing=True)
        assert (first.state, first.state_by) == ("retired", "system")
        with pytest.raises(Problem, match="invalid-fields") as refused:
            add_letter_template(
                session, creditor_id, b"#let inner(letter, mark) = letter.nme",
                kinds=KINDS, renderer=PAPERS, now=NOW, actor="system",
            )  # fmt: skip
        assert refused.value.at == "source.1.34"
        assert "template-error" in refused.value.extra["errors"][0]["problem"]
