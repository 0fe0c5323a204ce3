"""`manifest.json`: what a backup holds, signed by the office key of each agency in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from doorstep.backup.places import BackupTrouble, SavedFile, saved_files, write_file
from field_api.platform.bounded_json import BadJson, canonical, loads
from field_api.platform.clock import utc_text
from field_api.platform.keyring import OfficeKeys
from field_api.platform.sealing import Unsealable, b64u, from_b64u, sha256

FILE = "manifest.json"
CONTEXT = b"doorstep-backup-v1"
MAX_BYTES = 1024 * 1024 * 1024  # a line of 150 bytes for each file


@dataclass(frozen=True)
class Manifest:
    """`part` is `main`, `keys` or `photo-keys`; parts of one run have one id. `detail` is the part's own."""

    id: str
    part: str
    at: datetime
    detail: Mapping[str, Any]
    files: tuple[SavedFile, ...]

    def document(self) -> bytes:
        files = [{"path": file.path, "bytes": file.size_bytes, "sha256": b64u(file.sha256)} for file in self.files]
        return canonical(
            {
                "v": 1, "id": self.id, "part": self.part, "at": utc_text(self.at), "detail": dict(self.detail),
                "files": files,
            }
        )  # fmt: skip


def write_manifest(
    directory: Path, identity: tuple[str, str], at: datetime, detail: Mapping[str, Any], keys: Iterable[OfficeKeys]
) -> Manifest:
    """List what lies in `directory` and sign the list. `identity` is (id, part)."""
    manifest = Manifest(*identity, at, detail, tuple(saved_files(directory)))
    document = manifest.document()
    signatures = [{"agency": str(one.agency_id), "sig": b64u(one.sign(CONTEXT, sha256(document)))} for one in keys]
    write_file(directory / FILE, canonical({"m": b64u(document), "signatures": signatures}))
    return manifest


def read_manifest(directory: Path, part: str, keys: Mapping[UUID, OfficeKeys]) -> Manifest:
    """The manifest, signed by every agency of `keys`, and every file as it says; nothing more and nothing less.

    Raises BackupTrouble.
    """
    try:
        outer = loads((directory / FILE).read_bytes(), max_bytes=MAX_BYTES)
        document = from_b64u(outer["m"])
        signatures = {UUID(one["agency"]): from_b64u(one["sig"]) for one in outer["signatures"]}
        for agency_id, office in keys.items():
            office.verify(CONTEXT, sha256(document), signatures[agency_id])
        manifest = _read(loads(document, max_bytes=MAX_BYTES))
    except FileNotFoundError as error:
        raise BackupTrouble(f"{directory} holds no {FILE}") from error
    except (BadJson, Unsealable, KeyError, TypeError, ValueError, AttributeError) as error:
        raise BackupTrouble(f"{directory / FILE} is not what this agency's office signed") from error
    if manifest.part != part:
        raise BackupTrouble(f"{directory} is the {manifest.part} part of a backup, not the {part} part")
    _compare(directory, manifest)
    return manifest


def _read(document: Any) -> Manifest:
    files = tuple(SavedFile(one["path"], one["bytes"], from_b64u(one["sha256"])) for one in document["files"])
    if document["v"] != 1:
        raise ValueError("another version")
    at = datetime.fromisoformat(document["at"]).astimezone(UTC)
    return Manifest(document["id"], document["part"], at, document["detail"], files)


def _compare(directory: Path, manifest: Manifest) -> None:
    listed = {file.path: file for file in manifest.files}
    found = {file.path: file for file in saved_files(directory, but=frozenset({FILE}))}
    for path in sorted(listed.keys() | found.keys()):
        if path not in found:
            raise BackupTrouble(f"{directory / path} is missing")
        if listed.get(path) != found[path]:
            raise BackupTrouble(f"{directory / path} is not what was saved")
