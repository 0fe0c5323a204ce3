"""A worker on which some operations are poison: each does to its process what its words say. Nothing else differs."""

from __future__ import annotations

import os
import resource
import signal
from collections.abc import Callable
from typing import Any

from processes import work
from sqlalchemy import text

import sync.office.decide_operation
from field_api.platform.settings import Settings

MEMORY_BYTES = 3 * 1024**3


def _out_of_memory(_session: Any) -> None:
    """Past what the process may have: Python raises; where it may have all, the kernel would end it as `kill` does."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    bytearray(MEMORY_BYTES)


def _time_out(session: Any) -> None:
    session.execute(text("SET LOCAL statement_timeout = '20ms'"))
    session.execute(text("SELECT pg_sleep(10)"))


def _end_its_backend(session: Any) -> None:
    session.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))


def _raise(_session: Any) -> None:
    raise ZeroDivisionError


def _recurse(session: Any) -> None:
    _recurse(session)


POISONS: dict[str, Callable[[Any], object]] = {
    "raise": _raise,
    "recurse": _recurse,
    "exit": lambda _session: os._exit(3),
    "kill": lambda _session: os.kill(os.getpid(), signal.SIGKILL),
    "memory": _out_of_memory,
    "time out": _time_out,
    "backend": _end_its_backend,
}


def poisonous_work(settings: Settings) -> None:
    """What `processes.work` runs, with a verb that some operations are too much for."""
    real = sync.office.decide_operation.record_operation

    def record_operation(session: Any, operation: Any, **more: Any) -> Any:
        poison = POISONS.get(operation.body.get("words", ""))
        if poison is not None:
            poison(session)
        return real(session, operation, **more)

    sync.office.decide_operation.record_operation = record_operation
    work(settings, None)
