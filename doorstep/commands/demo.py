"""`doorstep demo`: a whole working day, with progress and a closing table."""

from __future__ import annotations

import json
import signal
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from doorstep.demo.stage import DemoDay


@click.command()
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), default=Path("out/demo"), show_default=True)
@click.option("--seed", type=int, default=7, show_default=True, help="The same seed gives the same people and counts.")
@click.option("--serve/--no-serve", default=True, help="Serve afterwards, until interrupted.")
@click.option("--office-port", type=int, default=8400, show_default=True)
@click.option("--door-port", type=int, default=8401, show_default=True)
def demo(out: Path, seed: int, serve: bool, office_port: int, door_port: int) -> None:
    """A working day from the creditors' files to the audit, on made-up people at real addresses.

    Three creditors, some 600 accounts, six agents with reference phones over HTTP, and everything that goes wrong on
    such a day. Keeps sheets, letters, exports and summary.json in --out; what is there of an earlier run goes.
    """
    # Imported here: the command's help must not load the office.
    from doorstep.demo import day, stage
    from doorstep.postgres import EmbeddedPostgres

    console = Console(highlight=False)
    began = time.monotonic()

    def tell(line: str) -> None:
        console.print(f"{time.monotonic() - began:6.1f} s  {line}")

    made = stage.prepare(out, seed, tell, office_port, door_port)
    with day.run(made):
        (out / "summary.json").write_text(json.dumps(made.summary, indent=1) + "\n")
        console.print(_table(made))
        console.print(f"sheets, letters, exports and summary.json are in {out}")
        if serve:
            _serve(console, made)
    if not serve:
        EmbeddedPostgres(made.installation.home).destroy()


def _table(made: DemoDay) -> Table:
    table = Table(title=f"The day {made.day}, seed {made.seed}")
    table.add_column("counted")
    table.add_column("", justify="right")
    for name, value in made.summary.items():
        text = ", ".join(f"{key} {n}" for key, n in value.items()) if isinstance(value, dict) else str(value)
        table.add_row(name.replace("_", " "), text)
    for place, result in made.findings.items():
        table.add_row(f"searched: {place}", f"{result.size_bytes:,} bytes, {len(result.found) or 'nothing'} found")
    return table


def _serve(console: Console, made: DemoDay) -> None:
    console.print(f"office  {made.installation.office_url}/console/")
    console.print(f"door    {made.installation.door_url}")
    for email, password in made.passwords.items():
        console.print(f"sign in as {email} with {password}")
    console.print("Ctrl-C ends it.")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    stop.wait()
