"""ICC profiles, good and broken: what is tagged well comes out as sRGB, what is not comes out as if untagged."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from PIL import ImageCms

from tests.odd_case import PLAIN, QUARTERS, Case, good
from tests.pictures import MARK, encoded

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
LAB = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
XYZ = ImageCms.ImageCmsProfile(ImageCms.createProfile("XYZ")).tobytes()


def profile(colours: bytes, kind: bytes, tags: dict[bytes, bytes], connection: bytes = b"XYZ ") -> bytes:
    """A version 2.4 profile of these tags; `colours` is its space (`RGB `), `kind` its class (`mntr`)."""
    at = 128 + 4 + 12 * len(tags)
    table, data = struct.pack(">I", len(tags)), b""
    for name, body in tags.items():
        table += name + struct.pack(">II", at + len(data), len(body))
        data += body + bytes(-len(body) % 4)
    header = struct.pack(
        ">I4sI4s4s4s12x4s28x3I48x",
        at + len(data),
        bytes(4),
        0x02400000,
        kind,
        colours,
        connection,
        b"acsp",
        0xF6D6,
        0x10000,
        0xD32D,
    )
    return header + table + data


def fixed(*values: float) -> bytes:
    return struct.pack(f">{len(values)}i", *(round(value * 65_536) for value in values))


def xyz(*values: float) -> bytes:
    return b"XYZ \x00\x00\x00\x00" + fixed(*values)


def curve(gamma: float) -> bytes:
    return b"curv\x00\x00\x00\x00" + struct.pack(">IH", 1, round(gamma * 256))


WHITE_POINT = xyz(0.9642, 1.0, 0.8249)
_R, _G, _B = xyz(0.4361, 0.2225, 0.0139), xyz(0.3851, 0.7169, 0.0971), xyz(0.1431, 0.0606, 0.7141)
_CURVES = {name: curve(2.2) for name in (b"rTRC", b"gTRC", b"bTRC")}
SWAPPED = profile(b"RGB ", b"mntr", {b"wtpt": WHITE_POINT, b"rXYZ": _G, b"gXYZ": _R, b"bXYZ": _B, **_CURVES})
"""sRGB's primaries with red and green exchanged: a reader that applies it shows red as green."""

GREY_LINEAR = profile(b"GRAY", b"mntr", {b"wtpt": WHITE_POINT, b"kTRC": curve(1.0)})
"""Grey without gamma: 55 of 255 stands for 21.6 % of white's light, which sRGB writes as 128."""

CMYK_LAB = (  # what each of white, C, M, CM, Y … prints as, in this made-up press
    (100, 0, 0), (60, -40, -45), (50, 75, 0), (30, 20, -50), (90, -5, 90), (50, -60, 30), (50, 65, 45), (20, 0, 0),
)  # fmt: skip


def _table_of_16() -> bytes:
    """lut16 of 2 x 2 x 2 x 2 grid points, the last channel (black) fastest: black makes everything dark."""
    head = b"mft2\x00\x00\x00\x00" + bytes((4, 3, 2, 0)) + fixed(1, 0, 0, 0, 1, 0, 0, 0, 1) + struct.pack(">HH", 2, 2)
    points = b""
    for corner in range(16):
        cyan, magenta, yellow, black = (corner >> shift & 1 for shift in (3, 2, 1, 0))
        light, a, b = (0, 0, 0) if black else CMYK_LAB[cyan + 2 * magenta + 4 * yellow]
        points += struct.pack(">HHH", round(light * 652.8), (a + 128) * 256, (b + 128) * 256)
    ramp = struct.pack(">HH", 0, 65_535)
    return head + ramp * 4 + points + ramp * 3


CMYK = profile(b"CMYK", b"prtr", {b"wtpt": WHITE_POINT, b"A2B0": _table_of_16()}, b"Lab ")


def icc_cases() -> Iterator[Case]:
    def tagged(icc: bytes, **options: object) -> bytes:
        return encoded(PLAIN, quality=92, icc_profile=icc, **options)

    swapped = tuple((green, red, blue) for red, green, blue in QUARTERS)
    yield good("icc-srgb", tagged(SRGB))
    yield good("icc-swapped", tagged(SWAPPED), corners=swapped)
    yield good("icc-swapped-progressive", tagged(SWAPPED, progressive=True), corners=swapped)
    for form in ("PNG", "WEBP", "AVIF"):
        yield good(f"icc-swapped-{form}", encoded(PLAIN, form, icc_profile=SWAPPED), corners=swapped)
    yield good("icc-swapped-see-through", encoded(PLAIN.convert("RGBA"), "PNG", icc_profile=SWAPPED), corners=swapped)
    palette = PLAIN.convert("P", palette=1)
    yield good("icc-swapped-palette", encoded(palette, "PNG", icc_profile=SWAPPED), corners=swapped)
    as_it_stands = {
        "lab": LAB,
        "xyz": XYZ,
        "grey-on-colour": GREY_LINEAR,
        "cmyk-on-colour": CMYK,
        "empty-text": b"\x00",
        "not-a-profile": b"not a profile " + MARK.encode(),
        "header-alone": SRGB[:128],
        "no-tags": profile(b"RGB ", b"mntr", {}),
        "no-curves": profile(b"RGB ", b"mntr", {b"rXYZ": _R, b"gXYZ": _G, b"bXYZ": _B}),
        "tag-past-the-end": SRGB[:136] + b"\x7f\xff\xff\xf0" + SRGB[140:],
        "tag-count-lies": SRGB[:128] + b"\xff\xff\xff\xff" + SRGB[132:],
        "size-lies": b"\xff\xff\xff\xff" + SRGB[4:],
        "link": profile(b"RGB ", b"link", {b"A2B0": _table_of_16()}, b"RGB "),
        "named-colours": profile(b"RGB ", b"nmcl", {b"ncl2": bytes(84)}, b"Lab "),
        "huge": SRGB + bytes(4_000_000),
        "huge-with-mark": SRGB + MARK.encode() * 200_000,
    }
    for name, icc in as_it_stands.items():
        yield good(f"icc-{name}", tagged(icc))
    for part in range(1, 8):
        yield good(f"icc-cut-{part}", tagged(SRGB[: len(SRGB) * part // 8]), corners=None)
    grey = PLAIN.convert("L").point(lambda value: 55)
    yield good("icc-grey", encoded(grey, icc_profile=GREY_LINEAR), corners=((128, 128, 128),) * 4)
    veiled = grey.convert("LA")
    yield good("icc-grey-see-through", encoded(veiled, "PNG", icc_profile=GREY_LINEAR), corners=((128, 128, 128),) * 4)
    yield good("icc-colour-on-grey", encoded(grey, icc_profile=SWAPPED), corners=((55, 55, 55),) * 4)
