"""One installation of Doorstep on one machine: its home directory, its database, its agencies."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import click

from doorstep.migrate import migrate
from doorstep.postgres import EmbeddedPostgres
from doorstep.server import Server, server_at
from field_api.platform.keyring_files import OfficeKeyring
from field_api.platform.settings import Settings, home_from, journal_from
from field_api.platform.store_urls import LOCAL, StoreUrls, store_urls_from


@dataclass(frozen=True)
class Installation:
    """Where things are; `database()` brings the embedded server up unless DATABASE_URL names another one."""

    home: Path
    database_url: str | None
    door_url: str
    office_url: str
    journal: Path | None = None
    stores: StoreUrls = LOCAL

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Installation:
        """Raises UnsafeStore."""
        return cls(
            home=home_from(environment),
            database_url=environment.get("DATABASE_URL"),
            door_url=environment.get("DOORSTEP_DOOR_URL", "http://127.0.0.1:8401"),
            office_url=environment.get("DOORSTEP_OFFICE_URL", "http://127.0.0.1:8400"),
            journal=journal_from(environment),
            stores=store_urls_from(environment),
        )

    @contextmanager
    def database(self, *, migrated: bool = True) -> Iterator[Server]:
        """A running, migrated database. The last process of this home that leaves stops an embedded server."""
        if self.database_url:
            server = server_at(self.database_url, self.home)
            if migrated:
                migrate(server.url("owner"))
            yield server
            return
        embedded = EmbeddedPostgres(self.home)
        private(self.home)
        with _Users(self.home / "secrets" / "postgres.users") as users:
            with users.alone():
                server = embedded.start()
                if migrated:
                    migrate(server.url("owner"))
            try:
                yield server
            finally:
                if users.is_last():
                    embedded.stop()

    def settings(self, server: Server, role: str) -> Settings:
        """What a process of this role (office, door) must be told."""
        return Settings(
            home=self.home,
            database_url=server.url(role),
            door_url=self.door_url,
            office_url=self.office_url,
            journal=self.journal,
            stores=self.stores,
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


def private(home: Path) -> None:
    """Keys, secrets and objects below it are nobody else's to list."""
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    home.chmod(0o700)


class _Users:
    """Who uses the embedded server: a lock file, shared by its users, exclusive while it starts or stops.

    Locks go with their process, so a killed one leaves nothing behind.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._use = path.open("a")
        self._starting = path.with_suffix(".starting").open("a")

    def __enter__(self) -> _Users:
        return self

    def __exit__(self, *_: object) -> None:
        self._use.close()
        self._starting.close()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Nobody else starts or stops the server meanwhile; afterwards this process counts as a user."""
        fcntl.flock(self._starting, fcntl.LOCK_EX)
        try:
            yield
            fcntl.flock(self._use, fcntl.LOCK_SH)
        finally:
            fcntl.flock(self._starting, fcntl.LOCK_UN)

    def is_last(self) -> bool:
        """True, with nobody able to start until this process leaves, when no other user is left."""
        fcntl.flock(self._starting, fcntl.LOCK_EX)
        try:
            fcntl.flock(self._use, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            fcntl.flock(self._starting, fcntl.LOCK_UN)
            return False
        return True
