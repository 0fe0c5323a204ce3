"""A photograph as it lies on the phone and travels: sealed once, in pieces (docs/photo-format.md §3, §4)."""

from __future__ import annotations

from dataclasses import dataclass

from sync.phone import crypto, wire
from sync.phone.errors import NotAllowed
from sync.phone.feed import nul

HEADER = b"DSPHOTO\x01"
PIECE_BYTES = 65_536
MAX_SEALED_BYTES = 12 * 1024 * 1024
AD = b"doorstep-photo-v1"
KEY = b"doorstep-photo-key-v1"
_MAGIC = ((b"\xff\xd8\xff", "image/jpeg"), (b"\x89PNG\r\n\x1a\n", "image/png"))


@dataclass(frozen=True)
class SealedPhoto:
    """`wrap` is the picture's key under the agency's sealing key, whose id is `key_id`. The key itself is forgotten."""

    sealed: bytes
    wrap: bytes
    key_id: str
    sha256: bytes


def media_type(image: bytes) -> str:
    """The type by the first bytes. Raises NotAllowed `not-a-photo`."""
    for magic, name in _MAGIC:
        if image.startswith(magic):
            return name
    if image[:4] == b"RIFF" and image[8:12] == b"WEBP":
        return "image/webp"
    if image[4:8] == b"ftyp":
        return "image/avif" if image[8:12] in (b"avif", b"avis") else "image/heic"
    raise NotAllowed("not-a-photo", "JPEG, PNG, WebP, AVIF or HEIC")


def seal_photo(image: bytes, agency: str, device: str, photo: str, sealing_key: bytes) -> SealedPhoto:
    """Seal under a key of its own. Raises NotAllowed `not-a-photo` or `too-large`."""
    metadata = wire.write_json({"v": 1, "type": media_type(image)})
    plaintext = len(metadata).to_bytes(4, "big") + metadata + image
    pieces = [plaintext[at : at + PIECE_BYTES] for at in range(0, len(plaintext), PIECE_BYTES)]
    if len(HEADER) + len(plaintext) + 16 * len(pieces) > MAX_SEALED_BYTES:
        raise NotAllowed("too-large", f"a sealed photograph has at most {MAX_SEALED_BYTES} bytes")
    names = nul(agency, device, photo)
    key = crypto.random_bytes(crypto.KEY_BYTES)
    sealed = HEADER + b"".join(
        crypto.seal_piece(
            key, index.to_bytes(11, "big") + bytes([index == len(pieces) - 1]), piece, HEADER + AD + names
        )
        for index, piece in enumerate(pieces)
    )
    wrap = crypto.seal_to(sealing_key, KEY + names, key)
    return SealedPhoto(sealed, wrap, crypto.key_id(sealing_key), crypto.sha256(sealed))
