"""`doorstep openapi`: the office API's description."""

from __future__ import annotations

import json

import click

from doorstep.app import office_app
from doorstep.commands import installation_context
from field_api.http.openapi import document_of
from field_api.platform.wiring import settings


@click.command()
def openapi() -> None:
    """Print the OpenAPI 3.1 document of the office API."""
    with installation_context():
        click.echo(json.dumps(document_of(office_app(settings())), indent=2))
