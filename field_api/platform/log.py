"""Logs: one JSON object per line, with a closed list of field names: ids, states, codes, counts; nothing of anybody.

A name that is not on the list is dropped and counted, so that a forgotten `amount=` in a log call tells nobody a thing.
Lines of libraries keep their logger and level, and lose their text: it may quote a parameter.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any, TextIO
from uuid import UUID

import structlog

FIELDS = frozenset(
    {
        # added here
        "event", "level", "timestamp", "logger", "place", "dropped",
        # who and what, by id
        "agency", "agent", "account", "device", "visit", "plan", "route", "op", "photo", "job", "incident", "request",
        "actor", "sha256",
        # codes, states, kinds
        "code", "state", "kind", "error", "step", "part", "reason", "verdict", "method", "endpoint", "status",
        # counts and times
        "count", "seq", "rows", "attempts", "seconds", "milliseconds", "bytes", "size",
    }
)  # fmt: skip
"""Every name a log line may carry."""

_WORD = re.compile(r"[A-Za-z0-9_.:/+-]{1,120}")


def configure_logging(stream: TextIO | None = None, level: int = logging.INFO) -> None:
    """Send structlog and the standard library's logging through the same closed list, to standard error by default."""
    chosen = stream or sys.stderr
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            closed_list,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(file=chosen),
        cache_logger_on_first_use=False,
    )
    handler = _ClosedHandler()
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(level, logging.WARNING))


def closed_list(_logger: Any, _method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A structlog processor: keep listed names with harmless values, count the rest as `dropped`."""
    kept = {
        name: str(value) if isinstance(value, UUID) else value
        for name, value in line.items()
        if name in FIELDS and _harmless(value)
    }
    if len(kept) < len(line):
        kept["dropped"] = len(line) - len(kept)
    kept.setdefault("event", "unnamed")
    return kept


def _harmless(value: Any) -> bool:
    """Numbers, ids and single words; a sentence may hold anything."""
    if value is None or isinstance(value, (bool, int, float, UUID)):
        return True
    return isinstance(value, str) and _WORD.fullmatch(value) is not None


class _ClosedHandler(logging.Handler):
    """The standard library's records without their text: where from, how bad, and the kind of error."""

    def emit(self, record: logging.LogRecord) -> None:
        kind = record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else None
        log = structlog.get_logger()
        log.log(record.levelno, "library", logger=record.name, place=f"{record.module}:{record.lineno}", error=kind)
