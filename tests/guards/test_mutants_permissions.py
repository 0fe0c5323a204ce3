"""One role too many, or one too few, in one row of the permission table: the start-up or a test says so (docs/checks.md)."""

from __future__ import annotations

import pytest

from field_api.domain.disclosure import Audience
from field_api.domain.roles import StaffRole
from field_api.http.guard import Route, routes
from field_api.http.permits import AUDIENCE_OF, PERMISSIONS
from tests.declared_routes import office_without_a_database, row_faults, start_faults
from tests.guards.mutant_counts import documented


@pytest.fixture(scope="module")
def declared(tmp_path_factory: pytest.TempPathFactory) -> list[Route]:
    return list(routes(office_without_a_database(tmp_path_factory.mktemp("mutants"))))


def rows(*, wider: bool) -> list[tuple[str, frozenset[StaffRole]]]:
    """Each row with one role more, or with one less."""
    return [
        (name, held ^ {role}) for name, held in PERMISSIONS.items() for role in StaffRole if (role not in held) is wider
    ]


@pytest.mark.parametrize("group", ["permissions: a role more", "permissions: a role less"])
def test_every_change_of_a_row_is_noticed(declared: list[Route], monkeypatch: pytest.MonkeyPatch, group: str) -> None:
    mutants = rows(wider=group.endswith("more"))
    noticed = {"start": 0, "test": 0}
    survived = []
    for name, roles in mutants:
        with monkeypatch.context() as patch:
            patch.setitem(PERMISSIONS, name, roles)
            if any(start_faults(declared)):
                noticed["start"] += 1
            elif row_faults(declared):
                noticed["test"] += 1
            else:
                survived.append((name, sorted(roles)))
    assert survived == []
    assert [*start_faults(declared), *row_faults(declared)] == []
    assert [len(mutants), *noticed.values()] == documented(group), "docs/checks.md says otherwise"


def test_every_change_of_a_roles_audience_is_noticed(declared: list[Route], monkeypatch: pytest.MonkeyPatch) -> None:
    mutants = [(role, audience) for role in StaffRole for audience in Audience if audience is not AUDIENCE_OF[role]]
    survived = []
    for role, audience in mutants:
        with monkeypatch.context() as patch:
            patch.setitem(AUDIENCE_OF, role, audience)
            if not any(start_faults(declared)):
                survived.append((role, audience))
    assert survived == []
    assert [len(mutants), len(mutants), 0] == documented("permissions: audience of a role")
