"""Photographs for bench/media.py: 12 megapixels as phones take them, with edges and sensor noise, from a seed."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator

from PIL import Image, ImageDraw, ImageFilter

SHAPES = ((4000, 3000, 1), (4032, 3024, 6), (4000, 3000, 3), (4608, 2592, 1))
"""Width, height, EXIF orientation: 4:3 lying and upright as most phones, one of 16:9."""
NOISE = 0.3  # of each pixel: with it a file of quality 90 has 3 to 4 MB, as phones' have
QUALITY = 90


def photographs(number: int) -> list[bytes]:
    """JPEG files, each of another scene, always the same for the same number."""
    return [_photograph(seed, *SHAPES[seed % len(SHAPES)]) for seed in range(number)]


def _photograph(seed: int, width: int, height: int, orientation: int) -> bytes:
    scene = _light(seed, width, height)
    _draw_things(seed, ImageDraw.Draw(scene), width, height)
    scene = scene.filter(ImageFilter.GaussianBlur(1.2))  # a lens is not a ruler
    grain = Image.frombytes("L", (width // 2, height // 2), _bytes(f"grain {seed}", width * height // 4))
    grain = grain.resize((width, height), Image.Resampling.BILINEAR)
    scene = Image.blend(scene, Image.merge("RGB", (grain, grain, grain)), NOISE)
    out = io.BytesIO()
    scene.save(out, "JPEG", quality=QUALITY, exif=_exif(seed, orientation))
    return out.getvalue()


def _light(seed: int, width: int, height: int) -> Image.Image:
    """Soft changes of colour over the whole scene."""
    coarse = Image.frombytes("RGB", (16, 12), bytes(60 + value // 2 for value in _bytes(f"light {seed}", 16 * 12 * 3)))
    return coarse.resize((width, height), Image.Resampling.BICUBIC)


def _draw_things(seed: int, draw: ImageDraw.ImageDraw, width: int, height: int) -> None:
    """Walls, windows, bars, letters' strokes: edges in all sizes."""
    numbers = _numbers(seed)
    for size in (700, 250, 90, 30):
        for _ in range(60_000 // (size * 3)):
            x, y = next(numbers) % width, next(numbers) % height
            corner = (x + 4 + next(numbers) % size, y + 4 + next(numbers) % size)
            colour = (next(numbers) % 256, next(numbers) % 256, next(numbers) % 256)
            if size < 100:
                draw.line(((x, y), corner), fill=colour, width=1 + size // 15)
            else:
                draw.rectangle(((x, y), corner), fill=colour)


def _exif(seed: int, orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112], exif[0x010F], exif[0x0110] = orientation, "Inventada", f"Modelo {seed}"
    details = exif.get_ifd(0x8769)
    details[0x9003], details[0x9011] = "2026:11:18 09:30:15", "-06:00"
    gps = exif.get_ifd(0x8825)
    gps[1], gps[2], gps[3], gps[4] = "N", (19.0, 24.0, 0.0), "W", (99.0, 6.0, 0.0)
    return exif


def _bytes(seed: str, length: int) -> bytes:
    return hashlib.shake_256(seed.encode()).digest(length)


def _numbers(seed: int) -> Iterator[int]:
    drawn = _bytes(f"things {seed}", 1 << 17)
    for at in range(0, len(drawn), 4):
        yield int.from_bytes(drawn[at : at + 4], "big")
