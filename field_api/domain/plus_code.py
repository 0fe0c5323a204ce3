"""Plus codes (Open Location Code): where there is no street name, a code that any map finds again.

Source: the open specification in Documentation/Specification/specification.md of github.com/google/open-location-code.
Ten digits, 1/8000 of a degree: about 14 m by 14 m at the equator.
"""

from __future__ import annotations

from math import floor

_DIGITS = "23456789CFGHJMPQRVWX"
_BASE = len(_DIGITS)
_STEPS_PER_DEGREE = 8_000  # of the tenth digit
# The specification's finest grid is counted in whole numbers first: 35.6° must not fall into the square below it.
_LATITUDE_FINEST, _LONGITUDE_FINEST = 3_125, 1_024
_AFTER_SEPARATOR = 2


def plus_code(latitude: float, longitude: float) -> str:
    """The full ten-digit code of a point (degrees, WGS 84), e.g. "76F2CV6R+8M". Latitudes beyond the poles are
    clipped, longitudes wrap around."""
    north = min(max(_steps(latitude, 90, _LATITUDE_FINEST), 0), 180 * _STEPS_PER_DEGREE - 1)
    east = _steps(longitude, 180, _LONGITUDE_FINEST) % (360 * _STEPS_PER_DEGREE)
    pairs = []
    for _ in range(5):
        north, row = divmod(north, _BASE)
        east, column = divmod(east, _BASE)
        pairs.append(_DIGITS[row] + _DIGITS[column])
    digits = "".join(reversed(pairs))
    return f"{digits[:-_AFTER_SEPARATOR]}+{digits[-_AFTER_SEPARATOR:]}"


def _steps(degrees: float, zero: int, finest: int) -> int:
    per_degree = _STEPS_PER_DEGREE * finest
    # Rounded to a millionth of a step: -37.014° is stored a hair below itself, and is meant to be itself.
    return (floor(round(degrees * per_degree, 6)) + zero * per_degree) // finest
