"""Put a lawful erasure into the tamper-evident log, in the transaction that erases (docs/protocol.md §11)."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy.orm import Session

from field_api.platform.ids import new_id
from field_api.records.log import LogEntry


class Erased(StrEnum):
    ROW = "row"  # the row behind the leaf, with the salt: nothing can be compared any more
    PHOTOGRAPH = "photograph"  # its key; the row stays, with the hash of the sealed bytes


def note_erasure(session: Session, at: datetime, *, erased: str, what: Erased, decided: str) -> None:
    """`erased` and `decided` are references of log entries: what is gone, and the decision that says so.

    Their numbers are filled in when this entry gets its own. Without it, `doorstep audit verify` calls what is gone
    missing.
    """
    session.flush()  # entries are numbered in the order of their ids: the decision comes first
    detail = {"erased": erased, "what": what.value, "decided": decided}
    session.add(LogEntry(kind="erasure", at=at, ref=f"erasure/{new_id()}", detail=detail))
