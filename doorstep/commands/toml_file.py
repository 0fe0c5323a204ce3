"""A TOML file that somebody names on the command line."""

from __future__ import annotations

import tomllib
from pathlib import Path

import click

MAX_BYTES = 256 * 1024


def read_toml(file: Path) -> dict[str, object]:
    """Raises BadParameter for one that is too large or no TOML."""
    if file.stat().st_size > MAX_BYTES:
        raise click.BadParameter("too large", param_hint="FILE")
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise click.BadParameter(f"no TOML: {error}", param_hint="FILE") from error
