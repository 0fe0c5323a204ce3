"""Logs: one JSON object per line, of a catalogue of events with their fields: ids, states, codes; nothing of anybody.

A field that its event does not list is dropped and counted, so that a forgotten `amount=` in a log call tells nobody a
thing; so is all of an event that the catalogue lacks.
Lines of libraries keep their logger and level, and lose their text: it may quote a parameter.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any, TextIO, cast
from uuid import UUID

import structlog

from field_api.platform.log_events import ALWAYS, EVENTS

FIELDS = frozenset().union(*EVENTS.values(), ALWAYS)
"""Every name a log line may carry."""

_WORD = re.compile(r"[A-Za-z0-9_.:/+-]{1,120}")


class _StandardError:
    """The standard error of the moment of writing: a test or a runner may have put another one in."""

    def write(self, text: str) -> int:
        return sys.stderr.write(text)

    def flush(self) -> None:
        sys.stderr.flush()


def configure_logging(stream: TextIO | None = None, level: int = logging.INFO) -> None:
    """Send structlog and the standard library's logging through the catalogue, to standard error by default."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            catalogued,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(file=cast(TextIO, stream or _StandardError())),
        cache_logger_on_first_use=False,
    )
    handler = _ClosedHandler()
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(level, logging.WARNING))


def catalogued(_logger: Any, _method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A structlog processor: keep what the event lists, where its value is harmless; count the rest as `dropped`."""
    event = line.get("event")
    listed = ALWAYS | (EVENTS.get(event, frozenset()) if isinstance(event, str) else frozenset())
    kept = {
        name: str(value) if isinstance(value, UUID) else value
        for name, value in line.items()
        if name in listed and _harmless(value)
    }
    if kept.get("event") not in EVENTS:
        kept.pop("event", None)
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
