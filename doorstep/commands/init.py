"""`doorstep init`: an agency with its keys, and on request its first administrator."""

from __future__ import annotations

from uuid import UUID

import click

from doorstep.commands import installation_context
from doorstep.installation import Installation
from field_api.platform.clock import SystemClock
from field_api.platform.database import transaction
from field_api.platform.ids import new_id
from field_api.platform.keyring_files import OfficeKeyring
from field_api.platform.passwords import one_time_password
from field_api.records.agency import Agency
from field_api.usecases.add_staff import add_staff
from field_api.usecases.create_agency import create_agency


@click.command()
@click.option("--agency", "name", required=True, help="The agency's name, as its letters carry it.")
@click.option("--address", default="", help="Its postal address, for letters.")
@click.option("--phone", default="", help="Its telephone number, for letters.")
@click.option("--email", default="", help="Its e-mail address, for letters.")
@click.option("--admin", "admin_email", default="", help="E-mail of a first administrator; prints a first password.")
def init(name: str, address: str, phone: str, email: str, admin_email: str) -> None:
    """Make an agency: keys below the home directory, its row in the database. Doing it again changes nothing."""
    with installation_context() as installation:
        agency_id, made = _find_or_make(installation, name, address, phone, email)
        click.echo(f"agency {agency_id} {'made' if made else 'is here already'}: {name}")
        if made:
            click.echo(f"keys in {installation.home / 'keys'}: move keys/root off this machine and keep it safe")
        if admin_email:
            _first_admin(agency_id, admin_email)


def _find_or_make(installation: Installation, name: str, address: str, phone: str, email: str) -> tuple[UUID, bool]:
    """The agency of this name and whether it is new. Keys without a row, left by a crash, get their row."""
    without_row: UUID | None = None
    for agency_id in OfficeKeyring(installation.home / "keys" / "office").agencies():
        with transaction(agency_id) as session:
            row = session.get(Agency, agency_id)
            if row is not None and row.name == name:
                return agency_id, False
            if row is None:
                without_row = without_row or agency_id
    agency_id = without_row or new_id()
    now = SystemClock().now()
    with transaction(agency_id) as session:
        create_agency(
            session,
            agency_id,
            None if without_row else installation.home,
            name,
            address=address,
            phone=phone,
            email=email,
            now=now,
        )
    return agency_id, True


def _first_admin(agency_id: UUID, email: str) -> None:
    password = one_time_password()
    with transaction(agency_id) as session:
        add_staff(session, email=email, name=email, role="admin", password=password)
    click.echo(f"{email} can sign in, first with: {password}")
