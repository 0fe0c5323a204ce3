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
        reason = read_wipe_order(handset, document)
    except Untrusted:
        return False
    wipe(handset, reason)
    return True


def read_wipe_order(handset: Handset, document: Any) -> str:
    """The reason of an order for this phone. The keys that come with it are taken: no feed tells a revoked phone more.

    Raises Untrusted. An order for an earlier life of the same device names another id: ids are never used again.
    """
    with handset.store.transaction():  # of a refused order nothing is kept
        if wire.has(document, "keys"):
            handset.trust_more(document["keys"], passing_over=True)
        order = signed_part(handset.keys_of("office"), CONTEXT, document, "order")
        if not handset.is_mine(order):
            raise Untrusted("wipe", "for another phone")
        return str(wire.field(order, "reason", str))


def wipe(handset: Handset, reason: str) -> None:
    """Destroy the sheet, its keys and drafts. Operations and photographs in the queue are sealed to the agency."""
    store = handset.store
    with store.transaction():
        store.clear("sheet", "sheet_key", "part", "draft")
        store.put("state", "wiped", {"reason": reason, "at": wire.time_text(handset.clock.now())})
    store.scrub()
    handset.step("wiped")
