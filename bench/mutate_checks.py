"""Take away one check at a time, in a copy of the tree, and see whether a test notices (docs/checks.md).

    .venv/bin/python -m bench.mutate_checks                  all groups
    .venv/bin/python -m bench.mutate_checks --every 4 door   every fourth mutant of one group

Each mutant is one changed place of one file. First the applications are built as every test builds them: a start-up
that refuses counts as noticed. Then the tests run that should notice, until one fails. One PostgreSQL with a migrated
template serves all of them. Nothing is written outside of a temporary directory; a run that is told to end (SIGTERM,
Ctrl-C) ends its tests and its server, and removes the directory.
"""

from __future__ import annotations

import argparse
import importlib
import io
import os
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import click
import pytest

from bench.mutants import GROUPS, Mutant

ROOT = Path(__file__).parent.parent
SECONDS = 240  # a mutant that hangs its tests is noticed too
SERVER = "DOORSTEP_TEST_SERVER"
GRACE_SECONDS = 20  # for the tests of a mutant to take down what they set up


@dataclass(frozen=True)
class Verdict:
    mutant: Mutant
    noticed: str
    """`start` or `tests`, by what it was noticed; `` where it survived."""
    seconds: float


@contextmanager
def copied_tree() -> Iterator[Path]:
    """What is committed: the working directory may hold half of a change."""
    with tempfile.TemporaryDirectory(prefix="doorstep-mutants-") as folder:
        copy = Path(folder) / "tree"
        copy.mkdir()
        packed = subprocess.run(["git", "archive", "HEAD"], cwd=ROOT, capture_output=True, check=True).stdout
        with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
            archive.extractall(copy, filter="data")
        yield copy


@contextmanager
def running_server(copy: Path) -> Iterator[None]:
    """A PostgreSQL with the migrated template, as tests/conftest.py makes one, for all tests of the run."""
    home = copy.parent / "server"
    begin = "import sys; from pathlib import Path; from tests.conftest import embedded_server\n"
    begin += "embedded_server(Path(sys.argv[1]))"
    end = "import sys; from pathlib import Path; from doorstep.postgres import EmbeddedPostgres\n"
    end += "EmbeddedPostgres(Path(sys.argv[1]), durable=False).destroy()"
    try:
        subprocess.run([sys.executable, "-c", begin, home], cwd=copy, capture_output=True, check=True)
        os.environ[SERVER] = str(home)
        yield
    finally:
        # A session of its own: the Ctrl-C that ended us is not for it.
        subprocess.run([sys.executable, "-c", end, home], cwd=copy, check=True, start_new_session=True)


def in_a_child(copy: Path, work: Callable[[], int], seconds: float = SECONDS) -> int:
    """Run `work` in a fork that imports the project from the copy; its exit status, 99 if it took too long."""
    child = os.fork()
    if child == 0:
        os.setsid()
        silence = os.open(os.devnull, os.O_WRONLY)
        if "MUTANTS_SHOW" not in os.environ:
            os.dup2(silence, 1)
            os.dup2(silence, 2)
        os.chdir(copy)
        sys.path.insert(0, str(copy))
        status = 1
        try:
            status = work()
        finally:
            os._exit(status)
    status = None
    try:
        status = _status_of(child, seconds)
    finally:
        if status is None:
            _end(child)
    return 99 if status is None else status


def _status_of(child: int, seconds: float) -> int | None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.02)
    return None


def _end(child: int) -> None:
    """With all it started. First as Ctrl-C would, so that the tests' fixtures stop their own servers."""
    with suppress(ProcessLookupError, ChildProcessError):  # it may have ended by itself just now
        os.killpg(child, signal.SIGTERM)
        if _status_of(child, GRACE_SECONDS) is None:
            os.killpg(child, signal.SIGKILL)
            os.waitpid(child, 0)


def loaded_by_a_start(copy: Path) -> list[str]:
    """Names of the modules that building the applications loads."""
    listing = copy.parent / "modules"

    def work() -> int:
        starts()
        listing.write_text("\n".join(sys.modules))
        return 0

    if in_a_child(copy, work):
        sys.exit("the tree does not start as it is: nothing can be told from mutants")
    return listing.read_text().splitlines()


def import_all(names: Iterable[str]) -> None:
    """Before the forks, so that each child has them already; what is no module of its own is left out."""
    for name in names:
        with suppress(ImportError):
            importlib.import_module(name)


def is_ours(name: str) -> bool:
    return name.partition(".")[0] in {"doorstep", "field_api", "sync", "media", "migrations", "tests"}


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


def judged(copy: Path, mutant: Mutant) -> Verdict:
    began = time.monotonic()
    with applied(copy, mutant):
        noticed = ""
        if in_a_child(copy, starts):
            noticed = "start"
        elif in_a_child(copy, lambda: int(pytest.main(["-q", "-x", *mutant.tests]))):
            noticed = "tests"
    return Verdict(mutant, noticed, time.monotonic() - began)


@contextmanager
def applied(copy: Path, mutant: Mutant) -> Iterator[None]:
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
    parser.add_argument("--after", type=int, default=0, help="leave the first so many of each group out")
    parser.add_argument("--minutes", type=float, default=60, help="take no new mutant after so long")
    arguments = parser.parse_args()
    until = time.monotonic() + 60 * arguments.minutes
    sys.dont_write_bytecode = True
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # the way out that takes everything down
    try:
        with copied_tree() as copy, running_server(copy):
            import_all(name for name in loaded_by_a_start(copy) if not is_ours(name))
            if any(is_ours(name) for name in sys.modules):
                raise RuntimeError("what mutants change was loaded before they do")
            for group in arguments.groups or GROUPS:
                _Group(group, copy, list(GROUPS[group](copy))[arguments.after :: arguments.every], until).try_all()
    except KeyboardInterrupt:
        sys.exit("ended before all mutants were tried")


@dataclass(eq=False)
class _Group:
    name: str
    copy: Path
    mutants: list[Mutant]
    until: float

    def try_all(self) -> None:
        verdicts = list(self._verdicts())
        by = {way: sum(verdict.noticed == way for verdict in verdicts) for way in ("start", "tests", "")}
        click.echo(
            f"{self.name}: {len(self.mutants)} mutants, {len(verdicts)} tried, {by['start']} noticed at the start, "
            f"{by['tests']} by tests, {by['']} survived, {sum(v.seconds for v in verdicts):.0f} s"
        )

    def _verdicts(self) -> Iterator[Verdict]:
        for mutant in self.mutants:
            if time.monotonic() > self.until:
                return
            verdict = judged(self.copy, mutant)
            if verdict.noticed == "tests" and not self.tests_pass_without():
                click.echo(f"{self.name}: its tests fail without a mutant: nothing can be told")
                return
            if not verdict.noticed:
                click.echo(f"survived: {self.name}: {mutant.name}")
            yield verdict

    @cache  # noqa: B019  # one group, one process
    def tests_pass_without(self) -> bool:
        """Whether the tests that notice are green on the tree as it is: asked once, and only when they noticed."""
        tests = list(dict.fromkeys(test for mutant in self.mutants for test in mutant.tests))
        return not in_a_child(self.copy, lambda: int(pytest.main(["-q", "-x", *tests])), seconds=10 * SECONDS)


if __name__ == "__main__":
    main()
