"""Ports: what use cases need from outside, as promises. Adapters keep them; one contract test runs on each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol


class ObjectAbsent(LookupError):
    """No object under this key: never put, deleted, or another agency's."""


class Objects(Protocol):
    """Keeps bytes for the running agency, sealed at rest, under opaque random keys."""

    def put(self, body: bytes) -> str:
        """Keep `body` and return its key. When this returns the bytes survive a power cut; a name tells nothing."""
        ...

    def get(self, key: str) -> bytes:
        """The bytes that were put. Raises ObjectAbsent; raises Unsealable where they were altered or swapped."""
        ...

    def delete(self, key: str) -> None:
        """Forget the object. An absent one is no error: deleting twice is deleting."""
        ...


class PaperFailed(RuntimeError):
    """A document could not be rendered. The text names the template and the reason's kind, never the data."""


@dataclass(frozen=True)
class PaperJob:
    """One PDF to make: a template's name and the plain JSON data that it lays out."""

    template: str  # sheet | letter | stack | legend
    data: Mapping[str, Any]
    made_at: datetime  # stands in the PDF as its time of creation, so that the same data give the same bytes


@dataclass(frozen=True)
class Paper:
    pdf: bytes
    pages: int


class Papers(Protocol):
    """Makes PDFs. Data are laid out as text, never read as markup."""

    def render(self, jobs: Sequence[PaperJob]) -> list[Paper]:
        """One paper per job, in order; the same job gives the same bytes. All or nothing: raises PaperFailed."""
        ...
