"""What verifying an exported log has to say, fit for a terminal: findings by name, and what decisions erased."""

from __future__ import annotations

from dataclasses import dataclass, field

MAX_FINDINGS = 1_000
MAX_PLACE_CHARACTERS = 200


@dataclass(frozen=True)
class Finding:
    """What does not hold. `place` names it: a leaf by number and reference, a node, a checkpoint, a certificate."""

    place: str
    what: str

    def __str__(self) -> str:
        return f"{self.place}: {self.what}"


@dataclass
class Report:
    """`findings` is empty where the log holds; `erasures` are what decisions in the log erased, and no findings."""

    findings: list[Finding] = field(default_factory=list)
    erasures: list[str] = field(default_factory=list)
    leaves: int = 0
    checkpoints: int = 0
    exported_at: str = ""
    more: int = 0

    def add(self, place: str, what: str) -> None:
        if len(self.findings) < MAX_FINDINGS:
            self.findings.append(Finding(shown(place), what))
        else:
            self.more += 1


def shown(place: str) -> str:
    """A name out of a file that anybody may have written, fit for a terminal."""
    return "".join(letter if " " <= letter <= "~" else "?" for letter in place[:MAX_PLACE_CHARACTERS])
