"""Tables on the status page that other packages bring: `doorstep.app` puts them in, the console shows them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from flask import Flask, current_app
from sqlalchemy.orm import Session

_PLACE = "doorstep.console_panels"


@dataclass(frozen=True)
class Panel:
    """A titled table of plain texts; ids, states, counts and times, nothing secret."""

    title: str
    columns: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    empty: str = "Nothing yet."


PanelMaker = Callable[[Session], Panel]


def add_panels(app: Flask, makers: Sequence[PanelMaker]) -> None:
    app.extensions.setdefault(_PLACE, []).extend(makers)


def other_panels(session: Session) -> list[Panel]:
    """What others brought, in the order they came, on the page's own session."""
    return [make(session) for make in current_app.extensions.get(_PLACE, [])]
