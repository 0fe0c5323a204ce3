"""`doorstep letter`: what letters look like, and letters made again from what is kept of them."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import click

from doorstep.commands import letter_custody, office_context
from doorstep.commands.letter_office import readiness, want
from doorstep.commands.letter_template import FILE, template, told
from doorstep.private_file import write_private
from field_api.adapters.typst_papers import TypstPapers
from field_api.domain.sample_letters import KINDS
from field_api.platform.database import transaction
from field_api.platform.problems import Problem
from field_api.platform.wiring import objects, papers
from field_api.records.base import load
from field_api.records.letter_templates import LetterTemplate
from field_api.rules.letters import LANGUAGES
from field_api.usecases.preview_letter import preview_letter
from field_api.usecases.reproduce_letter import reproduce_letter

OUT = click.Path(dir_okay=False, path_type=Path)


@click.group()
def letter() -> None:
    """Letters: what they lack, those for the post, previews, creditors' templates, reproduction."""


letter.add_command(template)
letter.add_command(want)
letter.add_command(readiness)
for _command in (letter_custody.chase, letter_custody.note, letter_custody.move, letter_custody.hand_in):
    letter.add_command(_command)


@letter.command()
@click.argument("file", required=False, type=FILE)
@click.option("--template", "template_id", type=click.UUID, help="A version that is kept, instead of FILE.")
@click.option("--kind", type=click.Choice(KINDS), default="notification", show_default=True)
@click.option("--jurisdiction", required=True, help="MX, US, DE ...")
@click.option("--language", default="", type=click.Choice(["", *LANGUAGES]), help="The addressee's; the place's own.")
@click.option("--hard", is_flag=True, help="Every field as long and as odd as it may come.")
@click.option("--out", required=True, type=OUT)
def preview(
    file: Path | None, template_id: UUID | None, kind: str, jurisdiction: str, language: str, hard: bool, out: Path
) -> None:
    """Lay an invented letter out by FILE, by a version that is kept, or by the house's own template."""
    if file is not None and template_id is not None:
        raise click.UsageError("either FILE or --template")
    source = file.read_bytes() if file is not None else b""
    if template_id is not None:
        with office_context() as agency_id, transaction(agency_id) as session:
            source = load(session, LetterTemplate, template_id).source.encode()
    try:
        paper = preview_letter(
            source, jurisdiction=jurisdiction, kind=kind, language=language, hard=hard, renderer=TypstPapers()
        )
    except Problem as problem:
        raise click.ClickException(told(problem, file.name if file else "source")) from problem
    out.write_bytes(paper.pdf)
    click.echo(f"{out}: {paper.pages} pages")


@letter.command()
@click.argument("serial")
@click.option("--out", type=OUT, help="Write what comes out; a letter is its addressee's: for its owner alone.")
def reproduce(serial: str, out: Path | None) -> None:
    """Make the issued letter SERIAL again; says `identical`, or what differs (exit status 1)."""
    with office_context() as agency_id, transaction(agency_id) as session:
        made = reproduce_letter(session, serial, renderer=papers(), objects=objects())
    if out is not None and made.pdf:
        write_private(out, made.pdf)
    if made.identical:
        click.echo("identical")
        return
    for reason in made.reasons:
        click.echo(reason, err=True)
    raise click.exceptions.Exit(1)
