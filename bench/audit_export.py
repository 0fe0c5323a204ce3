"""How long `doorstep audit export` takes for a log in a real database, against the raw rows read alone in the same run.

Operations with their receipts, a leaf each, over twenty phones; measured at a quarter of the leaves and at all of them,
so that what grows faster than the log shows. Called by `python -m bench.audit LEAVES --export`.
"""

from __future__ import annotations

import os
import re
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import click
import psycopg
from sqlalchemy import insert

from doorstep.app import worker_app
from doorstep.migrate import migrate
from doorstep.postgres import EmbeddedPostgres
from doorstep.server import Server
from field_api.platform.bounded_json import canonical
from field_api.platform.clock import utc_text
from field_api.platform.create_keys import create_agency_keys
from field_api.platform.database import transaction
from field_api.platform.devices import Device
from field_api.platform.ids import new_id
from field_api.platform.keyring import DoorKeys
from field_api.platform.keyring_files import DoorKeyring
from field_api.platform.sealing import b64u
from field_api.platform.settings import Settings
from field_api.platform.wiring import office_keys
from field_api.records.agency import Agency
from sync.door.receive import RECEIPT_CONTEXT
from sync.mailbox import InboxOp
from sync.office.audit import export_log
from sync.office.audit_lines import lines_of
from sync.office.audit_verify import verify_export
from sync.office.log import sequence_log

PHONES = 20
SEALED_BYTES = 512 + 81  # the smallest size, with what sealing adds
HEADER_BYTES = 400
BATCH = 1_000
RAW = (
    "SELECT * FROM office.log_entry ORDER BY number",
    "SELECT * FROM mailbox.inbox",
    "SELECT * FROM mailbox.log_node",
    "SELECT * FROM mailbox.checkpoint",
)


def measure_export(leaves: int) -> None:
    with tempfile.TemporaryDirectory() as directory:
        home = Path(directory) / "home"
        embedded = EmbeddedPostgres(home)
        server = embedded.start()
        try:
            migrate(server.url("owner"))
            settings = Settings(home, server.url("office"), "http://door.test", "http://office.test")
            with worker_app(settings).app_context():
                _run(home, server, leaves)
        finally:
            embedded.destroy()


def _run(home: Path, server: Server, leaves: int) -> None:
    agency = new_id()
    create_agency_keys(home, agency, datetime.now(UTC))
    with transaction(agency) as session:
        session.add(Agency(agency_id=agency, name="Agencia de Prueba"))
        phones = [Device(agent_id=uuid4(), state="active", enrolled_at=datetime.now(UTC)) for _ in range(PHONES)]
        for phone in phones:
            phone.signing_public = phone.sealing_public = b"\x04" + bytes(64)
        session.add_all(phones)
        session.flush()
        ids = [phone.id for phone in phones]
    there = 0
    for size in (leaves // 4, leaves):
        _fill(agency, DoorKeyring(home / "keys" / "door").of(agency), ids, range(there // 2, size // 2))
        there = size
        _measure(agency, server, home.parent / "log.jsonl")


def _fill(agency: UUID, door: DoorKeys, phones: list[UUID], numbers: range) -> None:
    """Operations as a door stores them, and the leaves that the worker makes of them."""
    for first in range(numbers.start, numbers.stop, BATCH):
        batch = range(first, min(first + BATCH, numbers.stop))
        rows = [_operation(agency, door, phones[number % PHONES], number // PHONES + 1) for number in batch]
        with transaction(agency) as session:
            session.execute(insert(InboxOp), rows)
    keys = office_keys().of(agency)
    more = 1
    while more:
        with transaction(agency) as session:
            more = sequence_log(session, keys, now=datetime.now(UTC))


def _operation(agency: UUID, door: DoorKeys, device: UUID, seq: int) -> dict[str, object]:
    op, link, now = uuid4(), os.urandom(32), datetime.now(UTC)
    claims = {"v": 1, "agency": str(agency), "device": str(device), "op": str(op), "seq": seq, "link": b64u(link)}
    receipt = canonical({**claims, "status": "received", "at": utc_text(now)})
    return {
        "agency_id": agency, "device_id": device, "op_id": op, "seq": seq, "protected": os.urandom(HEADER_BYTES),
        "ct": os.urandom(SEALED_BYTES), "sig": os.urandom(64), "link": link, "receipt": receipt,
        "receipt_sig": door.sign(RECEIPT_CONTEXT, receipt), "received_at": now, "state": "applied",
    }  # fmt: skip


def _measure(agency: UUID, server: Server, out: Path) -> None:
    with psycopg.connect(server.conninfo("owner")) as owner:
        owner.autocommit = True
        owner.execute("ANALYZE")
    raw_s = _raw(server)
    at_rest = _memory_mib("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    began, worked = time.perf_counter(), time.process_time()
    with transaction(agency) as session:
        session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        keys = office_keys().fresh(agency)
        with out.open("wb") as file:
            count = sum(1 for line in export_log(session, keys, now=datetime.now(UTC)) if file.write(line))
    took, cpu, peak = time.perf_counter() - began, time.process_time() - worked, _memory_mib("VmHWM")
    began = time.perf_counter()
    with out.open("rb") as file:
        report = verify_export(lines_of(file), keys.root_public)
    verified_s = time.perf_counter() - began
    click.echo(
        f"{report.leaves} leaves, {count} lines, {out.stat().st_size / 1e6:.0f} MB: exported in {took:.1f} s "
        f"({report.leaves / took:,.0f} leaves/s, this process {cpu:.1f} s), {took / raw_s:.1f} x the raw rows "
        f"({raw_s:.2f} s), {peak - at_rest:.0f} MiB more at the peak than before ({peak:.0f} MiB)"
    )
    click.echo(f"  verified in {verified_s:.1f} s, findings: {[str(each) for each in report.findings]}")


def _raw(server: Server) -> float:
    """Seconds to read the same rows and do nothing with them, page by page as the export does."""
    began = time.perf_counter()
    with psycopg.connect(server.conninfo("owner")) as owner:
        for statement in RAW:
            for _ in _pages(owner, statement):
                pass
    return time.perf_counter() - began


def _pages(owner: psycopg.Connection, statement: str) -> Iterator[list[tuple]]:
    with owner.cursor("raw") as cursor:
        cursor.execute(statement)
        while page := cursor.fetchmany(500):
            yield page


def _memory_mib(name: str) -> float:
    found = re.search(rf"{name}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(found.group(1)) / 1024 if found else float("nan")
