"""The end of a phone: on a verified order the sheet goes, what was recorded stays until it is sent."""

from __future__ import annotations

from typing import Any

from sync.phone import wire
from sync.phone.errors import Untrusted
from sync.phone.handset import Handset
from sync.phone.trust import signed_part

CONTEXT = b"doorstep-wipe-v1"


def obey_wipe_order(handset: Handset, document: Any) -> bool:
    """Verify an order (docs/protocol.md §10) and wipe. False: no order, or one that is not the agency's."""
    if document is None:
        return False
    try:
        order = signed_part(handset.keys_of("office"), CONTEXT, document, "order")
    except Untrusted:
        return False
    if not handset.is_mine(order):
        return False
    wipe(handset, wire.field(order, "reason", str))
    return True


def wipe(handset: Handset, reason: str) -> None:
    """Destroy the sheet, its keys and drafts. Operations and photographs in the queue are sealed to the agency."""
    store = handset.store
    with store.transaction():
        store.clear("sheet", "sheet_key", "part", "draft")
        store.put("state", "wiped", {"reason": reason, "at": wire.time_text(handset.clock.now())})
    store.scrub()
    handset.step("wiped")
