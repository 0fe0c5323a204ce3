"""A letter's part as plain lines: what a phone shows, and what a person compares."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from field_api.domain.letter_model import LetterContent, Part


def plain_text(part: Part) -> str:
    """Title, day and every block of the part, one line each."""
    return "\n".join(plain_lines(asdict(part)))


def plain_lines(part: Mapping[str, Any]) -> Iterator[str]:
    """The same of a part as it is stored (LetterContent.wire)."""
    colon = "\N{NO-BREAK SPACE}: " if part["language"] == "fr" else ": "
    yield part["title"]
    yield part["date"]
    for block in part["blocks"]:
        yield from (block[name] for name in ("text", "caption") if block.get(name))
        yield from (f"– {item}" for item in block.get("items", ()))
        yield from (colon.join(row) for row in (*block.get("rows", ()), *filter(None, [block.get("total")])))


def plain_letter(content: LetterContent) -> str:
    """The whole letter as text: who writes to whom, then every part."""
    sides = [*content.sender_lines, "", *content.address_lines]
    return "\n".join([*sides, *(f"\n[{part.language}]\n{plain_text(part)}" for part in content.parts)]) + "\n"


def addressees_part(content: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The part in the addressee's own language: the last, since what the place wants first stands in front."""
    parts = content.get("parts") or ()
    return parts[-1] if parts else None
