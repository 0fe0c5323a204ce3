"""Everything that somebody finds who has every disk, every backup and the passphrase of the keyring: what does it open?

Each file is tried as a wrapped key under every sealing key, each sealed photograph and each rendition under every key
that came out. What was seen of a key once, wrapped or not, is looked for in every byte of every file.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

from doorstep.backup.keyring_copy import open_keyring
from field_api.platform.keyring import OfficeKeys
from field_api.platform.sealing import Unsealable, b64u, from_b64u, open_sealed
from media.office.darkroom import LARGE, SMALL, PhotoKey
from media.photo_keys import KEY_ID_BYTES, MARK
from media.sealed_photo import HEADER, WRAP_BYTES, PhotoName, Unopenable, open_photo

SMALL_FILE_BYTES = 4 * 1024
IN_FRONT = len(MARK) + KEY_ID_BYTES


@dataclass
class Found:
    """By photograph: its key, and what of it was opened (photograph, large, small). `wraps`: as they lay there."""

    keys: dict[UUID, bytes] = field(default_factory=dict)
    opened: dict[UUID, set[str]] = field(default_factory=dict)
    wraps: set[bytes] = field(default_factory=set)


@dataclass(frozen=True)
class Hunter:
    """`agency`'s office keys as they were at any time, and the names that a dump tells."""

    office: Collection[OfficeKeys]
    privates: Collection[bytes]
    names: Collection[PhotoName]

    def hunt(self, *places: Path) -> Found:
        found = Found()
        contents = {path: path.read_bytes() for path in files(places)}
        for content in contents.values():
            if len(content) <= SMALL_FILE_BYTES:
                self._try_as_wrap(content, found)
        for path, content in contents.items():
            self._try_to_open(path, content, found)
        return found

    def _try_as_wrap(self, content: bytes, found: Found) -> None:
        for at in {0, IN_FRONT} | {at for at, byte in enumerate(content) if byte == 4}:
            wrap = content[at : at + WRAP_BYTES]
            for name in self.names if len(wrap) == WRAP_BYTES and wrap[0] == 4 else ():
                for private in self.privates:
                    try:
                        found.keys[name.photo_id] = open_sealed(private, name.key_info, wrap)
                    except Unsealable:
                        continue
                    found.wraps.add(wrap)

    def _try_to_open(self, path: Path, content: bytes, found: Found) -> None:
        at_rest = [] if content.startswith(HEADER) else [*self._from_rest(path, content)]
        for name in self.names:
            if name.photo_id in found.keys:
                key = PhotoKey(name, found.keys[name.photo_id])
                found.opened.setdefault(name.photo_id, set()).update(_opened(key, content, at_rest))

    def _from_rest(self, path: Path, content: bytes) -> Iterator[bytes]:
        for office in self.office:
            try:
                yield office.open_at_rest(f"object:{path.name}", content)
            except Unsealable:
                continue


def _opened(key: PhotoKey, content: bytes, at_rest: Iterable[bytes]) -> Iterator[str]:
    try:
        open_photo(key.secret, key.name, content)
        yield "photograph"
    except Unopenable:
        pass
    for rendition in at_rest:
        for size in (LARGE, SMALL):
            try:
                key.open_rendition(size, rendition)
                yield size
            except Unsealable:
                continue


def hunter_of(
    agency: UUID, home: Path, keyrings: Iterable[Path], passphrase: str, names: Collection[PhotoName]
) -> Hunter:
    """With the keys of this home and of every copy of the keyring."""
    file = f"keys/office/{agency}.json"
    stored = [json.loads((home / file).read_bytes())]
    stored += [json.loads(open_keyring(keyring, passphrase)[file]) for keyring in keyrings]
    privates = {from_b64u(entry["private"]) for one in stored for entry in one["sealing"]}
    return Hunter([OfficeKeys(agency, one) for one in stored], privates, names)


def places_of(secrets: Collection[bytes], *places: Path) -> list[Path]:
    """Files in which one of these stands, as bytes or as text."""
    told = {form for secret in secrets for form in (secret, secret.hex().encode(), b64u(secret).encode())}
    return [path for path in files(places) if any(form in content for content in [path.read_bytes()] for form in told)]


def files(places: Iterable[Path]) -> Iterator[Path]:
    for place in places:
        yield from (path for path in sorted(place.rglob("*")) if path.is_file() and not path.is_symlink())
