"""Pictures that a creditor has on its letters: a PNG or an SVG, read strictly and written anew from what is known.

Nothing is decoded here that could be large: a PNG's rows are counted as they are unpacked, and thrown away. What is
kept holds what is drawn and nothing else, neither metadata nor anything that could act or fetch.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from field_api.domain.svg_form import BadSvg, clean_svg

MAX_BYTES = 256 * 1024
MAX_SIDE_PX = 4_000  # 200 mm at 508 dots per inch
MAX_PIXELS = 4_000_000
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_KEPT = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
"""By colour type. Source of both: PNG specification (W3C, third edition), 11.2.1."""


class BadImage(ValueError):
    """The picture cannot go on letters. The text says why and repeats nothing of it."""


@dataclass(frozen=True)
class CleanImage:
    form: str  # png | svg
    body: bytes


def clean_image(body: bytes) -> CleanImage:
    """The picture with nothing but what is drawn. Raises BadImage."""
    if len(body) > MAX_BYTES:
        raise BadImage(f"larger than {MAX_BYTES // 1024} KiB")
    if body.startswith(_SIGNATURE):
        return CleanImage("png", _clean_png(body))
    try:
        return CleanImage("svg", clean_svg(body))
    except BadSvg as error:
        raise BadImage(str(error)) from error


def _clean_png(body: bytes) -> bytes:
    chunks = list(_chunks(body))
    if not chunks or chunks[0][0] != b"IHDR" or len(chunks[0][1]) != 13 or chunks[-1] != (b"IEND", b""):
        raise BadImage("no whole PNG")
    kept = [(name, data) for name, data in chunks if name in _KEPT]
    packed = b"".join(data for name, data in kept if name == b"IDAT")
    _check_pixels(chunks[0][1], packed, palette=next((len(data) for name, data in kept if name == b"PLTE"), None))
    before = [(name, data) for name, data in kept if name not in (b"IDAT", b"IEND")]
    if len({name for name, _ in before}) != len(before):
        raise BadImage("a PNG says something twice")
    return _SIGNATURE + b"".join(_chunk(*each) for each in (*before, (b"IDAT", packed), (b"IEND", b"")))


def _chunks(body: bytes) -> Iterator[tuple[bytes, bytes]]:
    place = len(_SIGNATURE)
    while place < len(body):
        if place + 12 > len(body):
            raise BadImage("a PNG that is cut off")
        length, name = struct.unpack_from(">I4s", body, place)
        data = body[place + 8 : place + 8 + length]
        if len(data) != length or body[place + 8 + length : place + 12 + length] != _checksum(name, data):
            raise BadImage("a PNG that is cut off or damaged")
        if name[:1].isupper() and name not in _KEPT:
            raise BadImage("a PNG with parts that are not known")
        yield name, data
        place += 12 + length
        if name == b"IEND" and place != len(body):
            raise BadImage("something behind the end of a PNG")


def _check_pixels(header: bytes, packed: bytes, *, palette: int | None) -> None:
    width, height, depth, colour, compression, filters, interlace = struct.unpack(">IIBBBBB", header)
    if depth not in _DEPTHS.get(colour, ()) or compression or filters:
        raise BadImage("a PNG of a kind that there is not")
    if interlace:
        raise BadImage("an interlaced PNG: save it without")
    if not (0 < width <= MAX_SIDE_PX and 0 < height <= MAX_SIDE_PX and width * height <= MAX_PIXELS):
        raise BadImage(f"at most {MAX_SIDE_PX} pixels a side and {MAX_PIXELS} in all")
    if (colour == 3) != (palette is not None) and colour in (0, 3, 4):
        raise BadImage("a PNG whose palette is missing or not wanted")
    if palette is not None and (palette % 3 or not 0 < palette <= 768):
        raise BadImage("a PNG with a broken palette")
    row = 1 + (width * depth * _CHANNELS[colour] + 7) // 8
    _check_rows(packed, row, height)


def _check_rows(packed: bytes, row: int, height: int) -> None:
    """As many rows as there should be, each with a filter that there is; never more memory than that."""
    reader = zlib.decompressobj()
    try:
        rows = reader.decompress(packed, row * height + 1)
    except zlib.error as error:
        raise BadImage("a PNG that is damaged") from error
    if len(rows) != row * height or not reader.eof or reader.unused_data:
        raise BadImage("a PNG with more or less in it than it says")
    if max(rows[::row]) > 4:
        raise BadImage("a PNG that is damaged")


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + _checksum(name, data)


def _checksum(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", zlib.crc32(name + data))
