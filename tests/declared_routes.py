"""What every route of the office declares, held against tests/data/routes.txt; what every row of permissions is for.

The start-up compares a route's audiences with those whom its permission lets in; it cannot know which of two
permissions for the same people was meant, nor that a route for everybody should be for a few. The table can.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from flask import Flask

from field_api.domain.roles import StaffRole
from field_api.http.guard import Route, faults
from field_api.http.permits import PERMISSIONS

TABLE = Path(__file__).parent / "data" / "routes.txt"

WITHOUT_A_ROUTE = {
    "disputes.write": {"manager"},
    "exports.read": {"manager", "controller", "integrator"},
    "imports.read": {"manager", "controller", "integrator"},
    "reports.read": {"manager", "controller", "integrator"},
}
"""Rows that no route asks for yet. Take a line away with the first route that does."""


def row_of(route: Route) -> str:
    """The route's line of the table: `GET /path | permission | audiences | marks`, where it has marks."""
    declaration = route.declaration
    marks = {
        "open": declaration.open_to_all,
        "bounded": declaration.by_creditor,
        "not stored": not declaration.replay,
    }
    cells = (
        f"{route.method} {route.path}",
        declaration.permission or "-",
        " ".join(sorted(audience.value for audience in declaration.audiences)),
        ", ".join(name for name, holds in marks.items() if holds),
    )
    return " | ".join(cells).rstrip(" |")


def table_faults(found: Iterable[Route]) -> list[str]:
    """Routes that declare something else than the table says, and lines of the table without a route."""
    table = {line for line in TABLE.read_text(encoding="utf-8").splitlines() if not line.startswith("#")}
    rows = {row_of(route) for route in found}
    return sorted(f"not in routes.txt: {row}" for row in rows - table) + sorted(
        f"no such route: {line}" for line in table - rows
    )


def start_faults(found: Iterable[Route]) -> Iterator[str]:
    """Why the office would refuse to start (field_api.http.guard.check_routes)."""
    for route in found:
        for wrong in faults(route):
            yield f"{route.method} {route.path}: {wrong}"


def row_faults(found: Iterable[Route]) -> list[str]:
    """Rows of PERMISSIONS that nothing holds: neither the audiences of a route that asks for them nor the list above."""
    declarations = [route.declaration for route in found]
    asked = {declaration.permission for declaration in declarations} - {None}
    bounded = {declaration.permission for declaration in declarations if declaration.by_creditor}
    controllers = {name for name, roles in PERMISSIONS.items() if StaffRole.CONTROLLER in roles}
    unasked = {name: {role.value for role in PERMISSIONS[name]} for name in set(PERMISSIONS) - asked}
    return [
        *(f"{name}: controllers without a bound" for name in controllers - set(WITHOUT_A_ROUTE) - bounded),
        *(f"{name}: bounded, but not for controllers" for name in bounded - controllers),
        *(f"{name}: no route asks for it" for name in set(unasked) - set(WITHOUT_A_ROUTE)),
        *(f"{name}: not for {sorted(roles)}" for name, roles in WITHOUT_A_ROUTE.items() if unasked.get(name) != roles),
    ]


def office_without_a_database(home: Path) -> Flask:
    """The office as it starts, which asks its database nothing."""
    from doorstep.app import office_app
    from field_api.platform.settings import Settings

    nowhere = "postgresql+psycopg://nobody@127.0.0.1:1/nothing"
    return office_app(Settings(home, nowhere, "http://door.test", "http://office.test"))
