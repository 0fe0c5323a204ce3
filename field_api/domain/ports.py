"""Ports: what use cases need from outside, as promises. Adapters keep them; one contract test runs on each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Protocol

from field_api.domain.contact_rules import JurisdictionRules, Rule
from field_api.domain.placing import Located
from field_api.domain.routing import (
    Legs,
    Point,
    RoutingAnswer,
    RoutingProblem,
    Watch,
    unwatched,
)
from field_api.domain.travel_areas import RushHours


class ObjectAbsent(LookupError):
    """No object under this key: never put, deleted, or another agency's."""


class Objects(Protocol):
    """Keeps bytes for the running agency, sealed at rest, under opaque random keys.

    Every verb raises Problem `unavailable` where the store is away, refuses or is full: no object is told by that.
    """

    def put(self, body: bytes) -> str:
        """Keep `body` and return its key. When this returns the bytes survive a power cut; a name tells nothing."""
        ...

    def get(self, key: str) -> bytes:
        """The bytes that were put. Raises ObjectAbsent; raises Unsealable where they were altered or swapped."""
        ...

    def delete(self, key: str) -> None:
        """Forget the object. An absent one is no error: deleting twice is deleting."""
        ...


class PaperFailed(RuntimeError):
    """Papers could not be made: out of time or memory. The text names the templates, never the data."""


@dataclass(frozen=True)
class PaperJob:
    """One PDF to make: a template's name, the plain JSON data that it lays out, and the files that lie beside them."""

    template: str  # sheet | letter | stack | legend
    data: Mapping[str, Any]
    made_at: datetime  # stands in the PDF as its time of creation, so that the same data give the same bytes
    files: Mapping[str, bytes] = field(default_factory=dict)
    """By name: the file's SHA-256 in hex and .svg, .png, .pdf or, of a creditor's template, .typ. This job alone can
    read them, as "/NAME"."""
    must_show: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """What must be read on the finished pages behind the address page, by what it is. Looked for where a creditor's
    template lays out; the house's own templates leave nothing out."""
    explain: bool = False  # the data are invented: a refusal may quote them
    house: bytes = b""  # House.body as it was; empty: the templates that run


@dataclass(frozen=True)
class Paper:
    pdf: bytes
    pages: int
    own_words: str = ""  # what a creditor's template says of its own accord, where the data are invented


@dataclass(frozen=True)
class PaperRefused:
    """Why one document cannot be made: missing-glyph, address-too-long, too-slow, not-shown ... Never its data."""

    reason: str
    at: str = ""  # of a creditor's template: its line and column; or what is not shown
    detail: str = ""  # what Typst says, where the data are invented


@dataclass(frozen=True)
class House:
    """The house's templates at a time: what decides, beside data and files, what a letter looks like."""

    sha256: str  # hex, of the body
    typst_version: str
    body: bytes  # canonical JSON: sources, the fonts' hashes, the libraries' versions


class Papers(Protocol):
    """Makes PDFs. Data are laid out as text, never read as markup."""

    def house(self) -> House:
        """The templates that run."""
        ...

    def changed_since(self, house: bytes) -> list[str]:
        """Why a letter may not come out as it did by this House.body: other libraries, other fonts; for a person."""
        ...

    def render(self, jobs: Sequence[PaperJob]) -> list[Paper | PaperRefused]:
        """One answer per job, in order; the same job gives the same bytes. A document that takes too much time or
        memory is refused and spares the others. Raises PaperFailed where the machinery itself gave up: then nothing
        was made."""
        ...

    def joined(self, papers: Sequence[Paper]) -> Paper:
        """One PDF of several that `render` made, in their order, with their tags; what it says of itself is the
        first's. Raises PaperFailed for a PDF of another making."""
        ...


class RuleBook(Protocol):
    """Contact rules by jurisdiction."""

    def of(self, jurisdiction: str) -> JurisdictionRules | None:
        """The rules that hold there, of the nearest wider place where it has none of its own; None: nothing is known,
        and nobody may be visited there."""
        ...

    def hold(self, kind: str) -> Rule:
        """Why a hold of this kind (field_api.domain.vocabulary.HoldKind) ends visits, with its source."""
        ...


class Calendars(Protocol):
    """Days off and time zones of places."""

    def days_off(self, place: str | None, year: int) -> Mapping[str, Mapping[date, str]]:
        """By calendar name (holidays, mx_rest_days, mx_bank_days): the year's days with their names. `place` is a
        country or country-subdivision, for the public holidays."""
        ...

    def zones_at(self, latitude: float, longitude: float) -> tuple[str, ...]:
        """The IANA zones that may hold at a point in degrees (WGS 84): its own first, then those of everywhere as near
        as a geocoder or the map of zones may be off, so several in a border town."""
        ...


class Travel(Protocol):
    """How far and how long it is between points."""

    @property
    def name(self) -> str: ...

    @property
    def estimates(self) -> bool:
        """Whether times are estimates, not a road engine's answers: sheets and plans then say so."""
        ...

    @property
    def source(self) -> str | None:
        """Where answers come from, as a short text that changes with whatever changes them, for keeping them (no
        address, no secret); None where asking again is cheaper than keeping."""
        ...

    def between(self, origins: Sequence[Point], destinations: Sequence[Point]) -> Legs:
        """Matrices origins x destinations of metres and seconds, never negative, nought for the same point; NO_WAY_M
        and NO_WAY_S (field_api.domain.routing) where no road leads, which is no error. Raises Problem `unavailable`
        where an engine does not answer, refuses, or answers what cannot be believed."""
        ...


Count = Callable[[int], None]
"""Told how many of several problems are solved."""


def uncounted(_done: int) -> None:
    """Nobody counts."""


class Solver(Protocol):
    """Puts stops on routes."""

    @property
    def name(self) -> str: ...

    def solve(self, problem: RoutingProblem, *, seed: int, watch: Watch = unwatched) -> RoutingAnswer:
        """Routes that keep every shift, window and language, and leave out what does not fit (never an error).

        `field_api.domain.route_checks.broken_promises` finds nothing in the answer. The same problem and seed give the
        same answer unless the time limit ended the search, which the answer's facts tell. Prizes and weights choose who
        is on whose route: others that choose the same give the same routes.
        """
        ...

    def solve_all(
        self, problems: Sequence[RoutingProblem], *, seed: int, count: Count = uncounted, draft: bool = False
    ) -> list[RoutingAnswer]:
        """`solve` for each, in order; at the same time where the solver can. `count` is told after each. `draft`: the
        answers are starts of other searches and for nobody's eyes; their order may show what stops are worth."""
        ...


@dataclass(frozen=True)
class PlanningParts:
    """What planning needs from outside."""

    rules: RuleBook
    calendars: Calendars
    travel: Travel
    solver: Solver
    instead_of_roads: Travel | None = None  # where `travel` is an engine that is away; None: then nothing is planned
    rush_hours: tuple[RushHours, ...] = ()


class GeocoderFailed(RuntimeError):
    """The geocoder did not answer, or refused. The text names the service's kind of failure, never the address."""


@dataclass(frozen=True)
class PostalAddress:
    """What a geocoder is told about a place: no name, no hint, nothing about anybody."""

    street: str
    number: str | None
    neighbourhood: str | None
    city: str | None
    postcode: str | None
    state: str | None
    country: str  # ISO 3166-1 alpha-2


class Geocoder(Protocol):
    """Finds coordinates of addresses."""

    @property
    def name(self) -> str: ...

    @property
    def services(self) -> tuple[str, ...]:
        """Who is asked, in order, by names that stay: an answer that all of these gave need not be asked for again."""
        ...

    def locate(self, address: PostalAddress) -> Located | None:
        """The place, how well it is known, and by whom; None where no service knows it well enough to send somebody.

        Raises GeocoderFailed where it is not known and a service could not be asked.
        """
        ...
