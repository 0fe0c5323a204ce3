"""Import 100,000 accounts from CSV: rows per second against what COPY alone costs for the same rows in the same run.

    .venv/bin/python -m bench.import_accounts [ROWS]

It makes a database of its own below a temporary directory and removes it. Peak memory is this process's.
"""

from __future__ import annotations

import csv
import random
import resource
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from doorstep.app import worker_app
from doorstep.migrate import migrate
from doorstep.postgres import EmbeddedPostgres, Server
from field_api.platform.create_keys import create_agency_keys
from field_api.platform.database import transaction
from field_api.platform.ids import new_id
from field_api.platform.settings import Settings
from field_api.records.accounts import Account
from field_api.records.agency import Agency, Creditor
from field_api.records.base import load
from field_api.usecases.import_accounts import import_accounts

HEADER = [
    "contrato", "producto", "saldo", "capital", "intereses", "comisiones",
    "fecha de corte", "vencimiento", "último pago", "fecha último pago", "no. cliente", "nombre",
    "teléfono", "correo", "rfc", "fecha de nacimiento", "últimos 4", "calle",
    "número", "colonia", "cp", "municipio", "estado", "ciudad",
    "latitud", "longitud",
]  # fmt: skip


def write_rows(path: Path, rows: int, added: int) -> None:
    """Made-up accounts; `added` goes on top of every balance, for a later file that changes them all."""
    draw = random.Random(7)  # noqa: S311 - made-up rows come from a seed, not from a secret
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file, delimiter=";")
        out.writerow(HEADER)
        for n in range(rows):
            principal, interest, fees = draw.randrange(10_000, 900_000) + added, draw.randrange(90_000), 2_500
            out.writerow(
                [
                    f"MX-{n:08d}", "Crédito personal", _pesos(principal + interest + fees), _pesos(principal),
                    _pesos(interest), _pesos(fees), f"{17 + bool(added)}/11/2026", "01/08/2026", "150,00", "01/07/2026",
                    f"C{n:08d}", f"Persona Inventada {n}", f"55 {draw.randrange(10_000_000, 99_999_999)}",
                    f"p{n}@example.org", f"PEIN80{n % 12 + 1:02d}{n % 28 + 1:02d}{n % 1000:03d}",
                    f"{n % 28 + 1:02d}/{n % 12 + 1:02d}/1980", f"{n % 10_000:04d}", f"Calle {n % 900}", str(n % 300),
                    f"Colonia {n % 120}", f"{n % 16_000:05d}", "Iztapalapa", "Ciudad de México", "Ciudad de México",
                    f"{19.3 + n % 1000 / 10_000:.6f}", f"{-99.2 + n % 997 / 10_000:.6f}",
                ]
            )  # fmt: skip


def _pesos(minor: int) -> str:
    return f"{minor // 100},{minor % 100:02d}"


def copy_alone(server: Server, path: Path) -> float:
    """Seconds for COPY of the same rows, as they are, into one table of text columns."""
    with psycopg.connect(server.conninfo("owner")) as connection, path.open("rb") as file:
        connection.execute(f"CREATE TABLE public.raw ({', '.join(f'c{n} text' for n in range(len(HEADER)))})")
        began = time.perf_counter()
        with connection.cursor().copy(
            "COPY public.raw FROM STDIN (FORMAT csv, DELIMITER ';', HEADER, ENCODING 'utf8')"
        ) as copy:
            while chunk := file.read(65_536):
                copy.write(chunk)
        connection.commit()
        seconds = time.perf_counter() - began
        connection.execute("DROP TABLE public.raw")
    return seconds


def main(rows: int) -> None:
    with tempfile.TemporaryDirectory() as directory:
        embedded = EmbeddedPostgres(Path(directory) / "home")
        server = embedded.start()
        try:
            migrate(server.url("owner"))
            run(Path(directory), server, rows)
        finally:
            embedded.destroy()


def run(directory: Path, server: Server, rows: int) -> None:
    settings = Settings(directory / "home", server.url("office"), "http://door.test", "http://office.test")
    agency_id = new_id()
    create_agency_keys(settings.home, agency_id, datetime.now(UTC))
    first, later = directory / "first.csv", directory / "later.csv"
    write_rows(first, rows, 0)
    write_rows(later, rows, 1_000)
    again = directory / "again.csv"
    again.write_bytes(later.read_bytes() + b"\n")
    alone = copy_alone(server, first)
    out = sys.stdout.write
    out(f"{rows} rows, {first.stat().st_size / 1e6:.1f} MB; COPY alone {alone:.2f} s\n")
    with worker_app(settings).app_context():
        with transaction(agency_id) as session:
            session.add(Agency(agency_id=agency_id, name="Agencia de Prueba"))
            creditor = Creditor(name="Crédito Inventado", jurisdiction="MX", currency="MXN", language="es")
            session.add(creditor)
            session.flush()
            creditor_id = creditor.id
        for name, path in (("new", first), ("all changed", later), ("nothing new", again)):
            began, worked = time.perf_counter(), time.process_time()
            with transaction(agency_id) as session:
                creditor = load(session, Creditor, creditor_id)
                report = import_accounts(
                    session, creditor, path, file_name=path.name, now=datetime.now(UTC), imported_by=None
                )
            seconds, cpu = time.perf_counter() - began, time.process_time() - worked
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            out(
                f"{name:12} {seconds:6.1f} s (this process {cpu:5.1f} s) {rows / seconds:6.0f} rows/s"
                f" {seconds / alone:6.1f} x COPY peak {peak:.0f} MB"
                f" {report.counts} rejected {report.rows_rejected} {report.errors[:2]}\n"
            )
        with transaction(agency_id) as session:
            out(f"accounts kept: {session.query(Account).count()}\n")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
