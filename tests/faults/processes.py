"""Processes to kill: door, worker, phones and writers, forked from one that has everything loaded already.

Each is what production runs (`serve_http`, `run_worker`, the reference phone); only how it is started differs, since
starting Python takes longer than most of these processes live.
"""

from __future__ import annotations

import multiprocessing
import os
import resource
import signal
import socket
import sys
import time
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass, field
from multiprocessing import forkserver
from multiprocessing.process import BaseProcess
from pathlib import Path

from failpoints import Armed, arm

from field_api.platform.log import configure_logging
from field_api.platform.settings import Settings

HERE = Path(__file__).parent
PRELOADED = [
    "doorstep.app",
    "doorstep.door",
    "doorstep.serve",
    "doorstep.worker",
    "sync.phone",
    "processes",
    "writers",
    "phone_lives",
]
PATIENCE_S = 60.0


def start(target: Callable[..., None], *arguments: object) -> BaseProcess:
    """A process of its own, killed by whoever likes to."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join([str(HERE), str(HERE.parents[1]), *sys.path])
    try:
        forkserver.ensure_running()
    finally:
        os.environ.pop("PYTHONPATH") if before is None else os.environ.update(PYTHONPATH=before)
    process = context.Process(target=target, args=arguments, daemon=True)
    process.start()
    return process


def until(holds: Callable[[], bool]) -> None:
    """Wait for what another process or thread is about to do. Raises AssertionError after all patience."""
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.005)


def killed(process: BaseProcess) -> None:
    process.kill()
    process.join(PATIENCE_S)


def serve_door(settings: Settings, port: int, armed: Armed | None, max_file_bytes: int | None = None) -> None:
    """`max_file_bytes`: no file grows further, the system refuses, as a full disk does."""
    from doorstep.door import door_app
    from doorstep.serve import serve_http

    _silent()
    arm(armed)
    if max_file_bytes is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (max_file_bytes, resource.RLIM_INFINITY))
    application = door_app(settings)
    for limiter in application.extensions["limiter"]:
        limiter.enabled = False  # one phone lives a thousand lives a minute here; limits have tests of their own
    serve_http(application, "127.0.0.1", port)


def work(settings: Settings, armed: Armed | None) -> None:
    from doorstep.worker import run_worker

    _silent()
    arm(armed)
    run_worker(settings)


def _silent() -> None:
    """What the process logs goes nowhere: a killed one's half lines help nobody."""
    with Path(os.devnull).open("w") as nothing:
        os.dup2(nothing.fileno(), 2)
    configure_logging()


def free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as probe:
        return int(probe.getsockname()[1])


@dataclass
class Parts:
    """A door and a worker that are started again whenever they die. `deaths` counts those that killed themselves."""

    door_settings: Settings
    office_settings: Settings
    port: int = field(default_factory=free_port)
    deaths: int = 0
    door: BaseProcess | None = None
    worker: BaseProcess | None = None

    def start_door(self, armed: Armed | None = None, max_file_bytes: int | None = None) -> None:
        if self.door is not None:
            killed(self.door)
        self.door = start(serve_door, self.door_settings, self.port, armed, max_file_bytes)
        self._wait_for_door()

    def start_worker(self, armed: Armed | None = None) -> None:
        if self.worker is not None:
            killed(self.worker)
        self.worker = start(work, self.office_settings, armed)

    def look_after(self) -> None:
        """Start again what died."""
        if self.door is not None and not self.door.is_alive():
            self._count(self.door)
            self.start_door()
        if self.worker is not None and not self.worker.is_alive():
            self._count(self.worker)
            self.start_worker()

    def _count(self, dead: BaseProcess) -> None:
        assert dead.exitcode == -signal.SIGKILL, f"it was not killed, it ended with {dead.exitcode}"
        self.deaths += 1

    def close(self) -> None:
        for process in (self.door, self.worker):
            if process is not None:
                killed(process)

    def _wait_for_door(self) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return
            time.sleep(0.005)
        raise AssertionError("the door did not come up")
