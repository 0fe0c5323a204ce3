"""A visit sheet of many stops, made up: what an agent carries on the longest day."""

from __future__ import annotations

import math

from bench.letters_batch import AT
from field_api.domain.ports import PaperJob
from field_api.domain.postal import PostalAddress
from field_api.domain.route_sketch import sketch
from field_api.domain.sheets import SKETCH_HEIGHT, Sheet, SheetStop, Sought, sheet_data
from field_api.rules.sheets import words_for

START = (19.43, -99.13)


def sheet_job(stops: int) -> PaperJob:
    """One route's sheet; every fifth stop is asked for two people, every third has a hint."""
    made = tuple(_stop(number) for number in range(1, stops + 1))
    sheet = Sheet(
        paper="a4",
        agent_code="A-1",
        agent_name="Luz Inventada",
        day="miércoles, 18 de noviembre de 2026",
        day_iso=AT.date().isoformat(),
        territory="Norte",
        shift="09:00–17:00",
        lunch="13:00",
        timezone="America/Mexico_City",
        start_label="Base",
        end_label="Base",
        distance_km="41 km",
        travel="2 h 10 min",
        sketch=sketch(START, [(stop.latitude, stop.longitude) for stop in made], START, SKETCH_HEIGHT),
        stops=made,
    )
    return PaperJob("sheet", sheet_data(sheet, words_for("es"), [words_for("es"), words_for("en")]), AT)


def _stop(number: int) -> SheetStop:
    people = tuple(
        Sought(f"Persona Inventada {number}{letter}", "Alias" if number % 4 == 0 else "", "es")
        for letter in ("AB" if number % 5 == 0 else "A")
    )
    begins = 9 * 60 + number * 8
    return SheetStop(
        number=number,
        arrive_from=_clock(begins),
        arrive_to=_clock(begins + 20),
        latest="20:00",
        earliest="08:00",
        sought=people,
        address=PostalAddress(f"Calle Ficticia {number}", "MX"),
        hint="portón verde junto a la farmacia" if number % 3 == 0 else "",
        latitude=START[0] + 0.05 * math.sin(number),
        longitude=START[1] + 0.05 * math.cos(number * 1.7),
    )


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"
