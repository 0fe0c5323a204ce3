"""A keyring that is older than the last change of keys: phones seal to a key that nobody has. The journal tells."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from doorstep.backup.keyring_copy import Keyring
from doorstep.backup.places import BackupTrouble
from field_api.platform.certificates import ROOT, Certificate
from field_api.platform.key_file import KeyTrouble
from field_api.platform.older_keyring import (
    held_at_the_door,
    held_at_the_office,
    held_at_the_root,
    take_told,
    verify_at_the_door,
)
from field_api.platform.restore_journal import Entry, EntryKind
from field_api.platform.root_keys import take_root_steps
from field_api.platform.sealing import from_b64u, key_id_of
from field_api.platform.told_keys import ToldKeys, root_of, told_in

Document = dict[str, Any]


@dataclass(frozen=True)
class LostKey:
    """A key whose private half is not in the keyring. `certified_at`: from when phones use it; none for a root."""

    role: str
    key_id: str
    certified_at: datetime | None = None

    def __str__(self) -> str:
        return f"{self.role} {self.key_id}"


def lost_keys(keyring: Keyring, agency_id: UUID, entries: Sequence[Entry]) -> list[LostKey]:
    """What the journal names and these key files lack, but for what an earlier restore went on without.

    A door or a root whose file is not in the keyring is on a machine of its own, and nothing of it is lost here.
    """
    told, accepted = told_in(entries), accepted_in(entries)
    lost = [*_lost_roots(keyring, agency_id, told), *_lost_certified(keyring, agency_id, told)]
    return [each for each in dict.fromkeys(lost) if each.key_id not in accepted]


def accepted_in(entries: Iterable[Entry]) -> set[str]:
    """Key ids that restores went on without."""
    return {key for entry in entries if entry.kind is EntryKind.RESTORED for key in entry.detail.get("lost_keys", [])}


def completed(keyring: Keyring, agency_id: UUID, entries: Sequence[Entry]) -> Keyring:
    """With the public halves that the journal names: what newer keys signed, backups included, verifies.

    Steps to a root that is lost are not taken: nobody could certify anything after them. Raises BackupTrouble.
    """
    told, names = told_in(entries), _names(agency_id)
    files = {role: json.loads(keyring[name]) for role, name in names.items() if name in keyring}
    try:
        if not _lost_roots(keyring, agency_id, told):
            take_root_steps(files["office"], agency_id, told.steps)
    except KeyTrouble as error:
        raise BackupTrouble(f"the journal's keys are not those of this keyring: {error}") from error
    take_told(files["office"], told.certificates)
    if "door" in files:
        missing = _lacking(told, "door", held_at_the_door(files["door"]))
        verify_at_the_door(files["door"], list(missing.values()))
    return keyring | {names[role]: json.dumps(content).encode() for role, content in files.items()}


def refusal(lost: Sequence[LostKey]) -> BackupTrouble:
    """Says which keys are missing, and both ways out."""
    return BackupTrouble(
        f"phones were told of keys that this keyring lacks: {', '.join(map(str, lost))}. Bring a newer copy of the "
        "keyring; or say --although-keys-are-lost if there is none: what was sealed to a lost key stays in quarantine, "
        "and phones are told of a new one"
    )


def _lost_certified(keyring: Keyring, agency_id: UUID, told: ToldKeys) -> list[LostKey]:
    names = _names(agency_id)
    office = held_at_the_office(json.loads(keyring[names["office"]]))
    door = held_at_the_door(json.loads(keyring[names["door"]])) if names["door"] in keyring else None
    held = {"office": office, "sealing": office, "door": door}
    return [
        LostKey(role, each.key_id, datetime.fromisoformat(each.claims["from"]))
        for role, keys in held.items()
        if keys is not None
        for each in _lacking(told, role, keys).values()
    ]


def _lost_roots(keyring: Keyring, agency_id: UUID, told: ToldKeys) -> list[LostKey]:
    """None where the root that certifies for the office's file is not the one here, or none is: it is elsewhere."""
    names = _names(agency_id)
    if names[ROOT] not in keyring:
        return []
    held = held_at_the_root(json.loads(keyring[names[ROOT]]))
    if key_id_of(from_b64u(json.loads(keyring[names["office"]])["root_public"])) not in held:
        return []
    return [LostKey(ROOT, key) for key in map(root_of, told.steps) if key not in held]


def _lacking(told: ToldKeys, role: str, held: set[str]) -> dict[str, Certificate]:
    """By key id: a key that was certified again is one key."""
    return {each.key_id: each for each in told.certificates if each.claims["role"] == role and each.key_id not in held}


def _names(agency_id: UUID) -> dict[str, str]:
    return {half: f"keys/{half}/{agency_id}.json" for half in ("office", "door", ROOT)}
