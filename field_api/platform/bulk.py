"""Many rows in one statement: INSERT or UPDATE from unnested arrays, through the columns' own types.

One array per column instead of one parameter per cell: the statement is the same for 10 rows and for 1,000, and secret
columns are sealed on their way as everywhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import FromClause, Table, bindparam, cast, column, func, select, update
from sqlalchemy.dialects.postgresql import ARRAY, Insert, insert
from sqlalchemy.orm import DeclarativeBase, Session

from field_api.platform.tenancy import current_agency

Row = Mapping[str, Any]


def insert_rows(
    session: Session,
    kind: type[DeclarativeBase],
    rows: Sequence[Row],
    finish: Callable[[Insert], Insert] = lambda statement: statement,
) -> int:
    """Insert rows of one shape (the same names in each) for the running agency; returns how many went in.

    `finish` adds what happens on a conflict: `lambda i: i.on_conflict_do_nothing()`.
    """
    if not rows:
        return 0
    table = _table(kind)
    names = list(rows[0])
    values = _unnested(table, names)
    source = select(cast(bindparam("agency"), table.c.agency_id.type), *(values.c[name] for name in names))
    statement = finish(insert(table).from_select(["agency_id", *names], source, include_defaults=False))
    counted = statement.execution_options(preserve_rowcount=True)
    return int(session.connection().execute(counted, _arrays(names, rows)).rowcount)


def update_rows(session: Session, kind: type[DeclarativeBase], rows: Sequence[Row]) -> None:
    """Set every given column of the rows named by `id`, for the running agency; a `version` grows by one."""
    if not rows:
        return
    table = _table(kind)
    names = list(rows[0])
    values = _unnested(table, names)
    told: dict[str, Any] = {name: values.c[name] for name in names if name != "id"}
    if "version" in table.c:
        told["version"] = table.c.version + 1
    statement = update(table).values(told).where(table.c.agency_id == bindparam("agency"), table.c.id == values.c.id)
    session.connection().execute(statement, _arrays(names, rows))


def _table(kind: type[DeclarativeBase]) -> Table:
    table = kind.__table__
    if not isinstance(table, Table):
        raise TypeError(f"{kind.__name__} is not a table")
    return table


def _unnested(table: Table, names: Sequence[str]) -> FromClause:
    types = {name: ARRAY(table.c[name].type) for name in names}
    arrays = [cast(bindparam(f"a_{name}", type_=types[name]), types[name]) for name in names]
    columns = [column(name, table.c[name].type) for name in names]
    return func.unnest(*arrays).table_valued(*columns).render_derived("new")


def _arrays(names: Sequence[str], rows: Sequence[Row]) -> dict[str, Any]:
    return {"agency": current_agency()} | {f"a_{name}": [row[name] for row in rows] for name in names}
