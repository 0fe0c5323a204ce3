"""A new sealing key for one that is lost, before anything is served: until phones know it they seal to nobody's."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from doorstep.backup.lost_keys import LostKey
from field_api.platform.database import transaction
from field_api.platform.key_rotation import BeforeUse, KeyFiles
from field_api.platform.root_keys import certify_request
from field_api.platform.wiring import office_keys
from sync.office.announce_keys import announce_keys

LATER = timedelta(seconds=1)


def replace_sealing_key(home: Path, agency_id: UUID, lost: Iterable[LostKey], first: BeforeUse, now: datetime) -> str:
    """The new key's id; phones are told by their feed and in front of their snapshot. Raises NoKeys, KeyTrouble.

    Phones seal to the newest by its certificate: it begins after the lost one, also where this machine's clock is slow.
    """
    files = KeyFiles(home / "keys", agency_id)
    begins_at = max([now, *(each.certified_at + LATER for each in lost if each.certified_at is not None)])
    root_file = home / "keys" / "root" / f"{agency_id}.json"
    certified = certify_request(root_file, files.request("sealing", now), begins_at)
    (new,) = files.install(certified, now, first)
    with transaction(agency_id) as session:
        told = announce_keys(session, office_keys().fresh(agency_id), now=now)
    files.mark_announced(told)
    return new.key_id
