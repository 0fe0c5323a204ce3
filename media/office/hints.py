"""What a manager may want to look at in a photograph: hints, never verdicts. Pure.

What each means and what it does not stands in docs/photo-format.md §7. Nothing here refuses, and no phone is told.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from enum import StrEnum
from typing import Any

from field_api.domain.evidence import distance_m, is_far_away

AROUND_VISIT = timedelta(minutes=30)
"""Before the visit's first operation and after its last: walking up, parking, an agent who writes things down later."""
SAME_MOMENT = timedelta(minutes=10)
"""Between what the file and the operation say. The same phone wrote both; a picture from yesterday is hours off."""
CAMERA_FORMATS = frozenset({"JPEG", "MPO", "HEIF", "HEIC", "AVIF"})
EDITORS = (
    "photoshop", "lightroom", "gimp", "snapseed", "picsart", "pixlr", "paint", "canva", "facetune", "affinity",
    "imagemagick", "vsco", "inshot", "remini", "darktable", "krita",
)  # fmt: skip
"""Parts of what picture editors write as EXIF `Software`; cameras and phones write their firmware's version there."""
SCREENSHOTS = ("screenshot", "screen shot", "screen capture", "captura de pantalla", "capture d'écran")


class Hint(StrEnum):
    NO_POSITION = "no-position"
    FAR_FROM_ADDRESS = "far-from-address"
    FAR_FROM_VISIT = "far-from-visit"
    FILE_ELSEWHERE = "file-elsewhere"
    OUTSIDE_VISIT = "outside-visit"
    FILE_OTHER_TIME = "file-other-time"
    SAME_PICTURE = "same-picture"
    NEAR_PICTURE = "near-picture"
    OTHER_AGENTS_PICTURE = "other-agents-picture"
    NO_CAMERA_DATA = "no-camera-data"
    METADATA_UNREADABLE = "metadata-unreadable"
    EDITING_SOFTWARE = "editing-software"
    LIKE_A_SCREENSHOT = "like-a-screenshot"


@dataclass(frozen=True)
class Place:
    latitude: float
    longitude: float
    accuracy_m: float = 0.0

    def metres_to(self, other: Place) -> float:
        return distance_m((self.latitude, self.longitude), (other.latitude, other.longitude))

    def is_far_from(self, other: Place) -> bool:
        """More than 300 m even if both are off by all of their accuracy, as for operations (docs/outcomes.md)."""
        return is_far_away(self.metres_to(other), self.accuracy_m + other.accuracy_m)


@dataclass(frozen=True)
class Taken:
    """What the operation that declares it says."""

    at: datetime | None
    place: Place | None


@dataclass(frozen=True)
class FileSays:
    """What the file says of itself. A decoder that was taken over can say anything: each part is looked at."""

    format: str = ""
    camera: bool = False  # it names a make or a model
    software: str = ""
    at: datetime | None = None
    zoned: bool = False  # whether `at` has its zone; without one it is the wall clock of the place
    place: Place | None = None
    unreadable: bool = False


@dataclass(frozen=True)
class VisitSeen:
    """What is known of the visit when the photograph is developed."""

    address: Place | None = None
    zone: tzinfo | None = None
    places: Sequence[Place] = ()  # of its operations
    began_at: datetime | None = None  # the first operation's time
    ended_at: datetime | None = None  # the last one's; None while no outcome was recorded


@dataclass(frozen=True)
class Hints:
    found: tuple[Hint, ...]
    from_address_m: float | None
    from_visit_m: float | None


def hints(taken: Taken, file: FileSays, visit: VisitSeen, alike: Sequence[tuple[int, bool]]) -> Hints:
    """`alike`: of each look-alike on another visit how many bits it is apart, and whether another agent brought it."""
    place = taken.place or file.place
    nearest = min(visit.places, key=place.metres_to, default=None) if place else None
    found = [*_place(taken, file, place, visit, nearest), *_time(taken, file, visit), *_alike(alike), *_file(file)]
    return Hints(
        tuple(found),
        place.metres_to(visit.address) if place and visit.address else None,
        place.metres_to(nearest) if place and nearest else None,
    )


def _place(taken: Taken, file: FileSays, place: Place | None, visit: VisitSeen, nearest: Place | None) -> list[Hint]:
    if place is None:
        return [Hint.NO_POSITION]
    told = {
        Hint.FAR_FROM_ADDRESS: visit.address is not None and place.is_far_from(visit.address),
        Hint.FAR_FROM_VISIT: nearest is not None and all(place.is_far_from(each) for each in visit.places),
        Hint.FILE_ELSEWHERE: bool(taken.place and file.place and taken.place.is_far_from(file.place)),
    }
    return [hint for hint, holds in told.items() if holds]


def _time(taken: Taken, file: FileSays, visit: VisitSeen) -> list[Hint]:
    file_at = _moment(file, visit.zone)
    at = taken.at or file_at
    told = {
        Hint.OUTSIDE_VISIT: at is not None and _is_outside(at, visit),
        Hint.FILE_OTHER_TIME: bool(taken.at and file_at and abs(taken.at - file_at) > SAME_MOMENT),
    }
    return [hint for hint, holds in told.items() if holds]


def _is_outside(at: datetime, visit: VisitSeen) -> bool:
    before = visit.began_at is not None and at < visit.began_at - AROUND_VISIT
    after = visit.ended_at is not None and at > visit.ended_at + AROUND_VISIT
    return before or after


def _moment(file: FileSays, zone: tzinfo | None) -> datetime | None:
    """Aware; None where the file gives no zone and the address has none."""
    if file.at is None or file.zoned:
        return file.at
    return file.at.replace(tzinfo=zone) if zone else None


def _alike(alike: Sequence[tuple[int, bool]]) -> list[Hint]:
    told = {
        Hint.SAME_PICTURE: any(bits == 0 for bits, _ in alike),
        Hint.NEAR_PICTURE: any(bits > 0 for bits, _ in alike),
        Hint.OTHER_AGENTS_PICTURE: any(another for _, another in alike),
    }
    return [hint for hint, holds in told.items() if holds]


def _file(file: FileSays) -> list[Hint]:
    software = file.software.casefold()
    told = {
        Hint.METADATA_UNREADABLE: file.unreadable,
        Hint.NO_CAMERA_DATA: not file.camera and not file.unreadable,
        Hint.EDITING_SOFTWARE: any(name in software for name in EDITORS),
        Hint.LIKE_A_SCREENSHOT: any(name in software for name in SCREENSHOTS)
        or (file.format not in CAMERA_FORMATS and not file.camera),
    }
    return [hint for hint, holds in told.items() if holds]


def file_says(evidence: Mapping[str, Any]) -> FileSays:
    """Of the sandbox's facts, whatever they are: what is not of its type counts as not said."""
    camera = evidence.get("camera")
    words = [part if isinstance(part, str) else "" for part in camera[:3]] if isinstance(camera, list) else []
    make, model, software = (*words, "", "", "")[:3]
    at = _when(evidence.get("captured_at"))
    return FileSays(
        format=evidence["format"] if isinstance(evidence.get("format"), str) else "",
        camera=bool(make.strip() or model.strip()),
        software=software,
        at=at,
        zoned=at is not None and at.tzinfo is not None,
        place=place_of(evidence.get("position"), "latitude", "longitude"),
        unreadable="exif" in evidence,
    )


def _when(text: Any) -> datetime | None:
    try:
        at = datetime.fromisoformat(text)
        at.astimezone(UTC)  # year 1 and year 9999 are none that can be compared
    except (TypeError, ValueError, OverflowError):
        return None
    return at


def place_of(position: Any, latitude: str, longitude: str) -> Place | None:
    """Of a position's JSON: the place, where the two names have a latitude and a longitude."""
    if not isinstance(position, Mapping):
        return None
    values = [_number(position.get(name)) for name in (latitude, longitude, "accuracy_m")]
    if values[0] is None or values[1] is None or abs(values[0]) > 90 or abs(values[1]) > 180:
        return None
    return Place(values[0], values[1], max(0.0, values[2] or 0.0))


def _number(value: Any) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and math.isfinite(value) else None
