"""`doorstep staff`: sign-ins of people and tokens of integrators."""

from __future__ import annotations

import sys
from uuid import UUID

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from doorstep.commands import office_context
from field_api.domain.roles import PEOPLE
from field_api.http.permits import TOKEN_PERMISSIONS
from field_api.platform.clock import SystemClock
from field_api.platform.database import transaction
from field_api.platform.passwords import one_time_password
from field_api.platform.problems import Problem
from field_api.queries.staff import staff_list, token_list
from field_api.records.agency import Creditor
from field_api.records.staff import ApiToken, Staff
from field_api.usecases.add_staff import add_staff, normalised_email
from field_api.usecases.change_password import change_password
from field_api.usecases.end_staff import end_staff
from field_api.usecases.issue_api_token import issue_api_token
from field_api.usecases.revoke_api_token import revoke_api_token

PASSWORD_STDIN = click.option(
    "--password-stdin", is_flag=True, help="Read the password from standard input instead of making one."
)


@click.group()
def staff() -> None:
    """Who signs in, and with what."""


@staff.command()
@click.argument("email")
@click.option("--role", type=click.Choice(sorted(role.value for role in PEOPLE)), required=True)
@click.option("--name", default="", help="As colleagues see it; the e-mail by default.")
@click.option("--creditor", "creditor_name", default="", help="Of a controller: the creditor whose accounts they see.")
@PASSWORD_STDIN
def add(email: str, role: str, name: str, creditor_name: str, password_stdin: bool) -> None:
    """Give somebody a sign-in; prints a first password, to be changed."""
    with office_context() as agency_id:
        password = _password(password_stdin)
        with transaction(agency_id) as session:
            creditor_id = None
            if creditor_name:
                creditor_id = session.scalars(select(Creditor.id).where(Creditor.name == creditor_name)).one_or_none()
                if creditor_id is None:
                    raise Problem("not-found", "no creditor of this name", at="--creditor")
            add_staff(session, email=email, name=name or email, role=role, password=password, creditor_id=creditor_id)
        _say(email, password, password_stdin)


@staff.command()
@click.argument("email")
@PASSWORD_STDIN
def password(email: str, password_stdin: bool) -> None:
    """Set a new password and end all sessions; prints a first password, to be changed."""
    with office_context() as agency_id:
        new = _password(password_stdin)
        with transaction(agency_id) as session:
            change_password(session, _id_of(session, email), old=None, new=new)
        _say(email, new, password_stdin)


@staff.command()
@click.argument("email")
def end(email: str) -> None:
    """Take somebody's sign-in away."""
    with office_context() as agency_id, transaction(agency_id) as session:
        end_staff(session, _id_of(session, email))
    click.echo(f"{email} no longer signs in")


@staff.command("list")
def list_staff() -> None:
    """Everybody with a sign-in, then every token."""
    with office_context() as agency_id, transaction(agency_id) as session:
        for person in session.scalars(staff_list().order_by(Staff.email)):
            click.echo(f"{person.email}  {person.role}  {'active' if person.active else 'ended'}")
        for issued in session.scalars(token_list().order_by(ApiToken.created_at)):
            state = "revoked" if issued.revoked_at else "active"
            click.echo(f"token {issued.id}  {issued.name}  {state}  {' '.join(issued.permissions)}")


@staff.group()
def token() -> None:
    """Tokens of integrators."""


@token.command("add")
@click.argument("name")
@click.option(
    "--allow",
    "permissions",
    multiple=True,
    required=True,
    type=click.Choice(sorted(TOKEN_PERMISSIONS)),
    help="A permission; give it several times for several.",
)
def token_add(name: str, permissions: tuple[str, ...]) -> None:
    """Issue a token to NAME; it is shown this once."""
    with office_context() as agency_id, transaction(agency_id) as session:
        wire = issue_api_token(
            session, name=name, permissions=permissions, allowed=TOKEN_PERMISSIONS, now=SystemClock().now()
        )
    click.echo(str(wire))


@token.command("revoke")
@click.argument("token_id", type=click.UUID)
def token_revoke(token_id: UUID) -> None:
    """Take a token back."""
    with office_context() as agency_id, transaction(agency_id) as session:
        revoke_api_token(session, token_id, now=SystemClock().now())
    click.echo(f"token {token_id} is revoked")


def _password(from_stdin: bool) -> str:
    return sys.stdin.readline().rstrip("\r\n") if from_stdin else one_time_password()


def _say(email: str, password: str, from_stdin: bool) -> None:
    click.echo(f"{email} can sign in" + ("" if from_stdin else f", first with: {password}"))


def _id_of(session: Session, email: str) -> UUID:
    found = session.scalars(select(Staff.id).where(Staff.email == normalised_email(email))).one_or_none()
    if found is None:
        raise Problem("not-found", "nobody of this agency signs in with this e-mail")
    return found
