"""How each role reaches a PostgreSQL server: addresses without passwords, one passfile per role, roles made once."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import psycopg
from psycopg import sql

from field_api.platform.crash import StartRefused

ROLES = ("owner", "office", "door")
OURS = frozenset({"host", "port", "user", "password", "dbname", "passfile"})


class DatabaseTrouble(StartRefused):
    """The database cannot serve; the text says what to do."""


@dataclass(frozen=True)
class Server:
    """A running server: how each role connects. Passwords are in passfiles, never in the addresses."""

    port: int
    passfiles: Path
    database: str = "doorstep"
    host: str = "127.0.0.1"
    owner: str = "doorstep_owner"
    owner_passfile: Path | None = None
    """Where the owner's password is, if not among ours."""
    options: tuple[tuple[str, str], ...] = ()
    """Further libpq parameters of the address, such as sslmode."""
    is_foreign: bool = False
    """Whether somebody else runs it: DATABASE_URL names it."""

    def url(self, role: str, database: str | None = None) -> str:
        """SQLAlchemy address of a role: owner, office or door."""
        query = urlencode([("passfile", str(self.passfile(role))), *self.options])
        return f"postgresql+psycopg://{self.user(role)}@{self.host}:{self.port}/{database or self.database}?{query}"

    def conninfo(self, role: str, database: str | None = None) -> str:
        """libpq connection string of a role."""
        return psycopg.conninfo.make_conninfo(
            host=self.host,
            port=self.port,
            user=self.user(role),
            dbname=database or self.database,
            passfile=str(self.passfile(role)),
            **dict(self.options),
        )

    def passfile(self, role: str) -> Path:
        if role == "owner" and self.owner_passfile:
            return self.owner_passfile
        return self.passfiles / f"{role}.pgpass"

    def user(self, role: str) -> str:
        return self.owner if role == "owner" else f"doorstep_{role}"


def server_at(address: str, home: Path) -> Server:
    """A server that is not ours: DATABASE_URL names a role that may create roles and the database.

    Its password may stand in the address or in PGPASSFILE; the office's and the door's are made here, once. Where the
    role may not create roles, an administrator makes `doorstep_office` and `doorstep_door` beforehand and puts their
    passwords into `home`/secrets/office.password and door.password. Raises DatabaseTrouble.
    """
    parts = psycopg.conninfo.conninfo_to_dict(address.replace("postgresql+psycopg://", "postgresql://", 1))
    given = os.environ.get("PGPASSFILE")
    own = str(parts.get("password") or "")
    server = Server(
        port=int(parts.get("port") or 5432),
        passfiles=home / "secrets",
        database=str(parts.get("dbname") or "doorstep"),
        host=str(parts.get("host") or "127.0.0.1"),
        owner=str(parts.get("user") or "doorstep_owner"),
        owner_passfile=Path(given) if given and not own else None,
        options=tuple((name, str(value)) for name, value in sorted(parts.items()) if name not in OURS and value),
        is_foreign=True,
    )
    passwords = {role: password_file(server.passfiles / f"{role}.password") for role in ("office", "door")}
    write_passfiles(server, passwords | ({"owner": own} if own else {}))
    try:
        ensure_roles_and_database(server.conninfo("owner", "postgres"), server.database, passwords)
        for role in passwords:
            psycopg.connect(server.conninfo(role), connect_timeout=10).close()
    except psycopg.Error as error:
        raise DatabaseTrouble(
            f"DATABASE_URL: {type(error).__name__} at {server.host}:{server.port} (the passwords of doorstep_office "
            f"and doorstep_door are read from {server.passfiles})"
        ) from error
    return server


def write_passfiles(server: Server, passwords: dict[str, str]) -> None:
    """One libpq passfile per role (0600), so that no address, argument or environment carries a password."""
    for role, password in passwords.items():
        escaped = password.replace("\\", "\\\\").replace(":", "\\:")
        _passfile(
            server.passfiles / f"{role}.pgpass",
            f"{server.host}:{server.port}:*:{server.user(role)}:{escaped}\n",
        )


def ensure_roles_and_database(admin: str, database: str, passwords: dict[str, str]) -> None:
    """Make the application's roles (neither superuser nor exempt from row security) and its database, once."""
    with psycopg.connect(admin, autocommit=True) as connection:
        for role in ("office", "door"):
            name = sql.Identifier(f"doorstep_{role}")
            known = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [f"doorstep_{role}"]).fetchone()
            if not known:
                connection.execute(
                    sql.SQL("CREATE ROLE {} LOGIN NOSUPERUSER NOBYPASSRLS PASSWORD {}").format(
                        name, sql.Literal(passwords[role])
                    )
                )
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database]).fetchone():
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(database)))


def password_file(path: Path) -> str:
    """The password in `path`, made on first use, readable by this user alone."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(32))
    return path.read_text()


def _passfile(path: Path, line: str) -> None:
    if path.exists() and path.read_text() == line:
        return
    staged = path.with_suffix(".new")
    staged.unlink(missing_ok=True)
    descriptor = os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(line)
    staged.replace(path)
