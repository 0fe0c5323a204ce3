"""How long whole bytes wait for the operation that declares them. Pure; argued in docs/photo-format.md §7."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

STRAY_FOR = timedelta(hours=72)
"""An operation of this id declares other bytes, or is another device's: nothing that is still to come takes them."""
UNDECLARED_FOR = timedelta(days=30)
"""At least: so long a person has to mend or release an operation that came and could not be applied."""
REVOKED_FOR = timedelta(days=180)
"""After its device was revoked: the last queue of a phone that is gone may still be brought in."""
LOOK_AGAIN = timedelta(days=1)
CLOCKS_APART = timedelta(minutes=10)
"""Of two doors, beyond any doubt: one of them dates the upload, the other may date what the phone says."""

DECLARED_OTHERWISE, NOT_DECLARED = "declared-otherwise", "not-declared"


@dataclass(frozen=True)
class Untaken:
    """One whole upload that no operation took, and what is known of its device."""

    stray: bool
    whole_at: datetime
    operation_waits: bool  # one of this id and device is here, and not applied: held, quarantined, just received
    newest_told: int | None  # how many operations the phone said that it had made
    newest_told_at: datetime | None
    held_through: int  # all of its operations up to this number are here; 0 where one of them is not as it was signed
    revoked_at: datetime | None


def end_of_wait(upload: Untaken, now: datetime) -> str | None:
    """Why it is destroyed now, as a stable code; None where it waits on. A stray is asked about after STRAY_FOR."""
    if upload.operation_waits:
        return None
    if upload.stray:
        return DECLARED_OTHERWISE
    return NOT_DECLARED if now >= upload.whole_at + UNDECLARED_FOR and _never_comes(upload, now) else None


def _never_comes(upload: Untaken, now: datetime) -> bool:
    """A phone records the operation before it uploads (§4). So once it has said, after the upload, how many operations
    it made, and all of these are here, the one that is not among them does not exist."""
    told, told_at = upload.newest_told, upload.newest_told_at
    afterwards = told_at is not None and told_at > upload.whole_at + CLOCKS_APART
    if afterwards and told is not None and upload.held_through >= told:
        return True
    return upload.revoked_at is not None and now >= upload.revoked_at + REVOKED_FOR
