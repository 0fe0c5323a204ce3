"""WebP, AVIF and HEIC: whole, odd, lying and broken.

Nothing here encodes HEVC: HEIC containers are written around the one coded picture of `tests/data/door.heic`, which is
where cameras differ anyway (turning, mirroring, tiles, brands, metadata items). AVIF comes from Pillow's encoder, which
writes eight bits only; of ten and twelve bits, as phones take by their "high efficiency", there are files in
`tests/data/`, two of each kind.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

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
from tests.odd_exif import HERE, ORIENTATION, gps, short, text, tiff
from tests.odd_profiles import SRGB, SWAPPED
from tests.pictures import HEIC, MARK, WHITE, encoded, exif_with_everything, quarters

_SECRET = MARK.encode()
CODED_QUARTERS = ((220, 40, 40), (240, 220, 60), (220, 40, 40), (40, 90, 160))
_CODED = HEIC.read_bytes()
_CONFIGURATION, _HEVC = _CODED[211:331], _CODED[443:506]  # the boxes `hvcC`, and the coded picture, 96 x 64
XMP = b"<x:xmpmeta>%s</x:xmpmeta>" % _SECRET


def webp(**options: object) -> bytes:
    return encoded(PLAIN, "WEBP", **options)


def webp_cases() -> Iterator[Case]:
    yield good("webp-lossy", webp())
    yield good("webp-lossless", webp(lossless=True))
    yield good("webp-worst", webp(quality=1), corners=None)
    alpha = PLAIN.convert("RGBA")
    alpha.paste((0, 0, 0, 0), (0, 0, WIDTH // 2, HEIGHT // 2))
    for lossless in (False, True):
        seen = (WHITE, *QUARTERS[1:])
        yield good(f"webp-see-through-{lossless}", encoded(alpha, "WEBP", lossless=lossless), corners=seen)
    frames = [quarters(WIDTH, HEIGHT).rotate(180)] * 3
    yield good("webp-moving", webp(save_all=True, append_images=frames, duration=50))
    many = [PLAIN.rotate(index) for index in range(120)]
    yield good("webp-120-frames", webp(save_all=True, append_images=many, method=0))
    yield good("webp-metadata", webp(exif=exif_with_everything(), xmp=XMP, icc_profile=SRGB))
    for orientation in (3, 6, 8):
        exif = tiff([short(ORIENTATION, orientation), text(0x010E, _SECRET)])
        size = (WIDTH, HEIGHT) if orientation < 5 else (HEIGHT, WIDTH)
        yield good(f"webp-orientation-{orientation}", webp(exif=exif), size=size, corners=turned(orientation))
    yield good("webp-broken-exif", webp(exif=b"II*\x00\xff\xff\xff\x7f" + _SECRET))
    yield good("webp-gps", webp(exif=gps()), evidence={"position": HERE})
    yield good("webp-then-zip", webp() + b"PK\x03\x04" + _SECRET)
    sized = webp()
    yield either("webp-riff-size-lies", sized[:4] + b"\xff\xff\xff\xff" + sized[8:])
    yield either("webp-riff-size-zero", sized[:4] + bytes(4) + sized[8:])
    canvas = webp(icc_profile=SRGB)
    for name, side in {"16384": 16_384, "16777216": 1 << 24}.items():
        less = struct.pack("<I", side - 1)[:3]
        yield bad(f"webp-canvas-{name}", canvas[:24] + less + less + canvas[30:], *UNREADABLE, "too-many-pixels")
    for mode in ("RGB", "RGBA"):
        for lossless in (False, True):
            name = f"{mode}-{lossless}"
            fits, beyond = (partial(_large_webp, side, mode, lossless) for side in (3_500, 7_000))
            yield Case(f"webp-12-megapixels-{name}", fits, Shown((2_048, 2_048), None), costly=True)
            # its reader keeps several copies of the canvas
            yield Case(f"webp-49-megapixels-{name}", beyond, None, ("too-much-memory",), costly=True)
    yield from cut("webp", webp(), 10)
    yield from cut("webp-lossless", webp(lossless=True), 6)
    yield from flipped("webp", webp(icc_profile=SRGB), 14, "too-many-pixels")


def _large_webp(side: int, mode: str, lossless: bool) -> bytes:
    return encoded(Image.new(mode, (side, side)), "WEBP", lossless=lossless, method=0)


def _large_avif(side: int) -> bytes:
    return encoded(Image.new("RGB", (side, side)), "AVIF", speed=10)


def deep(kind: str) -> Iterator[Case]:
    """The quarters in samples of ten and twelve bits: whole, cut and altered."""
    for bits in (10, 12):
        data = (HEIC.parent / f"quarters_{bits}_bit.{kind}").read_bytes()
        yield good(f"{kind}-{bits}-bit", data)
        yield from cut(f"{kind}-{bits}-bit", data, 6)
        yield from flipped(f"{kind}-{bits}-bit", data, 12, "too-many-pixels", "too-much-memory")


def avif_cases() -> Iterator[Case]:
    plain = encoded(PLAIN, "AVIF")
    yield good("avif", plain)
    yield good("avif-grey", encoded(PLAIN.convert("L"), "AVIF"), corners=None)
    for subsampling in ("4:4:4", "4:2:2", "4:2:0", "4:0:0"):
        colours = None if subsampling == "4:0:0" else QUARTERS
        yield good(f"avif-{subsampling}", encoded(PLAIN, "AVIF", subsampling=subsampling), corners=colours)
    yield good("avif-limited-range", encoded(PLAIN, "AVIF", range="limited"))
    alpha = PLAIN.convert("RGBA")
    alpha.paste((0, 0, 0, 0), (0, 0, WIDTH // 2, HEIGHT // 2))
    yield good("avif-see-through", encoded(alpha, "AVIF"), corners=(WHITE, *QUARTERS[1:]))
    for orientation in range(2, 9):
        exif = tiff([short(ORIENTATION, orientation), text(0x010E, _SECRET)])
        size = (WIDTH, HEIGHT) if orientation < 5 else (HEIGHT, WIDTH)
        data = encoded(PLAIN, "AVIF", exif=exif)
        yield good(f"avif-turned-{orientation}", data, size=size, corners=turned(orientation))
    frames = [quarters(WIDTH, HEIGHT).rotate(180)] * 3
    yield good("avif-moving", encoded(PLAIN, "AVIF", save_all=True, append_images=frames, speed=10))
    headed = encoded(PLAIN, "AVIF", exif=tiff([text(0x010E, _SECRET)]))
    yield bad("avif-exif-without-header", headed.replace(b"II*\x00", b"XX*\x00"), "undecodable")
    far = headed.replace(b"II*\x00\x08\x00\x00\x00", b"II*\x00\xff\xff\xff\x7f")
    yield good("avif-exif-far-directory", far)
    yield good("avif-metadata", encoded(PLAIN, "AVIF", exif=exif_with_everything(), xmp=XMP, icc_profile=SRGB))
    sideways = XMP.replace(b">", b' tiff:Orientation="6">', 1)
    yield good("avif-turned-by-xmp-alone", encoded(PLAIN, "AVIF", xmp=sideways))
    yield good("avif-then-zip", plain + b"PK\x03\x04" + _SECRET, corners=None)
    for brand in (b"mif1", b"avis", b"heic", b"xxxx"):
        yield either(f"avif-brand-{brand.decode()}", plain[:8] + brand + plain[12:])
    extent = plain.index(b"ispe") + 8
    for name, side in {"one": 1, "20000": 20_000, "most": 0xFFFFFFFF}.items():
        lying = plain[:extent] + struct.pack(">II", side, side) + plain[extent + 8 :]
        yield either(f"avif-extent-{name}", lying, *UNREADABLE, "too-many-pixels", "too-much-memory")
    for side in (3_500, 7_000):
        yield Case(f"avif-{side}-squared", partial(_large_avif, side), Shown((2_048, 2_048), None), costly=True)
    yield from deep("avif")
    yield from cut("avif", plain, 10)
    yield from flipped("avif", plain, 20, "too-many-pixels", "too-much-memory")


@dataclass(frozen=True)
class Item:
    """One thing in a HEIC: `kind` is `hvc1`, `grid`, `Exif` …; properties are numbers from 1 in the file's list."""

    kind: bytes
    data: bytes
    properties: tuple[int, ...] = ()
    refers: tuple[tuple[bytes, tuple[int, ...]], ...] = ()  # (relation, item ids)
    content_type: bytes = b""


def box(kind: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I", 8 + len(body)) + kind + body


def full(kind: bytes, *parts: bytes, version: int = 0, flags: int = 0) -> bytes:
    return box(kind, struct.pack(">I", version << 24 | flags), *parts)


def extent(width: int, height: int) -> bytes:
    return full(b"ispe", struct.pack(">II", width, height))


def heif(items: list[Item], properties: list[bytes], brand: bytes = b"heic", primary: int = 1) -> bytes:
    """A file of these items, numbered from 1. Nothing is checked."""
    head = box(b"ftyp", brand, bytes(4), b"mif1", b"heic")
    meta = _meta(items, properties, primary, 0)
    return (
        head
        + _meta(items, properties, primary, len(head) + len(meta) + 8)
        + box(b"mdat", *(item.data for item in items))
    )


def _meta(items: list[Item], properties: list[bytes], primary: int, at: int) -> bytes:
    infos, places, owners, relations = b"", b"", b"", b""
    for number, item in enumerate(items, 1):
        hidden = int(item.kind == b"Exif" or number > 1)
        infos += full(
            b"infe", struct.pack(">HH", number, 0), item.kind, b"\x00", item.content_type, version=2, flags=hidden
        )
        places += struct.pack(">HHHII", number, 0, 1, at, len(item.data))
        at += len(item.data)
        if item.properties:
            owners += struct.pack(">HB", number, len(item.properties)) + bytes(0x80 | each for each in item.properties)
        for kind, ids in item.refers:
            relations += box(kind, struct.pack(f">HH{len(ids)}H", number, len(ids), *ids))
    owned = sum(bool(item.properties) for item in items)
    return full(
        b"meta",
        full(b"hdlr", bytes(4), b"pict", bytes(13)),
        full(b"pitm", struct.pack(">H", primary)),
        full(b"iloc", b"\x44\x00", struct.pack(">H", len(items)), places),
        full(b"iinf", struct.pack(">H", len(items)), infos),
        *((full(b"iref", relations),) if relations else ()),
        box(b"iprp", box(b"ipco", *properties), full(b"ipma", struct.pack(">I", owned), owners)),
    )


def picture(*more: int) -> Item:
    return Item(b"hvc1", _HEVC, (1, 2, *more))


BASE = [_CONFIGURATION, extent(WIDTH, HEIGHT)]


def heic(*more: bytes, brand: bytes = b"heic", items: tuple[Item, ...] = ()) -> bytes:
    """The coded picture with further properties, and further items."""
    own = picture(*range(3, 3 + len(more)))
    return heif([own, *items], [*BASE, *more], brand)


def exif_item(directory: bytes, prefix: bytes = bytes(4)) -> Item:
    return Item(b"Exif", prefix + directory, refers=((b"cdsc", (1,)),))


def grid(rows: int, columns: int, width: int, height: int, *, tiles: int | None = None, again: bool = False) -> bytes:
    """The one coded picture as every tile of a grid; with `again`, one item is named as all its tiles."""
    body = struct.pack(">BBBBII", 0, 1, rows - 1, columns - 1, width, height)
    count = rows * columns if tiles is None else tiles
    ids = (2,) * count if again else tuple(range(2, 2 + count))
    whole = Item(b"grid", body, (3,), ((b"dimg", ids),))
    return heif([whole, *[picture()] * (1 if again else count)], [*BASE, extent(width, height)])


def _good(name: str, data: bytes, **shown: Any) -> Case:
    return good(name, data, **{"corners": CODED_QUARTERS, **shown})


def heic_cases() -> Iterator[Case]:
    yield _good("heic", _CODED)
    yield _good("heic-rewritten", heic())
    for brand in (b"heix", b"mif1", b"heim", b"heis"):
        yield _good(f"heic-brand-{brand.decode()}", heic(brand=brand))
    for brand in (b"avif", b"isom", b"mp42", b"xxxx", b"hevc", b"msf1"):
        yield either(f"heic-brand-{brand.decode()}", heic(brand=brand))
    for quarter, orientation in {0: 1, 1: 8, 2: 3, 3: 6}.items():
        size = (WIDTH, HEIGHT) if orientation < 5 else (HEIGHT, WIDTH)
        data = heic(box(b"irot", bytes((quarter,))))
        yield _good(f"heic-turned-{quarter}", data, size=size, corners=turned(orientation, CODED_QUARTERS))
    for axis, orientation in {0: 4, 1: 2}.items():
        yield _good(
            f"heic-mirrored-{axis}", heic(box(b"imir", bytes((axis,)))), corners=turned(orientation, CODED_QUARTERS)
        )
    both = heic(box(b"irot", b"\x03"), box(b"imir", b"\x01"))
    yield _good("heic-turned-and-mirrored", both, size=(HEIGHT, WIDTH), corners=turned(5, CODED_QUARTERS))
    quarter = box(b"clap", struct.pack(">8I", 48, 1, 32, 1, 0, 1, 0, 1))
    yield _good("heic-cropped", heic(quarter), size=(48, 32))
    yield either(
        "heic-cropped-beyond",
        heic(box(b"clap", struct.pack(">8I", 9_600, 1, 6_400, 1, 0, 1, 0, 1))),
        *UNREADABLE,
        "too-many-pixels",
    )
    yield either("heic-cropped-by-zero", heic(box(b"clap", struct.pack(">8I", 48, 0, 32, 0, 0, 0, 0, 0))))
    yield from _heic_metadata()
    yield from _heic_grids()
    yield from _heic_broken()


def _heic_metadata() -> Iterator[Case]:
    marked = tiff([short(ORIENTATION, 6), text(0x010E, _SECRET)])
    yield _good("heic-exif-orientation-does-not-count", heic(items=(exif_item(marked),)))
    yield _good("heic-gps", heic(items=(exif_item(gps()),)), evidence={"position": HERE})
    odd = {
        "empty": b"",
        "cut": b"\x00\x00",
        "noise": b"\xff\xff\xff\xff" + _SECRET * 50,
        "far-directory": bytes(4) + b"II*\x00\xff\xff\xff\x7f",
        "offset-lies": b"\x7f\xff\xff\xff" + gps(),
    }
    for name, data in odd.items():
        yield either(f"heic-exif-{name}", heic(items=(Item(b"Exif", data, refers=((b"cdsc", (1,)),)),)))
    xmp = Item(b"mime", XMP, refers=((b"cdsc", (1,)),), content_type=b"application/rdf+xml\x00")
    yield _good("heic-xmp", heic(items=(xmp,)))
    sideways = Item(
        b"mime", XMP.replace(b">", b' tiff:Orientation="6">', 1), xmp.properties, xmp.refers, xmp.content_type
    )
    yield _good("heic-turned-by-xmp-alone", heic(items=(sideways,)))
    yield _good("heic-private-item", heic(items=(Item(b"mime", _SECRET * 100, content_type=b"text/plain\x00"),)))
    swapped = tuple((green, red, blue) for red, green, blue in CODED_QUARTERS)
    yield _good("heic-profile", heic(box(b"colr", b"prof", SWAPPED)), corners=swapped)
    yield _good("heic-broken-profile", heic(box(b"colr", b"prof", _SECRET)))
    yield _good("heic-thumbnail-is-itself", heic(items=(Item(b"hvc1", _HEVC, (1, 2), ((b"thmb", (1,)),)),)))
    yield either("heic-depth", heic(items=(Item(b"hvc1", _HEVC, (1, 2), ((b"auxl", (1,)),)),)))
    yield _good("heic-then-zip", _CODED + b"PK\x03\x04" + _SECRET, corners=None)
    yield _good("heic-free-space", _CODED + box(b"free", _SECRET))


def _heic_grids() -> Iterator[Case]:
    yield _good("heic-grid-1x2", grid(1, 2, 192, 64), size=(192, 64), corners=None)
    yield _good("heic-grid-2x2", grid(2, 2, 192, 128), size=(192, 128))
    yield _good("heic-grid-trimmed", grid(2, 2, 100, 70), size=(100, 70), corners=None)
    lying = ("too-many-pixels", "too-much-memory", *UNREADABLE)
    yield either("heic-grid-tile-missing", grid(2, 2, 192, 128, tiles=3), *lying)
    yield either("heic-grid-larger-than-tiles", grid(2, 2, 4_000, 3_000), *lying)
    yield bad("heic-grid-400-megapixels", grid(256, 256, 20_000, 20_000, tiles=65_535, again=True), *lying)
    yield bad("heic-grid-of-one-tile", grid(2, 2, 192, 128, again=True))
    yield bad("heic-grid-most", grid(1, 1, 0xFFFFFFFF, 0xFFFFFFFF), *lying)
    body = struct.pack(">BBBBHH", 0, 0, 0, 0, WIDTH, HEIGHT)
    itself = Item(b"grid", body, (2,), ((b"dimg", (1,)),))
    yield bad("heic-grid-of-itself", heif([itself], BASE))
    one, two = (Item(b"grid", body, (2,), ((b"dimg", (other,)),)) for other in (2, 1))
    yield bad("heic-grids-of-each-other", heif([one, two], BASE))
    deep = [Item(b"grid", body, (2,), ((b"dimg", (number + 1,)),)) for number in range(1, 200)]
    yield either("heic-grids-200-deep", heif([*deep, picture()], BASE), *lying, "decoder-crashed")
    overlay = Item(b"iovl", bytes(10) + struct.pack(">HH4x", WIDTH, HEIGHT), (2,), ((b"dimg", (2,)),))
    yield either("heic-overlay", heif([overlay, picture()], BASE), *lying)
    huge = Item(b"iovl", b"\x00\x01" + bytes(8) + struct.pack(">II8x", 30_000, 30_000), (2,), ((b"dimg", (2,)),))
    yield either("heic-overlay-900-megapixels", heif([huge, picture()], BASE), *lying)
    yield Case("heic-grid-6-megapixels", lambda: grid(31, 32, 3_072, 1_984), Shown((2_048, 1_323), None), costly=True)
    yield Case("heic-grid-of-1974-tiles", lambda: grid(47, 42, 4_000, 3_000), None, lying, costly=True)


def _heic_broken() -> Iterator[Case]:
    for name, side in {"one": 1, "20000": 20_000, "most": 0xFFFFFFFF, "zero": 0}.items():
        other = heif([picture()], [_CONFIGURATION, extent(side, side)])
        yield either(f"heic-extent-{name}", other, *UNREADABLE, "too-many-pixels", "too-much-memory")
    yield bad("heic-no-configuration", heif([Item(b"hvc1", _HEVC, (2,))], BASE))
    yield bad("heic-no-items", heif([], BASE))
    yield bad("heic-primary-absent", heif([picture()], BASE, primary=9))
    yield bad("heic-no-data", heif([Item(b"hvc1", b"", (1, 2))], BASE))
    yield bad("heic-noise-for-data", heif([Item(b"hvc1", _SECRET * 9, (1, 2))], BASE))
    yield bad("heic-header-alone", _CODED[:28])
    yield either("heic-box-length-zero-inside", _CODED[:195] + bytes(4) + _CODED[199:])
    yield either("heic-box-length-most", _CODED[:28] + b"\xff\xff\xff\xff" + _CODED[32:])
    properties = [*BASE, *[box(b"free", b"")] * 120]
    yield either("heic-many-properties", heif([picture(*range(3, 120))], properties))
    yield from deep("heic")
    yield from cut("heic", _CODED, 12)
    yield from flipped("heic", _CODED, 30, "too-many-pixels", "too-much-memory")
