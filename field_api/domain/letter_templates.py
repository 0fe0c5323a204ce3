"""Creditors' own letter templates: their states, and which one lays out a letter."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

MAX_SOURCE_BYTES = 256 * 1024


class TemplateState(StrEnum):
    DRAFT = "draft"
    ACTIVE = "active"
    RETIRED = "retired"


STEPS = {
    TemplateState.DRAFT: frozenset({TemplateState.ACTIVE, TemplateState.RETIRED}),
    TemplateState.ACTIVE: frozenset({TemplateState.RETIRED}),
    TemplateState.RETIRED: frozenset({TemplateState.ACTIVE}),  # an older version is taken up again
}


@dataclass(frozen=True)
class ActiveTemplate:
    """What is to be known of an active version to choose it. Empty kinds or languages: all."""

    sha256: str  # hex
    version: int
    kinds: tuple[str, ...]
    languages: tuple[str, ...]


@dataclass(frozen=True)
class TemplateFault:
    """Why a template is refused. `at`: its line and column, or what is not shown; `letter`: with which sample."""

    reason: str
    at: str
    detail: str
    letter: str

    def told(self, name: str) -> str:
        """One line for a person: file, line, reason."""
        place = f"{name}:{self.at}" if self.at[:1].isdigit() else name
        beside = f" ({self.at})" if self.at and place == name else ""
        said = f": {self.detail}" if self.detail else ""
        return f"{place}: {self.reason}{beside}{said} [{self.letter}]"


def choose(active: Iterable[ActiveTemplate], kind: str, language: str) -> str:
    """The SHA-256 of the template for a letter of this kind to an addressee of this language (BCP 47); "" where the
    house's own is used. One that names the kind goes before one for all, then one that names the language, then the
    newest."""
    spoken = language.partition("-")[0].lower()
    fitting = [
        one for one in active if (not one.kinds or kind in one.kinds) and (not one.languages or spoken in one.languages)
    ]
    best = max(fitting, key=lambda one: (bool(one.kinds), bool(one.languages), one.version), default=None)
    return best.sha256 if best else ""
