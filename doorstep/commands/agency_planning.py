"""`doorstep agency planning`: how long visits take, the agency's territories, how even agents' days are."""

from __future__ import annotations

import json
from pathlib import Path

import click

from doorstep.commands import office_context
from doorstep.commands.toml_file import read_toml
from field_api.platform.database import transaction
from field_api.platform.tenancy import current_agency
from field_api.records.agency import Agency
from field_api.usecases.set_planning_policy import set_planning_policy


@click.command()
@click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--none", is_flag=True, help="Take it away: everything as it comes.")
def planning(file: Path | None, none: bool) -> None:
    """Set how the agency plans from a TOML FILE, or show it (docs/strategy.md)."""
    with office_context() as agency_id, transaction(agency_id) as session:
        if file is not None or none:
            set_planning_policy(session, read_toml(file) if file else {})
        stored = session.get_one(Agency, current_agency()).policy.get("planning") or {}
        click.echo(json.dumps(stored, indent=2, sort_keys=True, ensure_ascii=False))
