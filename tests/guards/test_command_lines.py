"""Whatever starts a process tells it nothing secret by arguments or environment: every user of the machine can read both."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from field_api.adapters.typst_papers import TypstPapers
from field_api.adapters.xlsx_rows import open_xlsx
from field_api.domain.column_map import ColumnMap
from field_api.domain.ports import PaperJob
from media.sandbox.run import Sandbox
from media.sandbox.starter import ENVIRONMENT
from tests.files_of_creditors import xlsx_file
from tests.pictures import jpeg_with_everything

ROOT = Path(__file__).parents[2]
PACKAGES = ("doorstep", "field_api", "sync", "media")

STARTERS = {
    "field_api/adapters/xlsx_rows.py": "the reader's name; file and sheet by a pipe",
    "field_api/adapters/solver_pool.py": "the worker's name; coordinates and times by a socket, an environment of its own",
    "field_api/adapters/typst_process.py": "the worker's name; data by a pipe, an environment of its own",
    "media/sandbox/starter.py": "the decoder's name; the pictures by pipes, no environment of ours",
    "media/sandbox/zygote.py": "a copy of itself, which holds nothing yet",
    "doorstep/serve.py": "which process to be; secrets come by files and the environment of the operator",
    "doorstep/processes.py": "copies of the door, which has what they need already",
    "doorstep/postgres.py": "PostgreSQL's programs, with directories and ports; passwords by a file",
    "doorstep/backup/programs.py": "pg_dump and pg_restore, with addresses and files; passwords by a passfile",
    "doorstep/demo/phones.py": "folders of invented phones; passphrase by a file, codes typed",
}
"""Who starts processes, and what a command line holds there."""

STARTS = {
    "Popen", "run", "call", "check_call", "check_output", "getoutput", "getstatusoutput", "system", "popen",
    "create_subprocess_exec", "create_subprocess_shell", "ProcessPoolExecutor", "fork", "forkpty",
}  # fmt: skip
MODULES = {"subprocess", "os", "asyncio", "pty"}


def _starters() -> Iterator[str]:
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and _starts(node.func):
                    yield path.relative_to(ROOT).as_posix()
                if isinstance(node, ast.ImportFrom) and node.module in ("subprocess", "multiprocessing"):
                    yield path.relative_to(ROOT).as_posix()


def _starts(function: ast.expr) -> bool:
    if isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name) and function.value.id in MODULES:
        return function.attr in STARTS or function.attr.startswith(("exec", "spawn", "posix_spawn"))
    return isinstance(function, ast.Name) and function.id == "ProcessPoolExecutor"


def test_processes_are_started_in_known_places_alone() -> None:
    """A new place says here what its command line holds, and joins the test below where it handles secrets."""
    assert set(_starters()) == set(STARTERS)


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The command line and environment of every process that starts, as text."""
    seen: list[str] = []
    before = subprocess.Popen.__init__

    def noted(self: Any, args: Any, *rest: Any, **options: Any) -> None:
        assert options.get("env") is not None, "an environment of its own: the office's holds the way to its secrets"
        seen.append(f"{args} {options['env']}")
        before(self, args, *rest, **options)

    monkeypatch.setattr(subprocess.Popen, "__init__", noted)
    return seen


def test_the_workbook_reader_is_told_file_and_sheet_by_a_pipe(started: list[str], tmp_path: Path) -> None:
    path = tmp_path / "Banco Ficticio cartera.xlsx"
    xlsx_file(path, [["Contrato", "Saldo"], ["CTR-8823100", 73_219_954]])
    with open_xlsx(path, ColumnMap(sheet="Cartera")) as table:
        assert [cells for _, cells in table.rows()][1][0] == "CTR-8823100"
    assert len(started) == 1
    assert not any(secret in started[0] for secret in ("Banco", "Cartera", str(tmp_path), "CTR", "73219954"))


def test_the_paper_worker_is_told_its_data_by_a_pipe(started: list[str]) -> None:
    job = PaperJob(
        "letter", {"letter": {"kind": "CTR-8823100"}, "mark": "", "qr": []}, datetime(2026, 1, 1, tzinfo=UTC)
    )
    TypstPapers()._batch([job])  # below the gate, which wants a whole letter: the worker refuses this one
    assert len(started) == 1
    assert "CTR-8823100" not in started[0]


def test_the_picture_decoder_is_told_nothing(started: list[str]) -> None:
    with Sandbox() as sandbox:
        sandbox.develop(jpeg_with_everything())
        sandbox.develop(jpeg_with_everything())
    assert len(started) == 1
    assert started[0].endswith(str(ENVIRONMENT)) and set(ENVIRONMENT) == {"GLIBC_TUNABLES"}
