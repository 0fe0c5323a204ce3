"""The phone's three keys in one small file under a passphrase: `vault.json`.

KEK = scrypt(passphrase); the file holds AES-256-GCM(KEK, signing ‖ sealing ‖ store). Everything else on the disk is
sealed under the store key, so a new passphrase rewrites this file alone.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from sync.phone import crypto, wire
from sync.phone.crypto import BadSeal
from sync.phone.errors import StoreTrouble, Untrusted

FILE = "vault.json"
SCRYPT_COST = 2**17  # OWASP's first choice for scrypt: 128 MiB and about 0.4 s per guess
MAX_SCRYPT_COST = 2**20
ASSOCIATED = b"doorstep-phone-vault-v1"
PROBE = b"doorstep-phone-probe-v1"


@dataclass(frozen=True)
class Keys:
    """32 bytes each: P-256 scalars for signing and sealing, the AES key of the store. Never printed."""

    signing: bytes = field(repr=False)
    sealing: bytes = field(repr=False)
    store: bytes = field(repr=False)


def new_keys() -> Keys:
    return Keys(crypto.new_private_key(), crypto.new_private_key(), crypto.random_bytes(crypto.KEY_BYTES))


def write_vault(directory: Path, passphrase: str, keys: Keys, cost: int = SCRYPT_COST) -> None:
    """Write or replace the vault, durably and atomically."""
    salt = crypto.random_bytes(16)
    kek = crypto.stretch_passphrase(passphrase, salt, cost)
    sealed = crypto.seal(kek, keys.signing + keys.sealing + keys.store, ASSOCIATED)
    document = {"v": 1, "kdf": "scrypt", "n": cost, "salt": crypto.b64u(salt), "sealed": crypto.b64u(sealed)}
    replace_durably(directory / FILE, wire.write_json(document))


def read_vault(directory: Path, passphrase: str) -> Keys:
    """The keys. Raises StoreTrouble `no-phone`, `vault-broken` or `wrong-passphrase`."""
    try:
        document = wire.read_json((directory / FILE).read_bytes(), 4096)
        cost = int(wire.field(document, "n", int))
        salt, sealed = (crypto.from_b64u(wire.field(document, name, str)) for name in ("salt", "sealed"))
    except FileNotFoundError as error:
        raise StoreTrouble("no-phone", f"{directory} holds no phone") from error
    except (Untrusted, BadSeal) as error:
        raise StoreTrouble("vault-broken", FILE) from error
    if document.get("v") != 1 or document.get("kdf") != "scrypt" or not 2 <= cost <= MAX_SCRYPT_COST or cost & cost - 1:
        raise StoreTrouble("vault-broken", FILE)
    try:
        opened = crypto.unseal(crypto.stretch_passphrase(passphrase, salt, cost), sealed, ASSOCIATED)
    except BadSeal as error:
        raise StoreTrouble("wrong-passphrase") from error
    return Keys(opened[:32], opened[32:64], opened[64:96])


def prove(keys: Keys) -> None:
    """Sign, seal and open with these keys (docs/protocol.md §4, step 1). Raises StoreTrouble `vault-broken`."""
    probe = crypto.random_bytes(32)
    try:
        crypto.verify(crypto.public_of(keys.signing), PROBE + probe, crypto.sign(keys.signing, PROBE + probe))
        to_self = crypto.seal_to(crypto.public_of(keys.sealing), PROBE, probe)
        opened = crypto.open_sealed(keys.sealing, PROBE, to_self)
        stored = crypto.unseal(keys.store, crypto.seal(keys.store, probe, PROBE), PROBE)
    except BadSeal as error:
        raise StoreTrouble("vault-broken", "the stored keys do not work") from error
    if opened != probe or stored != probe:
        raise StoreTrouble("vault-broken", "the stored keys do not work")


def replace_durably(path: Path, data: bytes) -> None:
    """Write a file so that after a crash either the old or the new bytes are there, whole."""
    waiting = path.with_name(path.name + ".new")
    descriptor = os.open(waiting, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    waiting.replace(path)
    sync_directory(path.parent)


def sync_directory(directory: Path) -> None:
    """Make names in a directory durable. A system that cannot open directories (Windows) orders them itself."""
    if os.name == "nt":
        return
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
