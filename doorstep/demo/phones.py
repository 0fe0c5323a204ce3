"""Six reference phones, each a process of its own on a directory of its own, following scripts."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from doorstep.demo.fates import Step
from doorstep.demo.office import DemoVisit

RUN_S = 240.0
KILLED = -9


class PhoneFailed(RuntimeError):
    """A phone's process did not end as it should; the text is its last line."""


@dataclass
class DemoPhone:
    """One phone: its directory, the passphrase in a file, and what its processes printed last."""

    code: str
    folder: Path
    enrolment_line: str
    status: dict[str, Any] = field(default_factory=dict)
    answers_lost: int = 0
    killed: int = 0

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True)
        self.passphrase = self.folder / "passphrase"
        self.passphrase.touch(mode=0o600)
        self.passphrase.write_text(secrets.token_urlsafe(12))

    @property
    def directory(self) -> Path:
        return self.folder / "phone"

    def enrol(self) -> subprocess.Popen[str]:
        return self._start("enrol", "--code-file", "-", typed=self.enrolment_line)

    def run(self, name: str, steps: list[Step], clock: str | None = None) -> subprocess.Popen[str]:
        """Begin a part of the day. The script holds answers, so it is removed when the part is over."""
        script = self.folder / f"{name}.json"
        script.touch(mode=0o600)
        script.write_text(json.dumps({"v": 1, "steps": steps, **({"clock": clock} if clock else {})}))
        return self._start("day", str(script), "--folder", str(self.folder.parent))

    def _start(self, verb: str, *arguments: str, typed: str = "") -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "doorstep.cli", "phone", verb, *arguments,
             "--dir", str(self.directory), "--passphrase-file", str(self.passphrase)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env={name: value for name, value in os.environ.items() if not name.startswith("DOORSTEP_")},
        )  # fmt: skip
        if process.stdin:
            process.stdin.write(typed)
            process.stdin.close()
            process.stdin = None
        return process


def enrol_all(phones: list[DemoPhone]) -> None:
    with ThreadPoolExecutor(len(phones)) as together:
        list(together.map(lambda phone: _finish(phone, phone.enrol()), phones))


def run_all(phones: list[DemoPhone], name: str, scripts: dict[str, list[Step]], clocks: dict[str, str]) -> None:
    """Run one part of the day on all phones at once. A phone that is killed is started again on the same script."""

    def whole_part(phone: DemoPhone) -> None:
        while _finish(phone, phone.run(name, scripts[phone.code], clocks.get(phone.code))) == KILLED:
            phone.killed += 1
        (phone.folder / f"{name}.json").unlink()

    with ThreadPoolExecutor(len(phones)) as together:
        list(together.map(whole_part, phones))


def _finish(phone: DemoPhone, process: subprocess.Popen[str]) -> int:
    try:
        printed, complaints = process.communicate(timeout=RUN_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise PhoneFailed(f"{phone.code}: not done after {RUN_S:.0f} s") from None
    lines = printed.splitlines()
    with (phone.folder / "printed.jsonl").open("a") as file:
        file.write(printed)
    if process.returncode == KILLED:
        return KILLED
    if process.returncode:
        last = lines[-1] if lines else ""
        raise PhoneFailed(f"{phone.code}: status {process.returncode}: {complaints.strip()[-300:]} {last[:300]}")
    if lines and '"summary"' in lines[-1]:
        last = json.loads(lines[-1])
        phone.status = last["summary"]
        phone.answers_lost += last["answers_lost"]
    return 0


def send_unasked(phone: DemoPhone, visit: DemoVisit, picture: Path) -> None:
    """On this phone another client runs for a moment, one that does not ask for permission."""
    command = [sys.executable, "-m", "doorstep.demo.foreign_client", str(phone.folder), visit.door.visit, str(picture)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=RUN_S, check=False)
    if done.returncode:
        raise PhoneFailed(f"{phone.code}: {done.stderr.strip()[-300:]}")
