"""`doorstep plan --explain`: one account on one day, to the terminal."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

import click
from sqlalchemy.orm import Session

from field_api.platform.wiring import planning
from field_api.queries.accounts import account_by_reference
from field_api.queries.explain_account import Explanation, Planned, explain_account


def explain(session: Session, account: str, creditor: str | None, day: date) -> None:
    """Print where and when, or every reason why not and the next day. `account`: an id, or with `creditor` (a name) the
    creditor's reference. Nobody's name, no amount. Raises `not-found`."""
    said = explain_account(session, _account(session, account, creditor), day, planning())
    click.echo(f"account {said.account_id} on {day:%a %Y-%m-%d}")
    if said.planned is not None:
        _tell_planned(said.planned)
        return
    for reason in said.reasons:
        click.echo(f"  {reason.reason.value}: {reason.rule}")
    if not said.reasons:
        click.echo(f"  nothing speaks against it{_hours(said)}: no plan has it yet")
    later = f"{said.next_on:%a %Y-%m-%d}" if said.next_on else f"none in {said.searched_days} days, as things stand"
    click.echo(f"next day on which it could be: {later}")
    if said.next_on is None and not said.reasons and said.planned is None:
        click.echo("  no agent has the language, skills, territory and hours for it on any day")


def _tell_planned(planned: Planned) -> None:
    click.echo(
        f"  {planned.state}: agent {planned.agent_code}, stop {planned.position},"
        f" {_at(planned.arrival_from)} to {_at(planned.arrival_to)}, until {_at(planned.visit_until)} at the latest"
    )
    click.echo(f"  visit {planned.visit_id}, plan {planned.plan_id}")


def _hours(said: Explanation) -> str:
    return f" from {_at(said.opens_at)} to {_at(said.closes_at)}" if said.opens_at and said.closes_at else ""


def _at(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}Z"


def _account(session: Session, account: str, creditor: str | None) -> UUID:
    if creditor is None:
        try:
            return UUID(account)
        except ValueError:
            raise click.BadParameter(
                "an account's id, or with --creditor its reference", param_hint="--explain"
            ) from None
    return account_by_reference(session, creditor, account)
