"""Days that a calendar computes from the law itself, not from a list."""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache


def mx_rest_days(year: int) -> dict[date, str]:
    """Mandatory rest days of Ley Federal del Trabajo, art. 74, with the days of federal elections.

    1 October of the years in which the federal executive changes (2024, 2030, ...); federal elections on the first
    Sunday of June every three years (LGIPE art. 22; 2024, 2027, ...). Local election days are not known here.
    """
    days = {
        date(year, 1, 1): "1 January",
        nth_weekday(year, 2, 0, 1): "first Monday of February",
        nth_weekday(year, 3, 0, 3): "third Monday of March",
        date(year, 5, 1): "1 May",
        date(year, 9, 16): "16 September",
        nth_weekday(year, 11, 0, 3): "third Monday of November",
        date(year, 12, 25): "25 December",
    }
    if year >= 2024 and (year - 2024) % 6 == 0:
        days[date(year, 10, 1)] = "change of the federal executive"
    if (year - 2024) % 3 == 0:
        days[nth_weekday(year, 6, 6, 1)] = "federal elections"
    return days


def mx_bank_days(year: int) -> dict[date, str]:
    """Days on which banks close beside the rest days (CNBV, yearly "Disposiciones ... días inhábiles")."""
    easter = easter_sunday(year)
    return {
        easter - timedelta(days=3): "Maundy Thursday",
        easter - timedelta(days=2): "Good Friday",
        date(year, 11, 2): "2 November",
        date(year, 12, 12): "12 December",
    }


@cache
def us_legal_holidays(year: int) -> frozenset[date]:
    """Legal public holidays of 5 U.S.C. 6103(a), and the days on which offices keep them instead (6103(b)).

    The latter are not of paragraph (a); to leave them out of a count of business days gives whoever must answer more
    time, never less.
    """
    fixed = [date(year, month, day) for month, day in ((1, 1), (6, 19), (7, 4), (11, 11), (12, 25))]
    fixed.append(date(year + 1, 1, 1))  # on a Saturday it is kept in the year before
    moved = [day + timedelta(days={5: -1, 6: 1}.get(day.weekday(), 0)) for day in fixed]
    mondays = [nth_weekday(year, month, 0, nth) for month, nth in ((1, 3), (2, 3), (9, 1), (10, 2))]
    last_of_may = nth_weekday(year, 6, 0, 1) - timedelta(days=7)
    days = [*fixed, *moved, *mondays, last_of_may, nth_weekday(year, 11, 3, 4)]
    return frozenset(day for day in days if day.year == year)


def nth_weekday(year: int, month: int, weekday: int, nth: int) -> date:
    """The nth (1-based) such weekday (0 Monday) of the month."""
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (nth - 1))


def easter_sunday(year: int) -> date:
    """Western Easter, by the anonymous Gregorian computus (Meeus, Astronomical Algorithms, ch. 8)."""
    a, b, c = year % 19, year // 100, year % 100
    h = (19 * a + b - b // 4 - (b - (b + 8) // 25 + 1) // 3 + 15) % 30
    rest = (32 + 2 * (b % 4) + 2 * (c // 4) - h - c % 4) % 7
    m = (a + 11 * h + 22 * rest) // 451
    month, day = divmod(h + rest - 7 * m + 114, 31)
    return date(year, month, day + 1)
