"""`doorstep agency`: what letters say of the agency."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import click

from doorstep.commands import office_context
from doorstep.commands.agency_planning import planning
from doorstep.commands.agency_rules import contact_rules
from field_api.domain.letter_particulars import PERSONS, TEXTS
from field_api.domain.lock_policy import lock_policy
from field_api.domain.photo_retention import LONGEST_DAYS, photo_retention
from field_api.platform.clock import SystemClock
from field_api.platform.database import transaction
from field_api.records.agency import Agency
from field_api.usecases.change_agency import DURABILITIES, change_agency
from field_api.usecases.tighten_disclosure import tighten_disclosure
from media.office.destroy_expired import how_many_would_expire


@click.group()
def agency() -> None:
    """The agency itself: its address, and who answers for its letters."""


agency.add_command(contact_rules)
agency.add_command(planning)


@agency.command()
def show() -> None:
    """What the office knows of the agency."""
    with office_context() as agency_id, transaction(agency_id) as session:
        _tell(session.get_one(Agency, agency_id))


@agency.command("set")
@click.option("--address", help="Postal address, for letters.")
@click.option("--phone", help="Telephone number, for letters.")
@click.option("--email", help="E-mail address, for letters.")
@click.option("--responsible", "responsible", multiple=True, help="Who answers for letters (Mexico); repeatable.")
@click.option("--registration", help="The agency's registration, for letters (Ontario); empty takes it away.")
@click.option("--permit", "permit_number", help="Its permit number, for letters (Quebec); empty takes it away.")
@click.option("--supervisory-authority", help="Who supervises it, for letters (Germany); empty takes it away.")
@click.option("--vat-statement", help="What letters say of VAT (Germany); empty takes it away.")
@click.option("--interest-calculation", help="How interest is calculated (Germany); empty takes it away.")
@click.option(
    "--attestation/--no-attestation",
    default=None,
    help="Whether an agent's signed word of a document seen opens a locked part. Off unless said.",
)
@click.option(
    "--read-before-arrival/--no-read-before-arrival",
    default=None,
    help="Whether agents may read the locked part on their way. Off unless said.",
)
@click.option(
    "--durability",
    type=click.Choice(DURABILITIES),
    help="When phones may delete what they sent: once committed, or once in a verified `doorstep backup`.",
)
@click.option(
    "--photo-retention-days",
    type=click.IntRange(0, LONGEST_DAYS),
    help="Destroy photographs for good so many days after they came; 0: keep them. Asks, where some are older now.",
)
@click.option("--yes", is_flag=True, help="Do not ask.")
def set_agency(
    address: str | None,
    phone: str | None,
    email: str | None,
    responsible: tuple[str, ...],
    attestation: bool | None,
    read_before_arrival: bool | None,
    durability: str | None,
    photo_retention_days: int | None,
    yes: bool,
    **particulars: str | None,
) -> None:
    """Change what is given: letters written from then on carry it, visits out on phones are sealed anew."""
    with office_context() as agency_id, transaction(agency_id) as session:
        if photo_retention_days and not yes:
            _ask(how_many_would_expire(session, timedelta(days=photo_retention_days), SystemClock().now()))
        changed = change_agency(
            session,
            address=address,
            phone=phone,
            email=email,
            particulars=_particulars(responsible, particulars),
            attestation=attestation,
            read_before_arrival=read_before_arrival,
            durability=durability,
            photo_retention_days=photo_retention_days,
        )
        _tell(changed)


def _particulars(responsible: tuple[str, ...], texts: dict[str, str | None]) -> dict[str, Any]:
    said: dict[str, Any] = {name: text for name, text in texts.items() if text is not None}
    return {**said, **({PERSONS: responsible} if responsible else {})}


def _ask(older: int) -> None:
    if older:
        click.confirm(f"{older} photographs are older than this: destroy them and their keys for good?", abort=True)


@agency.command()
@click.argument("cells", nargs=-1, required=True, metavar="WHO.WHAT=CELL...")
def tighten(cells: tuple[str, ...]) -> None:
    """Let less be told at doors than the rule does (docs/disclosure.md), e.g. spouse.agency=never.

    Never more: that is refused, naming the cell. WHO.WHAT=rule takes the agency's own cell away again.
    """
    with office_context() as agency_id, transaction(agency_id) as session:
        _tell(tighten_disclosure(session, [_cell(text) for text in cells]))


def _cell(text: str) -> tuple[str, str, str]:
    place, _, cell = text.partition("=")
    who, _, what = place.partition(".")
    if not (who and what and cell):
        raise click.BadParameter(f"{text}: WHO.WHAT=CELL is wanted, e.g. spouse.agency=never")
    return who, what, cell


def _tell(row: Agency) -> None:
    click.echo(f"{row.agency_id}  {row.name}")
    for name, value in (("address", row.address), ("phone", row.phone), ("email", row.email)):
        click.echo(f"  {name}: {value or '-'}")
    letters = row.policy.get("letters") or {}
    click.echo(f"  responsible: {', '.join(letters.get(PERSONS) or []) or '-'}")
    for name in TEXTS:
        click.echo(f"  {name.replace('_', ' ')}: {letters.get(name) or '-'}")
    lock = lock_policy(row.policy)
    click.echo(f"  attestation opens: {'yes' if lock.attestation else 'no'}")
    click.echo(f"  read before arrival: {'yes' if lock.read_before_arrival else 'no'}")
    own = row.policy.get("disclosure") or {}
    cells = [f"{who}.{what}={cell}" for who, items in sorted(own.items()) for what, cell in sorted(items.items())]
    click.echo(f"  stricter than the rule: {', '.join(cells) or '-'}")
    click.echo(f"  durability: {row.policy.get('durability', 'commit')}")
    kept_for = photo_retention(row.policy)
    click.echo(
        f"  photographs are kept for: {f'{kept_for.days} days' if kept_for else 'as long as nobody destroys them'}"
    )
