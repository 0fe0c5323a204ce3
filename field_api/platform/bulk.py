"""Many rows in one statement: INSERT or UPDATE from one JSON parameter, through the columns' own types.

The statement is the same for 10 rows and for 1,000; secret columns are sealed on their way as everywhere else. JSON,
because making arrays or a parameter per cell took longer than PostgreSQL needs to insert the rows (bench/).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import FromClause, Table, Text, TypeDecorator, bindparam, cast, column, func, select, update
from sqlalchemy.dialects.postgresql import JSON, Insert, dialect, insert
from sqlalchemy.orm import DeclarativeBase, Session

from field_api.platform.tenancy import current_agency

Row = Mapping[str, Any]
_DIALECT = dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy leaves dialect constructors untyped


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
    new = _recordset(table, names)
    source = select(cast(bindparam("agency"), table.c.agency_id.type), *(new.c[name] for name in names))
    statement = finish(insert(table).from_select(["agency_id", *names], source, include_defaults=False))
    counted = statement.execution_options(preserve_rowcount=True)
    return int(session.connection().execute(counted, _parameters(table, names, rows)).rowcount)


def update_rows(session: Session, kind: type[DeclarativeBase], rows: Sequence[Row]) -> None:
    """Set every given column of the rows named by `id`, for the running agency; a `version` grows by one."""
    if not rows:
        return
    table = _table(kind)
    names = list(rows[0])
    new = _recordset(table, names)
    told: dict[str, Any] = {name: new.c[name] for name in names if name != "id"}
    if "version" in table.c:
        told["version"] = table.c.version + 1
    statement = update(table).values(told).where(table.c.agency_id == bindparam("agency"), table.c.id == new.c.id)
    session.connection().execute(statement, _parameters(table, names, rows))


def _table(kind: type[DeclarativeBase]) -> Table:
    table = kind.__table__
    if not isinstance(table, Table):
        raise TypeError(f"{kind.__name__} is not a table")
    return table


def _recordset(table: Table, names: Sequence[str]) -> FromClause:
    columns = [column(name, table.c[name].type) for name in names]
    rows = func.json_to_recordset(cast(bindparam("rows", type_=Text()), JSON))
    return rows.table_valued(*columns).render_derived("new", with_types=True)


def _parameters(table: Table, names: Sequence[str], rows: Sequence[Row]) -> dict[str, Any]:
    types = {name: table.c[name].type for name in names}
    sealing = {name: type_ for name, type_ in types.items() if isinstance(type_, TypeDecorator)}
    if sealing:
        rows = [
            {**row, **{name: type_.process_bind_param(row[name], _DIALECT) for name, type_ in sealing.items()}}
            for row in rows
        ]
    return {"agency": current_agency(), "rows": json.dumps(rows, default=_text, allow_nan=False)}


_WORDS: dict[type, Callable[[Any], str]] = {
    UUID: str,
    bytes: lambda value: "\\x" + value.hex(),
    date: date.isoformat,
    datetime: datetime.isoformat,
}
"""How PostgreSQL reads what JSON has no word for."""


def _text(value: object) -> str:
    word = _WORDS.get(type(value))
    if word is None:
        raise TypeError(f"{type(value).__name__} has no JSON form here")
    return word(value)
