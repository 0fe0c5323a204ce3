"""The law of visits once more, from its sources and as plainly as possible, to hold the engine against.

It calls nothing of the engine, reads none of its files and knows no geography: who asks says in which zones a place may
lie. Where the engine is stricter than this (regional holidays, an agency's wish) that is no fault; where it is looser, it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from dateutil.easter import easter

MON_FRI, MON_SAT, DAILY = range(5), range(6), range(7)
EU_AND_EEA = set("AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IS IT LI LT LU LV MT NL NO PL PT RO SE SI SK".split())  # noqa: SIM905 a table reads better as words


@dataclass(frozen=True)
class Tried:
    """An attempt at the account: its local day and channel. `same_creditor`: about another account there."""

    on: date
    channel: str
    own: bool = True


@dataclass(frozen=True)
class Asked:
    """A visit that somebody means to make: local day, from its first second to its last (aware)."""

    jurisdiction: str
    sector: str
    kind_of_place: str
    transferred: bool
    zones: Sequence[str]
    tried: Sequence[Tried]
    day: date
    begins_at: datetime
    ends_at: datetime


def broken(asked: Asked) -> Iterator[str]:
    """The rules that the visit would break."""
    yield from _hours(asked)
    yield from _days_off(asked)
    yield from too_often(asked)
    yield from unannounced(asked)
    if asked.jurisdiction == "US-MA" and asked.kind_of_place == "work":
        yield "209 CMR 18.17: not at work"


def _hours(asked: Asked) -> Iterator[str]:
    if not asked.zones:
        yield "nobody knows what time it is there"
    for zone in asked.zones:
        for moment in (asked.begins_at, asked.ends_at - timedelta(seconds=1)):
            local = moment.astimezone(ZoneInfo(zone))
            span = _open(asked.jurisdiction, asked.day.weekday())
            if local.date() != asked.day or span is None or not span[0] <= local.time() < span[1]:
                yield f"hours of {asked.jurisdiction} in {zone}: {local:%a %H:%M:%S}"


def _open(jurisdiction: str, weekday: int) -> tuple[time, time] | None:
    country = jurisdiction[:2]
    if country == "MX":  # financial 08-21 (2014: 07-22), commercial 07-22; the stricter for all, business days
        return (time(8), time(21)) if weekday in MON_FRI else None
    if country == "US":
        return time(8), time(21)
    if country in ("GB", "UK"):
        return time(8), time(21)
    if jurisdiction in ("CA-ON", "CA-BC", "CA-NB"):
        return (time(7), time(21)) if weekday in MON_SAT else (time(13), time(17))
    if jurisdiction == "CA-QC":
        return (time(8), time(20)) if weekday in MON_SAT else None
    if country in EU_AND_EEA or country in ("EU", "CH"):
        return (time(9), time(20)) if weekday in MON_FRI else None
    return None  # nothing is known: nobody goes


def _days_off(asked: Asked) -> Iterator[str]:
    country, day = asked.jurisdiction[:2], asked.day
    closed: set[date] = set()
    if country == "MX":
        closed = mexican_rest_days(day.year)
    elif country == "CA":
        closed = _days(day.year, (1, 1), (7, 1), (12, 25)) | {easter(day.year) - timedelta(days=2)}
        closed |= {_weekday_on_or_after(day.year, 9, 1, 0)}  # Labour Day
        if asked.jurisdiction == "CA-QC":
            closed |= _days(day.year, (6, 24))
    elif country in EU_AND_EEA or country == "CH":
        closed = _days(day.year, (1, 1), (12, 25))
        closed |= {"DE": _days(day.year, (10, 3), (5, 1)), "FR": _days(day.year, (7, 14), (5, 8)), "LI": _days(day.year, (8, 15)), "CH": _days(day.year, (8, 1)), "AT": _days(day.year, (10, 26)), "ES": _days(day.year, (10, 12)), "IT": _days(day.year, (6, 2), (4, 25))}.get(country, set())  # fmt: skip
    if day in closed:
        yield f"a day off in {asked.jurisdiction}"


def mexican_rest_days(year: int) -> set[date]:
    """LFT 74: fixed days, three Mondays, 1 October every six years, the day of federal elections."""
    days = _days(year, (1, 1), (5, 1), (9, 16), (12, 25))
    days |= {
        _weekday_on_or_after(year, 2, 1, 0),
        _weekday_on_or_after(year, 3, 15, 0),
        _weekday_on_or_after(year, 11, 15, 0),
    }
    if year in (2024, 2030, 2036):
        days.add(date(year, 10, 1))
    if year in (2024, 2027, 2030, 2033):
        days.add(_weekday_on_or_after(year, 6, 1, 6))
    return days


def _days(year: int, *days: tuple[int, int]) -> set[date]:
    return {date(year, month, day) for month, day in days}


def _weekday_on_or_after(year: int, month: int, day: int, weekday: int) -> date:
    first = date(year, month, day)
    while first.weekday() != weekday:
        first += timedelta(days=1)
    return first


def too_often(asked: Asked) -> Iterator[str]:
    """Counts the new visit in every span of so many days that holds it."""
    visits = [t.on for t in asked.tried if t.channel == "visit" and t.own]
    everything = [t.on for t in asked.tried]  # also about another account, for the same creditor
    caps = [(visits, 1, 7)]
    if asked.jurisdiction == "US-MA":
        caps.append((visits, 1, 30))
    if asked.jurisdiction == "CA-ON":
        caps.append((everything, 3, 7))
    for days, most, span in caps:
        for first in (asked.day - timedelta(days=back) for back in range(span)):
            inside = [on for on in days if first <= on < first + timedelta(days=span)]
            if len(inside) + 1 > most:
                yield f"more than {most} in {span} days"
                break


def unannounced(asked: Asked) -> Iterator[str]:
    """Notices that must come first, with full days between."""
    told = [t for t in asked.tried if t.own]
    ages = {channel: [(asked.day - t.on).days - 1 for t in told if t.channel == channel] for channel in ("letter", "email", "message", "call")}  # fmt: skip
    wait = {"CA-ON": 6, "CA-NB": 6, "CA-BC": 5, "CA-QC": 5}.get(asked.jurisdiction)
    if wait is not None and not any(full_days >= wait for full_days in ages["letter"]):
        yield f"no letter {wait} days before"
    country = asked.jurisdiction[:2]
    any_way = [age for channel in ages.values() for age in channel]
    if country in ("GB", "UK") and not any(1 <= age <= 29 for age in any_way):
        yield "CONC 7.9.12: no notice of the visit"
    european = country in EU_AND_EEA or country in ("EU", "CH")
    written = [*ages["letter"], *ages["email"], *ages["message"]]
    if european and asked.transferred and asked.sector == "financial" and not any(age >= 1 for age in written):
        yield "2021/2167 art. 10: no notice of the transfer"
