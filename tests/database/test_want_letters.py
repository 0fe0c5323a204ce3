"""Letters are wanted with the visits: composed once, sealed, or refused with the missing field's name."""

from __future__ import annotations

import json
from uuid import UUID

import pytest
from sqlalchemy import event, select, text

from field_api.domain.confidential import audience
from field_api.domain.disclosure import Audience
from field_api.domain.letters import LetterKind
from field_api.platform.database import db, transaction
from field_api.records.agency import Agency
from field_api.records.visits import Letter, LetterCustody, VisitAccount
from field_api.usecases.want_letters import want_letters
from tests.paper_world import paper_world, stating
from tests.planning_world import NOW, ids

pytestmark = pytest.mark.usefixtures("app")


def _visits(session, count: int = 1, **account) -> list:
    world = paper_world(session)
    creditor = stating(world)
    route = world.route(world.agent())
    made = []
    for position in range(1, count + 1):
        person = world.person(creditor)
        address = world.address(person, postcode="06500", neighbourhood="Juárez", city="Ciudad Inventada")
        made.append(world.visit(route, position, address, person, world.account(person, **account)))
    return made


def _content(letter: Letter) -> dict:
    with audience(Audience.OFFICE_JOB):
        return json.loads(letter.content.reveal(Audience.OFFICE_JOB))


def test_a_letter_is_composed_with_what_the_jurisdiction_requires_and_kept_sealed(agency: UUID) -> None:
    with transaction(agency) as session:
        [visit] = _visits(session, balance_minor=123_456, options="Quita del 10 % este mes")
        [letter] = want_letters(session, [visit.id], NOW)
        session.expire_all()
        said = json.dumps(_content(letter), ensure_ascii=False)
        stored = session.execute(text("SELECT content FROM office.letter")).scalar_one()
        custody = session.scalars(select(LetterCustody.state)).all()
        assert (letter.state, letter.jurisdiction, letter.refusal) == ("wanted", "MX", None)
    for stated in (
        "$1,234.56",
        "Agencia Puerta Norte",
        "Responsable Inventada",
        "quejas@muebleria.example",
        "Quita del 10 %",
    ):
        assert stated in said
    assert b"Puerta" not in stored and b"1,234.56" not in stored
    assert custody == ["wanted"]


def test_wanting_again_creates_nothing_and_gives_the_same_letters(agency: UUID) -> None:
    with transaction(agency) as session:
        visits = _visits(session, 3)
        first = want_letters(session, ids(visits), NOW)
        again = want_letters(session, ids(visits), NOW)
        assert {letter.id for letter in again} == {letter.id for letter in first}
        assert len(session.scalars(select(Letter.id)).all()) == 3
        assert len({letter.serial for letter in first}) == 3


def test_a_letter_that_lacks_a_required_field_is_refused_and_names_it(agency: UUID) -> None:
    with transaction(agency) as session:
        [visit] = _visits(session)
        session.scalars(select(Agency)).one().policy = {}
        [letter] = want_letters(session, [visit.id], NOW)
        assert letter.state == "refused"
        assert letter.refusal.startswith("missing: responsible_persons (CONDUSEF")
        assert _content(letter) == {}


def test_a_creditor_whose_name_looks_like_a_court_gets_no_letter(agency: UUID) -> None:
    with transaction(agency) as session:
        [visit] = _visits(session, options="Acuda al juzgado segundo")
        [letter] = want_letters(session, [visit.id], NOW)
        assert letter.state == "refused" and letter.refusal.startswith("forbidden: settlement")


def test_a_guarantor_is_written_to_as_one(agency: UUID) -> None:
    with transaction(agency) as session:
        [visit] = _visits(session)
        session.scalars(select(VisitAccount)).one().role = "guarantor"
        [letter] = want_letters(session, [visit.id], NOW)
        assert "aval u obligado solidario" in json.dumps(_content(letter), ensure_ascii=False)


def test_another_kind_is_another_letter(agency: UUID) -> None:
    with transaction(agency) as session:
        [visit] = _visits(session)
        [notification] = want_letters(session, [visit.id], NOW)
        [reminder] = want_letters(session, [visit.id], NOW, kind=LetterKind.REMINDER)
        assert notification.id != reminder.id


def test_twelve_visits_take_as_many_statements_as_two(agency: UUID) -> None:
    with transaction(agency) as session:
        wanted = ids(_visits(session, 14))
    assert _statements(agency, wanted[:2]) == _statements(agency, wanted[2:]) <= 10


def _statements(agency: UUID, wanted: list[UUID]) -> int:
    seen: list[str] = []

    def note(*arguments: object) -> None:
        seen.append(str(arguments[2]))

    with transaction(agency) as session:
        session.connection()
        event.listen(db.engine, "before_cursor_execute", note)
        want_letters(session, wanted, NOW)
        event.remove(db.engine, "before_cursor_execute", note)
    return len(seen)
