"""How an agency plans, by its policy: how long visits take, who works where, how even days are. Checked on reading.

    {"balance": 1.2,
     "minutes": {"first": 12, "again": 8, "promise": 5, "next": 5},
     "territories": {"North": {"MX": ["07", "02"]}, "Valley": {"LI": ["949"]}}}

What is left out stays as it comes. A territory is a list of postcode beginnings by country; the longest one that fits
an address says where it lies.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

MOST_TERRITORIES = 500
MOST_PREFIXES = 2_000
MOST_BALANCE = 10.0
MOST_MINUTES = 240
LONGEST_PREFIX = 12
_PREFIX = re.compile(rf"[A-Z0-9]{{1,{LONGEST_PREFIX}}}")
_COUNTRY = re.compile(r"[A-Z]{2}")


class BadPolicy(ValueError):
    """The policy cannot be understood. `at` names the place, the text says what is wanted there."""

    def __init__(self, at: str, message: str) -> None:
        super().__init__(message)
        self.at, self.message = at, message


@dataclass(frozen=True)
class Minutes:
    """At a door: parking, finding it, the talk (product defaults until measured). `next`: each further person there.

    As they come all first ones are alike: where they differ, the times on a sheet tell of which kind a visit is.
    """

    first: int = 10
    again: int = 10  # somebody was there before about the account
    promise: int = 10  # something was promised
    next: int = 5


@dataclass(frozen=True)
class PlanningPolicy:
    balance: float | None = None  # field_api.domain.routing.RoutingProblem.balance
    minutes: Minutes = field(default_factory=Minutes)
    territories: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)

    def territory_of(self, country: str, postcode: str | None) -> str | None:
        """Where an address lies; None outside of all territories, or without a postcode."""
        written = plain_postcode(postcode or "")[:LONGEST_PREFIX]
        beginnings = ((country, written[:length]) for length in range(len(written), 0, -1))
        return next((self._by_prefix[one] for one in beginnings if one in self._by_prefix), None)

    @cached_property
    def _by_prefix(self) -> dict[tuple[str, str], str]:
        """Asked for each address of a day, of an agency with as many as a million of them."""
        return {
            (country, prefix): name
            for name, countries in self.territories.items()
            for country, prefixes in countries.items()
            for prefix in prefixes
        }


def plain_postcode(text: str) -> str:
    """Letters and digits alone, in capitals: `sw1a 1aa` is `SW1A1AA`."""
    return "".join(sign for sign in text.upper() if sign.isascii() and sign.isalnum())


def read_policy(stored: Any) -> PlanningPolicy:
    """Raises BadPolicy for what is not understood, naming the place."""
    data = _table("planning", stored, {"balance", "minutes", "territories"})
    minutes = _table("minutes", data.get("minutes", {}), set(Minutes.__dataclass_fields__))
    return PlanningPolicy(
        _balance(data.get("balance")),
        Minutes(**{name: _minutes(f"minutes.{name}", value) for name, value in minutes.items()}),
        _territories(data.get("territories", {})),
    )


def _balance(value: Any) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 1 <= value <= MOST_BALANCE:
        raise BadPolicy("balance", "a number from 1 to 10 is wanted: 1.2 for a fifth more than an equal share")
    return float(value)


def _minutes(at: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MOST_MINUTES:
        raise BadPolicy(at, "1 to 240 minutes are wanted")
    return value


def _territories(stored: Any) -> dict[str, dict[str, tuple[str, ...]]]:
    if not isinstance(stored, Mapping) or len(stored) > MOST_TERRITORIES:
        raise BadPolicy("territories", "at most 500 tables, one a territory, are wanted")
    found: dict[str, dict[str, tuple[str, ...]]] = {}
    taken: dict[tuple[str, str], str] = {}
    for name, countries in stored.items():
        if not isinstance(name, str) or not 0 < len(name) <= 60 or not name.isprintable() or name != name.strip():
            raise BadPolicy("territories", "a territory's name has 1 to 60 printable characters")
        found[name] = _prefixes(countries)
        for key in [(country, prefix) for country, own in found[name].items() for prefix in own]:
            if taken.setdefault(key, name) != name:
                raise BadPolicy("territories", "two territories have the same beginning of postcodes")
    return found


def _prefixes(stored: Any) -> dict[str, tuple[str, ...]]:
    wanted = 'a territory has lists of postcodes\' beginnings by country: MX = ["07", "02"]'
    if not isinstance(stored, Mapping) or not stored:
        raise BadPolicy("territories", wanted)
    for country, prefixes in stored.items():
        if not isinstance(country, str) or not _COUNTRY.fullmatch(country) or not isinstance(prefixes, list):
            raise BadPolicy("territories", wanted)
        if not 0 < len(prefixes) <= MOST_PREFIXES or not all(isinstance(one, str) for one in prefixes):
            raise BadPolicy("territories", wanted)
    plain = {country: tuple(plain_postcode(one) for one in own) for country, own in stored.items()}
    if not all(_PREFIX.fullmatch(prefix) for own in plain.values() for prefix in own):
        raise BadPolicy("territories", wanted)
    return plain


def _table(at: str, stored: Any, known: set[str]) -> Mapping[str, Any]:
    if not isinstance(stored, Mapping):
        raise BadPolicy(at, "a table is wanted")
    if set(stored) - known:
        raise BadPolicy(at, f"known here: {', '.join(sorted(known))}")
    return stored
