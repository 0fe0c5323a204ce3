"""The phone's clocks, as a port: tests and the demo set wrong ones, since a phone's clock proves nothing."""

from __future__ import annotations

import time
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

_THIS_START = str(uuid.uuid4())


class Clock(Protocol):
    def now(self) -> datetime:
        """The wall clock: aware UTC, possibly wrong."""
        ...

    def mono_ms(self) -> int:
        """Milliseconds that never run backwards within one boot."""
        ...

    def boot(self) -> str:
        """An id of the phone's start: `mono_ms` readings compare only where it is the same."""
        ...


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)

    def mono_ms(self) -> int:
        return time.monotonic_ns() // 1_000_000

    def boot(self) -> str:
        """Linux names each boot; elsewhere each process counts as a start, which only weakens the evidence."""
        try:
            return str(uuid.UUID(Path("/proc/sys/kernel/random/boot_id").read_text().strip()))
        except (OSError, ValueError):
            return _THIS_START


class ShiftedClock(SystemClock):
    """The system's clock, shifted: `ShiftedClock.showing(datetime(1970, 1, 1, tzinfo=UTC))` runs on from 1970."""

    def __init__(self, shift: timedelta) -> None:
        self.shift = shift

    @classmethod
    def showing(cls, at: datetime) -> ShiftedClock:
        return cls(at - datetime.now(UTC))

    def now(self) -> datetime:
        return super().now() + self.shift
