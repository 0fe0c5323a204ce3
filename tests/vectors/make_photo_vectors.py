"""Write tests/vectors/photo_*.json (docs/photo-format.md §6). Run: python -m tests.vectors.make_photo_vectors"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any
from uuid import UUID

from field_api.platform import sealing
from field_api.platform.sealing import b64u
from media.sealed_photo import CHUNK_BYTES, HEADER, MAX_SEALED_BYTES, TAG_BYTES, PhotoName, seal_photo
from tests.photo_vectors import altered, expanded

HERE = Path(__file__).parent
AGENCY = "0198f3c0-0000-7000-8000-00000000a9e1"
DEVICE = "b2f7c1de-4a39-4c58-9d1e-0123456789ab"
PHOTO = "0198f3c0-1111-7222-8333-444455556666"
OTHER = "0198f3c0-1111-7222-8333-999999999999"
STEP = CHUNK_BYTES + TAG_BYTES
IDS = {"agency": AGENCY, "device": DEVICE, "photo": PHOTO}
PREFIX = 4 + len(b'{"type":"image/jpeg","v":1}')  # what stands before the image in the plaintext


def name_of(ids: dict[str, str]) -> PhotoName:
    return PhotoName(UUID(ids["agency"]), UUID(ids["device"]), UUID(ids["photo"]))


def key_of(seed: str) -> bytes:
    return hashlib.sha256(b"photo vector key: " + seed.encode()).digest()


def vector(title: str, length: int, media_type: str = "image/jpeg") -> dict[str, Any]:
    image = {"seed": title, "length": length}
    key = key_of(title)
    sealed = seal_photo(key, name_of(IDS), media_type, expanded(image))
    return {
        "title": title,
        **IDS,
        "type": media_type,
        "key": b64u(key),
        "image": image,
        "image_sha256": hashlib.sha256(expanded(image)).hexdigest(),
        "sealed_bytes": len(sealed),
        "sealed_sha256": hashlib.sha256(sealed).hexdigest(),
    }


def opens() -> list[dict[str, Any]]:
    sizes = {
        "an empty image: the metadata stand alone": 0,
        "one byte": 1,
        "one chunk, one byte short of full": CHUNK_BYTES - PREFIX - 1,
        "one full chunk, which is the last": CHUNK_BYTES - PREFIX,
        "one byte in the second chunk": CHUNK_BYTES - PREFIX + 1,
        "two full chunks": 2 * CHUNK_BYTES - PREFIX,
        "three chunks": 150_000,
    }
    vectors = [vector(title, length) for title, length in sizes.items()]
    small = vector("small enough to be written out", 24, "image/webp")
    small["sealed"] = b64u(
        seal_photo(key_of(small["title"]), name_of(IDS), "image/webp", expanded(small["image"])),
    )
    return [*vectors, small]


def refused() -> list[dict[str, Any]]:
    three = vector("three chunks, altered", 150_000)
    full = vector("two full chunks, altered", 2 * CHUNK_BYTES - PREFIX)
    size, first, second = three["sealed_bytes"], len(HEADER), len(HEADER) + STEP
    changes: list[tuple[str, str, dict[str, Any], list[list[Any]]]] = [
        ("truncated", "not-authentic", three, [["cut", size - 1]]),
        ("truncated", "not-authentic", three, [["cut", second]]),
        ("truncated", "bad-size", three, [["cut", second + TAG_BYTES]]),
        ("truncated", "bad-size", three, [["cut", first]]),
        ("truncated", "bad-header", three, [["cut", first - 1]]),
        ("truncated", "not-authentic", full, [["cut", second]]),
        ("reordered", "not-authentic", three, [["swap", first, second, STEP]]),
        ("reordered", "not-authentic", full, [["swap", first, second, STEP]]),
        ("chunk-left-out", "not-authentic", three, [["delete", first, STEP]]),
        ("chunk-doubled", "not-authentic", three, [["insert-copy", second, first, STEP]]),
        ("flipped-bit", "not-authentic", three, [["flip", first, 0]]),
        ("flipped-bit", "not-authentic", three, [["flip", second + 1000, 7]]),
        ("flipped-bit", "not-authentic", three, [["flip", size - 1, 3]]),
        ("flipped-bit", "bad-header", three, [["flip", 0, 0]]),
        ("other-version", "bad-header", three, [["flip", 7, 1]]),
        ("trailing-bytes", "not-authentic", three, [["append-zeros", 1]]),
        ("trailing-bytes", "not-authentic", full, [["append-zeros", 64]]),
        ("empty-last-chunk", "bad-size", full, [["append-zeros", TAG_BYTES]]),
        ("too-large", "too-large", three, [["append-zeros", MAX_SEALED_BYTES + 1 - size]]),
        ("bad-metadata", "bad-metadata", three, [["plaintext", b64u(b"\x00\x00\x00")]]),
        ("bad-metadata", "bad-metadata", three, [["plaintext", b64u(b"\x00\x00\x00\x09{}")]]),
        ("bad-metadata", "bad-metadata", three, [["plaintext", b64u(b"\x00\x00\x04\x01" + b" " * 1025)]]),
        ("bad-metadata", "bad-metadata", three, [["plaintext", b64u(b"\x00\x00\x00\x02[]")]]),
        ("bad-metadata", "bad-metadata", three, [["plaintext", b64u(b'\x00\x00\x00\x1b{"type":"image/jpeg","v":2}')]]),
        ("bad-metadata", "bad-metadata", three, [["plaintext", b64u(b'\x00\x00\x00\x1b{"type":"image/tiff","v":1}')]]),
    ]
    vectors = [{"case": case, "expected": code, **base, "alter": alter} for case, code, base, alter in changes]
    for case, part in (("swapped", "photo"), ("other-device", "device"), ("other-agency", "agency")):
        vectors.append(
            {"case": case, "expected": "not-authentic", **three, "alter": [], "open_as": {**IDS, part: OTHER}}
        )
    vectors.append(
        {"case": "wrong-key", "expected": "not-authentic", **three, "key": b64u(key_of("another")), "alter": []}
    )
    return vectors


def wraps() -> list[dict[str, Any]]:
    private, stranger = key_of("sealing key"), key_of("another sealing key")
    key = key_of("wrapped")
    public = sealing.public_key_of(private)
    wrap = sealing.seal_to(public, name_of(IDS).key_info, key)
    good = {
        **IDS,
        "sealing_private": b64u(private),
        "keyid": sealing.key_id_of(public),
        "wrap": b64u(wrap),
        "key": b64u(key),
    }
    bad = [
        {"case": f"wrap-other-{part}", **good, "open_as": {**IDS, part: OTHER}}
        for part in ("photo", "device", "agency")
    ]
    bad.append({"case": "wrap-other-sealing-key", **good, "sealing_private": b64u(stranger)})
    bad.append({"case": "wrap-truncated", **good, "wrap": b64u(wrap[:-1])})
    bad.append({"case": "wrap-flipped-bit", **good, "wrap": b64u(altered(wrap, [["flip", 100, 0]]))})
    return [good, *({**vector, "expected": "wrap"} for vector in bad)]


def main() -> None:
    for file, vectors in (("opens", opens()), ("refused", refused()), ("wraps", wraps())):
        text = json.dumps(vectors, indent=1, ensure_ascii=False) + "\n"
        (HERE / f"photo_{file}.json").write_text(text)


if __name__ == "__main__":
    main()
