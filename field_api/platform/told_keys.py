"""Keys that phones were or may have been told of, as the restore journal names them (docs/adr/0009-backups.md).

Public halves alone: a keyring that is older than the last change of keys is found by them, and verifies by them what
the newer keys signed. A key is named before its file is written, which is before anybody can be told of it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from field_api.platform.certificates import ROOT, Certificate, certificate_of
from field_api.platform.keyring import OfficeKeys
from field_api.platform.problems import Problem
from field_api.platform.restore_journal import Entry, EntryKind, JournalBroken, enter_now, journal_or_none
from field_api.platform.sealing import from_b64u, key_id_of


@dataclass(frozen=True)
class ToldKeys:
    """Certificates and steps of the root, in the order in which they were made."""

    certificates: list[Certificate] = field(default_factory=list)
    steps: list[dict[str, str]] = field(default_factory=list)

    def entries(self, at: datetime) -> list[Entry]:
        """One for each: a line of the journal is short."""
        named = [{"role": ROOT, "key": root_of(step), "step": step} for step in self.steps]
        named += [{"role": each.claims["role"], "key": each.key_id, **each.wire()} for each in self.certificates]
        return [Entry(EntryKind.KEY_TOLD, at, detail) for detail in named]


def root_of(step: dict[str, str]) -> str:
    """The key id of the root that a step leads to."""
    return key_id_of(from_b64u(json.loads(from_b64u(step["root"]))["new"]))


def told_in(entries: Iterable[Entry]) -> ToldKeys:
    """What the journal names."""
    told = ToldKeys()
    for entry in entries:
        if entry.kind is not EntryKind.KEY_TOLD:
            continue
        if entry.detail["role"] == ROOT:
            told.steps.append(dict(entry.detail["step"]))
        else:
            told.certificates.append(certificate_of(dict(entry.detail)))
    return told


def enter_keys(certificates: Sequence[Certificate], steps: Sequence[dict[str, str]], *, at: datetime) -> None:
    """Name them in the journal at once, where there is one. Raises Problem `unavailable`."""
    for entry in ToldKeys(list(certificates), list(steps)).entries(at):
        enter_now(entry.kind, entry.detail, at=entry.at)


def enter_unnamed_keys(keys: OfficeKeys, *, at: datetime) -> None:
    """Name what the journal does not yet: keys from before it was begun. Raises Problem `unavailable`."""
    journal = journal_or_none()
    if journal is None:
        return
    try:
        named = told_in(journal.read(keys))
    except (OSError, JournalBroken) as error:
        raise Problem("unavailable", "the restore journal cannot be read") from error
    refs: set[Any] = {each.ref for each in named.certificates}
    roots = {root_of(step) for step in named.steps}
    certificates = [each for role in keys.certificates.values() for each in role if each.ref not in refs]
    enter_keys(certificates, [step for step in keys.root_steps if root_of(step) not in roots], at=at)
