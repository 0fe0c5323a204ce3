"""`doorstep audit`: the tamper-evident log, written out, proven in part, and verified offline."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import click

from doorstep.commands import office_context
from field_api.platform.database import transaction
from field_api.platform.sealing import Unsealable, b64u, from_b64u
from field_api.platform.wiring import clock, office_keys
from sync.office.audit import export_log
from sync.office.audit_lines import MAX_LINE_BYTES, Seen, lines_of, read_seen
from sync.office.audit_proof import BadProof, prove_leaf, verify_proof
from sync.office.audit_report import Report
from sync.office.audit_trust import UNREADABLE
from sync.office.audit_verify import verify_export
from sync.office.work import number_waiting

MAX_SHOWN = 1_000
FILE = click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
OUT = click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="File to write.")


class Base64Url(click.ParamType[bytes]):
    """A public key as text."""

    name = "key"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> bytes:
        try:
            return from_b64u(str(value))
        except Unsealable:
            self.fail("not a base64url key", param, ctx)


ROOT = click.option(
    "--root", type=Base64Url(), required=True, help="The agency's public root key, from a source of your own."
)


@click.group()
def audit() -> None:
    """The log of operations, receipts, photographs and decisions."""


@audit.command()
@OUT
def export(out: Path) -> None:
    """Write the whole log to a file, and print the root key that verifies it."""
    with office_context() as agency_id:
        number_waiting(agency_id, clock().now())
        with transaction(agency_id) as session:
            session.connection(execution_options={"isolation_level": "REPEATABLE READ"})  # the worker goes on
            keys = office_keys().fresh(agency_id)
            lines = export_log(session, keys, now=clock().now())
            first = next(lines)  # an empty log leaves no file
            with out.open("wb") as file:
                file.write(first)
                count = sum(1 for line in lines if file.write(line))
        root = b64u(keys.root_public)
    click.echo(f"{count} lines in {out}")
    click.echo(f"verify with: doorstep audit verify {out} --root {root}")


@audit.command()
@FILE
@ROOT
@click.option(
    "--seen",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="An earlier export, a proof, or an answer of /log/checkpoint: the log must begin with what it says.",
)
def verify(file: Path, root: bytes, seen: Sequence[Path]) -> None:
    """Verify an exported log offline; name what was changed, removed, put in or moved, and fail if anything was."""
    with file.open("rb") as lines:
        report = verify_export(lines_of(lines), root, [_seen(path) for path in seen])
    for line in islice(report.erasures, MAX_SHOWN):
        click.echo(line)
    if len(report.erasures) > MAX_SHOWN:
        click.echo(f"… and {len(report.erasures) - MAX_SHOWN} more erasures")
    for finding in report.findings:
        click.echo(str(finding))
    _conclude(report)


def _conclude(report: Report) -> None:
    count = len(report.findings) + report.more
    if count:
        raise click.ClickException(f"the log does not hold: {count} findings")
    click.echo(
        f"the log holds as of {report.exported_at}: {report.leaves} leaves, {report.checkpoints} signed checkpoints, "
        f"{len(report.erasures)} erased by decision"
    )


def _seen(path: Path) -> Seen:
    try:
        with path.open("rb") as file:
            return read_seen(file.readline(MAX_LINE_BYTES + 1))
    except UNREADABLE as error:
        raise click.BadParameter(f"no checkpoint in {path}", param_hint="--seen") from error


@audit.command()
@click.argument("leaf")
@OUT
def prove(leaf: str, out: Path) -> None:
    """Write a small file that proves one leaf: its NUMBER, or the reference of its row (inbox/DEVICE/OP)."""
    with office_context() as agency_id:
        number_waiting(agency_id, clock().now())
        with transaction(agency_id) as session:
            keys = office_keys().fresh(agency_id)
            proof = prove_leaf(session, keys, int(leaf) if leaf.isdecimal() else leaf)
    out.write_bytes(proof)
    click.echo(f"verify with: doorstep audit verify-proof {out} --root {b64u(keys.root_public)}")


@audit.command("verify-proof")
@FILE
@ROOT
def check_proof(file: Path, root: bytes) -> None:
    """Verify the proof of one leaf offline, and fail if it does not hold."""
    with file.open("rb") as opened:
        data = opened.read(MAX_LINE_BYTES + 1)
    try:
        proven = verify_proof(data, root)
    except BadProof as error:
        raise click.ClickException(f"the proof does not hold: {error}") from error
    click.echo(f"leaf {proven.number} ({proven.ref}) is in the log of {proven.size} leaves of {proven.checkpoint_at}")
    click.echo(f"{proven.kind} of {proven.at}")
