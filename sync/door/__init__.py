"""The half of sync that the internet reaches: takes and serves ciphertext, holds one signing key, opens nothing."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Flask, request

from field_api.platform.call_rates import CallRates
from field_api.platform.signatures import HEARD_EXTENSION, WIPE_ORDER_EXTENSION
from field_api.platform.wiring import clock
from sync.door import anchors, enrolments, feed, log, ops, returning, snapshots
from sync.door.answers import PREFIX
from sync.door.contacts import Contacts
from sync.door.wipe_orders import wipe_order

ENROLMENTS_PER_MINUTE = 1_200  # of one address: codes have 128 bits, this only keeps a flood off the database
RETURNS_PER_MINUTE = 600  # of one address: what strangers show is not signed to the door
CALLS_PER_MINUTE = 1_200  # of one device from one address


def register(app: Flask, rates: CallRates) -> None:
    """Put the phone routes of sync onto the door's application."""
    for blueprint in (anchors.blueprint, feed.blueprint, log.blueprint, ops.blueprint, snapshots.blueprint):
        rates.limit(blueprint, CALLS_PER_MINUTE)
        app.register_blueprint(blueprint, url_prefix=PREFIX)
    for blueprint, per_minute in (
        (enrolments.blueprint, ENROLMENTS_PER_MINUTE),
        (returning.blueprint, RETURNS_PER_MINUTE),
    ):
        rates.limit(blueprint, per_minute)
        app.register_blueprint(blueprint, url_prefix=PREFIX)
    app.extensions[WIPE_ORDER_EXTENSION] = wipe_order
    contacts = app.extensions["doorstep.contacts"] = Contacts()
    app.extensions[HEARD_EXTENSION] = lambda verified: contacts.hear(verified, _told(), clock().now())


def _told() -> Mapping[str, str]:
    """What a phone says of itself, where it may."""
    return request.args if request.endpoint == "ops.state" else {}
