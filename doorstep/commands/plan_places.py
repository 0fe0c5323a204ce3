"""`doorstep plan`, before it plans: coordinates for addresses that have none, or none good enough."""

from __future__ import annotations

from uuid import UUID

import click

from doorstep.commands.plan_progress import Report
from field_api.adapters.geocoder_settings import geocoder_from
from field_api.domain.ports import Geocoder
from field_api.platform.database import transaction
from field_api.platform.wiring import clock, planning
from field_api.usecases.geocode_addresses import ask_again, geocode_addresses
from field_api.usecases.place_by_known_houses import place_by_known_houses


def find_places(agency_id: UUID, report: Report) -> None:
    """Ask the configured geocoders, then reckon what they do not know from known houses. What is left waits for a
    dispatcher (`doorstep address list`). Raises UnsafeSettings."""
    geocoder = geocoder_from()
    if geocoder is not None:
        _geocode(agency_id, geocoder, report)
    with transaction(agency_id) as session:
        placed = place_by_known_houses(session, planning().calendars, also_wanted=geocoder is None)
    if placed:
        report("neighbours", placed, placed)


def _geocode(agency_id: UUID, geocoder: Geocoder, report: Report) -> None:
    with transaction(agency_id) as session:
        ask_again(session, geocoder, now=clock().now())
    tried, last, trouble = 0, None, None
    while True:
        with transaction(agency_id) as session:
            done = geocode_addresses(session, geocoder, planning().calendars, now=clock().now(), after=last)
        tried, last, trouble = tried + done.tried, done.last, done.trouble or trouble
        if not done.tried:
            break
        report("geocode", tried, tried)
    if trouble:
        click.echo(f"{trouble}; such addresses stay on the list (`doorstep address list`)", err=True)
