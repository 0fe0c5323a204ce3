"""The keyring under a passphrase: scrypt makes the key, AES-256-GCM seals. Whoever has it and a dump has everything."""

from __future__ import annotations

import os
from pathlib import Path
from uuid import UUID

from doorstep.backup.places import BackupTrouble, write_file
from field_api.platform.bounded_json import BadJson, canonical, loads
from field_api.platform.keyring import OfficeKeys
from field_api.platform.sealing import Unsealable, aead_open, aead_seal, b64u, from_b64u, stretch_passphrase

FILE = "keyring.sealed"
CONTEXT = b"doorstep-keyring-v1"
SALT_BYTES = 32
MIN_CHARACTERS = 12
MAX_BYTES = 64 * 1024 * 1024
READERS = 0o077

Keyring = dict[str, bytes]
"""Path below the home directory -> the file's bytes."""


def passphrase_of(path: Path) -> str:
    """The passphrase in a file that its owner alone may read. Raises BackupTrouble."""
    if path.stat().st_mode & READERS:
        raise BackupTrouble(f"{path} may be read by others: chmod 600 it")
    return _long_enough(path.read_text(encoding="utf-8").rstrip("\n"))


def _long_enough(passphrase: str) -> str:
    if len(passphrase) < MIN_CHARACTERS:
        raise BackupTrouble(f"a passphrase has {MIN_CHARACTERS} characters or more")
    return passphrase


def seal_keyring(directory: Path, home: Path, passphrase: str) -> None:
    """Seal every key file of `home` into `directory`, and open it again. Raises BackupTrouble."""
    files = {path.relative_to(home).as_posix(): path.read_bytes() for path in sorted((home / "keys").rglob("*.json"))}
    salt = os.urandom(SALT_BYTES)
    content = canonical({"v": 1, "files": {name: b64u(data) for name, data in files.items()}})
    key = stretch_passphrase(_long_enough(passphrase).encode(), salt)
    sealed = {"v": 1, "salt": b64u(salt), "sealed": b64u(aead_seal(key, content, CONTEXT + salt))}
    write_file(directory / FILE, canonical(sealed))
    if open_keyring(directory, passphrase) != files:
        raise BackupTrouble("the sealed keyring does not open to what was put in")


def open_keyring(directory: Path, passphrase: str) -> Keyring:
    """Raises BackupTrouble for a wrong passphrase or another file."""
    try:
        document = loads((directory / FILE).read_bytes(), max_bytes=MAX_BYTES)
        salt = from_b64u(document["salt"])
        key = stretch_passphrase(passphrase.encode(), salt)
        content = loads(aead_open(key, from_b64u(document["sealed"]), CONTEXT + salt), max_bytes=MAX_BYTES)
        return {name: from_b64u(data) for name, data in content["files"].items()}
    except FileNotFoundError as error:
        raise BackupTrouble(f"{directory} holds no {FILE}") from error
    except (BadJson, Unsealable, KeyError, TypeError, AttributeError) as error:
        raise BackupTrouble(f"{directory / FILE} does not open with this passphrase") from error


def office_keys_in(keyring: Keyring) -> dict[UUID, OfficeKeys]:
    """The office's keys of every agency in it. Raises BackupTrouble where there is none."""
    found = {}
    for name, data in keyring.items():
        folder, _, file = name.rpartition("/")
        if folder == "keys/office":
            agency_id = UUID(file.removesuffix(".json"))
            found[agency_id] = OfficeKeys(agency_id, loads(data, max_bytes=MAX_BYTES))
    if not found:
        raise BackupTrouble("the keyring holds no agency's keys")
    return found


def put_keyring(home: Path, keyring: Keyring) -> None:
    """Write the key files below an empty `home`. Raises BackupTrouble for a name that is none of theirs."""
    for name, data in sorted(keyring.items()):
        parts = Path(name).parts
        if parts[0] != "keys" or ".." in parts or Path(name).is_absolute():
            raise BackupTrouble("the keyring names a file that is no key's")
        write_file(home / name, data)
