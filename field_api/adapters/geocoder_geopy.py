"""Geocoders through geopy: services in an order, each at its own pace; the next is asked where one does not know.

What leaves the house is a postal address. Errors and log lines say which service failed and how, never what was asked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from time import monotonic, sleep
from typing import Any
from urllib.parse import SplitResult, urlsplit

from geopy.exc import (
    ConfigurationError,
    GeocoderAuthenticationFailure,
    GeocoderInsufficientPrivileges,
    GeocoderQueryError,
    GeocoderQuotaExceeded,
    GeocoderRateLimited,
    GeopyError,
)

from field_api.adapters.geocoder_quality import Said
from field_api.adapters.geocoder_services import SERVICES, alpha_3, common, house_number
from field_api.domain.house_numbers import read_number
from field_api.domain.placing import Located, PlaceQuality, best
from field_api.domain.ports import GeocoderFailed, PostalAddress
from field_api.domain.routing import Point

LONGEST_WAIT_S = 30.0
"""What a service that says "later" is waited for; one that wants more is left alone this time."""
FAILURES = 3
"""So many questions in a row without an answer, and the service is not asked any more by this process."""
_LASTING = (
    GeocoderAuthenticationFailure, GeocoderInsufficientPrivileges, GeocoderQuotaExceeded, ConfigurationError,
)  # fmt: skip
_ODD = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError)
"""What geopy's parsers raise at an answer of another shape than they know."""


@dataclass
class Pace:
    """At most one question every `delay_s` seconds."""

    delay_s: float
    now: Callable[[], float] = monotonic
    wait: Callable[[float], None] = sleep
    _next_at: float = field(default=0.0, init=False)

    def keep(self) -> None:
        early_s = self._next_at - self.now()
        if early_s > 0:
            self.wait(early_s)
        self._next_at = self.now() + self.delay_s


class GeopyService:
    """One service. `locate` asks at its pace, and once more where the first try failed."""

    def __init__(
        self, kind: str, url: SplitResult | None, key: str | None, *, user_agent: str, delay_s: float | None = None
    ) -> None:
        self._service = SERVICES[kind]
        self._geocoder = self._service.make(url, key, common(user_agent))
        asked_at = getattr(self._geocoder, "geocode_api", None) or self._geocoder.api  # Pelias names it so
        self.name = f"{kind} at {urlsplit(asked_at).hostname}"
        self.pace = Pace(self._service.delay_s if delay_s is None else delay_s)
        self.failed = 0

    @property
    def is_out(self) -> bool:
        return self.failed >= FAILURES

    def locate(self, address: PostalAddress) -> Located | None:
        """Raises GeocoderFailed with the kind of failure."""
        said, trouble = self._once(address)
        if trouble is not None and _may_pass(trouble):
            self.pace.wait(_wait_s(trouble))
            said, trouble = self._once(address)
        if trouble is None:
            self.failed = 0
            return said
        if _lasts(trouble):
            self.failed = FAILURES
        elif not _is_of_the_question(trouble):
            self.failed += 1
        raise GeocoderFailed(f"{self.name}: {type(trouble).__name__}")

    def _once(self, address: PostalAddress) -> tuple[Located | None, Exception | None]:
        """Returned, not raised: an error in the context of another keeps the frames that hold the call's address."""
        self.pace.keep()
        try:
            return self._judged(self._service.ask(self._geocoder, address), address), None
        except (GeopyError, *_ODD) as error:
            error.__cause__ = error.__context__ = None
            return None, error.with_traceback(None)

    def _judged(self, found: Any, address: PostalAddress) -> Located | None:
        if found is None or not isinstance(found.raw, Mapping):
            return None
        said = self._service.read(found.raw)
        if said.country and said.country.upper() not in (address.country, alpha_3(address.country)):
            return None
        return Located(Point(float(found.latitude), float(found.longitude)), _believed(said, address), self.name)


def _believed(said: Said, address: PostalAddress) -> PlaceQuality:
    """The service's own quality where it found the number that was asked for. Another number's house is on the street;
    that of 17 is next to 17-A."""
    if said.quality not in (PlaceQuality.HOUSE, PlaceQuality.INTERPOLATED):
        return said.quality
    asked, found = read_number(house_number(address)), read_number(said.number)
    if asked is None or found is None or asked.number != found.number:
        return PlaceQuality.STREET
    return said.quality if asked == found else PlaceQuality.INTERPOLATED


def _lasts(trouble: Exception) -> bool:
    """A refused key or a spent quota: it will say so again. "Too many at once" is a kind of the latter to geopy."""
    return isinstance(trouble, _LASTING) and not isinstance(trouble, GeocoderRateLimited)


def _may_pass(trouble: Exception) -> bool:
    return not _lasts(trouble) and not _is_of_the_question(trouble) and _wait_s(trouble) <= LONGEST_WAIT_S


def _is_of_the_question(trouble: Exception) -> bool:
    """The service answered; what it says of the next address may be another thing."""
    return isinstance(trouble, (GeocoderQueryError, *_ODD))


def _wait_s(trouble: Exception) -> float:
    return float(trouble.retry_after or 0) if isinstance(trouble, GeocoderRateLimited) else 0.0


class GeocoderChain:
    """Keeps the promise of field_api.domain.ports.Geocoder with several services, in order."""

    def __init__(self, services: Sequence[GeopyService]) -> None:
        self._services = services
        self.name = ", ".join(service.name for service in services)

    @property
    def services(self) -> tuple[str, ...]:
        return tuple(service.name for service in self._services)

    def locate(self, address: PostalAddress) -> Located | None:
        """The first answer as good as the address allows (a house for a number, else its street), or the best of all.

        Raises GeocoderFailed where nobody knew it and somebody could not be asked: it may be known tomorrow.
        """
        found: list[Located] = []
        troubles: list[str] = []
        for service in self._services:
            if service.is_out:
                troubles.append(f"{service.name}: not asked any more")
                continue
            try:
                answer = service.locate(address)
            except GeocoderFailed as failure:
                troubles.append(str(failure))
                continue
            if answer is not None:
                found.append(answer)
                if _will_do(answer, address):
                    break
        known = best(found)
        if known is None and troubles:
            raise GeocoderFailed("; ".join(troubles))
        return known


def _will_do(answer: Located, address: PostalAddress) -> bool:
    wanted = PlaceQuality.INTERPOLATED if house_number(address) else PlaceQuality.STREET
    return not wanted.better_than(answer.quality)
