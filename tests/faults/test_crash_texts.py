"""What nobody expected tells its kind and place; its text, which may quote a row, reaches no output of a process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from uuid import UUID

import click
import pytest
from click.testing import CliRunner
from flask import Flask

import doorstep.worker
from doorstep.cli import LazyGroup, main

CANARY = "saldo-7751204"


def run(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A process of its own, as `doorstep` starts: everything that it writes comes back."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    return subprocess.run(
        [sys.executable, "-W", "always", "-c", program, *arguments],
        capture_output=True, text=True, timeout=60, check=False, env=environment,
    )  # fmt: skip


def lines(output: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in output.splitlines() if line.startswith("{")]


COMMAND = f"""
import sys, click
from doorstep import cli
@click.command()
def broken():
    balance = "{CANARY}"
    raise ValueError(f"owes {{balance}}")
cli.LazyGroup.get_command = lambda self, ctx, name: broken
cli.main()
"""


def test_a_command_that_breaks_tells_an_incident_and_no_text() -> None:
    done = run(COMMAND, "export")
    assert done.returncode == 1 and CANARY not in done.stdout + done.stderr and "Traceback" not in done.stderr
    (line,) = lines(done.stderr)
    assert (line["event"], line["error"]) == ("incident", "ValueError")
    assert f"internal error {line['incident']}: ValueError at <string>:7" in done.stderr


EVERYWHERE = f"""
import sys, threading, warnings, gc
sys.argv = ["doorstep", "openapi"]
from doorstep import cli
def everything():
    warnings.warn("owes {CANARY}")
    def in_thread(): raise ValueError("owes {CANARY}")
    thread = threading.Thread(target=in_thread); thread.start(); thread.join()
    class Broken:
        def __del__(self): raise KeyError("owes {CANARY}")
    Broken(); gc.collect()
    import logging
    logging.getLogger("somebody").error("owes %s", "{CANARY}")
    import resource
    assert resource.getrlimit(resource.RLIMIT_CORE) == (0, 0)
import click
cli.LazyGroup.get_command = lambda self, ctx, name: click.Command("x", callback=everything)
try: cli.main()
except SystemExit as done: assert not done.code
raise LookupError("owes {CANARY}")
"""


def test_threads_warnings_finalisers_and_libraries_are_as_silent() -> None:
    done = run(EVERYWHERE)
    assert CANARY not in done.stdout + done.stderr
    told = [(line["event"], line.get("error") or line.get("logger")) for line in lines(done.stderr)]
    assert told == [
        ("library", "py.warnings"), ("incident", "ValueError"), ("incident", "KeyError"), ("library", "somebody"),
        ("incident", "LookupError"),
    ]  # fmt: skip


SERVER = f"""
import os, signal, socket, sys, threading, time, urllib.request, urllib.error
from field_api.platform.log import configure_logging
from field_api.platform.crash import hide_crash_texts
from doorstep.serve import serve_http
configure_logging(); hide_crash_texts()
class Broken:
    config = {{"MAX_CONTENT_LENGTH": 1000}}
    def __call__(self, environ, start_response): raise ValueError("owes {CANARY}")
with socket.socket() as probe:
    probe.bind(("127.0.0.1", 0)); port = probe.getsockname()[1]
def ask():
    for _ in range(200):
        try: urllib.request.urlopen(f"http://127.0.0.1:{{port}}/", timeout=5)
        except urllib.error.HTTPError as error: print(error.code, error.headers, error.read().decode()); break
        except OSError: time.sleep(0.05)
    os.kill(os.getpid(), signal.SIGTERM)
threading.Thread(target=ask).start()
serve_http(Broken(), "127.0.0.1", port)
"""


def test_the_web_server_below_the_application_tells_nothing_either() -> None:
    done = run(SERVER)
    assert "500" in done.stdout, done.stderr
    assert CANARY not in done.stdout + done.stderr
    assert {"event": "library", "logger": "waitress", "error": "ValueError"}.items() <= lines(done.stderr)[-1].items()


def test_a_job_that_breaks_is_logged_by_kind_and_place(
    app: Flask, agency: UUID, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import logging

    import structlog

    from field_api.platform.log import configure_logging

    def breaks(_app: Flask, _agency: UUID) -> int:
        raise ValueError(f"owes {CANARY}")

    monkeypatch.setattr(doorstep.worker, "steps", lambda: {"media": breaks})
    root = logging.getLogger()
    before = root.handlers[:], root.level
    configure_logging()
    try:
        assert doorstep.worker.work_once(app) == 0
    finally:
        structlog.reset_defaults()
        root.handlers[:] = before[0]
        root.setLevel(before[1])
    written = capsys.readouterr()
    assert CANARY not in written.out + written.err
    (line,) = lines(written.err)
    assert (line["event"], line["step"], line["error"]) == ("step-failed", "media", "ValueError")
    assert line["place"].startswith("test_crash_texts.py:")


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (click.ClickException("no such route"), "no such route"),
        (FileNotFoundError(2, "No such file or directory", "/etc/absent"), "/etc/absent: No such file or directory"),
        (OSError(f"owes {CANARY}"), "internal error"),
    ],
)
def test_what_a_command_foresaw_is_still_told(monkeypatch: pytest.MonkeyPatch, error: Exception, told: str) -> None:
    def fail() -> None:
        raise error

    monkeypatch.setattr(LazyGroup, "get_command", lambda *_: click.Command("x", callback=fail))
    answer = CliRunner().invoke(main, ["x"])
    assert answer.exit_code == 1 and told in answer.output and CANARY not in answer.output
