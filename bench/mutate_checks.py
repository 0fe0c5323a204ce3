"""Take away one check at a time, in a copy of the tree, and see whether a test notices (docs/checks.md).

    .venv/bin/python bench/mutate_checks.py                  all groups
    .venv/bin/python bench/mutate_checks.py --every 4 views  every fourth mutant of one group

Each mutant is one changed line, or one changed statement of the database's rights. First the applications are built as
every test builds them: a start-up that refuses counts as noticed. Then the tests run that should notice, until one
fails. One PostgreSQL with a migrated template serves all of them. Nothing is written outside of a temporary directory.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click
import psycopg
import pytest
from mutants import GROUPS, Mutant

ROOT = Path(__file__).parent.parent
SECONDS = 240  # a mutant that hangs its tests is noticed too
SERVER = "DOORSTEP_TEST_SERVER"


@dataclass(frozen=True)
class Verdict:
    mutant: Mutant
    noticed: str
    """`start` or `tests`, by what it was noticed; `` where it survived."""
    seconds: float


@contextmanager
def copied_tree() -> Iterator[Path]:
    """The tracked files, and nothing of the working directory else."""
    with tempfile.TemporaryDirectory(prefix="doorstep-mutants-") as folder:
        copy = Path(folder) / "tree"
        names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
        for name in filter(None, names.decode().split("\0")):
            if (ROOT / name).is_file():
                (copy / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, copy / name)
        yield copy


@contextmanager
def running_server(copy: Path) -> Iterator[str]:
    """A PostgreSQL with the migrated template, as tests/conftest.py makes one; its owner's connection string."""
    home = copy.parent / "server"
    program = (
        "import sys; from pathlib import Path; from tests.conftest import embedded_server\n"
        "server = embedded_server(Path(sys.argv[1])); print(server.conninfo('owner', 'doorstep_template'))"
    )
    made = subprocess.run([sys.executable, "-c", program, home], cwd=copy, capture_output=True, text=True, check=True)
    os.environ[SERVER] = str(home)
    try:
        yield made.stdout.strip().splitlines()[-1]
    finally:
        end = (
            "import sys; from pathlib import Path; from doorstep.postgres import EmbeddedPostgres\n"
            "EmbeddedPostgres(Path(sys.argv[1]), durable=False).destroy()"
        )
        subprocess.run([sys.executable, "-c", end, home], cwd=copy, check=True)


def in_a_child(copy: Path, work: Callable[[], int]) -> int:
    """Run `work` in a fork that imports the project from the copy; its exit status, 99 if it took too long."""
    child = os.fork()
    if child == 0:
        os.setsid()
        silence = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silence, 1)
        os.dup2(silence, 2)
        os.chdir(copy)
        sys.path.insert(0, str(copy))
        status = 1
        try:
            status = work()
        finally:
            os._exit(status)
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.02)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return 99


def starts() -> int:
    """Build the office and the door, as fixtures do. Raises what the start-up refuses with."""
    from doorstep.app import office_app
    from doorstep.door import door_app
    from field_api.platform.settings import Settings

    with tempfile.TemporaryDirectory() as home:
        address = "postgresql+psycopg://nobody@127.0.0.1:1/nothing"
        settings = Settings(Path(home), address, "http://door.test", "http://office.test")
        office_app(settings)
        door_app(settings)
    return 0


def judged(copy: Path, owner: str, mutant: Mutant) -> Verdict:
    began = time.monotonic()
    with applied(copy, owner, mutant):
        noticed = ""
        if mutant.file and in_a_child(copy, starts):
            noticed = "start"
        elif mutant.tests and in_a_child(copy, lambda: int(pytest.main(["-q", "-x", *mutant.tests]))):
            noticed = "tests"
    return Verdict(mutant, noticed, time.monotonic() - began)


@contextmanager
def applied(copy: Path, owner: str, mutant: Mutant) -> Iterator[None]:
    if mutant.file is None:
        with psycopg.connect(owner, autocommit=True) as connection:
            connection.execute(mutant.new)  # type: ignore[arg-type]  # a statement of ours
        try:
            yield
        finally:
            with psycopg.connect(owner, autocommit=True) as connection:
                connection.execute(mutant.old)  # type: ignore[arg-type]  # the same
        return
    path = copy / mutant.file
    before = path.read_text()
    path.write_text(mutant.changed(before))
    try:
        yield
    finally:
        path.write_text(before)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("groups", nargs="*", help=f"of {', '.join(GROUPS)}; all without")
    parser.add_argument("--every", type=int, default=1, help="take every n-th mutant of each group")
    parser.add_argument("--minutes", type=float, default=60, help="take no new mutant after so long")
    arguments = parser.parse_args()
    until = time.monotonic() + 60 * arguments.minutes
    sys.dont_write_bytecode = True
    with copied_tree() as copy, running_server(copy) as owner:
        if in_a_child(copy, starts):
            sys.exit("the tree does not start as it is: nothing can be told from mutants")
        for group in arguments.groups or GROUPS:
            mutants = list(GROUPS[group](copy))[:: arguments.every]
            verdicts = []
            for mutant in mutants:
                if time.monotonic() > until:
                    break
                verdicts.append(judged(copy, owner, mutant))
                if not verdicts[-1].noticed:
                    click.echo(f"survived: {group}: {mutant.name}")
            by = {way: sum(verdict.noticed == way for verdict in verdicts) for way in ("start", "tests", "")}
            click.echo(
                f"{group}: {len(mutants)} mutants, {len(verdicts)} tried, {by['start']} noticed at the start, "
                f"{by['tests']} by tests, {by['']} survived, {sum(v.seconds for v in verdicts):.0f} s",
            )


if __name__ == "__main__":
    main()
