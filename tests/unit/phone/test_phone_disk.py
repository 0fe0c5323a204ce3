"""Nothing readable lies on the phone's disk, and a canary shows that the search would find it."""

from __future__ import annotations

import json
import sqlite3
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from phone_world import PASSPHRASE, World

from sync.phone import Phone, Revoked, StoreTrouble

SECRETS = (
    "918273", "REF-CANARIO-77", "Canario Amarillo", "Canaria", "Puerta Norte", "identity_check", "birth_date", "31/12/1956", "1956-12-31",
    "blue door", "half a thought", "33 1234 5678", "claims_to_be_sought", "facade", PASSPHRASE,
)  # fmt: skip


def _everything(directory: Path) -> bytes:
    return b"\0".join(path.name.encode() + b"\0" + path.read_bytes() for path in directory.rglob("*") if path.is_file())


def _found(directory: Path) -> list[str]:
    data = _everything(directory)
    forms = lambda text: (text.encode(), text.encode("utf-16-le"), text.encode().hex().encode())  # noqa: E731 - read once
    return [secret for secret in SECRETS if any(form in data for form in forms(secret))]


def _work(world: World, phone: Phone, visit: str) -> None:
    phone.check_identity(visit, world.person, {"birth_date": "31/12/1956", "mother_maiden_name": "peña"})
    phone.note(visit, "blue door")
    phone.contact(visit, "relative", [{"kind": "phone", "value": "33 1234 5678"}])
    phone.photo_permission(visit, True, "relative", ["facade"])
    phone.photo(visit, b"\xff\xd8\xff" + b"blue door" * 9_000, "facade")
    phone.save_draft(visit, {"words": "half a thought"})
    phone.push()


def test_a_day_leaves_nothing_readable_on_the_disk(world: World, phone: Phone, at_the_door: Callable[[], str]) -> None:
    _work(world, phone, at_the_door())
    assert _found(world.directory) == []  # while it runs: database, write-ahead log and photographs
    phone.close()
    assert _found(world.directory) == []
    (world.directory / "canary").write_text("Canaria 918273")
    assert _found(world.directory) == ["918273", "Canaria"]


def test_row_keys_are_names_visits_and_numbers_alone(
    world: World, phone: Phone, at_the_door: Callable[[], str]
) -> None:
    _work(world, phone, at_the_door())
    phone.close()
    database = sqlite3.connect(world.directory / "phone.db")
    tables = [row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    for table in tables:
        assert [row[1] for row in database.execute(f"PRAGMA table_info({table})")] == ["key", "sealed"]
    allowed = set(world.visits)
    for table in ("work", "draft"):
        assert {row[0] for row in database.execute(f"SELECT key FROM {table}")} <= allowed
    for table in ("sheet", "photo", "sheet_key"):
        assert all(len(row[0]) == 32 and int(row[0], 16) for row in database.execute(f"SELECT key FROM {table}"))
    database.close()


def test_lengths_tell_no_more_than_the_feed_does(world: World, phone: Phone) -> None:
    phone.close()
    database = sqlite3.connect(world.directory / "phone.db")
    assert {len(row[0]) for row in database.execute("SELECT sealed FROM sheet")} == {6_144 + 28}
    assert all(
        (len(row[0]) - 28) % 1024 == 0
        for row in database.execute("SELECT sealed FROM work UNION SELECT sealed FROM state")
    )
    database.close()


def test_files_are_the_owners_alone(world: World, phone: Phone, at_the_door: Callable[[], str]) -> None:
    _work(world, phone, at_the_door())
    modes = {
        path.name: stat.S_IMODE(path.stat().st_mode) & 0o077 for path in world.directory.rglob("*") if path.is_file()
    }
    assert set(modes.values()) == {0}, modes


def test_a_row_moved_elsewhere_does_not_open(world: World, phone: Phone) -> None:
    phone.note(world.visits[0], "one")
    phone.note(world.visits[0], "two")
    phone.close()
    database = sqlite3.connect(world.directory / "phone.db")
    database.execute("UPDATE op SET sealed = (SELECT sealed FROM op WHERE key = 2) WHERE key = 1")
    database.commit()
    database.close()
    with world.open() as again, pytest.raises(StoreTrouble, match="store-broken"):
        again.push()


def test_a_broken_vault_says_so_and_nothing_more(world: World, phone: Phone) -> None:
    phone.close()
    path = world.directory / "vault.json"
    document = json.loads(path.read_text())
    for change in ({"n": 2**30}, {"n": 3}, {"kdf": "none"}, {"sealed": "AAAA"}, {"salt": "="}):
        path.write_text(json.dumps(document | change))
        with pytest.raises(StoreTrouble) as trouble:
            world.open()
        assert trouble.value.code in {"vault-broken", "wrong-passphrase"}


def _longest_run(world: World) -> int:
    """Bytes of the longest stretch without 64 zeros in a row: a sheet row is random and 6,172 bytes long."""
    return max(len(run) for run in (world.directory / "phone.db").read_bytes().split(bytes(64)))


def test_a_wipe_overwrites_the_sheet_and_keeps_the_queue(world: World, phone: Phone) -> None:
    phone.note(world.visits[0], "kept")
    phone.handset.store.scrub()
    assert _longest_run(world) > 6_144
    world.door.revoked = world.office.wipe_order()
    with pytest.raises(Revoked):
        phone.pull()
    assert phone.handset.store.keys("sheet") == [] and len(phone.queue()) == 1
    assert _longest_run(world) < 6_144, "a sheet row still lies in the file"
