"""What nobody caught: its kind and place go to the log, its text nowhere, and no memory image is left behind.

The text of an exception or a warning may quote what the code was at: a row, a name, an amount.
"""

from __future__ import annotations

import logging
import resource
import secrets
import sys
import threading
from types import TracebackType


class StartRefused(RuntimeError):
    """A process will not run like this. The text names settings and parts of the code, so that it may be shown."""


def place_of(error: BaseException) -> str:
    """Where it was raised: file and line, no path. What did not pass its outlet says itself which part it was."""
    told = getattr(error, "outlet_place", None)
    if isinstance(told, str):
        return told
    frame = error.__traceback__
    while frame and frame.tb_next:
        frame = frame.tb_next
    return f"{frame.tb_frame.f_code.co_filename.rpartition('/')[2]}:{frame.tb_lineno}" if frame else "?"


def log_incident(error: BaseException) -> str:
    """Write the error's kind and place to the log; returns the incident id that may be told."""
    import structlog  # only when something broke: a phone's short processes do without

    incident = secrets.token_hex(8)
    structlog.get_logger().error("incident", incident=incident, error=type(error).__name__, place=place_of(error))
    return incident


def hide_crash_texts() -> None:
    """For a process of ours: hooks for what nobody catches, in whatever thread, and no core file.

    A core file is the process's memory: keys and revealed values. The logging must be configured before.
    """
    sys.excepthook = _uncaught
    threading.excepthook = _in_thread
    sys.unraisablehook = _unraisable
    logging.captureWarnings(True)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _uncaught(kind: type[BaseException], error: BaseException, _traceback: TracebackType | None) -> None:
    if not issubclass(kind, KeyboardInterrupt):
        log_incident(error)


def _in_thread(args: threading.ExceptHookArgs) -> None:
    if args.exc_value is not None and not issubclass(args.exc_type, SystemExit):
        log_incident(args.exc_value)


def _unraisable(args: sys.UnraisableHookArgs) -> None:
    if args.exc_value is not None:
        log_incident(args.exc_value)
