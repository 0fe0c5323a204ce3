"""Bringing sealed photographs to the door by tus 1.0.0 (docs/photo-format.md §5): after any break it goes on."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from sync.phone import crypto, wire
from sync.phone.calls import Answer, Door
from sync.phone.errors import DoorRefused, Later, StoreTrouble, Untrusted
from sync.phone.feed import load_durable
from sync.phone.handset import Handset
from sync.phone.photographs import forget, path_of, rows, save

PATCH_BYTES = 262_144
TUS = {"tus-resumable": "1.0.0"}
MAX_TURNS = 8  # creations and corrections of the offset per photograph and session
DONE = frozenset({"complete", "quarantined"})


@dataclass(frozen=True)
class Uploaded:
    """One session: photographs complete at the door, quarantined there, destroyed by the agency, deleted here, left."""

    complete: int = 0
    quarantined: int = 0
    gone: int = 0
    deleted: int = 0
    waiting: int = 0


def upload_photos(door: Door) -> Uploaded:
    """Upload all that waits. Raises Later (also for a full quota) and DoorRefused; what was taken stays taken."""
    handset = door.handset
    outcomes = [_upload(door, row) for row in list(rows(handset)) if _is_wanted(handset, row)]
    deleted = drop_safe(handset)
    waiting = sum(row["state"] not in DONE for row in rows(handset))
    complete, quarantined, gone = (outcomes.count(state) for state in ("complete", "quarantined", "gone"))
    return Uploaded(complete, quarantined, gone, deleted, waiting)


def _is_wanted(handset: Handset, row: dict[str, Any]) -> bool:
    """Not yet there, or there before the server was restored: then the door is asked again."""
    return row["state"] not in DONE or row["epoch"] != handset.epoch


def _upload(door: Door, row: dict[str, Any]) -> str:
    for _ in range(MAX_TURNS):
        try:
            if "location" not in row:
                _create(door, row)
            return _send_from(door, row, _head(door, row))
        except DoorRefused as refusal:
            if refusal.code == "gone":
                forget(door.handset, row)
                return "gone"
            if refusal.code == "not-found":
                row.pop("location", None)
                row["state"] = "waiting"
                save(door.handset, row)
            elif refusal.code == "quota-exceeded":
                raise Later("quota-exceeded", "photographs wait at the door", after_s=60.0) from refusal
            elif refusal.code not in ("conflict", "digest-mismatch"):
                raise
    raise Later("upload-unsettled", "the door and the phone do not agree on the offset")


def _create(door: Door, row: dict[str, Any]) -> None:
    values = {name: row["wrap" if name == "key" else name] for name in ("photo", "sha256", "key", "keyid")}
    metadata = ",".join(f"{name} {base64.b64encode(value.encode()).decode()}" for name, value in values.items())
    headers = {**TUS, "upload-length": str(row["length"]), "upload-metadata": metadata}
    answer = door.call("POST", "/photos", headers=headers)
    _told_offset(answer)
    location = urlsplit(answer.headers.get("Location", "")).path
    base = door.handset.address.path
    if not location.startswith(f"{base}/photos/") or not location.removeprefix(f"{base}/photos/").isascii():
        raise Untrusted("location", "an upload elsewhere")
    row["location"] = location.removeprefix(base)
    save(door.handset, row)
    door.handset.step("upload.created")


def _head(door: Door, row: dict[str, Any]) -> Answer:
    return door.call("HEAD", row["location"], headers=TUS)


def _send_from(door: Door, row: dict[str, Any], answer: Answer) -> str:
    """PATCH from the door's offset to the end; the row's new state."""
    handset = door.handset
    with path_of(handset, row["photo"]).open("rb") as file:
        while answer.headers.get("Upload-State") not in DONE:
            offset = _offset(answer, row)
            file.seek(offset)
            piece = file.read(PATCH_BYTES)
            if not piece:
                raise StoreTrouble("photo-broken", "the sealed file is shorter than it was")
            handset.step("upload.sending")
            answer = _patch(door, row, offset, piece)
            handset.step("upload.sent")
    row["state"] = answer.headers["Upload-State"]
    row["epoch"] = handset.epoch
    row["settled_at"] = wire.time_text(answer.anchor_at) if answer.anchor_at else None
    save(handset, row)
    handset.step("upload.complete")
    return str(row["state"])


def _patch(door: Door, row: dict[str, Any], offset: int, piece: bytes) -> Answer:
    checksum = base64.b64encode(crypto.sha256(piece)).decode()
    headers = {
        **TUS,
        "content-type": "application/offset+octet-stream",
        "upload-offset": str(offset),
        "upload-checksum": f"sha256 {checksum}",
    }
    return door.call("PATCH", row["location"], body=piece, headers=headers)


def _offset(answer: Answer, row: dict[str, Any]) -> int:
    offset = _told_offset(answer)
    if offset >= row["length"]:
        raise Later("unreachable", "the answer broke off before it said what became of the upload")
    return offset


def _told_offset(answer: Answer) -> int:
    """A head that was cut off looks like a whole one with fewer lines, and these answers have nothing else."""
    text = answer.headers.get("Upload-Offset", "")
    if not (text.isascii() and text.isdigit()):
        raise Later("unreachable", "the answer broke off before its offset")
    return int(text)


def drop_safe(handset: Handset) -> int:
    """Delete photographs that the door settled and whose operation a later durable statement covers."""
    durable = load_durable(handset)
    safe = [row for row in rows(handset) if durable and _is_safe(row, durable) and not _is_only_good_copy(handset, row)]
    for row in safe:
        forget(handset, row)
    return len(safe)


def _is_safe(row: dict[str, Any], durable: dict[str, Any]) -> bool:
    settled = row["state"] in DONE and row.get("settled_at") and row["seq"]
    stated = settled and row["seq"] <= durable["seq"] and row["seq"] not in durable.get("except", ())
    return bool(stated and row["settled_at"] < durable["at"])


def _is_only_good_copy(handset: Handset, row: dict[str, Any]) -> bool:
    """The door has other bytes than were declared, and here they still are as they were: then it was not the phone."""
    if row["state"] != "quarantined":
        return False
    path = path_of(handset, row["photo"])
    return path.exists() and crypto.b64u(crypto.sha256(path.read_bytes())) == row["sha256"]
