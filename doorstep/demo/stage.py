"""Where a demonstration takes place: an empty directory, an installation in it, a day on which one may visit."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from doorstep.demo.cast import CREDITORS
from doorstep.demo.portfolios import DemoCreditor
from doorstep.demo.search import Searched
from doorstep.installation import Installation
from doorstep.planning import planning_parts
from doorstep.postgres import EmbeddedPostgres
from field_api.domain.ports import Calendars
from field_api.platform.clock import SystemClock
from field_api.platform.ids import new_id

Tell = Callable[[str], None]


@dataclass
class DemoDay:
    """What one run made, for whoever shows it."""

    out: Path
    seed: int
    day: date
    tell: Tell
    installation: Installation
    creditors: Sequence[DemoCreditor]
    agency_id: UUID = field(default_factory=new_id)
    passwords: dict[str, str] = field(default_factory=dict)
    summary: dict[str, Any] = field(default_factory=dict)
    findings: dict[str, Searched] = field(default_factory=dict)

    @property
    def phones_folder(self) -> Path:
        return self.out / "phones"


def working_day(after: date, calendars: Calendars) -> date:
    """The next day on which all three countries may be visited. It lies ahead whole, so the seed decides the rest."""
    day = after + timedelta(days=1)
    while day.weekday() > 4 or any(
        day in off for place in ("MX", "LI") for off in calendars.days_off(place, day.year).values()
    ):
        day += timedelta(days=1)
    return day


def prepare(
    out: Path, seed: int, tell: Tell, office_port: int, door_port: int, creditors: Sequence[DemoCreditor] = CREDITORS
) -> DemoDay:
    """An empty place for the run. What an earlier run left in `out` is removed, its database included."""
    home = out / "installation"
    if home.exists():
        EmbeddedPostgres(home).destroy()
    for name in ("installation", "phones", "files", "sheets-and-letters", "exports", "evidence", "logs"):
        shutil.rmtree(out / name, ignore_errors=True)
    out.mkdir(parents=True, exist_ok=True)
    installation = Installation(
        home=home.absolute(), database_url=None,
        door_url=f"http://127.0.0.1:{_port(door_port)}", office_url=f"http://127.0.0.1:{_port(office_port)}",
    )  # fmt: skip
    day = working_day(SystemClock().now().date(), planning_parts().calendars)
    return DemoDay(out.absolute(), seed, day, tell, installation, creditors)


def _port(wanted: int) -> int:
    """The wanted port, or a free one where somebody else has it."""
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", wanted))
        except OSError:
            probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
