"""One word of one route's declaration is changed: the start-up refuses it, or the table of routes does (docs/checks.md)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from field_api.domain.disclosure import Audience
from field_api.http.guard import Route, routes
from field_api.http.permits import PERMISSIONS, Declaration
from tests.declared_routes import office_without_a_database, start_faults, table_faults
from tests.guards.mutant_counts import documented

Change = Callable[[Declaration], Iterator[Declaration]]


def audience_less(declaration: Declaration) -> Iterator[Declaration]:
    """None at all, and each one missing; a route with one audience has one mutant."""
    yield replace(declaration, audiences=frozenset())
    if len(declaration.audiences) > 1:
        for audience in declaration.audiences:
            yield replace(declaration, audiences=declaration.audiences - {audience})


def audience_more(declaration: Declaration) -> Iterator[Declaration]:
    for audience in set(Audience) - declaration.audiences:
        yield replace(declaration, audiences=declaration.audiences | {audience})


def permission_gone(declaration: Declaration) -> Iterator[Declaration]:
    """No sign-in any more: forgotten, or open to all; with the audience of such a route, too."""
    if declaration.permission is not None:
        yield replace(declaration, permission=None)
        yield replace(declaration, permission=None, open_to_all=True)
        yield replace(declaration, permission=None, open_to_all=True, audiences=frozenset({Audience.MACHINE}))


def permission_exchanged(declaration: Declaration) -> Iterator[Declaration]:
    for other in set(PERMISSIONS) - {declaration.permission}:
        yield replace(declaration, permission=other)


def permission_and_audiences(declaration: Declaration) -> Iterator[Declaration]:
    """Another permission with just the audiences that it admits: the start-up finds nothing to say about those."""
    for other in set(PERMISSIONS) - {declaration.permission}:
        mutant = replace(declaration, permission=other, open_to_all=False)
        if mutant.admitted != declaration.audiences:
            yield replace(mutant, audiences=mutant.admitted)


def opened(declaration: Declaration) -> Iterator[Declaration]:
    yield replace(declaration, open_to_all=not declaration.open_to_all)


def bound(declaration: Declaration) -> Iterator[Declaration]:
    """A controller's bound forgotten, or promised where nobody keeps it, also with the audience that goes with it."""
    mutant = replace(declaration, by_creditor=not declaration.by_creditor)
    yield mutant
    if mutant.admitted != declaration.audiences:
        yield replace(mutant, audiences=mutant.admitted)


def stored(declaration: Declaration) -> Iterator[Declaration]:
    yield replace(declaration, replay=not declaration.replay)


GROUPS: dict[str, Change] = {
    "views: an audience less": audience_less,
    "views: an audience more": audience_more,
    "views: no permission": permission_gone,
    "views: another permission": permission_exchanged,
    "views: another permission and its audiences": permission_and_audiences,
    "views: open to all, or not": opened,
    "views: bounded to a creditor, or not": bound,
    "views: answer stored, or not": stored,
}


@pytest.fixture(scope="module")
def declared(tmp_path_factory: pytest.TempPathFactory) -> list[Route]:
    return list(routes(office_without_a_database(tmp_path_factory.mktemp("mutants"))))


@pytest.mark.parametrize("group", GROUPS)
def test_every_change_of_a_declaration_is_noticed(declared: list[Route], group: str) -> None:
    """By the start-up where it can know; the routes' table must notice each one, whatever the start-up says."""
    mutants = [
        replace(route, declaration=changed) for route in declared for changed in GROUPS[group](route.declaration)
    ]
    at_the_start = sum(any(start_faults([mutant])) for mutant in mutants)
    assert [mutant for mutant in mutants if not found_by_the_table(mutant)] == []
    assert table_faults(declared) == []
    assert [len(mutants), at_the_start, len(mutants) - at_the_start] == documented(group), (
        "docs/checks.md says otherwise"
    )


def found_by_the_table(mutant: Route) -> bool:
    return any(fault.startswith("not in routes.txt") for fault in table_faults([mutant]))
