"""The text forms that carry an agency's id in front, so that the tenant is set before anything is looked up."""

from __future__ import annotations

import re
from dataclasses import dataclass
from uuid import UUID

_UNIQUIFIER = re.compile(r"([0-9a-f]{32})\.[0-9a-f]{32}")
_TOKEN = re.compile(r"ds_([0-9a-f]{32})_([0-9a-f]{32})_([0-9a-f]{64})")


def uniquifier(agency_id: UUID, nonce: str) -> str:
    """What a session cookie holds: agency and 32 hex digits of chance, changed to end every session."""
    return f"{agency_id.hex}.{nonce}"


def agency_of_uniquifier(text: str) -> UUID | None:
    """The agency in front, or None for anything that is not a uniquifier."""
    match = _UNIQUIFIER.fullmatch(text)
    return UUID(match[1]) if match else None


@dataclass(frozen=True)
class WireToken:
    """An API token as it travels: `ds_<agency>_<token id>_<64 hex digits of secret>`."""

    agency_id: UUID
    token_id: UUID
    secret: str

    def __str__(self) -> str:
        return f"ds_{self.agency_id.hex}_{self.token_id.hex}_{self.secret}"

    def __repr__(self) -> str:
        return f"<token {self.token_id}>"

    @classmethod
    def parse(cls, text: str) -> WireToken | None:
        match = _TOKEN.fullmatch(text)
        return cls(UUID(match[1]), UUID(match[2]), match[3]) if match else None
