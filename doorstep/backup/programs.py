"""PostgreSQL's own pg_dump and pg_restore. Passwords go by passfile: no argument and no environment carries one."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

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
    if result.returncode:  # its text may quote rows: how it ended is told, and what it says of versions
        versions = "version mismatch" in result.stderr.decode(errors="replace")
        why = ": its version is older than the server's" if versions else ""
        raise BackupTrouble(f"{name} ended with {result.returncode}{why}")


def _found(server: Server, name: str) -> Path:
    """Our own server's programs for our own server; for another one those of the machine, which fit it better."""
    on_path = shutil.which(name) if server.is_foreign else None
    return Path(on_path) if on_path else program(name)
