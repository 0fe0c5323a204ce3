"""The commands of `doorstep`, one file per area, and the office context that they run in."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from uuid import UUID

import click

if TYPE_CHECKING:
    from doorstep.installation import Installation
    from doorstep.server import Server


@contextmanager
def office_context() -> Iterator[UUID]:
    """An application context with the office's keys on a running database; yields the agency to act for.

    DOORSTEP_AGENCY chooses among several agencies. Refusals become one clear line and exit status 1.
    """
    with installation_context() as installation:
        yield installation.agency(os.environ.get("DOORSTEP_AGENCY"))


@contextmanager
def installation_context() -> Iterator[Installation]:
    """The same without an agency, for what makes one."""
    with server_context() as (installation, _):
        yield installation


@contextmanager
def server_context() -> Iterator[tuple[Installation, Server]]:
    """The same with the database's server, for what works on all of it."""
    # Imported here: `doorstep phone` lives in this package too, and its process never loads the office.
    from sqlalchemy.exc import OperationalError

    from doorstep.app import worker_app
    from doorstep.installation import Installation
    from doorstep.server import DatabaseTrouble
    from field_api.platform.database import db
    from field_api.platform.problems import Problem

    installation = Installation.from_environment(os.environ)
    try:
        with installation.database() as server:
            app = worker_app(installation.settings(server, "office"))
            with app.app_context():
                try:
                    yield installation, server
                finally:
                    db.session.remove()
                    db.engine.dispose()
    except Problem as problem:
        raise click.ClickException(f"{problem.code}: {problem.detail or problem.code}") from problem
    except OperationalError as error:
        raise click.ClickException("the database does not answer") from error
    except DatabaseTrouble as trouble:
        raise click.ClickException(str(trouble)) from trouble
