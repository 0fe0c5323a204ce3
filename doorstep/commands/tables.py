"""The terminal that lists are shown on."""

from __future__ import annotations

from rich.console import Console


def plain_console(*, stderr: bool = False) -> Console:
    """Shows texts as they are: square brackets in a creditor's or an agent's words would vanish as markup, or break
    off the list."""
    return Console(stderr=stderr, markup=False, emoji=False)
