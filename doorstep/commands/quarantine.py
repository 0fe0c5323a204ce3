"""`doorstep quarantine`: what came from phones and had no effect; look, try again, put right, release, dismiss."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from doorstep.commands import office_context
from field_api.domain.confidential import audience
from field_api.domain.disclosure import Audience
from field_api.domain.vocabulary import OpKind
from field_api.platform.bounded_json import BadJson, loads
from field_api.platform.database import transaction
from field_api.platform.problems import Problem
from field_api.platform.tenancy import current_agency
from field_api.platform.wiring import clock, office_keys
from sync.mailbox import InboxOp, QuarantinedBytes
from sync.office.decide_quarantined import DECIDE_BYTES, DECIDE_OPERATION, retry_all, retry_operation
from sync.office.kept import KeptOperation, OpenedContent, kept_bytes, look_at, opened_bytes, opened_operation
from sync.office.mend_operation import Correction, mend_bytes, mend_operation
from sync.office.quarantine import OddBytesLine, QuarantineLine, odd_bytes, operations_without_effect

MAX_BODY_BYTES = 64 * 1024
REASON = click.option("--reason", required=True, help="Goes on record, sealed; the log has its hash.")
KEPT = click.argument("kept", type=click.UUID)


@click.group()
def quarantine() -> None:
    """What came from phones and had no effect. KEPT is an operation's id, or that of bytes that are none."""


@quarantine.command("list")
@click.option("--state", type=click.Choice(["quarantined", "held"]))
@click.option("--why", help="The code under `reason`.")
@click.option("--all", "dismissed", is_flag=True, help="Dismissed ones as well.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=200, show_default=True)
def list_kept(state: str | None, why: str | None, dismissed: bool, limit: int) -> None:
    """Operations without effect, the oldest first, then bytes that are no operation."""
    with office_context() as agency_id, transaction(agency_id) as session:
        found = operations_without_effect(state=state, reason=why, decided=None if dismissed else False)
        for row in session.execute(found.order_by(InboxOp.received_at, InboxOp.op_id).limit(limit)):
            line = QuarantineLine(*row)
            needs = f"  waits for {', '.join(map(str, line.waits_for))}" if line.waits_for else ""
            _line(line.id, line.received_at, line.device_id, line.seq, line.state, line.reason, needs)
        if state is None and why is None:
            for row in session.execute(odd_bytes().order_by(QuarantinedBytes.received_at).limit(limit)):
                odd = OddBytesLine(*row)
                if dismissed or odd.closed_at is None:
                    _line(odd.id, odd.received_at, odd.device_id, odd.seq, "bytes", odd.reason, f"  {odd.bytes} bytes")


def _line(kept: UUID, at: datetime, device: UUID, seq: int | None, state: str, why: str | None, more: str) -> None:
    click.echo(f"{kept}  {at:%Y-%m-%d %H:%M}  phone {str(device)[:8]} {seq or '-':>6}  {state:<11} {why or ''}{more}")


@quarantine.command()
@KEPT
@click.option("--content", is_flag=True, help="Also what is sealed in it, for managers' eyes.")
def show(kept: UUID, content: bool) -> None:
    """Header and clocks as the phone says them, who waits for it, what was decided about it."""
    with office_context() as agency_id, transaction(agency_id) as session:
        keys = office_keys().of(agency_id)
        device_id = _device_of(session, kept)
        if device_id is not None:
            looked = look_at(session, device_id, kept)
            opened = opened_operation(keys, looked.row) if content else None
            _tell(looked)
        else:
            odd = kept_bytes(session, kept)
            opened = opened_bytes(keys, odd) if content else None
            click.echo(f"{odd.status} {odd.reason}, phone {odd.device_id}, claims operation {odd.op_id} seq {odd.seq}")
        if opened is not None:
            _tell_content(opened)


def _tell(looked: KeptOperation) -> None:
    row, claims = looked.row, looked.claims
    click.echo(f"{row.state} {row.reason or ''}  incident {row.incident or '-'}")
    click.echo(f"phone {row.device_id}, seq {row.seq}, received {row.received_at.isoformat()}")
    click.echo(f"visit {claims.visit} (assignment {claims.assignment_version}), size {claims.size}, key {claims.key}")
    click.echo(f"wall clock {claims.wall.isoformat() if claims.wall else '-'}, monotonic {claims.mono_ms} ms")
    click.echo(f"needs {', '.join(map(str, claims.deps)) or '-'}")
    click.echo(f"needed by {', '.join(map(str, looked.waiting)) or '-'}{'  released' if row.released else ''}")
    for decision in looked.decisions:
        click.echo(f"{decision.decided_at.isoformat()}  {decision.action}  by {decision.decided_by or 'command'}")


def _tell_content(opened: OpenedContent) -> None:
    if opened.trouble:
        click.echo(f"does not open: {opened.trouble}")
    with audience(Audience.MANAGER):
        for part in (opened.content, opened.raw):
            if part is not None:
                click.echo(part.reveal(Audience.MANAGER))


@quarantine.command()
@click.argument("kept", type=click.UUID, required=False)
@click.option("--why", help="All that were quarantined with this code, instead of one.")
@REASON
def retry(kept: UUID | None, why: str | None, reason: str) -> None:
    """Have the worker apply it again: after an upgrade, or where a crash was not its own fault."""
    if (kept is None) == (why is None):
        raise click.UsageError("one operation, or --why for all with one code")
    with office_context() as agency_id, transaction(agency_id) as session:
        if why is not None:
            count = retry_all(session, why, reason=reason, by=None, now=clock().now())
            click.echo(f"{count} are tried again")
        elif kept is not None:
            device_id = _operation(session, kept)
            click.echo(retry_operation(session, device_id, kept, reason=reason, by=None, now=clock().now()).state)


@quarantine.command()
@KEPT
@click.option("--kind", type=click.Choice([kind.value for kind in OpKind]), required=True)
@click.option("--body", type=click.Path(exists=True, dir_okay=False, path_type=Path), required=True, help="JSON.")
@click.option("--visit", type=click.UUID)
@REASON
def mend(kept: UUID, kind: str, body: Path, visit: UUID | None, reason: str) -> None:
    """Let a correction take effect in its place; the phone's own bytes stay as they came."""
    correction = Correction(OpKind(kind), _read(body), visit, reason)
    with office_context() as agency_id, transaction(agency_id) as session:
        device_id = _device_of(session, kept)
        if device_id is not None:
            click.echo(mend_operation(session, device_id, kept, correction, by=None, now=clock().now()).state)
        else:
            mend_bytes(session, kept, correction, by=None, now=clock().now())
            click.echo("applied")


@quarantine.command()
@KEPT
@REASON
def release(kept: UUID, reason: str) -> None:
    """Those that need it go on without it; one that waits goes on without what it needs."""
    _decide("release", kept, reason)
    click.echo("released")


@quarantine.command()
@KEPT
@REASON
def dismiss(kept: UUID, reason: str) -> None:
    """Looked at: there is nothing to do. It stays where it is."""
    _decide("dismiss", kept, reason)
    click.echo("dismissed")


def _decide(action: str, kept: UUID, reason: str) -> None:
    with office_context() as agency_id, transaction(agency_id) as session:
        device_id = _device_of(session, kept)
        if device_id is not None:
            DECIDE_OPERATION[action](session, device_id, kept, reason=reason, by=None, now=clock().now())
        else:
            DECIDE_BYTES[action](session, kept, reason=reason, by=None, now=clock().now())


def _device_of(session: Session, kept: UUID) -> UUID | None:
    """The phone whose operation has this id; None where none has. Raises `conflict` where two phones used the id."""
    query = select(InboxOp.device_id).where(InboxOp.agency_id == current_agency(), InboxOp.op_id == kept)
    found = session.scalars(query).all()
    if len(found) > 1:
        raise Problem("conflict", "two phones used this id: decide in the API, by phone and id")
    return found[0] if found else None


def _operation(session: Session, kept: UUID) -> UUID:
    device_id = _device_of(session, kept)
    if device_id is None:
        raise Problem("not-found", "no such operation; bytes that are none cannot be tried again")
    return device_id


def _read(path: Path) -> dict[str, Any]:
    try:
        body = loads(path.read_bytes(), max_bytes=MAX_BODY_BYTES)
    except BadJson as error:
        raise click.BadParameter(str(error), param_hint="--body") from error
    if not isinstance(body, dict):
        raise click.BadParameter("an object is needed", param_hint="--body")
    return body
