"""What a file of a photograph is, by its own first bytes. Pure.

Signatures: ITU-T T.81 B.1.1.2 (JPEG), ISO/IEC 15948 5.2 (PNG), RFC 9649 2.3 (WebP), ISO/IEC 14496-12 4.3 with brands
of ISO/IEC 23008-12 (HEIC) and of AV1-ISOBMFF (AVIF).
"""

from __future__ import annotations

UNKNOWN = "application/octet-stream"
_AVIF, _HEIC = {b"avif", b"avis"}, {b"heic", b"heix", b"heim", b"heis"}
_MOST_BRANDS = 16  # cameras name three or four
NAMES = {
    "image/jpeg": "original.jpg",
    "image/png": "original.png",
    "image/webp": "original.webp",
    "image/avif": "original.avif",
    "image/heic": "original.heic",
    UNKNOWN: "original.bin",
}
"""Under which constant name each is saved."""


def type_of(file: bytes) -> str:
    """One of the types that are developed, else `application/octet-stream`."""
    if file[:3] == b"\xff\xd8\xff":
        return "image/jpeg"
    if file[:8] == b"\x89PNG\r\n\x1a\n":
        return "image/png"
    if file[:4] == b"RIFF" and file[8:12] == b"WEBP":
        return "image/webp"
    brands = _brands(file)
    if brands & _AVIF:
        return "image/avif"
    return "image/heic" if brands & _HEIC else UNKNOWN


def _brands(file: bytes) -> set[bytes]:
    """Of a file of boxes: the major brand and those it is compatible with; a picture's major one may say neither."""
    if file[4:8] != b"ftyp":
        return set()
    end = min(int.from_bytes(file[:4], "big"), 16 + 4 * _MOST_BRANDS)
    return {file[8:12], *(file[at : at + 4] for at in range(16, end, 4))}
