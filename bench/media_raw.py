"""What nobody can be faster than: decoding, scaling and encoding alone, sealing alone, writing alone; in one run."""

from __future__ import annotations

import hashlib
import io
import os
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from PIL import Image

from bench.figures import say
from field_api.platform.ids import new_id
from media.sandbox.limits import LARGE_PX, SMALL_PX
from media.sandbox.pictures import LEAST_DECODED_PX, QUALITY
from media.sealed_photo import PhotoName, open_photo, seal_photo

PIECE_BYTES = 256 * 1024


def raw_picture(data: bytes, asked_px: int) -> None:
    """Pillow's `draft` decode that keeps `asked_px` on the longer side, two resizes, two encodes; nothing else."""
    with Image.open(io.BytesIO(data)) as opened:
        longest = max(opened.size)
        opened.draft("RGB", (opened.width * asked_px // longest, opened.height * asked_px // longest))
        large = _fitted(opened, LARGE_PX)
        for image in (large, _fitted(large, SMALL_PX)):
            image.save(io.BytesIO(), "JPEG", quality=QUALITY)


def _fitted(image: Image.Image, most_px: int) -> Image.Image:
    scale = most_px / max(image.size)
    size = (round(image.width * scale), round(image.height * scale))
    return image if scale >= 1 else image.resize(size, Image.Resampling.BICUBIC, reducing_gap=2.0)


def _each(files: list[bytes], asked_px: int) -> float:
    """Processor seconds."""
    began_s = time.process_time()
    for data in files:
        raw_picture(data, asked_px)
    return time.process_time() - began_s


def raw_rate(files: list[bytes], processes: int, asked_px: int = LEAST_DECODED_PX) -> tuple[float, float]:
    """(photographs a second, processor seconds of each) of so many processes at once, which each do all files."""
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as executor:
        list(executor.map(_each, [files[:1]] * processes, [asked_px] * processes))  # started, and Pillow loaded
        began_s = time.perf_counter()
        spent_s = sum(executor.map(_each, [files] * processes, [asked_px] * processes))
        count = processes * len(files)
        return count / (time.perf_counter() - began_s), spent_s / count


def say_raw_costs(files: list[bytes], directory: Path) -> None:
    """Sealing, hashing and copying of whole photographs, on one core."""
    name, key = PhotoName(new_id(), new_id(), new_id()), os.urandom(32)
    sealed = [seal_photo(key, name, "image/jpeg", data) for data in files]
    size = sum(len(each) for each in sealed)
    say("photographs", f"{len(files)}, {size / len(files) / 1e6:.1f} MB each, 12 megapixels")
    for what, work in {
        "raw AES-256-GCM, chunks of 64 KiB": lambda data: open_photo(key, name, data),
        "raw SHA-256": hashlib.sha256,
        "raw copy and fsync": lambda data: written(directory / "raw", 0, data),
        "raw fsync for each 256 KiB": lambda data: _in_pieces(directory / "raw", data),
    }.items():
        seconds = _best(work, sealed)
        say(what, f"{size / seconds / 1e6:9,.0f} MB/s, {seconds / len(files) * 1000:.1f} ms a photograph")


def _best(work: Callable[[bytes], object], parts: list[bytes]) -> float:
    """Of three runs, in seconds."""
    runs = []
    for _ in range(3):
        began_s = time.perf_counter()
        for part in parts:
            work(part)
        runs.append(time.perf_counter() - began_s)
    return min(runs)


def written(path: Path, offset: int, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        os.ftruncate(descriptor, offset)
        os.pwrite(descriptor, data, offset)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _in_pieces(path: Path, data: bytes) -> None:
    for offset in range(0, len(data), PIECE_BYTES):
        written(path, offset, data[offset : offset + PIECE_BYTES])
