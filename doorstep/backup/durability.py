"""A backup that was verified becomes the phones' leave to delete, and is told to the journal first."""

from __future__ import annotations

from doorstep.backup.save import Saved
from field_api.platform.clock import utc_text
from field_api.platform.database import transaction
from field_api.platform.restore_journal import EntryKind, enter_now
from field_api.platform.tenancy import acting_for
from field_api.platform.told_keys import enter_unnamed_keys
from field_api.platform.wiring import clock, office_keys
from sync.office.durable import state_backed_up


def state_durability(saved: Saved) -> int:
    """Sign durable statements for every agency whose policy is "backup"; how many phones have one. Needs the office's
    application context. Raises Problem `unavailable` where the journal cannot be told: then phones keep everything."""
    stated, now = 0, clock().now()
    for agency_id in office_keys().agencies():
        with acting_for(agency_id):
            enter_unnamed_keys(office_keys().of(agency_id), at=now)
            enter_now(EntryKind.BACKUP, {"id": saved.id, "taken_at": utc_text(saved.at)}, at=now)
        held = saved.contiguous.get(agency_id, {})
        with transaction(agency_id) as session:
            stated += state_backed_up(
                session, office_keys().of(agency_id), held, now=now, photographs_before=saved.safe_before
            )
    return stated
