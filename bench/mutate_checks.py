"""Take away one check at a time, in a copy of the tree, and see whether a test notices (docs/checks.md).

    .venv/bin/python bench/mutate_checks.py                  all groups
    .venv/bin/python bench/mutate_checks.py --every 4 views  every fourth mutant of one group

Each mutant is one changed line, or one changed statement of the database's rights. First the applications are built as
every test builds them: a start-up that refuses counts as noticed. Then the tests run that should notice, until one
fails. One PostgreSQL with a migrated template serves all of them. Nothing is written outside of a temporary directory.
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
import psycopg
import pytest
from mutants import GROUPS, Mutant

ROOT = Path(__file__).parent.parent
SECONDS = 240  # a mutant that hangs its tests is noticed too
SERVER = "DOORSTEP_TEST_SERVER"
ABOVE = ("views", "permissions")


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
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.02)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return 99


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


def is_below(name: str) -> bool:
    """Of the layers under `field_api.http`: they load nothing of it (the linter of imports holds that)."""
    return name.startswith("field_api.") and not name.startswith("field_api.http")


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
        modules = loaded_by_a_start(copy)
        import_all(name for name in modules if not is_ours(name))
        for group in arguments.groups or GROUPS:
            mutants = list(GROUPS[group](copy))[:: arguments.every]
            tried = _Group(group, copy, owner, mutants, until)
            if group in ABOVE:
                tried.try_all(below=[name for name in modules if is_below(name)])
            else:
                tried.try_all(below=[])


@dataclass(eq=False)
class _Group:
    name: str
    copy: Path
    owner: str
    mutants: list[Mutant]
    until: float

    def try_all(self, below: list[str]) -> None:
        """In a process of its own, which may import what lies below all that the group changes."""
        child = os.fork()
        if child:
            os.waitpid(child, 0)
            return
        try:
            sys.path.insert(0, str(self.copy))
            import_all(below)
            if any(name.startswith("field_api.http") for name in sys.modules):
                raise RuntimeError("what mutants change was loaded before they do")
            self._report(list(self._verdicts()))
        finally:
            sys.stdout.flush()
            os._exit(0)

    def _verdicts(self) -> Iterator[Verdict]:
        for mutant in self.mutants:
            if time.monotonic() > self.until:
                return
            verdict = judged(self.copy, self.owner, mutant)
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

    def _report(self, verdicts: list[Verdict]) -> None:
        by = {way: sum(verdict.noticed == way for verdict in verdicts) for way in ("start", "tests", "")}
        click.echo(
            f"{self.name}: {len(self.mutants)} mutants, {len(verdicts)} tried, {by['start']} noticed at the start, "
            f"{by['tests']} by tests, {by['']} survived, {sum(v.seconds for v in verdicts):.0f} s"
        )


if __name__ == "__main__":
    main()
