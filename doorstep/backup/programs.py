"""PostgreSQL's own pg_dump and pg_restore. Passwords go by passfile: no argument and no environment carries one."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import psycopg

from doorstep.backup.places import BackupTrouble
from doorstep.postgres import program
from doorstep.server import Server


def dump(server: Server, snapshot: str, target: Path) -> None:
    """The database of `server` as `snapshot` sees it, in custom format. Raises BackupTrouble."""
    _run(server, "pg_dump", "--format=custom", f"--snapshot={snapshot}", f"--file={target}", server.conninfo("owner"))
    target.chmod(0o600)


def restore(server: Server, source: Path) -> None:
    """Into the empty database of `server`, all or nothing. Raises BackupTrouble."""
    options = ("--no-owner", "--exit-on-error", "--single-transaction")
    _run(server, "pg_restore", *options, f"--dbname={server.conninfo('owner')}", str(source))


def _run(server: Server, name: str, *arguments: str) -> None:
    command = [str(_found(server, name)), *arguments]
    environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
    result = subprocess.run(
        command,
        check=False,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=environment,
    )
    if result.returncode:  # its own text may quote rows
        raise BackupTrouble(f"{name} ended with {result.returncode}")


def _found(server: Server, name: str) -> Path:
    """Our own server's program for our own server; for another one the machine's, where that is new enough."""
    if not server.is_foreign:
        return program(name)
    wanted = _server_version(server)
    on_path = shutil.which(name)
    for found in (Path(on_path) if on_path else None, program(name)):
        if found is not None and _version(found) >= wanted:
            return found
    raise BackupTrouble(f"no {name} of PostgreSQL {wanted} or newer is here: install the server's client programs")


def _server_version(server: Server) -> int:
    with psycopg.connect(server.conninfo("owner", "postgres")) as owner:
        return owner.info.server_version // 10_000


def _version(path: Path) -> int:
    told = subprocess.run(
        [str(path), "--version"], check=True, stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    return int(told.stdout.rpartition(") ")[2].partition(".")[0])
