"""A route as a picture: numbers, lines and a scale bar, and nothing that names anybody or any place.

For a dispatcher's screen or wall. What it is drawn from, `field_api.domain.route_sketch`, is what the sheet shows.
"""

from __future__ import annotations

from itertools import pairwise

from field_api.domain.route_sketch import Sketch

WIDTH = 800
_DISC = 16.5  # radius of a number's disc, of the width of 800
_INK, _GREY, _WHITE = "#1a1a1a", "#777777", "#ffffff"

XY = tuple[float, float]


def route_svg(drawn: Sketch) -> str:
    """An SVG of its own: no links, no fonts, no scripts. Start is a filled square, end an empty diamond."""
    height = round(drawn.height * WIDTH)
    way = [_at(point) for point in (drawn.start, *drawn.stops, drawn.end)]
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"'
        ' font-family="sans-serif">',
        f'<rect width="{WIDTH}" height="{height}" fill="{_WHITE}"/>',
        f'<polyline points="{" ".join(f"{x},{y}" for x, y in way)}" fill="none" stroke="{_GREY}" stroke-width="2"'
        ' stroke-linejoin="round"/>',
        *(_arrow(one, other) for one, other in pairwise(way) if _apart(one, other) > 3 * _DISC),
        *(_pin(_at(stop), _at(label)) for stop, label in zip(drawn.stops, drawn.labels, strict=True)),
        _mark(way[-1], 'transform="rotate(45 {x} {y})" fill="' + _WHITE + '"'),
        _mark(way[0], f'fill="{_INK}"', size=20.0),
        *(_number(index, _at(label)) for index, label in enumerate(drawn.labels, start=1)),
        _scale_bar(drawn, height),
        f'<text x="{WIDTH - 16}" y="26" text-anchor="end" font-size="16" font-weight="600" fill="{_GREY}">N ↑</text>',
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _at(point: XY) -> XY:
    return round(point[0] * WIDTH, 1), round(point[1] * WIDTH, 1)


def _apart(one: XY, other: XY) -> float:
    return float(((one[0] - other[0]) ** 2 + (one[1] - other[1]) ** 2) ** 0.5)


def _arrow(one: XY, other: XY) -> str:
    """A long leg points where it leads, past its middle: where two legs cross, their arrows do not."""
    length = _apart(one, other)
    east, south = (other[0] - one[0]) / length, (other[1] - one[1]) / length
    x, y = one[0] + 0.6 * (other[0] - one[0]), one[1] + 0.6 * (other[1] - one[1])
    tip = (x + 8 * east, y + 8 * south)
    left = (x - 6 * east + 5 * south, y - 6 * south - 5 * east)
    right = (x - 6 * east - 5 * south, y - 6 * south + 5 * east)
    points = " ".join(f"{px:.1f},{py:.1f}" for px, py in (tip, left, right))
    return f'<polygon points="{points}" fill="{_GREY}"/>'


def _pin(stop: XY, label: XY) -> str:
    return (
        f'<line x1="{stop[0]}" y1="{stop[1]}" x2="{label[0]}" y2="{label[1]}" stroke="{_INK}"/>'
        f'<circle cx="{stop[0]}" cy="{stop[1]}" r="4" fill="{_INK}"/>'
    )


def _number(index: int, label: XY) -> str:
    size = 17 if index < 100 else 13
    return (
        f'<circle cx="{label[0]}" cy="{label[1]}" r="{_DISC}" fill="{_WHITE}" stroke="{_INK}" stroke-width="1.5"/>'
        f'<text x="{label[0]}" y="{label[1]}" dy="0.36em" text-anchor="middle" font-size="{size}" font-weight="600"'
        f' fill="{_INK}">{index}</text>'
    )


def _mark(at: XY, how: str, size: float = 20.0) -> str:
    x, y = at
    turned = how.replace("{x}", str(x)).replace("{y}", str(y))
    return (
        f'<rect x="{x - size / 2:.1f}" y="{y - size / 2:.1f}" width="{size}" height="{size}"'
        f' stroke="{_INK}" stroke-width="2" {turned}/>'
    )


def _scale_bar(drawn: Sketch, height: int) -> str:
    told = f"{drawn.bar_m // 1000} km" if drawn.bar_m >= 1000 else f"{drawn.bar_m} m"
    return (
        f'<text x="16" y="{height - 26}" font-size="15" fill="{_GREY}">{told}</text>'
        f'<path d="M16 {height - 20}v6h{drawn.bar * WIDTH:.1f}v-6" fill="none" stroke="{_GREY}" stroke-width="2"/>'
    )
