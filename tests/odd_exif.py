"""EXIF of every odd kind in a small JPEG: what it lies about costs facts, never the picture."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

from tests.odd_case import PLAIN, Case, good
from tests.pictures import BLUE, GREEN, MARK, RED, WHITE, encoded, segment

BYTE, ASCII, SHORT, LONG, RATIONAL, UNDEFINED, SRATIONAL, FLOAT, DOUBLE = 1, 2, 3, 4, 5, 7, 10, 11, 12
ORIENTATION, EXIF_IFD, GPS_IFD, MAKE, MODEL, SOFTWARE = 0x0112, 0x8769, 0x8825, 0x010F, 0x0110, 0x0131
TAKEN, OFFSET, MAKER_NOTE, USER_COMMENT = 0x9003, 0x9011, 0x927C, 0x9286

Entry = tuple[int, int, int, Any]  # tag, type, count, value: bytes as they stand, or the entries of another directory


def tiff(entries: list[Entry], order: str = "<", following: int = 0) -> bytes:
    """A TIFF structure as EXIF has it: header and one directory; nothing is checked."""
    mark = b"II*\x00" if order == "<" else b"MM\x00*"
    return mark + struct.pack(order + "I", 8) + _directory(entries, 8, order, following)


def _directory(entries: list[Entry], at: int, order: str, following: int) -> bytes:
    table, data = b"", b""
    start = at + 2 + 12 * len(entries) + 4
    for tag, kind, count, value in entries:
        if isinstance(value, list):
            field = struct.pack(order + "I", start + len(data))
            data += _directory(value, start + len(data), order, 0)
        elif len(value) <= 4:
            field = value.ljust(4, b"\x00")
        else:
            field = struct.pack(order + "I", start + len(data))
            data += value
        table += struct.pack(order + "HHI", tag, kind, count) + field
    return struct.pack(order + "H", len(entries)) + table + struct.pack(order + "I", following) + data


def text(tag: int, value: bytes) -> Entry:
    return (tag, ASCII, len(value) + 1, value + b"\x00")


def short(tag: int, value: int) -> Entry:
    return (tag, SHORT, 1, struct.pack("<H", value))


def inside(tag: int, entries: list[Entry]) -> Entry:
    return (tag, LONG, 1, entries)


def rationals(*values: tuple[int, int], signed: bool = False) -> bytes:
    return b"".join(struct.pack("<ii" if signed else "<II", *value) for value in values)


def with_exif(*directories: bytes) -> bytes:
    """A JPEG with one APP1 segment for each."""
    data = encoded(PLAIN, quality=92)
    return data[:2] + b"".join(segment(0xE1, b"Exif\x00\x00" + directory) for directory in directories) + data[2:]


LATITUDE, LONGITUDE = rationals((20, 1), (30, 1), (0, 1)), rationals((103, 1), (15, 1), (0, 1))
HERE = {"latitude": 20.5, "longitude": -103.25}


def gps(
    latitude: Any = LATITUDE, longitude: Any = LONGITUDE, north: bytes | None = b"N\x00", west: bytes | None = b"W\x00"
) -> bytes:
    """EXIF with a position. Coordinates are three rationals' bytes, or (type, count, bytes); references text or absent."""
    entries: list[Entry] = []
    for tag, reference, value in ((1, north, latitude), (3, west, longitude)):
        if reference is not None:
            entries.append((tag, ASCII, len(reference), reference))
        entries.append((tag + 1, *(value if isinstance(value, tuple) else (RATIONAL, 3, value))))
    return tiff([text(MAKE, MARK.encode()), inside(GPS_IFD, entries)])


def exif_cases() -> Iterator[Case]:
    yield from _positions()
    yield from _no_positions()
    yield from _gps_directories()
    yield from _orientations()
    yield from _moments()
    yield from _texts()
    yield from _structures()


def _positions() -> Iterator[Case]:
    degrees = {
        "plain": (gps(), HERE),
        "south-east": (gps(north=b"S\x00", west=b"E\x00"), {"latitude": -20.5, "longitude": 103.25}),
        "pole": (gps(latitude=rationals((90, 1), (0, 1), (0, 1))), {"latitude": 90.0, "longitude": -103.25}),
        "date-line": (gps(longitude=rationals((180, 1), (0, 1), (0, 1))), {"latitude": 20.5, "longitude": -180.0}),
        "null-island": (gps(rationals(*[(0, 1)] * 3), rationals(*[(0, 1)] * 3)), {"latitude": 0.0, "longitude": 0.0}),
        "lower-case": (gps(north=b"s\x00", west=b"w\x00"), {"latitude": -20.5, "longitude": -103.25}),
        "padded-references": (gps(north=b"N\x00\x00\x00", west=b"W \x00"), HERE),
        "reference-in-full": (gps(north=b"North\x00", west=b"West\x00"), HERE),
        "decimal-degrees": (gps(latitude=rationals((205, 10), (0, 1), (0, 1))), HERE),
        "decimal-minutes": (gps(latitude=rationals((20, 1), (3000, 100), (0, 1))), HERE),
        "doubles": (gps(latitude=(DOUBLE, 3, struct.pack("<3d", 20, 30, 0))), HERE),
        "shorts": (gps(latitude=(SHORT, 3, struct.pack("<3H", 20, 30, 0))), HERE),
        "big-endian": (
            tiff(
                [
                    inside(
                        GPS_IFD,
                        [
                            (1, ASCII, 2, b"N\x00"),
                            (2, RATIONAL, 3, struct.pack(">6I", 20, 1, 30, 1, 0, 1)),
                            (3, ASCII, 2, b"W\x00"),
                            (4, RATIONAL, 3, struct.pack(">6I", 103, 1, 15, 1, 0, 1)),
                        ],
                    )
                ],
                ">",
            ),
            HERE,
        ),
    }
    for name, (exif, position) in degrees.items():
        yield good(f"gps-{name}", with_exif(exif), evidence={"position": position})


def _no_positions() -> Iterator[Case]:
    zero = (0, 1)
    wrong = {
        "no-references": gps(north=None, west=None),
        "no-latitude-reference": gps(north=None),
        "no-longitude-reference": gps(west=None),
        "empty-reference": gps(north=b"\x00"),
        "other-reference": gps(north=b"X\x00"),
        "swapped-references": gps(north=b"W\x00", west=b"N\x00"),
        "latitude-91": gps(latitude=rationals((91, 1), zero, zero)),
        "latitude-90-and-a-second": gps(latitude=rationals((90, 1), zero, (1, 1))),
        "longitude-181": gps(longitude=rationals((181, 1), zero, zero)),
        "most-degrees": gps(latitude=rationals((0xFFFFFFFF, 1), zero, zero)),
        "zero-denominator-degrees": gps(latitude=rationals((20, 0), zero, zero)),
        "zero-denominator-minutes": gps(latitude=rationals((20, 1), (30, 0), zero)),
        "zero-denominator-seconds": gps(latitude=rationals((20, 1), (30, 1), (1, 0))),
        "zero-by-zero": gps(rationals(*[(0, 0)] * 3), rationals(*[(0, 0)] * 3)),
        "negative": gps(latitude=(SRATIONAL, 3, rationals((-20, 1), zero, zero, signed=True))),
        "not-a-number": gps(latitude=(DOUBLE, 3, struct.pack("<3d", float("nan"), 0, 0))),
        "infinite": gps(latitude=(FLOAT, 3, struct.pack("<3f", float("inf"), 0, 0))),
        "infinite-less-infinite": gps(latitude=(DOUBLE, 3, struct.pack("<3d", float("inf"), float("-inf"), 0))),
        "one-rational": gps(latitude=(RATIONAL, 1, rationals((20, 1)))),
        "two-rationals": gps(latitude=(RATIONAL, 2, rationals((20, 1), (30, 1)))),
        "four-rationals": gps(latitude=(RATIONAL, 4, rationals((20, 1), zero, zero, zero))),
        "text": gps(latitude=(ASCII, 6, b"20.50\x00")),
        "bytes": gps(latitude=(UNDEFINED, 3, b"\x14\x1e\x00")),
        "count-zero": gps(latitude=(RATIONAL, 0, b"")),
        "count-lies": gps(latitude=(RATIONAL, 0x0FFFFFFF, LATITUDE)),
        "type-unknown": gps(latitude=(99, 3, LATITUDE)),
        "latitude-alone": tiff([inside(GPS_IFD, [(1, ASCII, 2, b"N\x00"), (2, RATIONAL, 3, LATITUDE)])]),
    }
    for name, exif in wrong.items():
        yield good(f"gps-{name}", with_exif(exif), evidence={"position": None})


def _gps_directories() -> Iterator[Case]:
    pointers = {"itself": 8, "zero": 0, "one": 1, "past-the-end": 0x7FFFFFFF, "most": 0xFFFFFFFF}
    for name, at in pointers.items():
        yield good(f"gps-directory-at-{name}", with_exif(tiff([(GPS_IFD, LONG, 1, struct.pack("<I", at))])))
    yield good("gps-directory-as-text", with_exif(tiff([text(GPS_IFD, b"abc")])))
    yield good("gps-directory-as-many", with_exif(tiff([(GPS_IFD, LONG, 2, struct.pack("<II", 8, 8))])))
    yield good("gps-directory-as-fraction", with_exif(tiff([(GPS_IFD, RATIONAL, 1, rationals((1, 0)))])))


def _orientations() -> Iterator[Case]:
    as_one: dict[str, Entry] = {str(value): short(ORIENTATION, value) for value in (0, 9, 255, 65_535)}
    as_one["text"] = text(ORIENTATION, b"6")
    as_one["none"] = (ORIENTATION, SHORT, 0, b"")
    as_one["fraction"] = (ORIENTATION, RATIONAL, 1, rationals((6, 1)))
    as_one["by-zero"] = (ORIENTATION, RATIONAL, 1, rationals((6, 0)))
    as_one["negative"] = (ORIENTATION, 9, 1, struct.pack("<i", -6))
    as_one["not-a-number"] = (ORIENTATION, FLOAT, 1, struct.pack("<f", float("nan")))
    as_one["bytes"] = (ORIENTATION, UNDEFINED, 1, b"\x06")
    as_one["count-lies"] = (ORIENTATION, SHORT, 0xFFFFFFFF, struct.pack("<H", 6))
    for name, entry in as_one.items():
        yield good(f"orientation-{name}-is-none", with_exif(tiff([entry])))
    long = (ORIENTATION, LONG, 1, struct.pack("<I", 6))
    clockwise = (BLUE, RED, WHITE, GREEN)
    yield good("orientation-as-long", with_exif(tiff([long])), size=(64, 96), corners=clockwise)
    twice = (ORIENTATION, SHORT, 2, struct.pack("<HH", 6, 1))
    yield good("orientation-of-two-values-is-the-first", with_exif(tiff([twice])), size=(64, 96), corners=clockwise)
    again = with_exif(tiff([short(ORIENTATION, 6), short(ORIENTATION, 1)]))
    yield good("orientation-two-entries", again, size=None, corners=None)


def _moments() -> Iterator[Case]:
    def taken(when: bytes, offset: bytes | None = None) -> bytes:
        more = [] if offset is None else [text(OFFSET, offset)]
        return with_exif(tiff([inside(EXIF_IFD, [text(TAKEN, when), *more])]))

    day = b"2026:11:18 09:30:15"
    read = {
        "plain": (taken(day), "2026-11-18T09:30:15"),
        "offset": (taken(day, b"-06:00"), "2026-11-18T09:30:15-06:00"),
        "leap-day": (taken(b"2028:02:29 00:00:00"), "2028-02-29T00:00:00"),
        "offset-empty": (taken(day, b""), "2026-11-18T09:30:15"),
        "offset-nonsense": (taken(day, b"+99:99"), "2026-11-18T09:30:15"),
        "offset-text": (taken(day, b"home"), "2026-11-18T09:30:15"),
        "zeros": (taken(b"0000:00:00 00:00:00"), None),
        "spaces": (taken(b"    :  :     :  :  "), None),
        "30-february": (taken(b"2026:02:30 10:00:00"), None),
        "month-13": (taken(b"2026:13:01 10:00:00"), None),
        "hour-24": (taken(b"2026:11:18 24:00:00"), None),
        "second-60": (taken(b"2026:11:18 23:59:60"), None),
        "other-form": (taken(b"18/11/2026 09:30"), None),
        "long": (taken(day + b"1" * 20_000), None),
        "line-after": (taken(day + b"\n"), None),
        "bytes": (with_exif(tiff([inside(EXIF_IFD, [(TAKEN, UNDEFINED, 20, day + b"\x00")])])), None),
    }
    for name, (data, moment) in read.items():
        yield good(f"taken-{name}", data, evidence={"captured_at": moment})


def _texts() -> Iterator[Case]:
    def camera(make: bytes) -> bytes:
        return with_exif(tiff([text(MAKE, make), text(MODEL, b"M")]))

    said = {
        "empty": (b"", ""),
        "long": (b"A" * 60_000, "A" * 60),
        "escapes": (b"A\x1b[31m\x07\x08B", "A[31mB"),
        "markup": (b"<script>alert(1)</script>", "<script>alert(1)</script>"),
        "line-breaks": (b"A\r\nX-Header: b", "AX-Header: b"),
        "not-utf-8": (b"\xff\xfe\x80", "\u00ff\u00fe"),
    }
    for name, (make, shown) in said.items():
        yield good(f"camera-{name}", camera(make), evidence={"camera": [shown, "M", None]})
    number = with_exif(tiff([(MAKE, DOUBLE, 1, struct.pack("<d", float("nan"))), text(MODEL, b"M")]))
    yield good("camera-number", number, evidence={"camera": [None, "M", None]})
    secret = MARK.encode()
    personal = {
        "user-comment": inside(EXIF_IFD, [(USER_COMMENT, UNDEFINED, 8 + len(secret), b"ASCII\x00\x00\x00" + secret)]),
        "maker-note": inside(EXIF_IFD, [(MAKER_NOTE, UNDEFINED, 60_000, (secret * 6_000)[:60_000])]),
        "owner": inside(EXIF_IFD, [text(0xA430, secret), text(0xA431, secret)]),
        "description": text(0x010E, secret * 4_000),
        "artist": text(0x013B, secret),
        "windows-comment": (0x9C9C, BYTE, 28, MARK.encode("utf-16-le")),
        "unknown-tag": (0xFEDC, UNDEFINED, len(secret), secret),
    }
    for name, entry in personal.items():
        yield good(f"exif-{name}", with_exif(tiff([entry])))


def _structures() -> Iterator[Case]:
    secret = MARK.encode()
    thumbnail = encoded(PLAIN.resize((24, 16)), comment=secret)

    def with_thumbnail(at: int, length: int) -> bytes:
        second = (
            struct.pack("<H", 2)
            + struct.pack("<HHII", 0x0201, LONG, 1, at)
            + struct.pack("<HHII", 0x0202, LONG, 1, length)
        )
        return tiff([], following=14) + second + bytes(4) + thumbnail

    loop = (EXIF_IFD, LONG, 1, struct.pack("<I", 8))
    lying = {
        "nothing": b"",
        "one-byte": b"I",
        "header-alone": b"II*\x00\x08\x00\x00\x00",
        "no-entries": tiff([]),
        "other-mark": b"XX*\x00\x08\x00\x00\x00" + secret,
        "big-tiff": b"II+\x00\x08\x00\x00\x00\x10\x00\x00\x00\x00\x00\x00\x00" + bytes(64),
        "directory-past-the-end": b"II*\x00\xff\xff\xff\x7f",
        "directory-at-zero": b"II*\x00\x00\x00\x00\x00",
        "more-entries-than-bytes": b"II*\x00\x08\x00\x00\x00\xff\xff" + bytes(100),
        "next-is-itself": tiff([text(MAKE, secret)], following=8),
        "inner-is-outer": tiff([loop]),
        "inner-and-gps-are-outer": tiff([loop, (GPS_IFD, LONG, 1, struct.pack("<I", 8)), (0xA005, LONG, 1, b"\x08")]),
        "deep": tiff([inside(EXIF_IFD, [inside(0xA005, [inside(EXIF_IFD, [inside(GPS_IFD, [loop])])])])]),
        "count-lies": tiff([(MAKE, ASCII, 0xFFFFFFFF, struct.pack("<I", 8))]),
        "count-overflows": tiff([(MAKE, DOUBLE, 0x20000001, struct.pack("<I", 8))]),
        "value-past-the-end": tiff([(MAKE, ASCII, 100, struct.pack("<I", 0x00FFFFFF))]),
        "type-zero": tiff([(MAKE, 0, 1, b"abcd")]),
        "type-255": tiff([(MAKE, 255, 1, b"abcd")]),
        "same-tag-often": tiff([text(MAKE, b"abcdef")] * 3_000),
        "all-tags": tiff([(tag, SHORT, 1, b"\x01") for tag in range(0x100, 0x1100)]),
        "resolution-by-zero": tiff([(0x011A, RATIONAL, 1, rationals((72, 0))), short(0x0128, 2)]),
        "resolution-text": tiff([text(0x011A, b"seventy-two"), short(0x0128, 2)]),
        "thumbnail": with_thumbnail(44, len(thumbnail)),
        "thumbnail-past-the-end": with_thumbnail(0x7FFFFFFF, len(thumbnail)),
        "thumbnail-without-end": with_thumbnail(44, 0xFFFFFFFF),
        "noise": bytes((7 * index * index + 13 * index) % 251 for index in range(5_000)),
    }
    for name, exif in lying.items():
        yield good(f"exif-{name}", with_exif(exif))
    yield good("exif-in-three-segments", with_exif(tiff([text(MAKE, secret)]), secret * 4_000, secret * 4_000))
    yield good("exif-hundred-segments", with_exif(*[secret * 4_000] * 100))
    yield good(
        "exif-upper-case-name", encoded(PLAIN)[:2] + segment(0xE1, b"EXIF\x00\x00" + secret) + encoded(PLAIN)[2:]
    )
