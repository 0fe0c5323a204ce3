"""PNGs of every depth and colour type, and such as lie, bomb or break off."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from functools import partial

from PIL import Image

from tests.odd_case import (
    HEIGHT,
    PLAIN,
    QUARTERS,
    UNREADABLE,
    WIDTH,
    Case,
    Shown,
    bad,
    cut,
    either,
    flipped,
    good,
    turned,
)
from tests.odd_exif import ORIENTATION, short, text, tiff
from tests.pictures import MARK, WHITE, bomb, encoded, png_of, quarters

GREY, COLOUR, PALETTE, GREY_ALPHA, COLOUR_ALPHA = 0, 2, 3, 4, 6
_CHANNELS = {GREY: 1, COLOUR: 3, PALETTE: 1, GREY_ALPHA: 2, COLOUR_ALPHA: 4}
_PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
_SECRET = MARK.encode()
Samples = tuple[tuple[int, ...], ...]  # of the four quarters, as they stand in the file


def chunk(kind: bytes, body: bytes, crc: int | None = None) -> bytes:
    return (
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body) if crc is None else crc)
    )


def png(
    depth: int,
    kind: int,
    samples: Samples,
    *,
    interlaced: bool = False,
    before: bytes = b"",
    after: bytes = b"",
    row_filter: int = 0,
    pieces: int = 1,
) -> bytes:
    """96 x 64 in four quarters; `before` and `after` are chunks around the image data."""
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, depth, kind, 0, 0, int(interlaced))
    rows = b""
    for x0, y0, dx, dy in _PASSES if interlaced else ((0, 0, 1, 1),):
        for y in range(y0, HEIGHT, dy):
            rows += bytes((row_filter,)) + _row(depth, samples, y, range(x0, WIDTH, dx))
    data = zlib.compress(rows, 9)
    step = -(-len(data) // pieces)
    image = b"".join(chunk(b"IDAT", data[at : at + step]) for at in range(0, len(data), step))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + before + image + after + chunk(b"IEND", b"")


def _row(depth: int, samples: Samples, y: int, columns: range) -> bytes:
    bits = ""
    for x in columns:
        bits += "".join(f"{value:0{depth}b}" for value in samples[2 * (y >= HEIGHT // 2) + (x >= WIDTH // 2)])
    bits += "0" * (-len(bits) % 8)
    return int(bits, 2).to_bytes(len(bits) // 8, "big")


def greys(depth: int) -> tuple[Samples, tuple[tuple[int, int, int], ...]]:
    most = (1 << depth) - 1
    values = (0, most // 3, most * 2 // 3, most)
    return tuple((value,) for value in values), tuple((round(value * 255 / most),) * 3 for value in values)


RGB8: Samples = QUARTERS
RGB16: Samples = tuple(tuple(value * 257 for value in colour) for colour in QUARTERS)
INDEX: Samples = ((0,), (1,), (2,), (3,))
PLTE = chunk(b"PLTE", b"".join(bytes(colour) for colour in QUARTERS))
PNG = encoded(PLAIN, "PNG")
NOT_RED = (WHITE, *QUARTERS[1:])


def png_cases() -> Iterator[Case]:
    yield from _depths()
    yield from _see_through()
    yield from _chunks()
    yield from _texts()
    yield from _moving()
    yield from _broken()
    yield from _bombs()


def _depths() -> Iterator[Case]:
    for laced in (False, True):
        name = "interlaced" if laced else "plain"
        for depth in (1, 2, 4, 8, 16):
            samples, shown = greys(depth)
            yield good(f"png-grey-{depth}-{name}", png(depth, GREY, samples, interlaced=laced), corners=shown)
        yield good(f"png-rgb-8-{name}", png(8, COLOUR, RGB8, interlaced=laced))
        yield good(f"png-rgb-16-{name}", png(16, COLOUR, RGB16, interlaced=laced))
        for depth in (2, 4, 8):
            yield good(f"png-palette-{depth}-{name}", png(depth, PALETTE, INDEX, interlaced=laced, before=PLTE))
        one = tuple((index % 2,) for (index,) in INDEX)
        two = (QUARTERS[0], QUARTERS[1]) * 2
        yield good(f"png-palette-1-{name}", png(1, PALETTE, one, interlaced=laced, before=PLTE), corners=two)
        for depth in (8, 16):
            most = (1 << depth) - 1
            samples, shown = greys(depth)
            veiled = tuple((*value, most) for value in samples)
            yield good(
                f"png-grey-alpha-{depth}-{name}", png(depth, GREY_ALPHA, veiled, interlaced=laced), corners=shown
            )
            colours = tuple((*value, most) for value in (RGB8 if depth == 8 else RGB16))
            yield good(f"png-rgb-alpha-{depth}-{name}", png(depth, COLOUR_ALPHA, colours, interlaced=laced))
    black = ((0, 0, 0),) * 4
    yield good("png-filter-up-of-nothing", png(8, GREY, ((0,),) * 4, row_filter=2), corners=black)
    yield good("png-filter-paeth-of-nothing", png(8, GREY, ((0,),) * 4, row_filter=4), corners=black)
    yield bad("png-filter-5", png(8, GREY, ((0,),) * 4, row_filter=5))
    yield good("png-mode-1", encoded(PLAIN.convert("1"), "PNG"), corners=None)


def _see_through() -> Iterator[Case]:
    for depth in (1, 2, 4, 8, 16):
        samples, shown = greys(depth)
        first = chunk(b"tRNS", struct.pack(">H", samples[0][0]))
        white = tuple((255, 255, 255) if colour == (0, 0, 0) else colour for colour in shown)
        clear = white if depth < 16 else shown  # of 16 bits it is shown as the grey it stands on
        yield good(f"png-grey-{depth}-one-clear", png(depth, GREY, samples, before=first), corners=clear)
    eight, sixteen = (chunk(b"tRNS", struct.pack(">3H", *samples[0])) for samples in (RGB8, RGB16))
    yield good("png-rgb-8-one-clear", png(8, COLOUR, RGB8, before=eight), corners=NOT_RED)
    yield good("png-rgb-16-one-clear", png(16, COLOUR, RGB16, before=sixteen))  # as with 16 bits of grey
    for name, alphas in {"one": b"\x00", "binary": b"\x00\xff\xff\xff"}.items():
        clear = png(8, PALETTE, INDEX, before=PLTE + chunk(b"tRNS", alphas))
        yield good(f"png-palette-clear-{name}", clear, corners=NOT_RED)
    half = png(8, PALETTE, INDEX, before=PLTE + chunk(b"tRNS", b"\x80\xff\xff\xff"))
    yield good("png-palette-half-clear", half, corners=((237, 142, 142), *QUARTERS[1:]))
    veiled = tuple((*colour, 128) for colour in RGB8)
    paler = tuple(tuple(round((value * 128 + 255 * 127) / 255) for value in colour) for colour in RGB8)
    yield good("png-half-clear", png(8, COLOUR_ALPHA, veiled), corners=paler)
    yield good("png-all-clear", png(8, COLOUR_ALPHA, tuple((*colour, 0) for colour in RGB8)), corners=((255,) * 3,) * 4)
    grey_half = png(8, GREY_ALPHA, ((0, 128),) * 4)
    yield good("png-grey-half-clear", grey_half, corners=((127, 127, 127),) * 4)
    for name, value in {"beyond-depth": 0xFFFF, "zero": 0}.items():
        beyond = png(8, COLOUR, RGB8, before=chunk(b"tRNS", struct.pack(">3H", value, value, value)))
        yield good(f"png-clear-colour-{name}", beyond)
    yield good(
        "png-clear-grey-beyond-depth", png(8, GREY, greys(8)[0], before=chunk(b"tRNS", b"\xab\xcd")), corners=None
    )
    yield either("png-clear-chunk-short", png(8, COLOUR, RGB8, before=chunk(b"tRNS", b"\x00")))
    yield either("png-clear-chunk-empty", png(8, GREY, greys(8)[0], before=chunk(b"tRNS", b"")))
    long = png(8, PALETTE, INDEX, before=PLTE + chunk(b"tRNS", bytes(1_000)))
    yield either("png-palette-clear-too-many", long)


def _chunks() -> Iterator[Case]:
    def beside(kind: bytes, body: bytes) -> bytes:
        return png(8, COLOUR, RGB8, before=chunk(kind, body))

    harmless = {
        "gamma": (b"gAMA", struct.pack(">I", 45_455)),
        "gamma-zero": (b"gAMA", bytes(4)),
        "gamma-short": (b"gAMA", b"\x00"),
        "chromaticities": (b"cHRM", struct.pack(">8I", 31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)),
        "chromaticities-short": (b"cHRM", b"\x00" * 5),
        "srgb": (b"sRGB", b"\x00"),
        "srgb-intent-9": (b"sRGB", b"\x09"),
        "background": (b"bKGD", bytes(6)),
        "time": (b"tIME", struct.pack(">HBBBBB", 2026, 13, 40, 30, 70, 70)),
        "resolution": (b"pHYs", struct.pack(">IIB", 1, 1, 1)),
        "private": (b"prVt", _SECRET * 1_000),
        "profile-not-zlib": (b"iCCP", b"name\x00\x00" + _SECRET),
        "profile-other-method": (b"iCCP", b"name\x00\x07" + _SECRET),
        "profile-empty": (b"iCCP", b"name\x00\x00" + zlib.compress(b"")),
    }
    for name, (kind, body) in harmless.items():
        of_decoder = name in ("profile-other-method", "gamma-short", "chromaticities-short")
        yield (either if of_decoder else good)(f"png-{name}", beside(kind, body))
    yield bad("png-profile-bomb", beside(b"iCCP", b"name\x00\x00" + zlib.compress(bytes(80_000_000), 9)))
    for orientation in range(1, 9):
        exif = tiff([short(ORIENTATION, orientation), text(0x010F, _SECRET)])
        size = (WIDTH, HEIGHT) if orientation < 5 else (HEIGHT, WIDTH)
        data = beside(b"eXIf", exif)
        yield good(f"png-exif-orientation-{orientation}", data, size=size, corners=turned(orientation))
    six = tiff([short(ORIENTATION, 6)])
    late = png(8, COLOUR, RGB8, after=chunk(b"eXIf", six))
    yield good("png-exif-after-the-image", late, size=(HEIGHT, WIDTH), corners=turned(6))
    for name, body in {"empty": b"", "noise": _SECRET, "with-name": b"Exif\x00\x00" + six}.items():
        yield good(f"png-exif-{name}", beside(b"eXIf", body), size=None, corners=None)
    raw = b"Raw profile type exif\x00\x00" + zlib.compress(b"\nexif\n 8\nnot hexadecimal")
    yield good("png-exif-as-bad-text", beside(b"zTXt", raw))


def _texts() -> Iterator[Case]:
    def beside(*chunks: bytes) -> bytes:
        return png(8, COLOUR, RGB8, before=b"".join(chunks))

    deflated = zlib.compress(_SECRET * 100)
    yield good("png-text", beside(chunk(b"tEXt", b"Comment\x00" + _SECRET)))
    yield good("png-deflated-text", beside(chunk(b"zTXt", b"Comment\x00\x00" + deflated)))
    yield good("png-international-text", beside(chunk(b"iTXt", b"XML:com.adobe.xmp\x00\x00\x00\x00\x00" + _SECRET)))
    yield good("png-thousand-texts", beside(*[chunk(b"tEXt", b"Comment\x00" + _SECRET)] * 1_000))
    yield good("png-text-after-the-image", png(8, COLOUR, RGB8, after=chunk(b"tEXt", b"Comment\x00" + _SECRET)))
    huge = zlib.compress(bytes(60_000_000), 9)
    yield bad("png-text-bomb", beside(chunk(b"zTXt", b"Comment\x00\x00" + huge)))
    yield bad("png-text-bomb-after", png(8, COLOUR, RGB8, after=chunk(b"zTXt", b"Comment\x00\x00" + huge)))
    yield bad("png-international-bomb", beside(chunk(b"iTXt", b"a\x00\x01\x00\x00\x00" + huge)))
    small = zlib.compress(bytes(1_000_000), 9)
    yield bad("png-hundred-text-bombs", beside(*[chunk(b"zTXt", b"a\x00\x00" + small)] * 100))
    yield either("png-text-not-zlib", beside(chunk(b"zTXt", b"Comment\x00\x00" + _SECRET)))
    yield either("png-text-other-method", beside(chunk(b"zTXt", b"Comment\x00\x09" + deflated)))
    yield good("png-text-without-zero", beside(chunk(b"tEXt", _SECRET)))


def _moving() -> Iterator[Case]:
    frames = [quarters(WIDTH, HEIGHT).rotate(180), PLAIN.convert("L").convert("RGB")]
    yield good("apng", encoded(PLAIN, "PNG", save_all=True, append_images=frames))
    yield good(
        "apng-first-frame-apart",
        encoded(PLAIN, "PNG", save_all=True, append_images=frames, default_image=True),
        corners=None,
    )
    many = [Image.new("RGB", (8, 8), (index % 256, 0, 0)) for index in range(400)]
    yield good(
        "apng-400-frames",
        encoded(Image.new("RGB", (8, 8)), "PNG", save_all=True, append_images=many),
        size=(8, 8),
        corners=None,
    )
    for name, count in {"zero": 0, "most": 0xFFFFFFFF}.items():
        control = chunk(b"acTL", struct.pack(">II", count, 0))
        yield either(f"apng-{name}-frames", png(8, COLOUR, RGB8, before=control))
    frame = chunk(b"fcTL", struct.pack(">IIIIIHHBB", 0, 60_000, 60_000, 0, 0, 1, 1, 0, 0))
    yield either(
        "apng-frame-beyond-the-canvas", png(8, COLOUR, RGB8, before=chunk(b"acTL", struct.pack(">II", 2, 0)) + frame)
    )


def _broken() -> Iterator[Case]:
    yield from cut("png", PNG, 12)
    yield from flipped("png", PNG, 20, "too-many-pixels")
    mine = png(8, COLOUR, RGB8)
    for kind in (b"IHDR", b"IDAT", b"IEND"):
        at = mine.index(kind) - 4
        end = at + 8 + int.from_bytes(mine[at : at + 4], "big")
        yield either(f"png-{kind.decode()}-wrong-crc", mine[:end] + bytes(4) + mine[end + 4 :])
    yield either("png-text-wrong-crc", png(8, COLOUR, RGB8, before=chunk(b"tEXt", b"a\x00b", crc=1)))
    yield good("png-no-end", mine[:-12])
    yield good("png-then-zip", mine + b"PK\x03\x04" + _SECRET)
    yield good("png-then-png", mine + PNG)
    yield good("png-300-pieces", png(8, COLOUR, tuple((7 * i, i, 255 - i) for i in range(4)), pieces=300), corners=None)
    yield good("png-palette-too-short", png(8, PALETTE, ((0,), (1,), (2,), (200,)), before=PLTE), corners=None)
    yield either("png-no-palette", png(8, PALETTE, INDEX))
    yield either("png-palette-257", png(8, PALETTE, INDEX, before=chunk(b"PLTE", bytes(257 * 3))))
    yield either("png-unknown-critical-chunk", png(8, COLOUR, RGB8, before=chunk(b"ABCD", _SECRET)))
    for name, fields in {
        "depth-3": (WIDTH, HEIGHT, 3, 0, 0, 0, 0),
        "rgb-of-4": (WIDTH, HEIGHT, 4, 2, 0, 0, 0),
        "colour-type-5": (WIDTH, HEIGHT, 8, 5, 0, 0, 0),
        "method-1": (WIDTH, HEIGHT, 8, 2, 1, 0, 0),
        "width-zero": (0, HEIGHT, 8, 2, 0, 0, 0),
        "height-zero": (WIDTH, 0, 8, 2, 0, 0, 0),
    }.items():
        other = mine[:8] + chunk(b"IHDR", struct.pack(">IIBBBBB", *fields)) + mine[33:]
        yield either(f"png-{name}", other, *UNREADABLE, "too-many-pixels")
    lying = mine[:33] + struct.pack(">I", 0xFFFFFFF0) + mine[37:]
    yield good("png-chunk-length-lies", lying)


def _bombs() -> Iterator[Case]:
    yield Case("png-400-megapixels", bomb, None, ("too-many-pixels",))
    for width, height in ((60_000_000, 1), (1, 60_000_000), (0x7FFFFFFF, 0x7FFFFFFF), (0xFFFFFFFF, 1), (7_072, 7_072)):
        yield bad(f"png-{width}x{height}", png_of(width, height, b"\x00" * 100), *UNREADABLE, "too-many-pixels")
    yield bad("png-49-megapixels-of-nothing", png_of(7_000, 7_000, b""))
    yield Case(
        "png-49-megapixels",
        lambda: png_of(7_000, 7_000, bytes(7_001 * 7_000)),
        Shown((2_048, 2_048), None),
        costly=True,
    )
    for depth, kind in ((1, GREY), (16, GREY), (16, COLOUR), (8, GREY_ALPHA), (8, COLOUR_ALPHA), (16, COLOUR_ALPHA)):
        for laced in (False, True):
            name = f"png-49-megapixels-{depth}-{kind}-{'interlaced' if laced else 'plain'}"
            make = partial(_black, depth, kind, laced)
            yield Case(name, make, Shown((2_048, 2_048), None), costly=True)
    yield Case(
        "png-as-long-as-may-be", lambda: png_of(49_999_999, 1, bytes(50_000_000)), Shown((2_048, 1), None), costly=True
    )
    yield Case(
        "png-as-high-as-may-be", lambda: png_of(1, 49_999_999, bytes(99_999_998)), Shown((1, 2_048), None), costly=True
    )
    more = png_of(96, 64, bytes(30_000_000))
    yield good("png-more-rows-than-said", more, corners=None)


def _black(depth: int, kind: int, interlaced: bool, side: int = 7_000) -> bytes:
    """Zeros for all samples, `side` squared."""
    size = 0
    for x0, y0, dx, dy in _PASSES if interlaced else ((0, 0, 1, 1),):
        columns, rows = -(-(side - x0) // dx), -(-(side - y0) // dy)
        size += rows * (1 + -(-columns * depth * _CHANNELS[kind] // 8))
    packer = zlib.compressobj(9)
    data = b"".join(packer.compress(bytes(1 << 20)) for _ in range(size >> 20))
    data += packer.compress(bytes(size % (1 << 20))) + packer.flush()
    header = struct.pack(">IIBBBBB", side, side, depth, kind, 0, 0, int(interlaced))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
