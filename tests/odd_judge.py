"""Whether a picture of the corpus became what it must become: nothing but upright pixels, or a refusal with its code."""

from __future__ import annotations

import io

from PIL import Image

from media.sandbox.limits import LARGE_PX, SMALL_PX
from media.sandbox.run import Renditions
from tests.odd_case import Case, Shown
from tests.pictures import MARK

CODES = (
    "not-a-picture",
    "undecodable",
    "too-many-pixels",
    "too-much-memory",
    "too-slow",
    "too-large",
    "decoder-crashed",
)
"""docs/photo-format.md §7, without those that say that the sandbox itself answered out of form."""

_NEAR = 30  # of 255: JPEG and colour conversion move a flat colour by less
_BEFORE_SCAN = {0xE0, 0xDB, 0xC0, 0xC4}  # JFIF, tables, a baseline frame: no other segment is ours


def judge(case: Case, became: Renditions | str) -> list[str]:
    """What is wrong with it, in words; empty where nothing is. `became` is a refusal's code where it was refused."""
    if isinstance(became, str):
        wanted = became in case.refused and became in CODES
        return [] if wanted else [f"refused: {became}, expected {case.refused or 'a picture'}"]
    if case.shown is None:
        return [f"developed, expected {case.refused}"]
    return [*_form(became), *_look(case.shown, became)]


def _form(became: Renditions) -> list[str]:
    wrong = []
    for name, data, most in (("large", became.large, LARGE_PX), ("small", became.small, SMALL_PX)):
        wrong += [f"{name}: {fault}" for fault in faults_of_jpeg(data)]
        for mark in (MARK.encode(), MARK.encode("utf-16-le"), b"Exif", b"xmpmeta", b"ICC_PROFILE", b"Adobe"):
            if mark in data:
                wrong.append(f"{name} holds {mark!r}")
        image = _opened(data)
        if image.mode != "RGB" or max(image.size) > most:
            wrong.append(f"{name} is {image.mode} {image.size}")
    if _opened(became.large).size != (became.width, became.height):
        wrong.append("the size said is not the large one's")
    return wrong


def faults_of_jpeg(data: bytes) -> list[str]:
    """A baseline JPEG of JFIF, tables, frame and one scan to the last byte; anything else is a fault."""
    if data[:2] != b"\xff\xd8":
        return ["no start"]
    at, frames, jfif = 2, 0, 0
    while data[at : at + 2] != b"\xff\xda":
        marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        if data[at] != 0xFF or marker not in _BEFORE_SCAN:
            return [f"segment {data[at]:02x}{marker:02x}"]
        body = data[at + 4 : at + 2 + length]
        if marker == 0xE0:
            jfif += 1
            if body[:5] != b"JFIF\x00" or len(body) != 14 or body[12:] != b"\x00\x00":
                return ["APP0 is more than JFIF"]
        if marker == 0xC0:
            frames += 1
            if body[5] != 3:
                return [f"{body[5]} components"]
        at += 2 + length
    at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    while (at := data.index(b"\xff", at)) and data[at + 1] == 0:
        at += 2
    if data[at:] != b"\xff\xd9":
        return [f"{len(data) - at} bytes from the first marker of the scan"]
    return [] if (frames, jfif) == (1, 1) else [f"{frames} frames, {jfif} JFIF"]


def _look(shown: Shown, became: Renditions) -> list[str]:
    wrong = []
    if shown.size not in (None, (became.width, became.height)):
        wrong.append(f"is {became.width} x {became.height}, expected {shown.size}")
    if shown.corners is not None:
        for name, data in (("large", became.large), ("small", became.small)):
            seen = _corners(_opened(data))
            if not all(_near(one, other) for one, other in zip(seen, shown.corners, strict=True)):
                wrong.append(f"{name} shows {seen}, expected {shown.corners}")
    for key, value in shown.evidence.items():
        if became.evidence.get(key) != value:
            wrong.append(f"{key} is {became.evidence.get(key)!r}, expected {value!r}")
    return wrong


def _opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data), formats=("JPEG",))
    image.load()
    return image


def _corners(image: Image.Image) -> list[tuple[int, ...]]:
    """The colours a tenth away from each corner."""
    across, down = image.width // 10, image.height // 10
    right, bottom = image.width - 1 - across, image.height - 1 - down
    pixels = (image.getpixel(at) for at in ((across, down), (right, down), (across, bottom), (right, bottom)))
    return [pixel for pixel in pixels if isinstance(pixel, tuple)]


def _near(one: tuple[int, ...], other: tuple[int, ...]) -> bool:
    return all(abs(a - b) < _NEAR for a, b in zip(one, other, strict=True))
