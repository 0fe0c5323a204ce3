"""What the mailbox takes: receive, apply, pull and a first sync, each against the raw cost in the same run.

    .venv/bin/python -m bench.sync [--phones 20] [--visits 20] [--stored 0] [--clients 2]

Makes an installation of its own below a temporary directory (its PostgreSQL as durable as production's), serves the
door as production does, and lets `--clients` processes send what phones recorded beforehand: their signing of
operations is not measured. `--stored N` first fills the inbox with N operations of other phones.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier
from pathlib import Path
from uuid import UUID

import psycopg
import requests
from sqlalchemy import delete, func, insert, select, update

from bench.figures import say, timed
from bench.processor_time import parent_of, spent
from bench.publish_visits import VISITS_PER_AGENT, fill
from bench.raw_costs import raw_costs
from bench.sync_phones import BenchPhone, Line, batches, percentile
from doorstep.app import worker_app
from doorstep.migrate import migrate
from doorstep.postgres import EmbeddedPostgres, Server
from field_api.platform import sealing
from field_api.platform.create_keys import create_agency_keys
from field_api.platform.database import transaction
from field_api.platform.devices import Device
from field_api.platform.ids import new_id
from field_api.platform.settings import Settings
from field_api.platform.wiring import office_keys
from field_api.records.agency import Agency
from field_api.records.changes import Change
from field_api.records.visits import Visit
from field_api.usecases.make_visit_keys import make_visit_keys
from sync.mailbox import InboxOp
from sync.office.apply import apply_device
from sync.office.publish import publish_changes
from sync.phone.crypto import b64u
from sync.phone.feed import next_roll
from sync.phone.records import Page, read_page
from sync.phone.wire import binary, read_json


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


class Bench:
    """One agency with phones that have routes, visits, and a day's operations in hand."""

    def __init__(self, directory: Path, server: Server, arguments: argparse.Namespace) -> None:
        self.directory, self.server, self.arguments = directory, server, arguments
        self.door_url = f"http://127.0.0.1:{free_port()}"
        self.settings = Settings(directory / "home", server.url("office"), self.door_url, "http://office.test")
        self.agency = new_id()
        create_agency_keys(self.settings.home, self.agency, datetime.now(UTC))
        self.app = worker_app(self.settings)

    def fill(self) -> list[BenchPhone]:
        phones = []
        with self.app.app_context(), transaction(self.agency) as session:
            session.add(Agency(agency_id=self.agency, name="Agencia de Prueba"))
            session.flush()
            sealing_public = office_keys().of(self.agency).sealing_certificate.public
            agents = fill(session, self.agency, self.arguments.phones * VISITS_PER_AGENT)
            session.execute(update(Visit).values(state="published"))
            for agent in agents:
                device = session.scalars(select(Device).where(Device.agent_id == agent)).one()
                visits = session.scalars(select(Visit.id).where(Visit.agent_id == agent)).all()
                phone = BenchPhone(str(self.agency), str(device.id), sealing_public)
                phone.visits = [str(visit) for visit in visits[: self.arguments.visits]]
                device.signing_public = sealing.public_key_of(phone.signing)
                device.sealing_public = sealing.public_key_of(phone.sealing)
                phones.append(phone)
        return phones

    def store_others(self, number: int) -> None:
        """Operations that were applied long ago, written by the server itself: only their rows matter here."""
        with psycopg.connect(self.server.conninfo("owner")) as connection:
            connection.execute(
                "INSERT INTO mailbox.inbox (agency_id, device_id, op_id, seq, protected, ct, sig, link, receipt,"
                " receipt_sig, received_at, state, decided_at, logged)"
                " SELECT d.agency_id, d.id, gen_random_uuid(), 1000000 + n, decode(repeat('00', 560), 'hex'),"
                " decode(repeat('00', 593), 'hex'), decode(repeat('00', 64), 'hex'), decode(repeat('00', 32), 'hex'),"
                " decode(repeat('00', 250), 'hex'), decode(repeat('00', 64), 'hex'), now() - interval '90 days',"
                " 'applied', now(), true FROM mailbox.device d, generate_series(1, %s) n",
                [number // self.arguments.phones],
            )
            connection.commit()
            connection.autocommit = True
            connection.execute("VACUUM ANALYZE mailbox.inbox")

    @contextmanager
    def door(self) -> Iterator[int]:
        """The served door: its process id."""
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith(("DOORSTEP_", "DATABASE_URL"))
        } | {
            "DOORSTEP_HOME": str(self.settings.home), "DOORSTEP_DOOR_URL": self.door_url,
            "DOORSTEP_OFFICE_URL": "http://office.test", "DOORSTEP_DATABASE_URL": self.server.url("door"),
        }  # fmt: skip
        with (self.directory / "door.log").open("wb") as log:
            command = [sys.executable, "-m", "doorstep.cli", "serve", "door", *self.arguments.serve]
            process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
            try:
                self._until_it_listens(process)
                yield process.pid
            finally:
                process.terminate()
                process.wait(20)

    def _until_it_listens(self, process: subprocess.Popen[bytes]) -> None:
        for _ in range(300):
            with suppress(requests.RequestException):
                if requests.get(f"{self.door_url}/readyz", timeout=2).ok:
                    return
            if process.poll() is not None:
                break
            time.sleep(0.1)
        raise RuntimeError((self.directory / "door.log").read_text())


def send(door_url: str, work: list[tuple[BenchPhone, list[bytes]]], start: Barrier, results: Queue) -> None:
    """One client process: its phones' calls one after the other, on a connection each.

    Puts the calls' seconds, how many were refused, and its processor seconds, in which each request was also signed.
    """
    lines = [(Line(phone, door_url), bodies) for phone, bodies in work]
    for line, _ in lines:
        line.take_anchor()
    start.wait(120)
    took, refused, began_s = [], 0, time.process_time()
    for turn in range(max(len(bodies) for _, bodies in lines)):
        for line, bodies in lines:
            if turn < len(bodies):
                status, _, seconds = line.call("POST", "/phone/v1/ops", bodies[turn])
                took.append(seconds)
                refused += status != 200
    results.put((took, refused, time.process_time() - began_s))


def receive(bench: Bench, work: list[tuple[BenchPhone, list[bytes]]], door_pid: int) -> float:
    """Operations a second that the served door keeps durably, and whose processor time that takes."""
    results: Queue = multiprocessing.Queue()
    clients = min(bench.arguments.clients, len(work))
    start = multiprocessing.Barrier(clients + 1)
    processes = [
        multiprocessing.Process(target=send, args=(bench.door_url, work[number::clients], start, results))
        for number in range(clients)
    ]
    for process in processes:
        process.start()
    start.wait(120)
    with timed() as seconds, spent(door_pid) as door_s, spent(postmaster(bench.server)) as postgres_s:
        answers = [results.get(timeout=600) for _ in processes]
    took = [one for answer in answers for one in answer[0]]
    operations = sum(body.count(b'"protected"') for _, bodies in work for body in bodies)
    rate = operations / seconds()
    say(
        "receive over HTTP",
        f"{rate:9,.0f} ops/s ({operations} ops, {len(took)} calls, {sum(answer[1] for answer in answers)} refused;"
        f" a call p50 {percentile(took, 50) * 1000:.0f}, p95 {percentile(took, 95) * 1000:.0f},"
        f" p99 {percentile(took, 99) * 1000:.0f} ms)",
    )
    say(
        "processor time of it",
        processor_shares(door_s(), postgres_s(), sum(answer[2] for answer in answers), operations),
    )
    return rate


def processor_shares(door_s: float, postgres_s: float, clients_s: float, operations: int) -> str:
    """Where they add up to all there is, the machine is the limit; where the clients' part is large, they are."""
    shares = {"door": door_s, "PostgreSQL": postgres_s, "clients": clients_s}
    told = ", ".join(f"{name} {spent_s / operations * 1e6:.0f}" for name, spent_s in shares.items())
    cores = os.cpu_count() or 1
    return f"{told} us an operation: {cores} cores do {cores * operations / sum(shares.values()):,.0f} ops/s at best"


def postmaster(server: Server) -> int:
    """The process whose children serve the connections."""
    with psycopg.connect(server.conninfo("owner")) as connection:
        return parent_of(connection.info.backend_pid)


def apply(bench: Bench, phones: list[BenchPhone]) -> None:
    with bench.app.app_context():
        keys = office_keys().of(bench.agency)
        with timed() as seconds:
            done = sum(
                apply_device(bench.agency, keys, UUID(phone.device), now=datetime.now(UTC), at_most=100_000)
                for phone in phones
            )
        say("apply, one worker", f"{done / seconds():9,.0f} ops/s ({done} ops)")
        with transaction(bench.agency) as session:
            states = session.execute(
                select(InboxOp.state, InboxOp.reason, func.count())
                .where(InboxOp.seq < 1_000_000)
                .group_by(InboxOp.state, InboxOp.reason)
            ).all()
        say("states", ", ".join(f"{state} {reason or ''}: {count}" for state, reason, count in states))


def first_sync(bench: Bench, phone: BenchPhone) -> None:
    """Publish this phone's day and pull it whole; then ask again with nothing new."""
    with bench.app.app_context():
        keys = office_keys().of(bench.agency)
        with transaction(bench.agency) as session:
            device = session.get_one(Device, (bench.agency, UUID(phone.device)))
            visits = [UUID(visit) for visit in phone.visits]
            make_visit_keys(session, visits)
            session.execute(delete(Change))  # verdicts on what was sent above: a first sync has none
            session.execute(
                insert(Change),
                [{"agent_id": device.agent_id, "kind": "visit", "ref": visit, "urgent": False} for visit in visits],
            )
            agent_id = device.agent_id
        with transaction(bench.agency) as session, timed() as seconds:
            publish_changes(session, keys, agent_id, now=datetime.now(UTC))
        say("publish a day", f"{len(phone.visits)} visits in {seconds():.2f} s")
    line = Line(phone, bench.door_url)
    line.take_anchor()
    cursor, size, heads, calls = "", 0, 0, 0
    with timed() as seconds:
        while True:
            status, answered, _ = line.call("GET", "/phone/v1/feed", query=f"after={cursor}" if cursor else "")
            if status != 200:
                raise RuntimeError(f"{status} {answered!r}")
            page = read_page(answered)
            heads += sum(len(name) + len(value) + 4 for name, value in line.headers.items())
            size, calls, cursor = size + len(answered), calls + 1, cursor_after(page)
            if not page.more:
                break
    whole = f"{size:,} bytes of bodies and {heads:,} of headers"
    say("first sync", f"{len(phone.visits)} visits: {whole} in {calls} calls, {seconds():.2f} s")
    took, length = [], 0
    for _ in range(200):
        status, answered, elapsed = line.call("GET", "/phone/v1/feed", query=f"after={cursor}")
        if status != 200:
            raise RuntimeError(f"{status} {answered!r}")
        took.append(elapsed)
        length = len(answered)
    say("pull, nothing new", f"{length} bytes of body, p50 {statistics.median(took) * 1000:.1f} ms")


def cursor_after(page: Page) -> str:
    last = page.items[-1]
    claims = read_json(last.document)
    roll = next_roll(binary(claims, "prev"), last.document, last.sealed)
    return f"{claims['epoch']}.{claims['seq']}.{b64u(roll)}"


def run(directory: Path, server: Server, arguments: argparse.Namespace) -> None:
    bench = Bench(directory, server, arguments)
    phones = bench.fill()
    with timed() as seconds:
        work = [(phone, list(phone.day())) for phone in phones]
    say("recorded", f"{sum(len(ops) for _, ops in work)} ops of {len(phones)} phones in {seconds():.1f} s")
    raw_costs(server, work[0][1])
    if arguments.stored:
        with timed() as seconds:
            bench.store_others(arguments.stored)
        say("stored before", f"{arguments.stored} ops in {seconds():.0f} s")
    with bench.door() as door_pid:
        receive(bench, [(phone, list(batches(operations))) for phone, operations in work], door_pid)
        apply(bench, phones)
        first_sync(bench, phones[0])


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--phones", type=int, default=20)
    parser.add_argument("--visits", type=int, default=20, help="with operations, of each phone (at most 50)")
    parser.add_argument("--stored", type=int, default=0)
    parser.add_argument("--clients", type=int, default=2)
    parser.add_argument(
        "--serve", nargs=argparse.REMAINDER, default=[], help="last: arguments of `doorstep serve door`"
    )
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder)
        embedded = EmbeddedPostgres(directory / "home")
        server = embedded.start()
        try:
            migrate(server.url("owner"))
            run(directory, server, arguments)
        finally:
            embedded.destroy()


if __name__ == "__main__":
    multiprocessing.set_start_method("spawn")
    main()
