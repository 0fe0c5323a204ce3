"""How far a long plan is: a bar per step on a terminal, a plain line per step and now and then anywhere else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

Report = Callable[[str, int, int], None]
"""Step, done, of."""
LINE_EVERY_S = 5.0
"""A log that nobody scrolls: a step's begin and end, and between them one line in so many seconds."""


@contextmanager
def progress() -> Iterator[Report]:
    """Reports go to standard error, so that the answer can be piped."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _Lines()
        return
    columns = (TextColumn("{task.description:<10}"), BarColumn(), TextColumn("{task.completed}/{task.total}"))
    with Progress(*columns, TimeElapsedColumn(), console=console) as bars:
        yield _Bars(bars)


class _Bars:
    def __init__(self, bars: Progress) -> None:
        self._bars = bars
        self._of: dict[str, TaskID] = {}

    def __call__(self, step: str, done: int, of: int) -> None:
        if step not in self._of:
            self._of[step] = self._bars.add_task(step, total=of)
        self._bars.update(self._of[step], completed=done, total=of)


class _Lines:
    def __init__(self, now: Callable[[], float] = monotonic) -> None:
        self._now = now
        self._step = ""
        self._told_at = 0.0

    def __call__(self, step: str, done: int, of: int) -> None:
        now = self._now()
        if step == self._step and done < of and now < self._told_at + LINE_EVERY_S:
            return
        self._step, self._told_at = step, now
        click.echo(f"{step}: {done} of {of}", err=True)
