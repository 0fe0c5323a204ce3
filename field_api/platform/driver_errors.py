"""The database's errors without the values in them.

`hide_parameters` keeps what SQLAlchemy adds out of an error's text; the server's own text quotes values as well: the
key that was there already, the row that failed, the text that is no number, a line of the JSON that came. What is left
here is the kind of error, its SQLSTATE and the names it concerns; `error.orig.diag` still has the rest for a debugger.
"""

from __future__ import annotations

import traceback
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.exc import StatementError

_QUOTE_NO_VALUES = frozenset({"08", "23", "25", "28", "40", "42", "53", "55", "57"})
"""Classes of SQLSTATE whose primary message holds names of tables, columns and constraints at most: connection,
integrity, transaction state, authorisation, rollback, syntax and access, resources, object state, intervention.
Class 22 (data) and errors raised by functions quote what they were given."""


@event.listens_for(Engine, "handle_error")
def _say_less(context: Any) -> None:
    error = context.original_exception
    if getattr(error, "sqlstate", None) is None or error.diag.message_primary is None:
        return  # no statement's: a connection that failed or broke, or SQLAlchemy's own
    told = without_values(error)
    error.args = (told,)
    if context.sqlalchemy_exception is not None:
        kind = type(error)
        context.sqlalchemy_exception.args = (f"({kind.__module__}.{kind.__name__}) {told}",)


def without_values(error: Any) -> str:
    """`23505 duplicate key value violates unique constraint "..."`: one line, no value."""
    diag, state = error.diag, str(error.sqlstate)
    if state[:2] in _QUOTE_NO_VALUES:
        return f"{state} {diag.message_primary}"
    concerned = ".".join(name for name in (diag.table_name, diag.column_name, diag.constraint_name) if name)
    return " ".join(part for part in (state, concerned) if part)


def forget_locals(error: BaseException) -> None:
    """Clear what the finished frames of a failed statement hold: the parameters, in the driver's and SQLAlchemy's."""
    if isinstance(error, StatementError):
        seen: BaseException | None = error
        while seen is not None:
            traceback.clear_frames(seen.__traceback__)
            seen = seen.__cause__ or seen.__context__
