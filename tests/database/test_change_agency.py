"""An agency says who answers for its letters; nothing else of its policy is lost."""

from __future__ import annotations

from uuid import UUID

import pytest
from flask import Flask

from field_api.platform.database import transaction
from field_api.platform.problems import Problem
from field_api.records.agency import Agency
from field_api.usecases.change_agency import change_agency


def test_what_is_given_changes_and_the_rest_stays(app: Flask, agency: UUID) -> None:
    with transaction(agency) as session:
        session.get_one(Agency, agency).policy = {"durability": "backup", "letters": {"logo": "x"}}
    with transaction(agency) as session:
        change_agency(session, phone=" +52 55 5555 0100 ", particulars={"responsible_persons": ["Ines Brimayr"]})
    with transaction(agency) as session:
        row = session.get_one(Agency, agency)
        assert (row.address, row.phone) == ("Calle 1", "+52 55 5555 0100")
        assert row.policy == {"durability": "backup", "letters": {"logo": "x", "responsible_persons": ["Ines Brimayr"]}}


@pytest.mark.parametrize("bad", ["", "  ", "x" * 301, "two\nlines"])
def test_what_no_letter_could_carry_is_refused_by_name(app: Flask, agency: UUID, bad: str) -> None:
    with pytest.raises(Problem) as refused, transaction(agency) as session:
        change_agency(session, particulars={"responsible_persons": [bad]})
    assert (refused.value.code, refused.value.at) == ("invalid-fields", "responsible_persons")
