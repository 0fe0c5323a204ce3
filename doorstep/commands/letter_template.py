"""`doorstep letter template`: creditors' own letter templates, tried, kept in versions and put into use."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from doorstep.commands import office_context
from field_api.adapters.typst_papers import TypstPapers
from field_api.domain.letter_templates import TemplateState
from field_api.domain.sample_letters import KINDS
from field_api.platform.database import transaction
from field_api.platform.problems import Problem
from field_api.platform.wiring import clock, papers
from field_api.queries.letter_templates import jurisdictions_of, templates_of
from field_api.records.agency import Creditor
from field_api.records.letter_templates import LetterTemplate
from field_api.rules.letters import LANGUAGES
from field_api.usecases.add_letter_template import add_letter_template, set_template_state
from field_api.usecases.check_letter_template import check_letter_template, places

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
KIND = click.option("--kind", "kinds", multiple=True, type=click.Choice(KINDS), help="Of these letters only; repeat.")
LANGUAGE = click.option(
    "--language", "languages", multiple=True, type=click.Choice(LANGUAGES), help="Of these addressees only; repeat."
)


@click.group()
def template() -> None:
    """Creditors' own letter templates (docs/letter-templates.md)."""


@template.command()
@click.argument("file", type=FILE)
@click.option("--jurisdiction", "jurisdictions", multiple=True, help="MX, US, DE ...; repeat. Without: every place.")
@click.option("--creditor", help="The places where this creditor's debtors live.")
@KIND
@LANGUAGE
def check(
    file: Path, jurisdictions: tuple[str, ...], creditor: str | None, kinds: tuple[str, ...], languages: tuple[str, ...]
) -> None:
    """Try FILE on invented letters; each fault is one line: file, line, reason. Exit status 1 where there is one."""
    where = _places_of(creditor) if creditor else list(jurisdictions) or places()
    faults = check_letter_template(
        file.read_bytes(), jurisdictions=where, kinds=kinds, languages=languages, renderer=TypstPapers()
    )
    for fault in faults:
        click.echo(fault.told(file.name), err=True)
    if faults:
        raise click.exceptions.Exit(1)
    click.echo(f"{file.name}: may be used in {', '.join(where)}")


@template.command()
@click.argument("creditor")
@click.argument("file", type=FILE)
@KIND
@LANGUAGE
def add(creditor: str, file: Path, kinds: tuple[str, ...], languages: tuple[str, ...]) -> None:
    """Keep FILE as a new version of CREDITOR's template, a draft, after it was tried."""
    with office_context() as agency_id, transaction(agency_id) as session:
        try:
            made = add_letter_template(
                session,
                _creditor(session, creditor).id,
                file.read_bytes(),
                kinds=kinds,
                languages=languages,
                renderer=papers(),
                now=clock().now(),
                actor="system",
            )
        except Problem as problem:
            raise click.ClickException(told(problem, file.name)) from problem
        click.echo(_line(made))


@template.command("list")
@click.argument("creditor")
def list_templates(creditor: str) -> None:
    """Every version: id, number, state, letters, languages, the source's SHA-256, when it came."""
    with office_context() as agency_id, transaction(agency_id) as session:
        rows = templates_of(_creditor(session, creditor).id).order_by(LetterTemplate.version)
        for row in session.scalars(rows):
            click.echo(_line(row))


@template.command()
@click.argument("template_id", type=click.UUID)
@click.option("--out", required=True, type=click.Path(dir_okay=False, path_type=Path))
def show(template_id: UUID, out: Path) -> None:
    """Write a version's source to a file."""
    with office_context() as agency_id, transaction(agency_id) as session:
        out.write_text(_load(session, template_id).source, encoding="utf-8")


@template.command()
@click.argument("template_id", type=click.UUID)
def use(template_id: UUID) -> None:
    """Put a version into use, after trying it again; the one before it is retired."""
    _move(template_id, TemplateState.ACTIVE)


@template.command()
@click.argument("template_id", type=click.UUID)
def retire(template_id: UUID) -> None:
    """Take a version out of use. Letters that it laid out keep it."""
    _move(template_id, TemplateState.RETIRED)


def told(problem: Problem, name: str) -> str:
    """A refusal with every fault in a line of its own, with the file's name where the problem says `source`."""
    errors = [error["problem"].replace("source", name, 1) for error in problem.extra.get("errors", [])]
    return "\n".join([f"{problem.code}: {problem.detail}", *errors])


def _move(template_id: UUID, state: TemplateState) -> None:
    with office_context() as agency_id, transaction(agency_id) as session:
        now = clock().now()
        try:
            moved = set_template_state(session, template_id, state, renderer=papers(), now=now, actor="system")
        except Problem as problem:
            raise click.ClickException(told(problem, "source")) from problem
        click.echo(_line(moved))


def _places_of(creditor: str) -> list[str]:
    with office_context() as agency_id, transaction(agency_id) as session:
        return jurisdictions_of(session, _creditor(session, creditor).id) or places()


def _creditor(session: Session, name: str) -> Creditor:
    found = session.scalars(select(Creditor).where(Creditor.name == name)).one_or_none()
    if found is None:
        raise click.BadParameter("no creditor of this name", param_hint="CREDITOR")
    return found


def _load(session: Session, template_id: UUID) -> LetterTemplate:
    found = session.scalars(select(LetterTemplate).where(LetterTemplate.id == template_id)).one_or_none()
    if found is None:
        raise click.BadParameter("no such template", param_hint="TEMPLATE_ID")
    return found


def _line(row: LetterTemplate) -> str:
    letters, languages = ",".join(row.kinds) or "all letters", ",".join(row.languages) or "all languages"
    day = row.created_at.date().isoformat()
    return f"{row.id}  v{row.version}  {row.state}  {letters}  {languages}  {bytes(row.sha256).hex()[:16]}  {day}"
