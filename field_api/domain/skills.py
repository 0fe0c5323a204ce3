"""What a stop may need of whoever is sent there, in an agency's own short words: `sign-language`, `heavy-dog`."""

from __future__ import annotations

import re
from collections.abc import Iterable

MOST_SKILLS = 20
_SKILL = re.compile(r"[^\W_](?:[\w -]{0,38}[\w])?")


def read_skills(words: Iterable[str]) -> list[str]:
    """Each once, in small letters, sorted. Raises ValueError for too many, or for what is no short word."""
    found = sorted({word.strip().casefold() for word in words})
    if len(found) > MOST_SKILLS or not all(_SKILL.fullmatch(word) for word in found):
        raise ValueError("skills")
    return found
