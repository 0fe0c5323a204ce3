"""The names of the office's objects, and what binds an object's bytes to its name; the same in every store."""

from __future__ import annotations

import re
import secrets

from field_api.domain.disclosure import Audience, Label
from field_api.domain.ports import ObjectAbsent
from field_api.platform.egress import Closed, EgressRefused, OutletKind, declare, passed
from field_api.platform.keyring import OfficeKeys
from field_api.platform.sealing import Unsealable
from field_api.platform.store_trouble import CORRUPT, MISSING, OFFICE, note_flaw

_KEY = re.compile(r"[0-9a-f]{32}")
OBJECT_KEYS = declare(
    OutletKind.OBJECT_KEY,
    "office",
    Audience.MACHINE,
    shape=Closed(Label.INTERNAL, _KEY),
    note="32 random hex digits: neither name nor order nor time of anything",
)


def new_key() -> str:
    return secrets.token_hex(16)


def checked(key: str) -> str:
    """The key itself. Raises ObjectAbsent for any text that is none: nothing else reaches a store, as a name."""
    try:
        passed(OBJECT_KEYS, key)
    except EgressRefused as error:
        raise ObjectAbsent("no such object") from error
    return key


def seal(keys: OfficeKeys, key: str, body: bytes) -> bytes:
    """The name is bound into the seal: one object's bytes moved to another's place do not open."""
    return keys.seal_at_rest(_place(key), body)


def unseal(keys: OfficeKeys, key: str, sealed: bytes) -> bytes:
    """Raises Unsealable, and notes it, where these are not the bytes that were written."""
    try:
        return keys.open_at_rest(_place(key), sealed)
    except Unsealable:
        note_flaw(OFFICE, CORRUPT, key)
        raise


def absent(key: str) -> ObjectAbsent:
    """To raise where the store has no such object; noted, since a row refers to it."""
    note_flaw(OFFICE, MISSING, key)
    return ObjectAbsent("no such object")


def _place(key: str) -> str:
    return f"object:{key}"
