"""`doorstep agency contact-rules`: how an agency visits less than the law allows."""

from __future__ import annotations

from pathlib import Path

import click

from doorstep.commands import office_context
from doorstep.commands.toml_file import read_toml
from field_api.platform.database import transaction
from field_api.platform.tenancy import current_agency
from field_api.platform.wiring import planning
from field_api.records.agency import Agency
from field_api.usecases.tighten_contact_rules import tighten_contact_rules


@click.command("contact-rules")
@click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--none", is_flag=True, help="Take the agency's own rules away: the law's alone hold.")
def contact_rules(file: Path | None, none: bool) -> None:
    """Set the agency's own contact rules from a TOML FILE, or show how many there are (docs/operations.md).

    A table for each jurisdiction, or "*" for all, with the tables of a rules file. They only ever allow less than the
    law: what would allow more is refused, naming the rule.
    """
    with office_context() as agency_id, transaction(agency_id) as session:
        if file is not None or none:
            tighten_contact_rules(session, read_toml(file) if file else {}, law=planning().rules)
        stored = session.get_one(Agency, current_agency()).policy.get("contact_rules") or {}
        for code, tables in sorted(stored.items()):
            told = ", ".join(f"{len(entries)} {table}" for table, entries in sorted(tables.items()))
            click.echo(f"{code}: {told}")
        if not stored:
            click.echo("the law's rules alone")
