"""`/creditors/{id}/imports`: a creditor's file comes in."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

from flask import g
from flask_smorest import Blueprint
from werkzeug.datastructures import FileStorage

from field_api.domain.disclosure import Audience
from field_api.http.permits import answers, permitted
from field_api.http.schemas.accounts import ImportQuery, ImportReportSchema, ImportUploadSchema
from field_api.platform.database import transaction
from field_api.platform.wiring import clock
from field_api.records.agency import Creditor
from field_api.records.base import load
from field_api.usecases.import_accounts import import_accounts

blueprint = Blueprint("imports", __name__, url_prefix="/creditors", description="Creditors' files")


@blueprint.post("/<uuid:creditor_id>/imports")
@answers(Audience.MANAGER, Audience.INTEGRATOR)
@permitted("imports.write")
@blueprint.arguments(ImportQuery, location="query")
@blueprint.arguments(ImportUploadSchema, location="files")
@blueprint.response(200, ImportReportSchema)
def import_file(query: dict[str, Any], files: dict[str, FileStorage], creditor_id: UUID) -> dict[str, Any]:
    """Import a CSV or XLSX file (docs/import.md). Bad rows are in `errors` and left out; a bad file is `invalid-file`
    and changes nothing; the same file again does nothing and says so."""
    with _kept(files["file"]) as path, transaction(g.actor.agency_id) as session:
        creditor = load(session, Creditor, creditor_id)
        name = Path(files["file"].filename or "upload").name[:200]
        report = import_accounts(
            session, creditor, path, file_name=name, now=clock().now(), imported_by=g.actor.id, dry_run=query["dry_run"]
        )
        return report.as_json()


@contextmanager
def _kept(upload: FileStorage) -> Iterator[Path]:
    """The upload as a file that only this process's user can read, and that goes away."""
    with tempfile.TemporaryDirectory(prefix="doorstep-import-") as directory:
        path = Path(directory) / "upload"
        upload.save(path)
        yield path
