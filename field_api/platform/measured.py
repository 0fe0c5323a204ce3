"""Every call of an application is counted with its length, by kind and status."""

from __future__ import annotations

import time
from collections.abc import Callable

from flask import Flask, Response, current_app, g

from field_api.platform.metrics import Board, Family, status_of

BOARD = "doorstep.board"


def measure_calls(app: Flask, board: Board, family: Family, kind_of_request: Callable[[], str]) -> None:
    """Install before whatever may refuse a call: what is refused counts as well."""
    app.extensions[BOARD] = board

    @app.before_request
    def begin() -> None:
        g.began_s = time.monotonic()

    @app.after_request
    def end(response: Response) -> Response:
        if "began_s" in g:
            board.observe(family, time.monotonic() - g.began_s, kind_of_request(), status_of(response.status_code))
        return response


def count(family: Family, *values: str) -> None:
    """One more, in the running process; where it counts other things (a command, the office) it is let be."""
    board: Board | None = current_app.extensions.get(BOARD)
    if board is not None and family.name in board.families:
        board.add(family, *values)
