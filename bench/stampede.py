"""A stampede: all phones of an agency come back into the network at the same moment.

    .venv/bin/python -m bench.stampede [--phones 500] [--ops 40] [--photo-bytes 300000] [--clients 2]
                                       [--serve --processes 2]

Each phone hands in its operations, pulls, and uploads a photograph, and comes again when the door says so. At the end
everything must be there, counted in the database, and the slowest phone may have taken three times as long as the
median one: else the exit status is 1. Phones run beside the door on the same machine, and their work counts.
"""

from __future__ import annotations

import argparse
import multiprocessing
import statistics
import sys
import tempfile
from datetime import UTC, datetime
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier
from pathlib import Path
from uuid import uuid4

from sqlalchemy import func, insert, select

from bench.figures import say, timed
from bench.stampede_phones import StampedePhone, all_at_once, by_kind
from bench.sync import Bench
from bench.sync_phones import BenchPhone, percentile
from doorstep.migrate import migrate
from doorstep.postgres import EmbeddedPostgres, Server
from field_api.platform import sealing
from field_api.platform.database import transaction
from field_api.platform.devices import Device
from field_api.platform.ids import new_id
from field_api.platform.wiring import office_keys
from field_api.records.agency import Agency
from media.records import COMPLETE, Upload
from sync.mailbox import InboxOp

MOST_OF_MEDIAN = 3.0


def enrolled_phones(bench: Bench, number: int) -> list[BenchPhone]:
    """Devices as enrolment leaves them, and the phones that have their keys."""
    with bench.app.app_context(), transaction(bench.agency) as session:
        session.add(Agency(agency_id=bench.agency, name="Agencia de Prueba"))
        session.flush()
        sealing_public = office_keys().of(bench.agency).sealing_certificate.public
        phones = [BenchPhone(str(bench.agency), str(uuid4()), sealing_public, [str(new_id())]) for _ in range(number)]
        rows = [
            {
                "agency_id": bench.agency, "id": phone.device, "agent_id": new_id(), "state": "active", "epoch": 1,
                "signing_public": sealing.public_key_of(phone.signing),
                "sealing_public": sealing.public_key_of(phone.sealing), "enrolled_at": datetime.now(UTC),
            }
            for phone in phones
        ]  # fmt: skip
        session.execute(insert(Device), rows)
    return phones


def client(phones: list[BenchPhone], arguments: argparse.Namespace, door_url: str, start: Barrier, out: Queue) -> None:
    """One process of phones."""
    ready = [StampedePhone.recorded(phone, arguments.ops, arguments.photo_bytes) for phone in phones]
    troubles = all_at_once(ready, door_url, start)
    for phone in ready:
        phone.bodies, phone.sealed = [], None  # type: ignore[assignment]  # only the figures go back
    out.put((ready, troubles))


def stampede(bench: Bench, phones: list[BenchPhone]) -> tuple[list[StampedePhone], list[str]]:
    results: Queue = multiprocessing.Queue()
    clients = min(bench.arguments.clients, len(phones))
    start = multiprocessing.Barrier(clients + 1)
    for number in range(clients):
        of_client = (phones[number::clients], bench.arguments, bench.door_url, start, results)
        multiprocessing.Process(target=client, args=of_client).start()
    start.wait(600)
    with timed() as seconds:
        answers = [results.get(timeout=1_800) for _ in range(clients)]
    say("all of them", f"{seconds():.1f} s")
    return [phone for ready, _ in answers for phone in ready], [trouble for _, told in answers for trouble in told]


def figures(phones: list[StampedePhone]) -> float:
    """Print them. Returns how many times the median the slowest phone took."""
    for kind, served, later, unanswered in by_kind(phones):
        p50, p95, p99 = (percentile(served, percent) * 1000 for percent in (50, 95, 99)) if served else (0, 0, 0)
        say(
            f"{kind}: {len(served)} calls",
            f"p50 {p50:6.0f}  p95 {p95:6.0f}  p99 {p99:6.0f} ms   {later} later, {unanswered} without an answer",
        )
    took = [phone.done_s for phone in phones]
    ratio = max(took) / statistics.median(took)
    say(
        "a phone, start to end", f"median {statistics.median(took):.1f} s, slowest {max(took):.1f} s: {ratio:.2f} times"
    )
    say("of it told to wait", f"median {statistics.median(phone.waited_s for phone in phones):.1f} s")
    return ratio


def lost(bench: Bench, phones: int) -> list[str]:
    """What is not there, counted in the database."""
    wanted_ops = phones * bench.arguments.ops
    with bench.app.app_context(), transaction(bench.agency) as session:
        ops = session.scalar(select(func.count(func.distinct(InboxOp.op_id)))) or 0
        photos = session.scalar(select(func.count()).where(Upload.state == COMPLETE)) or 0
    say("there at the end", f"{ops} of {wanted_ops} operations, {photos} of {phones} photographs")
    found = [] if ops == wanted_ops else [f"{wanted_ops - ops} operations lost"]
    return found + ([] if photos == phones else [f"{phones - photos} photographs lost"])


def run(directory: Path, server: Server, arguments: argparse.Namespace) -> list[str]:
    bench = Bench(directory, server, arguments)
    known = enrolled_phones(bench, arguments.phones)
    with bench.door():
        phones, troubles = stampede(bench, known)
    ratio = figures(phones)
    troubles += lost(bench, arguments.phones)
    return troubles + ([f"the slowest took {ratio:.2f} times the median"] if ratio > MOST_OF_MEDIAN else [])


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--phones", type=int, default=500)
    parser.add_argument("--ops", type=int, default=40, help="of each phone")
    parser.add_argument("--photo-bytes", type=int, default=300_000)
    parser.add_argument("--clients", type=int, default=2, help="processes that the phones run in")
    parser.add_argument("--serve", nargs=argparse.REMAINDER, default=[], help="more arguments of `doorstep serve door`")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder)
        embedded = EmbeddedPostgres(directory / "home")
        server = embedded.start()
        try:
            migrate(server.url("owner"))
            troubles = run(directory, server, arguments)
        finally:
            embedded.destroy()
    for trouble in troubles[:20]:
        say("WRONG", trouble)
    sys.exit(bool(troubles))


if __name__ == "__main__":
    multiprocessing.set_start_method("spawn")
    main()
