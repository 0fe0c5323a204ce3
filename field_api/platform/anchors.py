"""Server anchors: signed server time that a phone hands back as the nonce of its next request (docs/protocol.md §5).

An anchor verifies itself by the door's key, so the door keeps no state and several doors may serve one agency.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from field_api.platform.bounded_json import BadJson, canonical, loads
from field_api.platform.certificates import verify_by_any
from field_api.platform.clock import utc_text as utc_text
from field_api.platform.keyring import DoorKeys
from field_api.platform.sealing import Unsealable, b64u, from_b64u

CONTEXT = b"doorstep-anchor-v1"
LIFETIME = timedelta(minutes=10)
DRIFT = timedelta(minutes=1)  # between the clocks of two doors of one agency
MAX_CHARACTERS = 1_024


class StaleAnchor(Exception):
    """Not an anchor that this door made for this device within the last ten minutes."""


def as_told(at: datetime) -> datetime:
    """`at` as an anchor says it, in whole milliseconds."""
    return datetime.fromisoformat(utc_text(at))


def make_anchor(keys: DoorKeys, device_id: UUID, now: datetime) -> str:
    """A fresh anchor for one device: `b64u(body).b64u(signature)`."""
    claims = {"v": 1, "agency": str(keys.agency_id), "device": str(device_id), "at": utc_text(now)}
    body = canonical({**claims, "n": b64u(os.urandom(16))})
    return f"{b64u(body)}.{b64u(keys.sign(CONTEXT, body))}"


def read_anchor(keys: DoorKeys, device_id: UUID, anchor: str, now: datetime) -> datetime:
    """When the door gave this anchor to this device. Raises StaleAnchor if it did not, or too long ago."""
    at = anchor_time(keys.publics, keys.agency_id, device_id, anchor)
    if not now - LIFETIME <= at <= now + DRIFT:
        raise StaleAnchor
    return at


def anchor_time(door_publics: Sequence[bytes], agency_id: UUID, device_id: UUID, anchor: str) -> datetime:
    """When the door gave this anchor to this device, however long ago, under whichever of its keys.

    Raises StaleAnchor if it did not.
    """
    if len(anchor) > MAX_CHARACTERS:
        raise StaleAnchor
    body_text, _, signature_text = anchor.partition(".")
    try:
        body = from_b64u(body_text)
        verify_by_any(door_publics, CONTEXT + body, from_b64u(signature_text))
        claims = loads(body, max_bytes=MAX_CHARACTERS)
    except (Unsealable, BadJson) as error:
        raise StaleAnchor from error
    if (claims["v"], claims["agency"], claims["device"]) != (1, str(agency_id), str(device_id)):
        raise StaleAnchor
    return datetime.fromisoformat(claims["at"])
