"""`doorstep letter chase | note | move | hand-in`: where letters' papers are, and what the office does about them."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import click
from rich.table import Table
from sqlalchemy.orm import Session

from doorstep.commands import office_context
from doorstep.commands.tables import plain_console
from field_api.domain.letter_custody import Chased
from field_api.domain.letters import LetterState
from field_api.platform.database import transaction
from field_api.platform.problems import Problem
from field_api.platform.wiring import clock
from field_api.queries.agents import agent_of_code
from field_api.queries.chased_letters import KEYS, MANY, chase_counts, chased, chased_letter, refused_by_creditor
from field_api.usecases.hand_in_letters import HandedIn, HandIn, hand_in_letters
from field_api.usecases.hand_over_letter import letter_by_serial
from field_api.usecases.move_letter import move_letter
from field_api.usecases.take_custody_step import take_custody_step

NOTED = tuple(
    state.value
    for state in (
        LetterState.PULLED, LetterState.RETURNED, LetterState.DESTROYED, LetterState.LOST, LetterState.POSTED,
    )
)  # fmt: skip
_SAID = {
    HandedIn.RETURNED: "back",
    HandedIn.OF_ANOTHER: "back, out of another agent's or day's stack",
    HandedIn.TWICE: "was here already",
    HandedIn.UNKNOWN: "no letter has this serial number",
}


@click.command()
@click.option("--why", type=click.Choice([why.value for why in Chased]), help="Only this list, with its letters.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=200, show_default=True)
def chase(why: str | None, limit: int) -> None:
    """Letters to look after: how many of each kind; with --why which, where each lies, and what is to be done."""
    with office_context() as agency_id, transaction(agency_id) as session:
        if why is None:
            _show_counts(session)
        else:
            _show_list(session, Chased(why), limit)


@click.command()
@click.argument("state", type=click.Choice(NOTED))
@click.argument("serials", nargs=-1, required=True)
def note(state: str, serials: tuple[str, ...]) -> None:
    """Note that letters were pulled out of a stack, came back, were destroyed or posted, or are lost."""
    _all(serials, LetterState(state))


@click.command()
@click.argument("serials", nargs=-1, required=True)
def move(serials: tuple[str, ...]) -> None:
    """Note that letters were put into the stack where their visits are now."""
    _all(serials, None)


@click.command("hand-in")
@click.option("--agent", "code", required=True, help="The agent's code.")
@click.option("--date", "day", required=True, type=click.DateTime(["%Y-%m-%d"]), help="The day of the stack.")
@click.argument("serials", type=click.File("r"), default="-")
def hand_in(code: str, day: datetime, serials: click.utils.LazyFile) -> None:
    """Take back what an agent brings: one serial number a line, typed or scanned (standard input).

    Says what is missing. Exit status 1 where a letter is missing or could not be taken back.
    """
    typed = [line.strip() for line in serials if line.strip()]
    with office_context() as agency_id, transaction(agency_id) as session:
        agent = agent_of_code(session, code)
        done = hand_in_letters(session, agent.id, day.date(), typed, now=clock().now(), actor="system")
    _tell(typed, done)
    wrong = {HandedIn.UNKNOWN, HandedIn.NOT_POSSIBLE}
    if done.missing or any(line.result in wrong for line in done.lines):
        raise click.exceptions.Exit(1)


def _show_counts(session: Session) -> None:
    now = clock().now()
    table = Table("list", "letters")
    for why, count in chase_counts(session, now).items():
        table.add_row(why.value, str(count) if count <= MANY else f"more than {MANY}")
    plain_console().print(table)
    refused = refused_by_creditor(session, now)
    if refused:
        missing = Table("creditor", "refused for", "letters")
        for one in refused:
            missing.add_row(one.creditor, one.refusal, str(one.count))
        plain_console().print(missing)


def _show_list(session: Session, why: Chased, limit: int) -> None:
    table = Table()
    for column in ("agent", "day", "stop", "name", "serial", "state", "to do", "since (UTC)"):
        table.add_column(column, no_wrap=column in ("day", "serial"))  # a number cut off finds no letter
    if why is Chased.REFUSED:
        table.add_column("refused for")
    for row in session.execute(chased(why, clock().now()).order_by(*KEYS[why]).limit(limit)):
        one = chased_letter(why, row)
        to = f" to {one.to_agent_code}, stop {one.to_stop}" if one.to_agent_code else ""
        cells = [
            one.agent_code or "", str(one.on or ""), str(one.stop or ""), one.name, one.serial, one.state,
            one.to_do + to, f"{one.since:%Y-%m-%d %H:%M}",
        ]  # fmt: skip
        table.add_row(*cells, *([one.refusal or ""] if why is Chased.REFUSED else []))
    plain_console().print(table)


def _all(serials: tuple[str, ...], state: LetterState | None) -> None:
    """Each letter by itself: what is refused for one keeps no other out."""
    with office_context() as agency_id:
        done = [_each(agency_id, serial, state) for serial in serials]
    if not all(done):
        raise click.exceptions.Exit(1)


def _each(agency_id: UUID, serial: str, state: LetterState | None) -> bool:
    try:
        with transaction(agency_id) as session:
            letter_id = letter_by_serial(session, serial).id
        with transaction(agency_id) as session:
            now = clock().now()
            if state is None:
                move_letter(session, letter_id, now=now, actor="system")
            else:
                take_custody_step(session, letter_id, state, recipient=None, staff_id=None, now=now)
    except Problem as problem:
        click.echo(f"{serial}: {problem.code}: {problem.detail}", err=True)
        return False
    click.echo(f"{serial}: {state.value if state else 'moved'}")
    return True


def _tell(typed: list[str], done: HandIn) -> None:
    for line in done.lines:
        said = _SAID.get(line.result, f"is recorded as {line.was}: noted, a manager must look")
        click.echo(f"{typed[line.typed]}: {said}")
    for one in done.missing:
        click.echo(f"missing: stop {one.stop}, {one.name}, {one.serial}")
    if not done.missing:
        click.echo("nothing is missing")
