"""A hint that no sheet shows is not lost: the dispatcher finds it in a list."""

from __future__ import annotations

from uuid import UUID

from field_api.platform.database import transaction
from field_api.queries.withheld_texts import withheld_texts
from field_api.records.base import load
from field_api.records.people import Person
from tests.outcome_world import published_visit


def test_hints_and_aliases_that_speak_of_a_debt_are_listed_with_what_they_hold(agency: UUID) -> None:
    phone = published_visit(agency)
    with transaction(agency) as session:
        assert withheld_texts(session, 10) == []
        person = load(session, Person, phone.sought)
        person.alias = "el que debe $300"
        session.flush()
        [withheld] = withheld_texts(session, 10)
    assert (withheld.which, withheld.text, withheld.terms) == ("alias", "el que debe $300", ("debe", "amount"))
    assert withheld.person_name == person.name
