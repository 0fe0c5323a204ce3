"""Directories whose entries survive a power cut."""

from __future__ import annotations

import os
from pathlib import Path


def make_directories(directory: Path) -> None:
    """Make what is missing and sync each parent: a new directory's name is lost in a power cut otherwise."""
    if directory.exists():
        return
    make_directories(directory.parent)
    directory.mkdir(mode=0o700, exist_ok=True)
    sync_directory(directory.parent)


def sync_directory(directory: Path) -> None:
    """Make the directory's present entries durable."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
