"""`doorstep serve [all|office|door]` and `doorstep worker`."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import click
from flask import Flask

from doorstep.installation import Installation
from doorstep.metrics import serve_metrics
from doorstep.processes import own_number, run_processes, shared_socket
from doorstep.serve import bind_of, parts_of, running, serve_http, supervise, wait_until_ready
from field_api.platform.log import configure_logging
from field_api.platform.measured import BOARD
from field_api.platform.metrics import Board
from field_api.platform.settings import Settings, settings_from


@click.command()
@click.argument("part", type=click.Choice(["all", "office", "door"]), default="all")
@click.option("--listen", default="", help="HOST:PORT to listen on; by default that of the part's configured address.")
@click.option(
    "--processes",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    help="That serve the port; of `all`, the door's.",
)
def serve(part: str, listen: str, processes: int) -> None:
    """Serve the office and the phone door; without a name, both of them and the worker, watched, on this machine."""
    configure_logging()
    if part == "all":
        _serve_all(processes)
        return
    with _settings(part) as settings:
        host, port = bind_of(f"http://{listen}" if listen else getattr(settings, f"{part}_url"))
        app = _app(part, settings)
        if processes == 1:
            _serve(app, host, port)
        else:
            # Bound here as well, without listening: a port that is taken is then said once, and at the start.
            with shared_socket(host, port):
                run_processes(processes, lambda: _serve(app, host, port, beside_others=True))


def _serve(app: Flask, host: str, port: int, *, beside_others: bool = False) -> None:
    """Serve, and count in this process's row; the first of several tells what all of them counted."""
    board: Board = app.extensions[BOARD]
    board.take_row(own_number())
    if own_number() == 0:
        serve_metrics(board.text)
    serve_http(app, host, port, beside_others=beside_others)


def _app(part: str, settings: Settings) -> Flask:
    """Each process loads its own half: the door's never loads the office's code."""
    if part == "door":
        from doorstep.door import door_app

        return door_app(settings)
    from doorstep.app import office_app

    return office_app(settings)


@click.command()
def worker() -> None:
    """Do the office's background work until stopped."""
    from doorstep.worker import run_worker

    configure_logging()
    with _settings("office") as settings:
        run_worker(settings)


def _serve_all(door_processes: int) -> None:
    installation = Installation.from_environment(os.environ)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with installation.database() as server, running(parts_of(installation, server, door_processes)) as parts:
        wait_until_ready(parts)
        click.echo(f"office  {installation.office_url}/console/")
        click.echo(f"door    {installation.door_url}")
        supervise(parts, stop)


@contextmanager
def _settings(role: str) -> Iterator[Settings]:
    """From the environment where a supervisor or an operator set it, else from the installation on this machine."""
    if os.environ.get("DOORSTEP_DATABASE_URL"):
        yield settings_from()
        return
    installation = Installation.from_environment(os.environ)
    with installation.database() as server:
        yield installation.settings(server, role)
