"""What tus requests say in their headers, read strictly into frozen values (docs/photo-format.md §5)."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from uuid import UUID

from werkzeug.datastructures import Headers

from field_api.platform.problems import Problem
from field_api.platform.sealing import Unsealable, from_b64u
from media.sealed_photo import MAX_SEALED_BYTES, MIN_SEALED_BYTES, WRAP_BYTES

TUS_VERSION = "1.0.0"
EXTENSIONS = "creation,creation-with-upload,expiration,checksum,termination"
MAX_PATCH_BYTES = 256 * 1024
MAX_METADATA_CHARACTERS = 2_048
OFFSET_TYPE = "application/offset+octet-stream"
_NUMBER = re.compile(r"0|[1-9][0-9]{0,9}")
_KEY_ID = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True)
class Creation:
    """A sealed photograph that a phone announces."""

    photo_id: UUID
    sha256: bytes  # of the sealed bytes
    wrap: bytes  # its key, wrapped to the agency
    sealing_key_id: str
    length_bytes: int


@dataclass(frozen=True)
class Piece:
    """Where a body belongs and what it must hash to."""

    offset: int
    sha256: bytes


def check_version(headers: Headers) -> None:
    """Raises Problem `precondition-failed` for any tus version but the one there is."""
    if headers.get("Tus-Resumable") != TUS_VERSION:
        raise Problem("precondition-failed", "Tus-Resumable: 1.0.0 is needed", headers={"Tus-Version": TUS_VERSION})


def read_creation(headers: Headers) -> Creation:
    """Raises Problem `bad-request` or `too-large`, naming the header or the metadata's name."""
    if "Upload-Defer-Length" in headers:
        raise Problem("bad-request", "the length must be known at creation", at="Upload-Defer-Length")
    if "Upload-Concat" in headers:
        raise Problem("bad-request", "an upload is made of one piece after the other", at="Upload-Concat")
    length = _number(headers, "Upload-Length")
    if length > MAX_SEALED_BYTES:
        raise Problem("too-large", f"at most {MAX_SEALED_BYTES} bytes", at="Upload-Length")
    if length < MIN_SEALED_BYTES:
        raise Problem("bad-request", f"at least {MIN_SEALED_BYTES} bytes", at="Upload-Length")
    metadata = read_metadata(headers.get("Upload-Metadata", ""))
    return Creation(
        photo_id=_photo_id(metadata),
        sha256=_bytes(metadata, "sha256", 32),
        wrap=_bytes(metadata, "key", WRAP_BYTES),
        sealing_key_id=_key_id(metadata),
        length_bytes=length,
    )


def read_piece(headers: Headers) -> Piece:
    """Raises Problem `media-type` or `bad-request`."""
    _check_type(headers)
    return Piece(_number(headers, "Upload-Offset"), _checksum(headers))


def read_first_piece(headers: Headers, body_bytes: int, length_bytes: int) -> Piece:
    """The piece that came with a creation: `body_bytes` of a photograph of `length_bytes`. Raises as `read_piece`."""
    _check_type(headers)
    if headers.get("Upload-Offset", "0") != "0":
        raise Problem("bad-request", "a new upload begins at 0", at="Upload-Offset")
    if body_bytes > length_bytes:
        raise Problem("bad-request", "more bytes than the photograph has", at="Upload-Length")
    return Piece(0, _checksum(headers))


def read_metadata(header: str) -> dict[str, str]:
    """tus's `name base64, name base64`; values are UTF-8 text. Raises Problem `bad-request`."""
    if len(header) > MAX_METADATA_CHARACTERS:
        raise Problem("bad-request", f"more than {MAX_METADATA_CHARACTERS} characters", at="Upload-Metadata")
    metadata: dict[str, str] = {}
    for pair in header.split(","):
        name, _, value = pair.strip().partition(" ")
        text = _base64(value)
        if text is None or name in metadata:
            raise Problem("bad-request", "a name twice, or a value that is not base64", at="Upload-Metadata")
        metadata[name] = text.decode("utf-8", "replace")
    return metadata


def _check_type(headers: Headers) -> None:
    if headers.get("Content-Type") != OFFSET_TYPE:
        raise Problem("media-type", f"{OFFSET_TYPE} is needed", at="Content-Type")


def _checksum(headers: Headers) -> bytes:
    algorithm, _, value = headers.get("Upload-Checksum", "").partition(" ")
    digest = _base64(value)
    if algorithm != "sha256" or digest is None or len(digest) != 32:
        raise Problem("bad-request", "sha256 and 32 bytes in base64 are needed", at="Upload-Checksum")
    return digest


def _number(headers: Headers, name: str) -> int:
    text = headers.get(name, "")
    if not _NUMBER.fullmatch(text):
        raise Problem("bad-request", "a number of bytes is needed", at=name)
    return int(text)


def _base64(text: str) -> bytes | None:
    try:
        return base64.b64decode(text.encode(), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        return None


def _photo_id(metadata: dict[str, str]) -> UUID:
    text = metadata.get("photo", "")
    try:
        photo_id = UUID(text)
    except ValueError:
        photo_id = None
    if photo_id is None or str(photo_id) != text:
        raise Problem("bad-request", "a UUID in lower-case canonical form is needed", at="photo")
    return photo_id


def _bytes(metadata: dict[str, str], name: str, length: int) -> bytes:
    try:
        value = from_b64u(metadata.get(name, ""))
    except Unsealable:
        value = b""
    if len(value) != length:
        raise Problem("bad-request", f"{length} bytes in base64url are needed", at=name)
    return value


def _key_id(metadata: dict[str, str]) -> str:
    value = metadata.get("keyid", "")
    if not _KEY_ID.fullmatch(value):
        raise Problem("bad-request", "16 hex digits are needed", at="keyid")
    return value
