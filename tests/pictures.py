"""Pictures for tests, made in code: four quarters in four colours, so that turning and mirroring show."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path
from typing import Any

from PIL import Image, ImageCms

HEIC = Path(__file__).parent / "data" / "door.heic"
"""96 x 64, HEVC; made by us with pillow-heif 1.4 from four rectangles, with EXIF: make "Testmaker", GPS 20.6736, -103.344."""

RED, GREEN, BLUE, WHITE = (220, 30, 30), (30, 180, 60), (40, 60, 200), (250, 250, 250)
MARK = "PLANTED-SECRET"


def quarters(width: int = 400, height: int = 300) -> Image.Image:
    """Red top left, green top right, blue bottom left, white bottom right."""
    image = Image.new("RGB", (width, height), WHITE)
    image.paste(RED, (0, 0, width // 2, height // 2))
    image.paste(GREEN, (width // 2, 0, width, height // 2))
    image.paste(BLUE, (0, height // 2, width // 2, height))
    return image


def patterned(width: int = 400, height: int = 300) -> Image.Image:
    """Uneven stripes: half of the bits of its difference hash are set. The quarters have none."""
    image = Image.new("RGB", (width, height))
    for x in range(width):
        for_rows = [(x * 9 // width * 83 + row * 47) % 200 for row in range(8)]
        for row, grey in enumerate(for_rows):
            image.paste((grey, grey, grey), (x, row * height // 8, x + 1, (row + 1) * height // 8))
    return image


def encoded(image: Image.Image, form: str = "JPEG", **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


def jpeg(width: int = 400, height: int = 300) -> bytes:
    return encoded(quarters(width, height), quality=92)


def exif_with_everything(orientation: int = 1) -> Image.Exif:
    """Position, time, camera, user comment and description, each with the planted mark where text goes."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = "Testmaker"
    exif[0x0110] = f"Model {MARK}"
    exif[0x010E] = f"description {MARK}"
    details = exif.get_ifd(0x8769)
    details[0x9003] = "2026:11:18 09:30:15"
    details[0x9011] = "-06:00"
    details[0x9286] = b"ASCII\x00\x00\x00" + MARK.encode()
    gps = exif.get_ifd(0x8825)
    gps[1], gps[2] = "N", (20.0, 40.0, 24.96)
    gps[3], gps[4] = "W", (103.0, 20.0, 38.4)
    return exif


def jpeg_with_everything(orientation: int = 1) -> bytes:
    """A JPEG with EXIF, XMP, IPTC, a comment, a colour profile, an embedded thumbnail and trailing bytes, all marked."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    plain = encoded(
        quarters(),
        exif=exif_with_everything(orientation),
        comment=f"comment {MARK}".encode(),
        icc_profile=profile,
        xmp=f"<x:xmpmeta>{MARK}</x:xmpmeta>".encode(),
    )
    thumbnail = encoded(quarters(40, 30), comment=f"thumbnail {MARK}".encode())
    segments = segment(0xED, b"Photoshop 3.0\x00" + MARK.encode()) + segment(0xEB, b"JFXX\x00\x10" + thumbnail)
    return plain[:2] + segments + plain[2:] + b"trailing " + MARK.encode()


def segment(marker: int, body: bytes) -> bytes:
    return bytes((0xFF, marker)) + struct.pack(">H", len(body) + 2) + body


def png_of(width: int, height: int, rows: bytes) -> bytes:
    """An 8-bit grey PNG whose header says `width` × `height`, whatever `rows` hold."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b"")


def bomb(width: int = 20_000, height: int = 20_000) -> bytes:
    """A few hundred kilobytes that unpack to 400 million pixels."""
    return png_of(width, height, bytes((width + 1) * height))
