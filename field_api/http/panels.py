"""Tables on the status page that other packages bring: `doorstep.app` puts them in, the console shows them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from flask import Flask, current_app
from sqlalchemy.orm import Session

from field_api.http.permits import PERMISSIONS, Actor

_PLACE = "doorstep.console_panels"
_PAGES = "doorstep.console_pages"


@dataclass(frozen=True)
class Panel:
    """A titled table of plain texts; ids, states, counts and times, nothing secret."""

    title: str
    columns: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    empty: str = "Nothing yet."


@dataclass(frozen=True)
class PageLink:
    """A page of another package, for whoever has its permission."""

    permission: str
    title: str
    path: str


PanelMaker = Callable[[Session], Panel]


def add_panels(app: Flask, makers: Sequence[tuple[str, PanelMaker]]) -> None:
    """Each with the permission that whoever looks must have: the page itself is for more roles than some tables are.

    Raises ValueError for a permission that is not in the table.
    """
    for permission, _ in makers:
        if permission not in PERMISSIONS:
            raise ValueError(f"{permission} is not in PERMISSIONS")
    app.extensions.setdefault(_PLACE, []).extend(makers)


def other_panels(session: Session, actor: Actor) -> list[Panel]:
    """What others brought and this actor may see, in the order they came, on the page's own session."""
    return [make(session) for permission, make in current_app.extensions.get(_PLACE, []) if actor.may(permission)]


def add_pages(app: Flask, links: Sequence[PageLink]) -> None:
    """Raises ValueError for a permission that is not in the table."""
    for link in links:
        if link.permission not in PERMISSIONS:
            raise ValueError(f"{link.permission} is not in PERMISSIONS")
    app.extensions.setdefault(_PAGES, []).extend(links)


def other_pages(actor: Actor) -> list[PageLink]:
    """Those that this actor may open, in the order they came."""
    return [link for link in current_app.extensions.get(_PAGES, []) if actor.may(link.permission)]
