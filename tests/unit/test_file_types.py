"""What a file is, by its first bytes; what nothing here develops has no type."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from media.office.file_type import NAMES, UNKNOWN, type_of
from media.sealed_photo import MEDIA_TYPES


@pytest.mark.parametrize(
    ("format_", "media_type"),
    [("JPEG", "image/jpeg"), ("PNG", "image/png"), ("WEBP", "image/webp"), ("AVIF", "image/avif"), ("GIF", UNKNOWN)],
)
def test_files_as_an_encoder_writes_them(format_: str, media_type: str) -> None:
    file = io.BytesIO()
    Image.new("RGB", (16, 16)).save(file, format_)
    assert type_of(file.getvalue()) == media_type


@pytest.mark.parametrize(
    ("brands", "media_type"),
    [
        ("heic", "image/heic"), ("mif1 heic miaf", "image/heic"), ("mif1 avif miaf", "image/avif"),
        ("avif mif1", "image/avif"), ("mif1 miaf", UNKNOWN), ("isom mp41", UNKNOWN),
    ],
)  # fmt: skip
def test_boxes_say_it_by_their_brands(brands: str, media_type: str) -> None:
    major, *others = (brand.encode() for brand in brands.split())
    body = b"ftyp" + major + bytes(4) + b"".join(others)
    assert type_of((len(body) + 4).to_bytes(4, "big") + body + b"mdatheic") == media_type


@pytest.mark.parametrize("file", [b"", b"\xff\xd8", b"<html>", b"RIFF\0\0\0\0WAVE", b"\0\0\0\x10ftyp", b"%PDF-1.7"])
def test_everything_else_is_unknown(file: bytes) -> None:
    assert type_of(file) == UNKNOWN


def test_every_type_of_the_format_has_a_constant_name() -> None:
    assert set(NAMES) == MEDIA_TYPES | {UNKNOWN}
    assert all(name.startswith("original.") for name in NAMES.values())
