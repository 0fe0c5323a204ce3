"""The phone door's part of the photographs: ciphertext in, nothing out."""

from __future__ import annotations

from flask import Flask

from field_api.platform.call_rates import CallRates
from media.door.http import blueprint

CALLS_PER_MINUTE = 600  # of one device: a photograph of 3 MB is fourteen


def register(app: Flask, rates: CallRates) -> None:
    """Put the upload endpoints under /phone/v1/photos into the door."""
    rates.limit(blueprint, CALLS_PER_MINUTE)
    app.register_blueprint(blueprint)
