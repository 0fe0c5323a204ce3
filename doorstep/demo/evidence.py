"""What the day leaves behind: exports for people and machines, a verified log, and the search for leaks."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import select

from doorstep.commands.export import write_visits
from doorstep.demo.portfolios import DemoPortfolio, amounts_and_references
from doorstep.demo.readers import Ask, Readers
from doorstep.demo.search import Searched, files_below, rows_of_door, search, secrets_of, texts_of_pdfs
from doorstep.installation import Installation
from doorstep.server import Server
from field_api.domain.confidential import audience
from field_api.domain.disclosure import Audience
from field_api.platform.clock import SystemClock
from field_api.platform.database import transaction
from field_api.platform.wiring import objects, office_keys
from field_api.records.visits import Sheet, Visit
from sync.office.audit import export_log
from sync.office.audit_lines import lines_of
from sync.office.audit_verify import verify_export


def write_exports(agency_id: UUID, day: date, folder: Path, readers: Readers) -> dict[str, int]:
    """Visits as CSV and XLSX, attempts as an integrator polls them, the log with its verification. Returns counts."""
    folder.mkdir(mode=0o700)  # balances and stories: its owner's alone
    for kind in ("csv", "xlsx"):
        write_visits(agency_id, day, day, kind, folder / f"visits.{kind}")
    attempts = _polled(readers.integrator)
    (folder / "attempts.json").write_text(json.dumps(attempts, ensure_ascii=False, indent=1))
    clock = SystemClock()
    with transaction(agency_id) as session:
        done = session.scalars(select(Visit.id).where(Visit.state == "done").order_by(Visit.done_at).limit(1)).one()
        keys = office_keys().of(agency_id)
        with (folder / "audit-log.jsonl").open("wb") as file:
            file.writelines(export_log(session, keys, now=clock.now()))
    (folder / "one-visit.json").write_text(json.dumps(readers.manager(f"/visits/{done}"), ensure_ascii=False, indent=1))
    with (folder / "audit-log.jsonl").open("rb") as file:
        report = verify_export(lines_of(file), keys.root_public)
    return {"attempts_polled": len(attempts), "log_leaves": report.leaves, "log_findings": len(report.findings)}


def _polled(ask: Ask) -> list[Any]:
    """All attempts, page by page, as an integrator keeps `next` and comes back with it."""
    attempts: list[Any] = []
    after, more = 0, True
    while more:
        page = ask(f"/attempts?after={after}&limit=100")
        attempts += page["items"]
        after, more = page["next"], page["more"]
    return attempts


def search_everything(
    agency_id: UUID, out: Path, installation: Installation, server: Server, portfolios: list[DemoPortfolio]
) -> dict[str, Searched]:
    """Look for balances, references, creditors and reasons wherever a third party or the internet could."""
    amounts, references = amounts_and_references(portfolios)
    names = {p.creditor.name for p in portfolios}
    secrets = secrets_of(amounts, references, names)
    canaries = [
        f"{max(amounts) / 100:.2f}".encode(),
        references[0].encode(),
        sorted(names)[0].encode(),
        b"balance_minor",
    ]
    sheets = _sheets(agency_id)
    return search(
        [
            ("what the door stored: tables", lambda: rows_of_door(server.conninfo("owner"))),
            ("what the door stored: files", lambda: files_below(installation.home / "objects" / "door")),
            ("what the door served and received", lambda: files_below(out / "evidence")),
            ("what the door, the office and the worker logged", lambda: files_below(out / "logs")),
            ("the sheets: text and metadata", lambda: texts_of_pdfs(sheets)),
            ("the phones' directories", lambda: files_below(*(out / "phones").glob("*/phone"))),
        ],
        secrets,
        canaries,
    )


def _sheets(agency_id: UUID) -> list[bytes]:
    with transaction(agency_id) as session, audience(Audience.OFFICE_JOB):
        return [objects().get(key) for key in session.scalars(select(Sheet.object_key))]
