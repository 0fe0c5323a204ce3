"""An SVG picture by a list of what may be in it: shapes, groups, gradients and clips, and nothing that acts or fetches.

Elements and attributes that are not drawings (titles, editors' own) are left out; what could act (scripts, links,
handlers), fetch (pictures, style sheets, foreign references), grow (entities, `use`) or say something (text, which no
reader of words would see) refuses the file. Source of the names: SVG 1.1 (W3C), shapes, painting and gradients.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from xml.parsers import expat
from xml.sax.saxutils import quoteattr

MAX_ELEMENTS = 4_000
MAX_DEPTH = 24
MAX_VALUE = 128 * 1024  # characters of one attribute: a path
MOST_CLIPPED = 64  # elements with a clip, which is written out anew for each of them
LEAST_SIDE, MOST_SIDE = 1e-3, 1e6  # of the view box
MOST_LOPSIDED = 30.0  # wider than high, or the other way round
_SVG = "http://www.w3.org/2000/svg"
_XLINK = "http://www.w3.org/1999/xlink"
_GRADIENTS = frozenset({"linearGradient", "radialGradient"})
_DRAWN = _GRADIENTS | {
    "svg", "g", "defs", "path", "rect", "circle", "ellipse", "line", "polyline", "polygon", "stop", "clipPath",
}  # fmt: skip
_LEFT_OUT = frozenset({"title", "desc", "metadata"})
_PAINT = frozenset({
    "fill", "fill-opacity", "fill-rule", "stroke", "stroke-width", "stroke-linecap", "stroke-linejoin",
    "stroke-miterlimit", "stroke-dasharray", "stroke-dashoffset", "stroke-opacity", "opacity", "clip-path", "clip-rule",
    "stop-color", "stop-opacity", "color", "display", "visibility",
})  # fmt: skip
_SHAPE = frozenset({
    "id", "x", "y", "x1", "y1", "x2", "y2", "cx", "cy", "r", "rx", "ry", "fx", "fy", "width", "height", "d", "points",
    "transform", "viewBox", "offset", "gradientUnits", "gradientTransform", "spreadMethod", "clipPathUnits",
    "preserveAspectRatio", "pathLength",
})  # fmt: skip
_HREFS = frozenset({"href", f"{_XLINK} href"})
_OWN = re.compile(r"#[A-Za-z_][\w.-]{0,100}", re.ASCII)
_PLAIN = re.compile(r"[-+\w\s.,#%()]*", re.ASCII)
_SOMEWHERE = re.compile(r"url\s*\(", re.IGNORECASE)
_OWN_URL = re.compile(r"url\(\s*['\"]?(#[A-Za-z_][\w.-]{0,100})['\"]?\s*\)", re.ASCII)
_LENGTH = re.compile(r"\s*(\d{1,6}(?:\.\d{1,8})?)(?:px|pt|mm|cm|in)?\s*", re.ASCII)


class BadSvg(ValueError):
    """The file is no SVG that may go on letters. The text names the element or attribute, never a value."""


def clean_svg(body: bytes) -> bytes:
    """The drawing, written anew. Raises BadSvg."""
    reader = _Reader()
    parser = expat.ParserCreate("UTF-8", namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.StartDoctypeDeclHandler = _refuse_doctype
    parser.EntityDeclHandler = _refuse_doctype
    parser.ProcessingInstructionHandler = _refuse_instruction
    try:
        parser.Parse(body, True)
    except expat.ExpatError as error:
        raise BadSvg("neither a PNG nor a well-formed SVG in UTF-8") from error
    return "".join(reader.out).encode()


def _refuse_doctype(*_: object) -> None:
    raise BadSvg("a document type or an entity: save it as plain SVG")


def _refuse_instruction(*_: object) -> None:
    raise BadSvg("a processing instruction, such as a style sheet")


@dataclass
class _Reader:
    out: list[str] = field(default_factory=list)
    depth: int = 0
    elements: int = 0
    clipped: int = 0
    clip_from: int = 0  # the depth of the <clipPath> that is open
    skipping: int = 0  # how deep inside of something that is left out

    def start(self, full_name: str, attributes: dict[str, str]) -> None:
        space, _, name = full_name.rpartition(" ")
        self.elements += 1
        self.depth += 1
        if self.elements > MAX_ELEMENTS or self.depth > MAX_DEPTH:
            raise BadSvg(f"more than {MAX_ELEMENTS} elements, or nested deeper than {MAX_DEPTH}")
        if self.depth == 1 and (space, name) != (_SVG, "svg"):
            raise BadSvg("neither a PNG nor an SVG")
        if self.skipping or space != _SVG or name in _LEFT_OUT:
            self.skipping += 1
            return
        if name not in _DRAWN:
            raise BadSvg(f"<{name[:30]}> may not be on letters: shapes, groups, gradients and clips alone")
        if name == "svg" and self.depth > 1:
            raise BadSvg("a drawing within the drawing")
        kept = _kept(name, attributes)
        self._count_clips(name, kept)
        if name == "svg":
            kept = _framed(kept)
        self.out.append(f"<{name}{''.join(f' {key}={quoteattr(value)}' for key, value in sorted(kept.items()))}>")

    def _count_clips(self, name: str, kept: dict[str, str]) -> None:
        """A clip that is clipped grows with every step, twenty of two shapes to a million shapes."""
        self.clipped += "clip-path" in kept
        if name == "clipPath" and not self.clip_from:
            self.clip_from = self.depth
        if self.clip_from and "clip-path" in kept:
            raise BadSvg("a clip that is clipped itself")
        if self.clipped > MOST_CLIPPED:
            raise BadSvg(f"more than {MOST_CLIPPED} elements with a clip")

    def end(self, full_name: str) -> None:
        if self.depth == self.clip_from:
            self.clip_from = 0
        self.depth -= 1
        if self.skipping:
            self.skipping -= 1
            return
        self.out.append(f"</{full_name.rpartition(' ')[2]}>")


def _kept(element: str, attributes: dict[str, str]) -> dict[str, str]:
    found = {}
    for name, value in attributes.items():
        if name.lower().startswith("on"):
            raise BadSvg("a handler of events")
        if len(value) > MAX_VALUE:
            raise BadSvg("an attribute that is too long")
        if name in _HREFS:
            found["href"] = _own_reference(element, value)
        elif name in _SHAPE:
            found[name] = _plain(name, value)
        elif name in _PAINT:
            found[name] = _painted(name, value)
    for name, value in _style(attributes.get("style", "")):  # which says more than attributes do
        found[name] = _painted(name, value)
    return found


def _style(text: str) -> list[tuple[str, str]]:
    parts = [part.partition(":") for part in text.split(";") if part.strip()]
    return [(name.strip(), value.strip()) for name, _, value in parts if name.strip() in _PAINT]


def _own_reference(element: str, value: str) -> str:
    if element not in _GRADIENTS or not _OWN.fullmatch(value):
        raise BadSvg("a reference to something else")
    return value


def _painted(name: str, value: str) -> str:
    if _SOMEWHERE.search(value):
        own = _OWN_URL.fullmatch(value.strip())
        if own is None:
            raise BadSvg("a reference to something else")
        return f"url({own[1]})"
    return _plain(name, value)


def _plain(name: str, value: str) -> str:
    if not _PLAIN.fullmatch(value) or _SOMEWHERE.search(value):
        raise BadSvg(f"{name}: numbers, names and colours alone")
    return value


def _framed(kept: dict[str, str]) -> dict[str, str]:
    """The root with its view box, made of width and height where it has none, and no size of its own."""
    if "viewBox" not in kept:
        sizes = [_LENGTH.fullmatch(kept.get(name, "")) for name in ("width", "height")]
        if not all(sizes):
            raise BadSvg("neither a viewBox nor a width and a height")
        kept["viewBox"] = " ".join(["0", "0", *(size[1] for size in sizes if size)])
    try:
        _, _, width, height = (float(part) for part in kept["viewBox"].replace(",", " ").split())
    except ValueError as error:
        raise BadSvg("viewBox: four numbers are wanted") from error
    sides = (width, height)
    if not (
        all(LEAST_SIDE <= side <= MOST_SIDE for side in sides) and 1 / MOST_LOPSIDED <= width / height <= MOST_LOPSIDED
    ):
        raise BadSvg(f"a drawing without extent, or more than {MOST_LOPSIDED:.0f} times as long as it is wide")
    said = {name: value for name, value in kept.items() if name not in ("x", "y", "width", "height")}
    return {**said, "xmlns": _SVG, "width": f"{width:g}", "height": f"{height:g}"}
