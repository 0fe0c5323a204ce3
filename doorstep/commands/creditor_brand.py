"""`doorstep creditor brand`: how a creditor's letters look."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from doorstep.commands import office_context
from doorstep.commands.toml_file import read_toml
from field_api.domain.image_form import MAX_BYTES
from field_api.domain.letter_brand import IMAGES
from field_api.platform.database import transaction
from field_api.platform.wiring import clock, objects
from field_api.records.agency import Creditor
from field_api.usecases.set_brand import add_brand_image, set_brand

FILE = click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))


@click.command()
@click.argument("name")
@FILE
@click.option("--none", is_flag=True, help="Take the brand away: the agency's name, the house's plain look.")
def brand(name: str, file: Path | None, none: bool) -> None:
    """Set how a creditor's letters look from a TOML FILE, or show it (docs/letters.md).

    `logo` and `signature_image` name PNG or SVG files beside FILE. Letters that are wanted or issued stay as they are.
    """
    with office_context() as agency_id, transaction(agency_id) as session:
        creditor = session.scalars(select(Creditor).where(Creditor.name == name)).one_or_none()
        if creditor is None:
            raise click.BadParameter("no creditor of this name", param_hint="NAME")
        if file is not None or none:
            said = _with_pictures(session, creditor.id, file, clock().now()) if file else {}
            set_brand(session, creditor.id, said)
        click.echo(json.dumps(creditor.brand, indent=2, sort_keys=True, ensure_ascii=False))


def _with_pictures(session: Session, creditor_id: UUID, file: Path, now: datetime) -> dict[str, Any]:
    said = dict(read_toml(file))
    for key in IMAGES:
        if said.get(key):
            said[key] = _picture(session, creditor_id, file.parent / str(said[key]), now)
    return said


def _picture(session: Session, creditor_id: UUID, path: Path, now: datetime) -> str:
    if not path.is_file():
        raise click.BadParameter(f"{path}: no such picture", param_hint="FILE")
    if path.stat().st_size > MAX_BYTES:
        raise click.BadParameter(f"{path}: larger than {MAX_BYTES // 1024} KiB", param_hint="FILE")
    return bytes(add_brand_image(session, creditor_id, path.read_bytes(), objects=objects(), now=now).sha256).hex()
