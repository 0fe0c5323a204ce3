"""`doorstep letter want | readiness`: letters that the office asks for, and what letters lack."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from doorstep.commands import office_context
from doorstep.private_file import write_private
from field_api.domain.letter_steps import ASKED_FOR
from field_api.domain.letters import LetterKind, LetterState
from field_api.platform.database import transaction
from field_api.platform.wiring import clock, objects, papers
from field_api.queries.letter_readiness import Lack, Readiness, letter_readiness
from field_api.records.agency import Creditor
from field_api.records.visits import Letter
from field_api.usecases.read_letter import read_letter
from field_api.usecases.write_asked_letters import write_asked_letters

HOW = {"agency": "doorstep agency set", "creditor": "doorstep creditor change", "account": "doorstep import"}
"""Where what is missing is said, by whose it is."""


@click.command()
@click.argument("visit_id", type=click.UUID)
@click.argument("kind", type=click.Choice(sorted(kind.value for kind in ASKED_FOR)))
@click.option("--account", "account_id", type=click.UUID, help="One of the visit's accounts; without it, each of them.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Write each as SERIAL.pdf there.")
def want(visit_id: UUID, kind: str, account_id: UUID | None, out: Path | None) -> None:
    """Write a letter for the post: a promise in writing, a plan's schedule, that a dispute came in."""
    with office_context() as agency_id, transaction(agency_id) as session:
        made = {"renderer": papers(), "objects": objects(), "now": clock().now(), "by": None}
        letters = write_asked_letters(session, visit_id, LetterKind(kind), account_id=account_id, **made)
        for letter in letters:
            click.echo(f"{letter.serial}  {letter.kind}  {letter.state}{_why(letter)}")
        files = [(one.serial, _pdf(session, one)) for one in letters if out and one.object_key]
    for serial, pdf in files if out else ():
        _save(out, serial, pdf)
    if any(letter.state == LetterState.REFUSED.value for letter in letters):
        raise click.exceptions.Exit(1)


@click.command()
@click.option("--creditor", "name", help="Only this creditor's letters.")
def readiness(name: str | None) -> None:
    """Which required fields letters lack, by creditor and place, before any plan is made.

    Exit status 1 where something is missing.
    """
    ready = True
    with office_context() as agency_id, transaction(agency_id) as session:
        for creditor in _creditors(session, name):
            for place in letter_readiness(session, creditor.id):
                ready = ready and place.rules and not place.lacks
                for line in _lines(creditor.name, place):
                    click.echo(line)
    if not ready:
        raise click.exceptions.Exit(1)


def _creditors(session: Session, name: str | None) -> list[Creditor]:
    query = select(Creditor).order_by(Creditor.name)
    found = list(session.scalars(query.where(Creditor.name == name) if name else query))
    if name and not found:
        raise click.BadParameter("no creditor of this name", param_hint="--creditor")
    return found


def _lines(name: str, place: Readiness) -> Iterator[str]:
    many = place.accounts
    if not place.rules:
        yield f"{name}, {place.jurisdiction}: no letter rules are known there, nothing is written ({many} accounts)"
    elif not place.lacks:
        yield f"{name}, {place.jurisdiction}: ready ({many} accounts)"
    else:
        yield f"{name}, {place.jurisdiction}: {len(place.lacks)} missing ({many} accounts)"
        yield from (f"  {_lack(lack)}" for lack in place.lacks)
    if place.rules:
        yield f"  on the envelope at most: {' · '.join(place.outside) or 'nothing'}"


def _lack(lack: Lack) -> str:
    whose = f"{lack.accounts} accounts" if lack.accounts is not None else lack.of
    return f"{lack.field} of {whose}: {lack.source}; {HOW[lack.of]}"


def _why(letter: Letter) -> str:
    return f"  {letter.refusal}" if letter.refusal else ""


def _pdf(session: Session, letter: Letter) -> bytes:
    return read_letter(session, letter.id, objects=objects(), now=clock().now())


def _save(out: Path, serial: str, pdf: bytes) -> None:
    """A letter is for its addressee: the file is its owner's alone, and its name says nothing."""
    out.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = out / f"{serial}.pdf"
    write_private(path, pdf)
    click.echo(str(path))
