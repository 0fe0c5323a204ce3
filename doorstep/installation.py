"""One installation of Doorstep on one machine: its home directory, its database, its agencies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import click
import psycopg

from doorstep.migrate import migrate
from doorstep.postgres import EmbeddedPostgres, Server, server_at
from field_api.platform.keyring import OfficeKeyring
from field_api.platform.settings import Settings, home_from


@dataclass(frozen=True)
class Installation:
    """Where things are; `database()` brings the embedded server up unless DATABASE_URL names another one."""

    home: Path
    database_url: str | None
    door_url: str
    office_url: str

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Installation:
        return cls(
            home=home_from(environment),
            database_url=environment.get("DATABASE_URL"),
            door_url=environment.get("DOORSTEP_DOOR_URL", "http://127.0.0.1:8401"),
            office_url=environment.get("DOORSTEP_OFFICE_URL", "http://127.0.0.1:8400"),
        )

    @contextmanager
    def database(self) -> Iterator[Server]:
        """A running, migrated database. An embedded server that this call started is stopped again at the end."""
        if self.database_url:
            server = server_at(self.database_url, self.home)
            migrate(server.url("owner"))
            yield server
            return
        embedded = EmbeddedPostgres(self.home)
        already = embedded.running()
        server = embedded.start()
        try:
            migrate(server.url("owner"))
            yield server
        finally:
            if not already:
                embedded.stop()

    def settings(self, server: Server, role: str) -> Settings:
        """What a process of this role (office, door) must be told."""
        return Settings(
            home=self.home, database_url=server.url(role), door_url=self.door_url, office_url=self.office_url
        )

    def agency(self, chosen: str | None = None) -> UUID:
        """The agency to act for: the chosen one, or the only one. Raises ClickException in words otherwise."""
        known = OfficeKeyring(self.home / "keys" / "office").agencies()
        if chosen:
            return UUID(chosen)
        if len(known) == 1:
            return known[0]
        if not known:
            raise click.ClickException(f"no agency in {self.home}: run `doorstep init` first")
        raise click.ClickException("several agencies here: set DOORSTEP_AGENCY to one of " + ", ".join(map(str, known)))


def can_connect(conninfo: str) -> bool:
    """Whether a server answers and lets this role in."""
    try:
        with psycopg.connect(conninfo, connect_timeout=5):
            return True
    except psycopg.OperationalError:
        return False
