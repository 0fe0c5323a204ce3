"""JPEGs as cameras, scanners and attackers write them."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from functools import partial

from PIL import Image

from tests.odd_case import HEIGHT, PLAIN, UNREADABLE, WIDTH, Case, Shown, bad, cut, either, flipped, good
from tests.odd_profiles import CMYK, SRGB
from tests.pictures import BLUE, GREEN, MARK, RED, WHITE, encoded, jpeg_with_everything, quarters, segment

JPEG = encoded(PLAIN, quality=92)
PROGRESSIVE = encoded(PLAIN, quality=92, progressive=True)
_SECRET = MARK.encode()
QUARTER_OF_7_000 = (1_750, 1_750)
"""A JPEG is decoded at a quarter of its size where that keeps 1,536 pixels."""


def after_start(*segments: bytes, of: bytes = JPEG) -> bytes:
    return of[:2] + b"".join(segments) + of[2:]


class _Bits:
    def __init__(self) -> None:
        self.text = ""

    def put(self, value: int, width: int) -> None:
        self.text += f"{value:0{width}b}" if width else ""

    def taken(self) -> bytes:
        padded = self.text + "1" * (-len(self.text) % 8)
        self.text = ""
        return int(padded or "0", 2).to_bytes(len(padded) // 8, "big").replace(b"\xff", b"\xff\x00")


def flat_jpeg(
    sampling: tuple[tuple[int, int], ...],
    quarter_values: tuple[tuple[int, ...], ...],
    *,
    before: tuple[bytes, ...] = (),
    restart_every: int = 0,
    frame: int = 0xC0,
) -> bytes:
    """A JPEG of blocks of one value each, so that any sampling and any number of components can be written.

    `sampling` is (horizontal, vertical) of each component, `quarter_values` the components of the four quarters.
    Huffman: the twelve sizes of a difference have four bits each, "end of block" has one.
    """
    across, down = max(h for h, _ in sampling), max(v for _, v in sampling)
    columns, rows = -(-WIDTH // (8 * across)), -(-HEIGHT // (8 * down))
    bits, scan, last, count = _Bits(), b"", [0] * len(sampling), 0
    for row in range(rows):
        for column in range(columns):
            if restart_every and count and count % restart_every == 0:
                scan += bits.taken() + bytes((0xFF, 0xD0 + (count // restart_every - 1) % 8))
                last = [0] * len(sampling)
            count += 1
            for component, (h, v) in enumerate(sampling):
                for y in range(row * v, row * v + v):
                    for x in range(column * h, column * h + h):
                        right, lower = (
                            (2 * x + 1) * 4 * across >= h * WIDTH / 2,
                            (2 * y + 1) * 4 * down >= v * HEIGHT / 2,
                        )
                        value = quarter_values[2 * lower + right][component] - 128
                        _put_difference(bits, value - last[component])
                        last[component] = value
    scan += bits.taken()
    head = struct.pack(">BHHB", 8, HEIGHT, WIDTH, len(sampling))
    head += b"".join(bytes((number + 1, h << 4 | v, 0)) for number, (h, v) in enumerate(sampling))
    order = bytes((len(sampling),)) + b"".join(bytes((number + 1, 0)) for number in range(len(sampling)))
    return b"".join(
        (
            b"\xff\xd8",
            *before,
            segment(0xDB, b"\x00" + bytes((8,)) * 64),
            segment(0xC4, b"\x00" + bytes((0, 0, 0, 12)) + bytes(12) + bytes(range(12))),
            segment(0xC4, b"\x10" + bytes((1,)) + bytes(15) + b"\x00"),
            *((segment(0xDD, struct.pack(">H", restart_every)),) if restart_every else ()),
            segment(frame, head),
            segment(0xDA, order + b"\x00\x3f\x00"),
            scan,
            b"\xff\xd9",
        )
    )


def _put_difference(bits: _Bits, difference: int) -> None:
    size = abs(difference).bit_length()
    bits.put(size, 4)
    bits.put(difference if difference > 0 else difference + (1 << size) - 1, size)
    bits.put(0, 1)


def _ycc(colour: tuple[int, int, int]) -> tuple[int, ...]:
    return Image.new("RGB", (1, 1), colour).convert("YCbCr").tobytes()[:3]  # type: ignore[return-value]


def adobe(transform: int) -> bytes:
    return segment(0xEE, b"Adobe" + struct.pack(">HHHB", 100, 0, 0, transform))


YCC = tuple(tuple(_ycc(colour)) for colour in (RED, GREEN, BLUE, WHITE))
RGB = (RED, GREEN, BLUE, WHITE)
INK = ((255, 20, 20, 255), (20, 255, 20, 255), (20, 20, 255, 255), (255, 255, 255, 255))
"""Inverted CMYK, as all that write CMYK JPEGs do: 255 is no ink."""
INK_SHOWN = ((255, 20, 20), (20, 255, 20), (20, 20, 255), (255, 255, 255))


def jpeg_cases() -> Iterator[Case]:
    yield from _kinds()
    yield from _inks()
    yield from _beside_the_pixels()
    yield from _with_tails()
    yield from _broken()


def _kinds() -> Iterator[Case]:
    yield good("jpeg-baseline", JPEG)
    yield good("jpeg-progressive", PROGRESSIVE)
    yield good("jpeg-optimized", encoded(PLAIN, optimize=True))
    yield good("jpeg-grey", encoded(PLAIN.convert("L")), corners=None)
    yield good("jpeg-grey-progressive", encoded(PLAIN.convert("L"), progressive=True), corners=None)
    for quality in (1, 100):
        yield good(f"jpeg-quality-{quality}", encoded(PLAIN, quality=quality), corners=None)
    for rows in (1, 3):
        yield good(f"jpeg-restart-rows-{rows}", encoded(PLAIN, restart_marker_rows=rows))
    for subsampling in ("4:4:4", "4:2:2", "4:2:0"):
        yield good(f"jpeg-{subsampling}", encoded(PLAIN, subsampling=subsampling))
    one = (1, 1)
    for name, first in {"4:1:1": (4, 1), "4:1:0": (4, 2), "4:4:0": (1, 2), "1x4": (1, 4), "3x1": (3, 1)}.items():
        yield good(f"jpeg-{name}", flat_jpeg((first, one, one), YCC), corners=None)
    yield good("jpeg-chroma-finer", flat_jpeg((one, (2, 1), (2, 1)), YCC), corners=None)
    yield good("jpeg-restart-each", flat_jpeg((one, one, one), YCC, restart_every=1))
    yield good("jpeg-restart-7", flat_jpeg((one, one, one), YCC, restart_every=7))
    yield good("jpeg-rgb-by-adobe", flat_jpeg((one, one, one), RGB, before=(adobe(0),)))
    yield good("jpeg-one-component-2x2", flat_jpeg(((2, 2),), ((50,), (50,), (50,), (50,))), size=None, corners=None)
    yield bad("jpeg-two-components", flat_jpeg((one, one), ((9, 9),) * 4))
    yield bad("jpeg-five-components", flat_jpeg((one,) * 5, ((9,) * 5,) * 4))
    yield bad("jpeg-factor-zero", flat_jpeg((one,), ((9,),) * 4).replace(b"\x01\x11\x00", b"\x01\x00\x00", 1))
    for frame in (0xC3, 0xC5, 0xC7, 0xCB, 0xCF):
        yield bad(f"jpeg-frame-{frame:x}", flat_jpeg((one, one, one), YCC, frame=frame))
    yield good("jpeg-extended", flat_jpeg((one, one, one), YCC, frame=0xC1))
    yield bad("jpeg-12-bit", JPEG.replace(b"\xff\xc0\x00\x11\x08", b"\xff\xc0\x00\x11\x0c", 1))
    for width, height in ((1, 1), (1, 3_000), (3_000, 1), (7, 5), (2_049, 3)):
        size = (min(width, 2_048), min(height, 2_048))
        if max(width, height) > 2_048:
            size = (2_048, size[1]) if width > height else (size[0], 2_048)
        size = (2_048, 3) if (width, height) == (2_049, 3) else size
        yield good(f"jpeg-{width}x{height}", encoded(quarters(width, height)), size=size, corners=None)


def _inks() -> Iterator[Case]:
    four = ((1, 1),) * 4
    yield good("cmyk-pillow", encoded(PLAIN.convert("CMYK"), quality=92))
    yield good("cmyk-progressive", encoded(PLAIN.convert("CMYK"), quality=92, progressive=True))
    yield good("cmyk-adobe", flat_jpeg(four, INK, before=(adobe(0),)), corners=INK_SHOWN)
    yield good("cmyk-no-adobe", flat_jpeg(four, INK), corners=INK_SHOWN)
    ycck = tuple((*_ycc((255 - c, 255 - m, 255 - y)), k) for c, m, y, k in INK)  # its RGB is the complement of CMY
    yield good("ycck", flat_jpeg(four, ycck, before=(adobe(2),)), corners=INK_SHOWN)
    yield good("ycck-subsampled", flat_jpeg(((2, 2), (1, 1), (1, 1), (2, 2)), ycck, before=(adobe(2),)), corners=None)
    yield good("cmyk-black", flat_jpeg(four, ((255, 255, 255, 0),) * 4, before=(adobe(0),)), corners=((0, 0, 0),) * 4)
    tagged = encoded(PLAIN.convert("CMYK"), icc_profile=CMYK)
    assert tagged.count(b"ICC_PROFILE") == 1
    pure = Image.merge("CMYK", [Image.new("L", (WIDTH, HEIGHT), value) for value in (0, 255, 0, 0)])
    magenta = encoded(pure, quality=95, icc_profile=CMYK)
    yield good("cmyk-by-its-profile", magenta, corners=((244, 0, 121),) * 4)  # Lab 50, 75, 0
    key = Image.merge("CMYK", [Image.new("L", (WIDTH, HEIGHT), value) for value in (0, 0, 0, 255)])
    yield good("cmyk-black-by-its-profile", encoded(key, icc_profile=CMYK), corners=((0, 0, 0),) * 4)
    yield good("cmyk-with-a-colour-profile", encoded(PLAIN.convert("CMYK"), quality=92, icc_profile=SRGB))
    yield good("cmyk-with-a-broken-profile", encoded(PLAIN.convert("CMYK"), quality=92, icc_profile=CMYK[:200]))


def _beside_the_pixels() -> Iterator[Case]:
    yield good("jpeg-with-everything", jpeg_with_everything(), size=(400, 300))
    yield good("jpeg-comment", encoded(PLAIN, comment=_SECRET))
    yield good("jpeg-hundred-comments", after_start(*[segment(0xFE, (_SECRET * 5_000)[:65_533])] * 100))
    yield good("jpeg-empty-comment", after_start(segment(0xFE, b"")))
    for marker in range(0xE0, 0xF0):
        yield good(f"jpeg-app{marker - 0xE0}", after_start(segment(marker, _SECRET * 100)))
    for marker in range(0xE0, 0xF0, 5):
        yield good(f"jpeg-empty-app{marker - 0xE0}", after_start(segment(marker, b"")))
    xmp = b"http://ns.adobe.com/xap/1.0/\x00<x:xmpmeta>%s</x:xmpmeta>"
    yield good("xmp", after_start(segment(0xE1, xmp % _SECRET)))
    yield good("xmp-entities", after_start(segment(0xE1, xmp % b'<!DOCTYPE a [<!ENTITY b "&c;&c;">]>&b;')))
    yield good(
        "xmp-extended", after_start(*[segment(0xE1, b"http://ns.adobe.com/xmp/extension/\x00" + _SECRET * 4_000)] * 50)
    )
    yield good(
        "iptc", after_start(segment(0xED, b"Photoshop 3.0\x008BIM\x04\x04\x00\x00" + struct.pack(">I", 14) + _SECRET))
    )
    yield good(
        "iptc-length-lies",
        after_start(segment(0xED, b"Photoshop 3.0\x008BIM\x04\x04\x00\x00\xff\xff\xff\xff" + _SECRET)),
    )
    yield either("iptc-ends-early", after_start(segment(0xED, b"Photoshop 3.0\x008BIM\x04\x04")))
    yield either(
        "iptc-resolution-short", after_start(segment(0xED, b"Photoshop 3.0\x008BIM\x03\xed\x00\x00" + bytes(4)))
    )
    yield either("jfif-short", after_start(segment(0xE0, b"JFIF\x00"), of=JPEG[:2] + JPEG[20:]))
    yield good("jfif-thumbnail", after_start(segment(0xE0, b"JFXX\x00\x10" + encoded(PLAIN, comment=_SECRET))))
    yield either("adobe-short", after_start(segment(0xEE, b"Adobe\x00")))
    yield from _icc_chunks()
    yield from _many_pictures()


def _icc_chunks() -> Iterator[Case]:
    def chunk(number: int, of: int, body: bytes) -> bytes:
        return segment(0xE2, b"ICC_PROFILE\x00" + bytes((number, of)) + body)

    half = len(SRGB) // 2
    yield good("icc-chunks-out-of-order", after_start(chunk(2, 2, SRGB[half:]), chunk(1, 2, SRGB[:half])))
    yield good("icc-chunk-missing", after_start(chunk(1, 2, SRGB[:half])))
    yield good("icc-chunk-zero", after_start(chunk(0, 0, SRGB)))
    yield good("icc-chunk-twice", after_start(chunk(1, 1, SRGB), chunk(1, 1, SRGB)))
    yield either("icc-chunk-without-number", after_start(segment(0xE2, b"ICC_PROFILE\x00")))
    yield good("icc-255-chunks", after_start(*[chunk(number, 255, _SECRET * 100) for number in range(1, 256)]))


def _many_pictures() -> Iterator[Case]:
    second = encoded(quarters(40, 30), comment=_SECRET)
    mpo = encoded(PLAIN, "MPO", save_all=True, append_images=[quarters(40, 30)])
    yield good("mpo", mpo)
    yield good("mpo-first-alone", mpo[: mpo.index(b"\xff\xd9") + 2])
    yield good("mpo-header-cut", after_start(segment(0xE2, b"MPF\x00II*\x00\x08\x00\x00\x00")))
    yield good("mpo-header-noise", after_start(segment(0xE2, b"MPF\x00" + _SECRET * 9)))
    count = b"II*\x00\x08\x00\x00\x00\x01\x00\x01\xb0\x04\x00\x01\x00\x00\x00\xff\xff\xff\xff\x00\x00\x00\x00"
    yield good("mpo-count-lies", after_start(segment(0xE2, b"MPF\x00" + count)))
    yield good("jpeg-then-jpeg", JPEG + second)
    yield good("jpeg-in-comment", after_start(segment(0xFE, second)))


def _with_tails() -> Iterator[Case]:
    archive = b"PK\x03\x04" + bytes(26) + _SECRET + b"PK\x05\x06" + bytes(18)
    tails = {
        "zip": archive,
        "html": b"<html><script>" + _SECRET + b"</script></html>",
        "pdf": b"%PDF-1.7\n" + _SECRET + b"\n%%EOF",
        "php": b"<?php system($_GET['c']); /*" + _SECRET,
        "video": bytes((0, 0, 0, 24)) + b"ftypmp42" + _SECRET * 50_000,
        "zeros": bytes(1_000_000),
        "markers": b"\xff\xe1" + bytes(2) + b"\xff\xd8\xff\xe0" * 1_000,
    }
    for name, tail in tails.items():
        yield good(f"jpeg-then-{name}", JPEG + tail)
    yield good("jpeg-script-in-comment", after_start(segment(0xFE, b"*/=alert('" + _SECRET + b"');/*")))
    yield good("jpeg-zip-in-comment", after_start(segment(0xFE, archive)))
    heads = {
        "html": b"<!-- ",
        "pdf": b"%PDF-1.7\n",
        "zip": archive,
        "newline": b"\n",
        "gif": b"GIF89a",
        "zero": b"\x00",
    }
    for name, head in heads.items():
        yield bad(f"{name}-then-jpeg", head + JPEG, "not-a-picture")


def _broken() -> Iterator[Case]:
    yield from cut("jpeg", JPEG, 14)
    yield from cut("progressive", PROGRESSIVE, 10)
    yield from flipped("jpeg", JPEG, 24)
    yield from flipped("progressive", PROGRESSIVE, 14, "too-many-pixels")
    yield either("jpeg-no-end", JPEG[:-2])
    yield bad("jpeg-start-alone", b"\xff\xd8\xff")
    yield bad("jpeg-start-and-end", b"\xff\xd8\xff\xd9")
    yield bad("jpeg-no-scan", JPEG[: JPEG.index(b"\xff\xda")])
    yield either("jpeg-no-tables", flat_jpeg(((1, 1),), ((9,),) * 4).replace(b"\xff\xc4", b"\xff\xef"), *UNREADABLE)
    size = JPEG.index(b"\xff\xc0") + 5

    def sized(width: int, height: int) -> bytes:
        return JPEG[:size] + struct.pack(">HH", height, width) + JPEG[size + 4 :]

    yield bad("jpeg-height-zero", sized(WIDTH, 0), *UNREADABLE, "too-many-pixels")
    yield bad("jpeg-width-zero", sized(0, HEIGHT), *UNREADABLE, "too-many-pixels")
    yield bad("jpeg-65535-squared", sized(65_535, 65_535), "too-many-pixels")
    yield bad("jpeg-7072-squared", sized(7_072, 7_072), "too-many-pixels")  # 50,013,184
    # libjpeg paints grey what is missing before an end marker, and Pillow hears nothing of it
    yield Case("jpeg-49-megapixels-of-nothing", lambda: sized(7_000, 7_000), Shown(QUARTER_OF_7_000, None), costly=True)
    for progressive in (False, True):
        for mode in ("L", "RGB", "CMYK"):
            name = f"jpeg-49-megapixels-{mode}-{'progressive' if progressive else 'baseline'}"
            make = partial(_large, mode, progressive)
            yield Case(name, make, Shown(QUARTER_OF_7_000, None), costly=True)
    yield Case("jpeg-many-scans", _many_scans, None, ("too-slow",), costly=True)


def _large(mode: str, progressive: bool) -> bytes:
    return encoded(Image.new(mode, (7_000, 7_000)), progressive=progressive, subsampling="4:4:4")


def _many_scans() -> bytes:
    """Some megabytes of empty refinements of 49 million pixels: each scan has a decoder walk over all blocks again."""
    bits, blocks = _Bits(), 875 * 875
    bits.text = "0" * blocks  # a difference of nothing, for each block
    first = segment(0xDA, b"\x01\x01\x00\x00\x00\x00") + bits.taken()
    runs = -(-blocks // 32_767)
    bits.text = ("0" + "1" * 14) * runs
    refinement = segment(0xDA, b"\x01\x01\x00\x01\x3f\x00") + bits.taken()
    tables = segment(0xC4, b"\x00\x01" + bytes(15) + b"\x00") + segment(0xC4, b"\x10\x01" + bytes(15) + b"\xe0")
    frame = segment(0xC2, struct.pack(">BHHB", 8, 7_000, 7_000, 1) + b"\x01\x11\x00")
    quantities = segment(0xDB, b"\x00" + bytes((8,)) * 64)
    return b"\xff\xd8" + quantities + tables + frame + first + refinement * 40_000 + b"\xff\xd9"
