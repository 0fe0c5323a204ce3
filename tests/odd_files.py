"""What is no picture of the list, whatever it calls itself."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator

from media.sandbox.limits import MAX_INPUT_BYTES
from tests.odd_boxes import avif_cases, heic_cases, webp_cases
from tests.odd_case import PLAIN, Case, bad
from tests.odd_exif import exif_cases
from tests.odd_jpegs import JPEG, jpeg_cases
from tests.odd_pngs import png_cases
from tests.odd_profiles import icc_cases
from tests.pictures import encoded


def _archive() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(zipfile.ZipInfo("door.jpg"), JPEG)
    return out.getvalue()


def file_cases() -> Iterator[Case]:
    strangers = {
        "empty": b"",
        "one-byte": b"\xff",
        "zeros": bytes(10_000),
        "text": b"door, 20 metres away\n" * 100,
        "html": b"<!doctype html><img src=x>",
        "json": b'{"v": 1}',
        "svg": b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><image href="file:///etc/passwd"/></svg>',
        "svg-entities": b'<!DOCTYPE svg [<!ENTITY a SYSTEM "file:///etc/passwd">]><svg>&a;</svg>',
        "postscript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(/etc/passwd) run\n",
        "script": b"#!/bin/sh\necho\n",
        "program": b"\x7fELF\x02\x01\x01" + bytes(100),
        "video": bytes((0, 0, 0, 24)) + b"ftypmp42" + bytes(1_000),
        "jpeg-2000-header": b"\x00\x00\x00\x0cjP  \r\n\x87\n" + bytes(100),
        "jpeg-xl": b"\xff\x0a" + bytes(100),
        "jpeg-xr": b"II\xbc\x01" + bytes(100),
        "raw-camera": b"II*\x00\x10\x00\x00\x00CR\x02\x00" + bytes(200),
        "portable-grey": b"P5 9 9 255\n" + bytes(81),
        "x-bitmap": b"#define a_width 8\n#define a_height 1\nstatic char a_bits[] = {0x00};",
        "zip": _archive(),
    }
    for name, data in strangers.items():
        yield bad(f"stranger-{name}", data, "not-a-picture")
    for form in ("GIF", "BMP", "TIFF", "PPM", "ICO", "TGA", "PCX", "EPS", "PDF", "SGI", "DDS", "JPEG2000", "ICNS"):
        yield bad(f"stranger-{form}", encoded(PLAIN, form), "not-a-picture")
    tiff_of_jpeg = encoded(PLAIN, "TIFF", compression="jpeg")
    yield bad("stranger-tiff-of-jpeg", tiff_of_jpeg, "not-a-picture")
    yield Case("too-many-bytes", lambda: JPEG + bytes(MAX_INPUT_BYTES), None, ("too-large",))


FAMILIES = {
    "jpeg": jpeg_cases,
    "exif": exif_cases,
    "icc": icc_cases,
    "png": png_cases,
    "webp": webp_cases,
    "avif": avif_cases,
    "heic": heic_cases,
    "stranger": file_cases,
}


def corpus() -> list[Case]:
    """All of it, in the same order always."""
    return [case for family in FAMILIES.values() for case in family()]
