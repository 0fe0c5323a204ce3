"""Photographs on the phone: no permission, no photograph; sealed first, declared by an operation, deleted when safe.

One row per photograph holds what its upload needs; the sealed bytes are a file beside the database. A row with
`declare` was sealed, but its operation was not yet recorded when the process died: `finish` records it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sync.phone import crypto, wire
from sync.phone.errors import NotAllowed
from sync.phone.handset import Handset
from sync.phone.operations import About, Recorded, record
from sync.phone.sealed_photos import media_type, seal_photo
from sync.phone.vault import replace_durably
from sync.phone.vocabulary import SUBJECTS
from sync.phone.work import Work, work_at

FOLDER = "photos"


def take_photo(
    handset: Handset, visit: str, image: bytes, subject: str, permission: str | None = None, **body: Any
) -> Recorded:
    """Seal and declare a photograph. `permission` is the op id of the one to use; the newest fitting one if None.

    Raises NotAllowed `no-permission`, `unknown-word`, `not-a-photo` or `too-large`: then nothing is kept.
    """
    if subject not in SUBJECTS:
        raise NotAllowed("unknown-word", "subject is none of the listed words")
    work = work_at(handset, visit)
    allowed = _permission(work, subject, permission)
    photo = wire.uuid7(handset.clock.now())
    sealing = handset.trust.newest("sealing", handset.moment())
    sealed = seal_photo(image, handset.agency, handset.device, photo, sealing.key)
    handset.step("photo.sealed")
    declared = {
        "photo": photo,
        "sha256": crypto.b64u(sealed.sha256),
        "subject": subject,
        "permission": allowed,
        "size_bytes": len(sealed.sealed),
        "media_type": media_type(image),
        **{name: value for name, value in body.items() if value is not None},
    }
    row = {
        "photo": photo,
        "sha256": declared["sha256"],
        "wrap": crypto.b64u(sealed.wrap),
        "keyid": sealed.key_id,
        "length": len(sealed.sealed),
        "state": "waiting",
        "seq": None,
        "declare": {"visit": visit, "body": declared, "permission": allowed},
    }
    _keep(handset, row, sealed.sealed)
    handset.step("photo.stored")
    return _declare(handset, row)


def _permission(work: Work, subject: str, wanted: str | None) -> str:
    """The newest word on this subject counts: a permission taken back is none."""
    for permission in reversed(work.permissions):
        if subject in permission["subjects"] and (wanted in (None, permission["op"]) or not permission["granted"]):
            if permission["granted"]:
                return str(permission["op"])
            break
    raise NotAllowed("no-permission", "nobody allowed a photograph of this")


def _keep(handset: Handset, row: dict[str, Any], sealed: bytes) -> None:
    """File first, then the row: a file without a row is swept, a row without a file cannot be."""
    (handset.directory / FOLDER).mkdir(mode=0o700, exist_ok=True)
    replace_durably(path_of(handset, row["photo"]), sealed)
    handset.step("photo.written")
    save(handset, row)


def _declare(handset: Handset, row: dict[str, Any]) -> Recorded:
    declare = row["declare"]
    work = work_at(handset, declare["visit"])

    def within(recorded: Recorded) -> None:
        del row["declare"]
        row["seq"] = recorded.seq
        save(handset, row)
        work.save(handset, recorded)

    about: About = work.about((declare["permission"],), (row["sha256"],))
    return record(handset, "photo", declare["body"], about, op=row["photo"], within=within)


def finish(handset: Handset) -> int:
    """After a crash: declare what was sealed, sweep files that belong to nothing. Returns photographs declared."""
    undeclared = [row for row in rows(handset) if "declare" in row]
    for row in undeclared:
        _declare(handset, row)
    known = {path_of(handset, row["photo"]) for row in rows(handset)}
    for path in set((handset.directory / FOLDER).glob("*")) - known:
        path.unlink()
    return len(undeclared)


def rows(handset: Handset) -> Iterator[dict[str, Any]]:
    for _, row in handset.store.all("photo"):
        yield row


def save(handset: Handset, row: dict[str, Any]) -> None:
    handset.store.put("photo", handset.store.name("photo", row["photo"]), row)


def forget(handset: Handset, row: dict[str, Any]) -> None:
    """The row first: a file without one is swept at the next start."""
    handset.store.delete("photo", handset.store.name("photo", row["photo"]))
    path_of(handset, row["photo"]).unlink(missing_ok=True)


def path_of(handset: Handset, photo: str) -> Path:
    return handset.directory / FOLDER / (handset.store.name("photo", photo) + ".sealed")
