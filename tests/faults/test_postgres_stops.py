"""Every operation whose receipt was given is there, however the database ends: stopped at once, without room, without
fsync.

A server of this file's own, with its durable settings; an acknowledgement counts when its receipt has arrived and verified.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest
from fault_house import furnished_house
from fault_world import House
from processes import PATIENCE_S, until
from sqlalchemy.exc import DBAPIError

from doorstep.migrate import migrate
from doorstep.postgres import EmbeddedPostgres
from doorstep.server import DatabaseTrouble, Server
from sync.phone import Patience, Phone
from sync.phone.errors import PhoneError

pytestmark = pytest.mark.xdist_group("faults")
IMMEDIATE = Patience(tries=1)


@dataclass
class Load:
    """A phone that records and sends in a thread of its own until told to stop. `acknowledged`: link by operation."""

    phone: Phone
    visit: str
    acknowledged: set[str] = field(default_factory=set)
    made: set[str] = field(default_factory=set)
    refused: int = 0
    broken: list[BaseException] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        try:
            while not self.stop.is_set():
                self.once()
        except BaseException as error:  # noqa: BLE001 - shown by the test, which has another thread
            self.broken.append(error)

    def once(self) -> None:
        for _ in range(3):
            self.made.add(self.phone.note(self.visit, "portón azul").op)
        try:
            self.phone.push()
        except PhoneError:
            self.refused += 1
            self.stop.wait(0.05)
        self.acknowledged |= {entry["op"] for entry in self.phone.queue() if entry["receipt"] == "received"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    server = EmbeddedPostgres(tmp_path_factory.mktemp("durable") / "home")
    migrate(server.start().url("owner"))
    yield server
    server.destroy()


@pytest.fixture
def house(server: EmbeddedPostgres, tmp_path: Path) -> Iterator[House]:
    with furnished_house(server.start(), tmp_path) as house:
        yield house


@contextmanager
def under_load(house: House) -> Iterator[Load]:
    """A phone sends all the time; at the end all that it was given a receipt for is there, and then the rest as well."""
    with house.enrol() as enrolled:
        load = Load(enrolled, house.visits[0])
        enrolled.door.patience = IMMEDIATE

    def live() -> None:
        with house.open(patience=IMMEDIATE) as phone:  # SQLite wants its thread
            load.phone = phone
            load.run()

    thread = threading.Thread(target=live)
    thread.start()
    try:
        yield load
    finally:
        load.stop.set()
        thread.join(PATIENCE_S)
    assert load.broken == []
    _is_all_there(house, load)


def _is_all_there(house: House, load: Load) -> None:
    inbox = _insist(house.inbox)
    assert load.acknowledged <= inbox.keys(), (
        f"{len(load.acknowledged - inbox.keys())} acknowledged operations are gone"
    )
    with house.open(patience=Patience(tries=20)) as phone:
        phone.push()
        assert {entry["receipt"] for entry in phone.queue()} <= {"received"}
    assert house.inbox().keys() == load.made


def _insist(ask: Callable[[], dict[str, tuple[int, str]]]) -> dict[str, tuple[int, str]]:
    """Connections of before are found dead by being used."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            return ask()
        except DBAPIError:
            assert time.monotonic() < deadline
            time.sleep(0.1)


@pytest.mark.parametrize("times", [3, pytest.param(200, marks=pytest.mark.prove)], ids=["short", "long"])
def test_stopped_at_once_again_and_again_under_load(house: House, server: EmbeddedPostgres, times: int) -> None:
    with under_load(house) as load:
        for _ in range(times):
            known = len(load.acknowledged)
            until(lambda known=known: len(load.acknowledged) >= known + 6 or bool(load.broken))  # type: ignore[misc]  # default
            server.stop("immediate")
            server.start()
    print(f"{times} stops, {len(load.made)} operations, {len(load.acknowledged)} acknowledged, {load.refused} refused")


@pytest.mark.prove
def test_killed_with_all_its_processes(house: House, server: EmbeddedPostgres) -> None:
    with under_load(house) as load:
        until(lambda: len(load.acknowledged) >= 9 or bool(load.broken))
        postmaster = int((server.data / "postmaster.pid").read_text().splitlines()[0])
        for process in [postmaster, *_children(postmaster)]:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        server.start()
    assert load.acknowledged


def _children(process: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


@contextmanager
def _traced(server: EmbeddedPostgres) -> Iterator[None]:
    """Every fsync of the server fails with EIO."""
    postmaster = int((server.data / "postmaster.pid").read_text().splitlines()[0])
    pids = [f"-p{process}" for process in (postmaster, *_children(postmaster))]
    inject = ["-e", "trace=fsync,fdatasync", "-e", "inject=fsync,fdatasync:error=EIO"]
    command = ["strace", "-f", "-qq", "-o", os.devnull, *inject, *pids]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL) as tracer:
        try:
            yield
        finally:
            tracer.terminate()
            told = tracer.communicate()[1].decode()
    if "ptrace" in told or "Operation not permitted" in told:
        pytest.skip("this machine lets nobody trace processes")


@pytest.mark.skipif(not shutil.which("strace"), reason="strace is not installed")
def test_a_disk_that_fails_to_write_acknowledges_nothing(house: House, server: EmbeddedPostgres) -> None:
    """PostgreSQL gives up at the first fsync that fails; what it had not flushed nobody was told to be safe."""
    with under_load(house) as load:
        until(lambda: len(load.acknowledged) >= 9 or bool(load.broken))
        with _traced(server):
            refused = load.refused
            until(lambda: load.refused > refused or bool(load.broken))
        server.stop("immediate")
        server.start()
    assert load.refused


def _small_disk(path: Path) -> bool:
    path.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=96m,mode=0777", "none", str(path)], capture_output=True, check=False
    )
    return mounted.returncode == 0


@pytest.mark.prove
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk")
def test_a_disk_without_room_acknowledges_nothing_that_is_not_there(house: House, server: EmbeddedPostgres) -> None:
    """The write-ahead log alone is moved to a disk that fills up: commits fail, and come back with the room."""
    disk = server.data.parent / f"disk-{os.getpid()}"  # where the server's user can go
    if not _small_disk(disk):
        disk.rmdir()
        pytest.skip("this machine lets nobody mount a disk")
    wal = server.data / "pg_wal"
    try:
        with under_load(house) as load:
            server.stop()
            _move(wal, disk / "pg_wal")
            wal.symlink_to(disk / "pg_wal")
            server.start()
            known = len(load.acknowledged)
            until(lambda: len(load.acknowledged) >= known + 6 or bool(load.broken))
            _fill(disk / "filler")
            refused = load.refused
            until(lambda: _used_up(server) and (load.refused > refused + 2 or bool(load.broken)))
            (disk / "filler").unlink()
            server.stop("immediate")
            server.start()
        assert load.refused > 2
    finally:
        server.stop("immediate")
        if wal.is_symlink():
            wal.unlink()
            _move(disk / "pg_wal", wal)
        subprocess.run(["umount", "-l", str(disk)], check=True, capture_output=True)
        disk.rmdir()


def _used_up(server: EmbeddedPostgres) -> bool:
    """The server keeps empty log files in hand: on to the next one, until it has to make one."""
    with suppress(psycopg.Error, DatabaseTrouble), psycopg.connect(_address(server), connect_timeout=2) as connection:
        connection.execute("SELECT pg_switch_wal()")
        return False
    return True


def _address(server: EmbeddedPostgres) -> str:
    port = int((server.home / "secrets" / "postgres.port").read_text())
    return Server(port, server.home / "secrets").conninfo("owner")


def _move(here: Path, there: Path) -> None:
    """With its owner, which another disk does not keep."""
    owner = here.stat()
    shutil.move(here, there)
    for path in (there, *there.rglob("*")):
        os.chown(path, owner.st_uid, owner.st_gid)


def _fill(path: Path) -> None:
    with path.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(1024 * 1024))
