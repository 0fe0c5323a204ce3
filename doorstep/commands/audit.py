"""`doorstep audit`: the tamper-evident log, written out and verified offline."""

from __future__ import annotations

from pathlib import Path

import click

from doorstep.commands import office_context
from field_api.platform.database import transaction
from field_api.platform.sealing import Unsealable, b64u, from_b64u
from field_api.platform.wiring import office_keys
from sync.office.audit import export_log, verify_export


@click.group()
def audit() -> None:
    """The log of operations, receipts and decisions."""


@audit.command()
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="File to write.")
def export(out: Path) -> None:
    """Write the whole log to a file, and print the root key that verifies it."""
    with office_context() as agency_id, transaction(agency_id) as session:
        keys = office_keys().of(agency_id)
        with out.open("wb") as file:
            leaves = sum(1 for line in export_log(session, keys) if file.write(line)) - 1
        root = b64u(keys.root_public)
    click.echo(f"{leaves} leaves in {out}")
    click.echo(f"verify with: doorstep audit verify {out} --root {root}")


@audit.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--root", required=True, help="The agency's public root key, from a source of your own.")
def verify(file: Path, root: str) -> None:
    """Verify an exported log offline; name what was changed, removed or reordered, and fail if anything was."""
    try:
        root_public = from_b64u(root)
    except Unsealable as error:
        raise click.BadParameter("not a base64url key", param_hint="--root") from error
    with file.open("rb") as lines:
        findings = verify_export(lines, root_public)
    for finding in findings:
        click.echo(str(finding))
    if findings:
        raise click.ClickException(f"the log does not hold: {len(findings)} findings")
    click.echo("the log holds: every leaf stands, and the root is the signed one")
