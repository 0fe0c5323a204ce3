"""The phone door's part of the photographs: ciphertext in, nothing out."""

from __future__ import annotations

from flask import Flask

from media.door.http import blueprint


def register(app: Flask) -> None:
    """Put the upload endpoints under /phone/v1/photos into the door."""
    app.register_blueprint(blueprint)
