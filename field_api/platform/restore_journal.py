"""The restore journal: what must not be forgotten when an older backup is restored (docs/adr/0009-backups.md).

One file per agency in another machine's directory. Each line is sealed under the agency's column key and signed by the
office; it names the line before it, so that one taken out, put in or moved is found. Nothing in a line can be read
without the keys. Only the cutting off of the newest lines cannot be told from here.

What makes things stricter is on that disk before its transaction commits: a crash in between leaves a line without its
decision, and a restore takes the decision then. What loosens (a hold is lifted) is written after the commit: a crash in
between leaves the hold in force after a restore. Either way the stricter side wins.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, BinaryIO
from uuid import UUID

import structlog
from flask import current_app, has_app_context
from sqlalchemy import event
from sqlalchemy.orm import Session, SessionTransaction

from field_api.platform.bounded_json import BadJson, canonical, loads
from field_api.platform.clock import utc_text
from field_api.platform.crash import place_of
from field_api.platform.durable_directories import make_directories, sync_directory
from field_api.platform.keyring import OfficeKeys
from field_api.platform.problems import Problem
from field_api.platform.sealing import Unsealable, b64u, from_b64u, sha256, verify
from field_api.platform.tenancy import current_agency
from field_api.platform.wiring import office_keys

CONTEXT = b"doorstep-journal-v1"
PLACE = "restore-journal"
TORN = b"#torn\n"  # ends what a crash left of a line: its transaction never committed
MARK = "doorstep-journal"
"""An empty file that stands in the directory: where it is missing the mount is away, and nothing is written or read."""
MAX_LINE_BYTES = 32 * 1024
_PENDING = "doorstep.journal_pending"

log = structlog.get_logger()


class EntryKind(StrEnum):
    DEVICE_ENROLLED = "device-enrolled"
    DEVICE_REVOKED = "device-revoked"
    HOLD_PLACED = "hold-placed"
    HOLD_LIFTED = "hold-lifted"
    PHOTO_ERASED = "photo-erased"
    ENTRY_ERASED = "entry-erased"  # the row behind a leaf of the log
    KEY_TOLD = "key-told"  # phones may be told of it from now on: its certificate, or the step to a new root
    BACKUP = "backup"  # a verified one, on whose word phones may delete
    RESTORED = "restored"


class JournalBroken(Exception):
    """A line does not open, is not the office's, or one is missing. The text names the file and the line's number."""


@dataclass(frozen=True)
class Entry:
    kind: EntryKind
    at: datetime
    detail: Mapping[str, Any]


class RestoreJournal:
    """The files below `directory`. A mount that is away is never taken for an empty journal."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    @property
    def is_there(self) -> bool:
        return (self.directory / MARK).is_file()

    def make(self) -> None:
        """Begin a journal in this directory, once."""
        make_directories(self.directory)
        (self.directory / MARK).touch(mode=0o600)
        sync_directory(self.directory)

    def append(self, keys: OfficeKeys, entries: Sequence[Entry]) -> None:
        """Write and sync. Raises OSError where that cannot be done, JournalBroken where the last line is not ours."""
        self._be_there()
        path = self._path(keys.agency_id)
        fresh = not path.exists()
        descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "r+b", buffering=0) as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            number, before = self._end(keys, file)
            lines = []
            for entry in entries:
                number, line = number + 1, _line(keys, number + 1, before, entry)
                before = sha256(line)
                lines.append(line + b"\n")
            _write_all(file, b"".join(lines))
            os.fsync(file.fileno())
        if fresh:
            sync_directory(self.directory)

    def read(self, keys: OfficeKeys) -> list[Entry]:
        """Every entry in order; none where the agency has no file yet. Raises JournalBroken, OSError."""
        self._be_there()
        path = self._path(keys.agency_id)
        if not path.exists():
            return []
        found, before = [], bytes(32)
        for number, line in enumerate(_whole_lines(path.read_bytes()), start=1):
            entry = _opened(keys, line, number, before, path)
            found.append(entry)
            before = sha256(line)
        return found

    def _end(self, keys: OfficeKeys, file: BinaryIO) -> tuple[int, bytes]:
        """Number and hash of the last whole line; a torn one behind it is marked as such."""
        size = file.seek(0, os.SEEK_END)
        begins = max(0, size - 2 * MAX_LINE_BYTES)
        file.seek(begins)
        tail = file.read()
        if tail and not tail.endswith(b"\n"):
            _write_all(file, TORN)
            tail += TORN
        lines = _whole_lines(tail.partition(b"\n")[2] if begins else tail)
        if not lines and begins:
            raise JournalBroken(f"{self._path(keys.agency_id).name}: no line at its end")
        if not lines:
            return 0, bytes(32)
        return _claims(keys, lines[-1], self._path(keys.agency_id))["n"], sha256(lines[-1])

    def _be_there(self) -> None:
        if not self.is_there:
            raise FileNotFoundError(errno.ENOENT, "no journal is here, or its mount is away", str(self.directory))

    def _path(self, agency_id: UUID) -> Path:
        return self.directory / f"{agency_id}.journal"


def _whole_lines(data: bytes) -> list[bytes]:
    lines = data.split(b"\n")[:-1]  # behind the last end of line stands nothing, or a line whose writing broke off
    return [line for line in lines if not line.endswith(TORN[:-1])]


def _write_all(file: BinaryIO, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(file.fileno(), view) :]


def _line(keys: OfficeKeys, number: int, before: bytes, entry: Entry) -> bytes:
    claims = {
        "v": 1, "agency": str(keys.agency_id), "n": number, "prev": b64u(before), "kind": entry.kind.value,
        "at": utc_text(entry.at), "detail": dict(entry.detail), "key": b64u(keys.signing_certificate.public),
    }  # fmt: skip
    sealed = keys.seal_at_rest(PLACE, canonical(claims))
    line = json.dumps({"sealed": b64u(sealed), "sig": b64u(keys.sign(CONTEXT, sealed))}).encode()
    if len(line) >= MAX_LINE_BYTES:
        raise ValueError("an entry is too long for the restore journal")
    return line


def _claims(keys: OfficeKeys, line: bytes, path: Path) -> dict[str, Any]:
    """What a line says, verified. The seal names the key that signed: rotation makes no old line unreadable."""
    try:
        document = loads(line, max_bytes=MAX_LINE_BYTES)
        sealed = from_b64u(document["sealed"])
        claims: dict[str, Any] = loads(keys.open_at_rest(PLACE, sealed), max_bytes=MAX_LINE_BYTES)
        verify(from_b64u(claims["key"]), CONTEXT + sealed, from_b64u(document["sig"]))
    except (BadJson, Unsealable, KeyError, TypeError, AttributeError) as error:
        raise JournalBroken(f"{path.name}: a line is not the office's") from error
    return claims


def _opened(keys: OfficeKeys, line: bytes, number: int, before: bytes, path: Path) -> Entry:
    try:
        claims = _claims(keys, line, path)
    except JournalBroken as error:
        raise JournalBroken(f"{path.name}: line {number} is not the office's") from error
    if (claims["n"], claims["prev"], claims["agency"]) != (number, b64u(before), str(keys.agency_id)):
        raise JournalBroken(f"{path.name}: before line {number} something was changed or taken out")
    return Entry(EntryKind(claims["kind"]), datetime.fromisoformat(claims["at"]), claims["detail"])


@dataclass
class _Pending:
    """An entry that waits for its transaction, with the savepoints it stands in."""

    agency_id: UUID
    entry: Entry
    loosens: bool
    savepoints: list[SessionTransaction] = field(default_factory=list)


def journal_or_none() -> RestoreJournal | None:
    found: RestoreJournal | None = current_app.extensions.get("doorstep.journal") if has_app_context() else None
    return found


def enter(session: Session, kind: EntryKind, detail: Mapping[str, Any], *, at: datetime, loosens: bool = False) -> None:
    """Have the entry written as the session's transaction commits: before the commit or, where it loosens, after it.

    Does nothing where no journal is configured. A write that fails stops the commit: Problem `unavailable`.
    """
    if journal_or_none() is None:
        return
    pending = _Pending(current_agency(), Entry(kind, at, detail), loosens, list(_savepoints(session)))
    session.info.setdefault(_PENDING, []).append(pending)


def enter_now(kind: EntryKind, detail: Mapping[str, Any], *, at: datetime) -> None:
    """Have it written before anything else happens: for what cannot be rolled back. Raises Problem `unavailable`."""
    journal = journal_or_none()
    if journal is not None:
        _write(journal, current_agency(), [Entry(kind, at, detail)])


def _savepoints(session: Session) -> Iterator[SessionTransaction]:
    inner = session.get_nested_transaction()
    while inner is not None and inner.nested:
        yield inner
        inner = inner.parent


def _write(journal: RestoreJournal, agency_id: UUID, entries: Sequence[Entry]) -> None:
    try:
        journal.append(office_keys().of(agency_id), entries)
    except (OSError, JournalBroken) as error:
        raise Problem("unavailable", "the restore journal cannot be written: nothing was decided") from error


def _take(session: Session, *, loosens: bool) -> dict[UUID, list[Entry]]:
    """Those that wait, by agency, taken off the list."""
    waiting: list[_Pending] = session.info.get(_PENDING, [])
    found: dict[UUID, list[Entry]] = {}
    for pending in [each for each in waiting if each.loosens is loosens]:
        found.setdefault(pending.agency_id, []).append(pending.entry)
        waiting.remove(pending)
    return found


@event.listens_for(Session, "before_commit")
def _stricter_first(session: Session) -> None:
    journal = journal_or_none() if session.info.get(_PENDING) else None
    if journal is None or session.in_nested_transaction():
        return
    for agency_id, entries in _take(session, loosens=False).items():
        _write(journal, agency_id, entries)


@event.listens_for(Session, "after_commit")
def _looser_last(session: Session) -> None:
    journal = journal_or_none() if session.info.get(_PENDING) else None
    if journal is None or session.in_nested_transaction():
        return
    for agency_id, entries in _take(session, loosens=True).items():
        try:
            _write(journal, agency_id, entries)
        except Problem as error:  # it is committed: a restore would place the hold again, and staff lift it again
            log.error("journal-unwritten", agency=str(agency_id), error=type(error).__name__, place=place_of(error))


@event.listens_for(Session, "after_soft_rollback")
def _not_decided(session: Session, previous: SessionTransaction) -> None:
    """What a savepoint or the whole transaction undid was not decided."""
    waiting: list[_Pending] = session.info.get(_PENDING, [])
    if waiting:
        session.info[_PENDING] = [each for each in waiting if previous.nested and previous not in each.savepoints]
