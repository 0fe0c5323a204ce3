"""The sealed form of a photograph (docs/photo-format.md §2–§4): chunks under one key, bound to agency, device, photo.

Knows bytes alone: no files, no database, no picture formats.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from field_api.platform.bounded_json import BadJson, canonical, loads
from field_api.platform.sealing import HPKE_OVERHEAD_BYTES, Unsealable, chunk_open, chunk_seal

HEADER = b"DSPHOTO\x01"
CHUNK_BYTES = 65_536
TAG_BYTES = 16
KEY_BYTES = 32
WRAP_BYTES = KEY_BYTES + HPKE_OVERHEAD_BYTES
MAX_SEALED_BYTES = 12 * 1024 * 1024
MIN_SEALED_BYTES = len(HEADER) + 1 + TAG_BYTES  # less cannot hold a chunk
MAX_METADATA_BYTES = 1_024
MEDIA_TYPES = frozenset({"image/jpeg", "image/png", "image/webp", "image/avif", "image/heic"})


class Unopenable(Exception):
    """The sealed bytes are refused. `reason` is a code of docs/photo-format.md §6; the text repeats no byte."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class PhotoName:
    """What every chunk and the wrapped key are bound to."""

    agency_id: UUID
    device_id: UUID
    photo_id: UUID  # the id of the operation that declares the photograph

    def _text(self) -> bytes:
        return b"\x00".join(str(part).encode() for part in (self.agency_id, self.device_id, self.photo_id))

    @property
    def associated(self) -> bytes:
        return HEADER + b"doorstep-photo-v1\x00" + self._text()

    @property
    def key_info(self) -> bytes:
        return b"doorstep-photo-key-v1\x00" + self._text()


@dataclass(frozen=True)
class OpenedPhoto:
    media_type: str  # the phone's hint
    image: bytes


def seal_photo(key: bytes, name: PhotoName, media_type: str, image: bytes) -> bytes:
    """Seal an image file under a key made for it alone. Raises ValueError where the format cannot hold it."""
    if media_type not in MEDIA_TYPES:
        raise ValueError("not a media type of the format")
    metadata = canonical({"v": 1, "type": media_type})
    sealed = seal_plaintext(key, name, len(metadata).to_bytes(4, "big") + metadata + image)
    if len(sealed) > MAX_SEALED_BYTES:
        raise ValueError(f"a sealed photograph has at most {MAX_SEALED_BYTES} bytes")
    return sealed


def seal_plaintext(key: bytes, name: PhotoName, plaintext: bytes) -> bytes:
    """The chunks of any non-empty plaintext, for `seal_photo` and for vectors that break its inner form."""
    if not plaintext:
        raise ValueError("there is nothing to seal")
    count, associated = -(-len(plaintext) // CHUNK_BYTES), name.associated
    pieces = [HEADER]
    for index in range(count):
        piece = plaintext[index * CHUNK_BYTES : (index + 1) * CHUNK_BYTES]
        pieces.append(chunk_seal(key, _nonce(index, index == count - 1), piece, associated))
    return b"".join(pieces)


def open_photo(key: bytes, name: PhotoName, sealed: bytes) -> OpenedPhoto:
    """The image file, once every chunk is authenticated: nothing is returned of a photograph that fails anywhere.

    Raises Unopenable: too-large, bad-header, bad-size, not-authentic, bad-metadata.
    """
    _check_form(sealed)
    try:
        plaintext = b"".join(_opened_chunks(key, name, sealed))
    except Unsealable as error:
        raise Unopenable("not-authentic") from error
    return _parted(plaintext)


def _check_form(sealed: bytes) -> None:
    if len(sealed) > MAX_SEALED_BYTES:
        raise Unopenable("too-large")
    if sealed[: len(HEADER)] != HEADER:
        raise Unopenable("bad-header")
    body = len(sealed) - len(HEADER)
    last = body % (CHUNK_BYTES + TAG_BYTES)
    if body == 0 or 0 < last <= TAG_BYTES:  # no chunk, or a last one without a byte in it
        raise Unopenable("bad-size")


def _opened_chunks(key: bytes, name: PhotoName, sealed: bytes) -> Iterator[bytes]:
    step, associated = CHUNK_BYTES + TAG_BYTES, name.associated
    starts = range(len(HEADER), len(sealed), step)
    for index, start in enumerate(starts):
        nonce = _nonce(index, index == len(starts) - 1)
        yield chunk_open(key, nonce, sealed[start : start + step], associated)


def _nonce(index: int, last: bool) -> bytes:
    return index.to_bytes(11, "big") + (b"\x01" if last else b"\x00")


def _parted(plaintext: bytes) -> OpenedPhoto:
    length = int.from_bytes(plaintext[:4], "big")
    if len(plaintext) < 4 or length > MAX_METADATA_BYTES or len(plaintext) < 4 + length:
        raise Unopenable("bad-metadata")
    try:
        metadata = loads(plaintext[4 : 4 + length], max_bytes=MAX_METADATA_BYTES)
    except BadJson as error:
        raise Unopenable("bad-metadata") from error
    if not isinstance(metadata, dict) or metadata.get("v") != 1:
        raise Unopenable("bad-metadata")
    media_type = metadata.get("type")
    if not isinstance(media_type, str) or media_type not in MEDIA_TYPES:
        raise Unopenable("bad-metadata")
    return OpenedPhoto(media_type, plaintext[4 + length :])
