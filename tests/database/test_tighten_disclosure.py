"""An agency can let less be told than the rule, never more; phones learn of it."""

from __future__ import annotations

from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select

from field_api.domain.disclosure import BadMatrix, Item, Relation, agency_overrides, may_tell
from field_api.platform.database import transaction
from field_api.platform.problems import Problem
from field_api.records.agency import Agency
from field_api.records.changes import Change
from field_api.usecases.tighten_disclosure import tighten_disclosure
from tests.outcome_world import published_visit


def _policy(agency: UUID) -> dict[str, object]:
    with transaction(agency) as session:
        return session.get_one(Agency, agency).policy


def _changes(agency: UUID) -> list[tuple[str, UUID]]:
    with transaction(agency) as session:
        return [tuple(found) for found in session.execute(select(Change.kind, Change.ref).order_by(Change.id))]  # type: ignore[misc]  # two columns


def test_cells_are_set_and_taken_away_and_the_rest_of_the_policy_stays(app: Flask, agency: UUID) -> None:
    with transaction(agency) as session:
        session.get_one(Agency, agency).policy = {"durability": "backup"}
    with transaction(agency) as session:
        tighten_disclosure(session, [("spouse", "agency", "never"), ("neighbour", "name_sought", "never")])
    own = {"spouse": {"agency": "never"}, "neighbour": {"name_sought": "never"}}
    assert _policy(agency) == {"durability": "backup", "disclosure": own}
    assert not may_tell(Relation.GUARD, Item.NAME_SOUGHT, "US", agency=agency_overrides(_policy(agency)))
    with transaction(agency) as session:
        tighten_disclosure(session, [("spouse", "agency", "rule"), ("relative", "agency", "rule")])
    assert _policy(agency) == {"durability": "backup", "disclosure": {"neighbour": {"name_sought": "never"}}}


@pytest.mark.parametrize(
    ("cell", "at"),
    [
        (("spouse", "balance", "verified"), "disclosure.spouse.balance"),
        (("spouse", "agency", "yes"), "disclosure.spouse.agency"),
        (("wife", "agency", "never"), "disclosure.wife.agency"),
        (("spouse", "sum", "never"), "disclosure.spouse.sum"),
        (("spouse", "agency", "no"), "disclosure.spouse.agency"),
    ],
)
def test_what_would_tell_more_is_refused_by_cell_and_nothing_is_changed(
    app: Flask, agency: UUID, cell: tuple[str, str, str], at: str
) -> None:
    with pytest.raises(Problem) as refused, transaction(agency) as session:
        tighten_disclosure(session, [("relative", "agency", "never"), cell])
    assert (refused.value.code, refused.value.at) == ("invalid-fields", at)
    assert "disclosure" not in _policy(agency)


def test_a_policy_loosened_by_hand_stops_whoever_reads_it(app: Flask, agency: UUID) -> None:
    with transaction(agency) as session:
        session.get_one(Agency, agency).policy = {"disclosure": {"spouse": {"balance": "yes"}}}
    with pytest.raises(BadMatrix, match=r"disclosure\.spouse\.balance"):
        agency_overrides(_policy(agency))
    with pytest.raises(Problem, match="invalid-fields"), transaction(agency) as session:
        tighten_disclosure(session, [("spouse", "agency", "never")])


def test_a_cell_that_became_too_loose_can_be_taken_away(app: Flask, agency: UUID) -> None:
    with transaction(agency) as session:
        cells = {"spouse": {"balance": "yes"}, "wife": {"agency": "never"}, "relative": {"agency": "never"}}
        session.get_one(Agency, agency).policy = {"disclosure": cells}
    with transaction(agency) as session:
        tighten_disclosure(session, [("spouse", "balance", "rule"), ("wife", "agency", "rule")])
    assert _policy(agency) == {"disclosure": {"relative": {"agency": "never"}}}


@pytest.mark.parametrize("said", ["never", {"spouse": "never"}, {"spouse": ["agency"]}])
def test_what_is_no_table_is_refused_by_name(app: Flask, agency: UUID, said: object) -> None:
    with transaction(agency) as session:
        session.get_one(Agency, agency).policy = {"disclosure": said}
    with pytest.raises(Problem, match="invalid-fields"), transaction(agency) as session:
        tighten_disclosure(session, [("spouse", "agency", "never")])


def test_visits_that_are_out_are_sealed_anew_once(app: Flask, agency: UUID) -> None:
    phone = published_visit(agency)
    before = len(_changes(agency))
    with transaction(agency) as session:
        tighten_disclosure(session, [("spouse", "agency", "never")])
    assert _changes(agency)[before:] == [("visit", phone.visit_id)]
    with transaction(agency) as session:
        tighten_disclosure(session, [("spouse", "agency", "never")])
    assert len(_changes(agency)) == before + 1
