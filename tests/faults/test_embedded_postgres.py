"""The embedded server: survives kill -9, refuses another version in words, keeps its port, serves from a closed home."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from doorstep.installation import Installation
from doorstep.postgres import EmbeddedPostgres
from doorstep.server import DatabaseTrouble


@pytest.fixture
def embedded(tmp_path: Path) -> Iterator[EmbeddedPostgres]:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)  # as root, the server's user cannot enter here
    server = EmbeddedPostgres(closed / "home")
    yield server
    server.destroy()


def _postmaster(embedded: EmbeddedPostgres) -> int:
    return int((embedded.data / "postmaster.pid").read_text().splitlines()[0])


def test_what_was_committed_is_there_after_kill_9_and_the_port_is_kept(embedded: EmbeddedPostgres) -> None:
    server = embedded.start()
    with psycopg.connect(server.conninfo("owner")) as connection:
        connection.execute("CREATE TABLE kept (n int)")
        connection.execute("INSERT INTO kept VALUES (7)")
    os.kill(_postmaster(embedded), signal.SIGKILL)
    again = embedded.start()
    assert again.port == server.port
    with psycopg.connect(again.conninfo("owner")) as connection:
        assert connection.execute("SELECT n FROM kept").fetchall() == [(7,)]


def test_a_second_start_finds_the_running_server(embedded: EmbeddedPostgres) -> None:
    first = embedded.start()
    pid = _postmaster(embedded)
    assert embedded.start() == first
    assert _postmaster(embedded) == pid


def test_data_of_another_version_are_refused_in_words(embedded: EmbeddedPostgres) -> None:
    embedded.start()
    embedded.stop()
    (embedded.data / "PG_VERSION").write_text("12\n")
    with pytest.raises(DatabaseTrouble, match=r"belong to PostgreSQL 12, this Doorstep ships PostgreSQL 18"):
        embedded.start()
    (embedded.data / "PG_VERSION").write_text("18\n")


def test_the_server_does_not_run_as_root_and_wants_passwords(embedded: EmbeddedPostgres) -> None:
    server = embedded.start()
    assert Path(f"/proc/{_postmaster(embedded)}").stat().st_uid != 0
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(f"host=127.0.0.1 port={server.port} user=doorstep_owner dbname=doorstep passfile=/dev/null")


def test_no_role_of_the_application_escapes_row_security(embedded: EmbeddedPostgres) -> None:
    server = embedded.start()
    with psycopg.connect(server.conninfo("owner")) as connection:
        rows = connection.execute(
            "SELECT rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb FROM pg_roles"
            " WHERE rolname IN ('doorstep_office', 'doorstep_door')"
        ).fetchall()
    assert rows == [(False,), (False,)]


def test_passwords_are_readable_by_this_user_alone(embedded: EmbeddedPostgres) -> None:
    embedded.start()
    files = list((embedded.home / "secrets").glob("*.pg*")) + list((embedded.home / "secrets").glob("*.password"))
    assert len(files) == 6
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}


def test_another_server_serves_as_well_and_the_last_user_stops_the_embedded_one(
    embedded: EmbeddedPostgres, tmp_path: Path
) -> None:
    """DATABASE_URL: roles, database and migrations on a server that is not ours (here: our own, seen as another's)."""
    server = embedded.start()
    password = (embedded.home / "secrets" / "owner.password").read_text()
    address = f"postgresql://doorstep_owner:{password}@127.0.0.1:{server.port}/elsewhere"
    other = Installation(tmp_path / "other", address, "http://door.test", "http://office.test")
    # The roles of this cluster already have passwords: an administrator hands them over as files.
    (tmp_path / "other" / "secrets").mkdir(parents=True)
    for role in ("office", "door"):
        (tmp_path / "other" / "secrets" / f"{role}.password").write_text(
            (embedded.home / "secrets" / f"{role}.password").read_text()
        )
    with other.database() as found, psycopg.connect(found.conninfo("office")) as connection:
        assert found.database == "elsewhere"
        assert password not in found.url("owner")
        assert connection.execute("SELECT count(*) FROM office.agency").fetchone() == (0,)
    embedded.stop()
    own = Installation(embedded.home, None, "http://door.test", "http://office.test")
    with own.database():
        with own.database():
            assert embedded.running()
        assert embedded.running()
    assert not embedded.running()
