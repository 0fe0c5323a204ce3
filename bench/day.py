"""A whole day by its commands, as an agency runs it: import, plan and publish, each a process of its own.

    .venv/bin/python -m bench.day [--stops 5000] [--agents 60]

For each step: seconds by the clock, processor seconds of the command with all its workers and of PostgreSQL, and the
most memory that the command and its workers held together (resident, PostgreSQL apart). The day is made up, in the area
of one city (`bench.planning_days`); the database is one of its own below a temporary directory.
"""

from __future__ import annotations

import argparse
import csv
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from datetime import time as clock_time
from pathlib import Path
from uuid import UUID
from zoneinfo import ZoneInfo

from bench.figures import say
from bench.planning_days import real_day
from bench.processor_time import family, seconds_of
from doorstep.app import worker_app
from doorstep.migrate import migrate
from doorstep.postgres import EmbeddedPostgres
from field_api.domain.routing import AgentDay, StopWish
from field_api.platform.create_keys import create_agency_keys
from field_api.platform.database import transaction
from field_api.platform.ids import new_id
from field_api.platform.settings import Settings
from field_api.records.agency import Agency, Creditor
from field_api.usecases.add_agent import add_agent
from field_api.usecases.set_shift import set_shift

ROOT = Path(__file__).parent.parent
ZONE = "America/Mexico_City"
CREDITOR = "Crédito Inventado"
SAMPLE_S = 0.1
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Cost:
    seconds: float
    processor_s: float
    postgres_s: float
    peak_bytes: int


def working_day() -> date:
    """The next Wednesday at least two days ahead that is no holiday's neighbour: any but 25 December and 1 January."""
    day = datetime.now(ZoneInfo(ZONE)).date() + timedelta(days=2)
    while day.weekday() != 2 or (day.month, day.day) in {(12, 25), (1, 1), (5, 1), (9, 16), (10, 1)}:
        day += timedelta(days=1)
    return day


def write_file(path: Path, stops: list[StopWish], day: date) -> None:
    """An account a stop, its debtor living there; amounts and days past due by chance."""
    draw = random.Random(7)  # noqa: S311 - made-up rows come from a seed, not from a secret
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file, delimiter=";")
        out.writerow(
            ["contrato", "producto", "saldo", "vencimiento", "no. cliente", "nombre", "rfc", "últimos 4",
             "calle", "número", "colonia", "cp", "municipio", "estado", "latitud", "longitud"]
        )  # fmt: skip
        for n, stop in enumerate(stops):
            due = day - timedelta(days=draw.randrange(20, 400))
            out.writerow(
                [f"MX-{n:06d}", "Crédito personal", f"{draw.randrange(500, 90_000)},50", f"{due:%d/%m/%Y}", f"C{n:06d}",
                 f"Persona Inventada {n}", f"PEIN80{n % 12 + 1:02d}{n % 28 + 1:02d}{n % 1000:03d}", f"{n % 10_000:04d}",
                 f"Calle Imaginaria {n}", str(n % 300), f"Colonia {n % 120}", f"{n % 16_000:05d}", "Iztapalapa",
                 "Ciudad de México", f"{stop.point.latitude:.6f}", f"{stop.point.longitude:.6f}"]
            )  # fmt: skip


def furnish(home: Path, url: str, agency_id: UUID, agents: list[AgentDay], day: date) -> None:
    create_agency_keys(home, agency_id, datetime.now(ZoneInfo("UTC")))
    with (
        worker_app(Settings(home, url, "http://door.test", "http://office.test")).app_context(),
        transaction(agency_id) as session,
    ):
        session.add(Agency(agency_id=agency_id, name="Agencia de Prueba"))
        session.add(Creditor(name=CREDITOR, jurisdiction="MX", currency="MXN", language="es"))
        session.flush()
        for number, who in enumerate(agents):
            agent = add_agent(session, code=f"MX-{number}", name="Inventado", languages=["es"], timezone=ZONE)
            set_shift(
                session, agent.id, day.weekday(), starts_at=clock_time(9), ends_at=clock_time(18), start=who.start
            )


def run(arguments: list[str], home: Path, postmaster: int) -> Cost:
    """The command's costs; its own words go to standard error. Raises CalledProcessError where it fails."""
    before, began = seconds_of(postmaster), time.monotonic()
    environment = os.environ | {"DOORSTEP_HOME": str(home)}
    command = [str(Path(sys.executable).parent / "doorstep"), *arguments]
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=sys.stderr)
    peak = [0]
    watcher = threading.Thread(target=_watch, args=(process.pid, peak), daemon=True)
    watcher.start()
    _, status, used = os.wait4(process.pid, 0)
    seconds = time.monotonic() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    watcher.join()
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, arguments)
    return Cost(seconds, used.ru_utime + used.ru_stime, seconds_of(postmaster) - before, peak[0])


def _watch(pid: int, peak: list[int]) -> None:
    """Until the process has ended: the most that it and its descendants held together."""
    while Path(f"/proc/{pid}").exists() and (now := sum(_resident(member) for member in family(pid))):
        peak[0] = max(peak[0], now)
        time.sleep(SAMPLE_S)


def _resident(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE_BYTES
    except (OSError, IndexError):  # it ended meanwhile
        return 0


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--stops", type=int, default=5_000)
    parser.add_argument("--agents", type=int, default=60)
    arguments = parser.parse_args()
    day, agency_id = working_day(), new_id()
    agents, stops = real_day(arguments.stops, arguments.agents, seed=1)
    with tempfile.TemporaryDirectory() as directory:
        home = Path(directory) / "home"
        embedded = EmbeddedPostgres(home)
        server = embedded.start()
        try:
            migrate(server.url("owner"))
            furnish(home, server.url("office"), agency_id, agents, day)
            file = Path(directory) / "accounts.csv"
            write_file(file, stops, day)
            postmaster = int((embedded.data / "postmaster.pid").read_text().splitlines()[0])
            steps = {
                "import": ["import", str(file), "--creditor", CREDITOR],
                "plan and publish": ["plan", "--date", day.isoformat(), "--publish"],
            }
            say("load of the machine", " ".join(f"{load:.1f}" for load in os.getloadavg()))
            costs = {name: run(command, home, postmaster) for name, command in steps.items()}
        finally:
            embedded.destroy()
    for name, cost in costs.items():
        say(
            name,
            f"{cost.seconds:6.1f} s, processor {cost.processor_s:6.1f} s + PostgreSQL {cost.postgres_s:5.1f} s,"
            f" {cost.peak_bytes / 1e6:5.0f} MB",
        )
    say("together", f"{sum(cost.seconds for cost in costs.values()):6.1f} s")


if __name__ == "__main__":
    main()
