"""A creditor that does not exist, and files of its as spreadsheets write them."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import xlsxwriter

from field_api.domain.confidential import audience
from field_api.domain.disclosure import Audience
from field_api.platform.database import transaction
from field_api.records.agency import Creditor
from field_api.records.base import load
from field_api.usecases.import_accounts import ImportReport, import_accounts

DAY = datetime(2026, 11, 18, 15, 0, tzinfo=UTC)
HEADER = [
    "Contrato", "Saldo", "Fecha de corte", "Vencimiento", "Nombre", "RFC", "Teléfono", "Correo", "Calle", "Número",
    "Colonia", "CP", "Estado", "Latitud", "Longitud", "Estatus",
]  # fmt: skip


def row(number: int, **changes: Any) -> dict[str, Any]:
    """One account of a made-up person."""
    return {
        "Contrato": f"MX-{number:05d}", "Saldo": "1.234,56", "Fecha de corte": "17/11/2026", "Vencimiento": "01/08/2026",
        "Nombre": f"Persona Núñez {number}", "RFC": f"PENU8001{number % 28 + 1:02d}A{number % 10}B", "Teléfono":
        "55 5123 4567", "Correo": f"p{number}@example.org", "Calle": "Calle Inventada", "Número": "S/N", "Colonia":
        "Ejemplo", "CP": "05219", "Estado": "Ciudad de México", "Latitud": "19.3739", "Longitud": "-99.2853",
        "Estatus": "", **changes,
    }  # fmt: skip


def csv_bytes(
    rows: Sequence[dict[str, Any]], *, header: Sequence[str] = HEADER, delimiter: str = ";", encoding: str = "utf-8"
) -> bytes:
    text = io.StringIO()
    out = csv.writer(text, delimiter=delimiter)
    out.writerow(header)
    out.writerows([[line.get(name, "") for name in header] for line in rows])
    return text.getvalue().encode(encoding)


def xlsx_file(path: Path, rows: Sequence[Sequence[Any]]) -> Path:
    with xlsxwriter.Workbook(path, {"default_date_format": "yyyy-mm-dd", "strings_to_numbers": False}) as book:
        sheet = book.add_worksheet("Cartera")
        for number, line in enumerate(rows):
            sheet.write_row(number, 0, line)
    return path


def new_creditor(agency_id: UUID, **changes: Any) -> UUID:
    fields = {"name": "Crédito Inventado", "jurisdiction": "MX", "currency": "MXN", "language": "es", **changes}
    with transaction(agency_id) as session:
        creditor = Creditor(**fields)
        session.add(creditor)
        session.flush()
        return creditor.id


def import_file(
    agency_id: UUID, creditor_id: UUID, path: Path, *, now: datetime = DAY, dry_run: bool = False
) -> ImportReport:
    with transaction(agency_id) as session:
        creditor = load(session, Creditor, creditor_id)
        return import_accounts(session, creditor, path, file_name=path.name, now=now, imported_by=None, dry_run=dry_run)


def table(agency_id: UUID, kind: Any, *names: str) -> list[tuple[Any, ...]]:
    """Columns of every row of a kind, secrets revealed, sorted."""
    from sqlalchemy import select

    from field_api.domain.confidential import Confidential

    with transaction(agency_id) as session, audience(Audience.OFFICE_JOB):
        rows = [
            tuple(v.reveal(Audience.OFFICE_JOB) if isinstance(v, Confidential) else v for v in found)
            for found in session.execute(select(*(getattr(kind, name) for name in names)))
        ]
    return sorted(rows, key=repr)
