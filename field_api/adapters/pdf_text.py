"""What can be read on the pages of a PDF that Typst wrote: text that is dark enough, large enough, on the page, inside
what clips it, not mirrored, against what it stands upon, and not painted over in any part.

A reader for one writer, on purpose: Typst's PDFs have a plain table of objects, fonts with two-byte codes and a
ToUnicode table, and few operators. Alternative texts do not count: nobody reads them on paper. Nor does what stands
upon a picture or a gradient, whose colours are not looked at. Coordinates are points from the lower left corner
(ISO 32000-1).
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise
from math import ceil

Box = tuple[float, float, float, float]  # left, bottom, right, top
Matrix = tuple[float, float, float, float, float, float]
Point = tuple[float, float]
Colour = tuple[float, float, float]  # sRGB, 0 to 1

MIN_SIZE_PT = 7.0
MIN_CONTRAST = 4.5  # against the ground: WCAG 2.2, success criterion 1.4.3
_BLACK: Colour = (0.0, 0.0, 0.0)
_WHITE: Colour = (1.0, 1.0, 1.0)
_LEAST_ALPHA = 0.9
_MOST_OUTLINE = 0.05  # of the size: a line around letters that makes them bolder and does not fill them
_MOST_STEPS = 200  # along a line of text, half a letter each; along a drawn line
_HEIGHTS = (0.25, 0.5, 0.75)  # of a line's ink
_ASCENT, _DESCENT = 0.7, 0.2  # of the size: where the ink of a line is, about
_ONE: Matrix = (1, 0, 0, 1, 0, 0)
_TOKEN = re.compile(rb"\(|<<|>>|<[0-9A-Fa-f\s]*>|/[^\s()<>\[\]/%]*|[\[\]]|[^\s()<>\[\]/%]+")
_PAREN = re.compile(rb"[()\\]")
_ESCAPE = re.compile(rb"\\([0-7]{1,3}|\r?\n|.)", re.DOTALL)
_ESCAPES = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}
_NUMBER = re.compile(rb"[-+.\d]+")
_ACTUAL = re.compile(rb"\s*(?:<([0-9A-Fa-f]*)>|\()")


class UnreadablePdf(ValueError):
    """Not as Typst writes it."""


@dataclass(frozen=True)
class Run:
    """Some glyphs of one font, in the order in which they are drawn."""

    text: str
    box: Box
    size_pt: float
    dark: bool
    whole: bool  # nothing clips it


@dataclass(frozen=True)
class PageText:
    width: float
    height: float
    runs: tuple[Run, ...]  # all that are drawn and not painted over, in their order
    links: bool

    @property
    def readable(self) -> str:
        """What somebody who holds the paper can read."""
        return "".join(run.text for run in self.runs if run.dark and run.whole and run.size_pt >= MIN_SIZE_PT)


def read_pages(pdf: bytes) -> list[PageText]:
    """Raises UnreadablePdf."""
    try:
        document = _Document(pdf)
        return [_page(document, page) for page in document.pages()]
    except (KeyError, IndexError, ValueError, zlib.error) as error:
        raise UnreadablePdf("not a PDF of this house's making") from error


class _Document:
    def __init__(self, pdf: bytes) -> None:
        self._pdf = pdf
        start = int(pdf[pdf.rindex(b"startxref") + 9 :].split()[0])
        lines = pdf[start:].split(b"\n")
        first, count = map(int, lines[1].split())
        self._at = {first + n: int(line[:10]) for n, line in enumerate(lines[2 : 2 + count])}
        trailer = pdf[pdf.rindex(b"trailer") :]
        self._root = _reference(trailer, b"Root")
        self._fonts: dict[int, _Font] = {}

    def body(self, number: int) -> bytes:
        """An object without its stream."""
        start = self._pdf.index(b"obj", self._at[number]) + 3
        return self._pdf[start : min(_found(self._pdf, b"endobj", start), _found(self._pdf, b"stream\n", start))]

    def stream(self, number: int) -> bytes:
        body = self.body(number)
        length = int(_value(body, b"Length"))
        start = self._pdf.index(b"stream\n", self._at[number]) + 7
        raw = self._pdf[start : start + length]
        return zlib.decompress(raw) if b"FlateDecode" in body else raw

    def pages(self) -> list[int]:
        return list(self._leaves(_reference(self.body(self._root), b"Pages")))

    def _leaves(self, number: int) -> Iterator[int]:
        body = self.body(number)
        kids = re.search(rb"/Kids ?\[([^\]]*)\]", body)
        if kids is None:
            yield number
            return
        for kid in re.findall(rb"(\d+) 0 R", kids[1]):
            yield from self._leaves(int(kid))

    def resources(self, page: bytes) -> bytes:
        found = re.search(rb"/Resources (\d+) 0 R", page)
        return self.body(int(found[1])) if found else page

    def font(self, number: int) -> _Font:
        if number not in self._fonts:
            self._fonts[number] = _font(self, number)
        return self._fonts[number]


@dataclass(frozen=True)
class _Font:
    texts: Mapping[int, str] = field(default_factory=dict)  # by code; one that is missing says nothing
    widths: Mapping[int, float] = field(default_factory=dict)  # thousandths of the size


@dataclass(frozen=True)
class _State:
    ctm: Matrix = _ONE
    clip: Box | None = None
    colour: Colour | None = _BLACK  # None: a gradient, a pattern
    line_colour: Colour | None = _BLACK
    line_width: float = 1.0
    alpha: float = 1.0
    font: _Font = _Font()
    size: float = 0.0
    rendering: int = 0


@dataclass(frozen=True)
class _Ground:
    """Something that is painted. `outline` empty: all of its box."""

    box: Box
    colour: Colour | None
    alpha: float = 1.0
    outline: tuple[tuple[Point, ...], ...] = ()
    even_odd: bool = False

    def holds(self, point: Point) -> bool:
        if not _within(point, self.box):
            return False
        turns = [_turns(point, ring) for ring in self.outline]
        return not turns or bool(sum(turns) % 2 if self.even_odd else sum(turns))


def _page(document: _Document, number: int) -> PageText:
    body = document.body(number)
    media = re.search(rb"/MediaBox ?\[([^\]]*)\]", body)
    if media is None:
        raise UnreadablePdf("a page has no size")
    _, _, width, height = map(float, media[1].split())
    resources = document.resources(body)
    fonts = {name: int(ref) for name, ref in re.findall(rb"/(f\d+) (\d+) 0 R", _section(resources, b"Font"))}
    states = {name: int(ref) for name, ref in re.findall(rb"/(g\w*\d+) (\d+) 0 R", _section(resources, b"ExtGState"))}
    pictures = {name: int(ref) for name, ref in re.findall(rb"/(x\d+) (\d+) 0 R", _section(resources, b"XObject"))}
    drawing = _Drawing(document, fonts, states, pictures)
    contents = re.search(rb"/Contents (\d+) 0 R", body)
    if contents is not None:
        drawing.draw(document.stream(int(contents[1])))
    return PageText(width, height, tuple(drawing.runs), b"/Annots" in body)


class _Drawing:
    """What is drawn on one page, step by step."""

    def __init__(
        self,
        document: _Document,
        fonts: Mapping[bytes, int],
        states: Mapping[bytes, int],
        pictures: Mapping[bytes, int],
    ) -> None:
        self._shown: list[tuple[Run, list[Point]]] = []  # with the points that all must be seen
        self._grounds: list[_Ground] = []
        self._document, self._fonts, self._states, self._pictures = document, fonts, states, pictures
        self._state, self._saved = _State(), list[_State]()
        self._spans: list[
            str | None
        ] = []  # what is said inside of those that are open, as far as it is still to be said
        self._line: Matrix = _ONE
        self._path: list[list[Point]] = []  # its rings, curves by three points each
        self._clips = False

    @property
    def runs(self) -> list[Run]:
        return [run for run, _ in self._shown]

    def draw(self, content: bytes) -> None:
        operands: list[object] = []
        for token in _tokens(content):
            if isinstance(token, _Operator):
                self._do(token.name, operands)
                operands = []
            else:
                operands.append(token)

    def _do(self, name: bytes, given: list[object]) -> None:
        numbers = [value for value in given if isinstance(value, float)]
        if name == b"q":
            self._saved.append(self._state)
        elif name == b"Q":
            self._state = self._saved.pop()
        elif name == b"cm":
            self._set(ctm=_times(_matrix(numbers), self._state.ctm))
        elif name in (b"BDC", b"BMC"):
            self._spans.append(next((part.text for part in given if isinstance(part, _Actual)), None))
        elif name == b"EMC":
            self._spans.pop()
        elif name == b"BT":
            self._line = _ONE
        elif name == b"Tm":
            self._line = _matrix(numbers)
        elif name in (b"Td", b"TD"):
            self._line = _times((1, 0, 0, 1, numbers[0], numbers[1]), self._line)
        elif name == b"Tf":
            number = self._fonts.get(_name(given))
            self._set(font=self._document.font(number) if number else _Font(), size=numbers[0])
        elif name == b"Tr":
            self._set(rendering=int(numbers[0]))
        elif name in (b"Tj", b"TJ"):
            self._show(given)
        elif name in (b"scn", b"sc", b"rg", b"g", b"k"):
            self._set(colour=None if _name(given) else _rgb(numbers))
        elif name in (b"SCN", b"SC", b"RG", b"G", b"K"):
            self._set(line_colour=None if _name(given) else _rgb(numbers))
        elif name == b"cs":
            self._set(colour=_BLACK)  # a colour space begins with black
        elif name == b"CS":
            self._set(line_colour=_BLACK)
        elif name == b"w":
            self._set(line_width=numbers[0])
        elif name == b"gs":
            self._set(alpha=self._alpha(_name(given)))
        elif name == b"Do":
            self._cover(_Ground(_around(self._corners(_name(given))), None))
        else:
            self._do_path(name, numbers)

    def _do_path(self, name: bytes, numbers: list[float]) -> None:
        points = [_apply(self._state.ctm, x, y) for x, y in zip(numbers[::2], numbers[1::2], strict=False)]
        if name == b"m":
            self._path.append(points)
        elif name in (b"l", b"c", b"v", b"y"):
            self._path[-1] += points if name == b"l" else [*_curve(self._path[-1][-1], name, points)]
        elif name == b"h":
            self._path[-1].append(self._path[-1][0])
        elif name == b"re":
            x, y, width, height = numbers
            corners = ((x, y), (x + width, y), (x + width, y + height), (x, y + height), (x, y))
            self._path.append([_apply(self._state.ctm, *corner) for corner in corners])
        elif name in (b"W", b"W*"):
            self._clips = True
        elif name in (b"n", b"f", b"F", b"f*", b"B", b"B*", b"b", b"b*", b"S", b"s"):
            self._paint(name)
            self._path, self._clips = [], False
        elif name == b"sh" and self._state.clip is not None:
            self._cover(_Ground(self._state.clip, None))

    def _paint(self, name: bytes) -> None:
        state, points = self._state, [point for ring in self._path for point in ring]
        if not points:
            return
        if self._clips:
            self._set(clip=_common(state.clip, _around(points)))
        if name not in (b"n", b"S", b"s"):
            rings = tuple(tuple(ring) for ring in self._path)
            self._cover(_Ground(_around(points), state.colour, state.alpha, rings, name.endswith(b"*")))
        if name[:1] in b"SsBb":
            self._draw_lines(closed=name[:1] in b"sb")

    def _draw_lines(self, *, closed: bool) -> None:
        a, b, c, d, _, _ = self._state.ctm
        half = self._state.line_width / 2 * max((a * a + b * b) ** 0.5, (c * c + d * d) ** 0.5)
        for ring in self._path:
            line = [*ring, ring[0]] if closed else ring
            for start, end in pairwise(line):
                for box in _boxes_along(start, end, half):
                    self._cover(_Ground(box, self._state.line_colour))

    def _corners(self, name: bytes) -> list[Point]:
        """Of a picture the unit square, of a drawing within the drawing the box that it says."""
        body = self._document.body(self._pictures[name])
        box, matrix = re.search(rb"/BBox ?\[([^\]]*)\]", body), re.search(rb"/Matrix ?\[([^\]]*)\]", body)
        left, bottom, right, top = map(float, box[1].split()) if box else (0.0, 0.0, 1.0, 1.0)
        own = _matrix([float(number) for number in matrix[1].split()]) if matrix else _ONE
        placed = _times(own, self._state.ctm)
        return [_apply(placed, x, y) for x in (left, right) for y in (bottom, top)]

    def _set(self, **changed: object) -> None:
        self._state = replace(self._state, **changed)  # type: ignore[arg-type]  # each call names fields of _State

    def _cover(self, ground: _Ground) -> None:
        """What lies below is not read any more, whatever the colour: even a see-through one may hide it in print."""
        box = _common(self._state.clip, ground.box)
        self._grounds.append(replace(ground, box=box))
        self._shown = [
            (run, points)
            for run, points in self._shown
            if not (_meet(run.box, box) and any(_within(point, box) for point in points))
        ]

    def _show(self, given: list[object]) -> None:
        state, place, text, advance = self._state, self._line, "", 0.0
        for part in given:
            if isinstance(part, bytes):
                codes = [int.from_bytes(part[n : n + 2], "big") for n in range(0, len(part), 2)]
                text += "".join(state.font.texts.get(code, "") for code in codes)
                advance += sum(state.font.widths.get(code, 0.0) for code in codes)
            elif isinstance(part, float):
                advance -= part
        if self._spans and (said := self._spans[-1]) is not None:
            text, self._spans[-1] = said, ""
        width = advance / 1000 * state.size
        self._line = _times((1, 0, 0, 1, width, 0), place)
        if not text.strip() or state.alpha < _LEAST_ALPHA or state.rendering == 3:
            return
        matrix = _times(place, state.ctm)
        corners = ((0.0, -_DESCENT * state.size), (width, _ASCENT * state.size))
        box = _around([_apply(matrix, *corner) for corner in corners])
        size = _least_scale(matrix) * state.size
        whole = state.clip is None or all(_inside(corner, state.clip) for corner in (box[:2], box[2:]))
        points = [_apply(matrix, x, y) for x, y in _looked_at(width, state.size)]
        self._shown.append((Run(text, box, size, self._is_dark(box, points), whole), points))

    def _is_dark(self, box: Box, points: list[Point]) -> bool:
        """Whether it stands out everywhere from what is painted there."""
        state = self._state
        if state.colour is None or (state.rendering and state.line_width > _MOST_OUTLINE * state.size):
            return False
        below = [ground for ground in self._grounds if _meet(ground.box, box)]
        grounds = {_ground_at(point, below) for point in points} if below else {_WHITE}
        return all(ground is not None and _contrast(state.colour, ground) >= MIN_CONTRAST for ground in grounds)

    def _alpha(self, name: bytes) -> float:
        number = self._states.get(name)
        found = re.search(rb"/ca ([.\d]+)", self._document.body(number)) if number else None
        return float(found[1]) if found else 1.0


@dataclass(frozen=True)
class _Operator:
    name: bytes


@dataclass(frozen=True)
class _Actual:
    """What several glyphs say together: a letter and its marks, each of which would say all of it."""

    text: str


def _tokens(content: bytes) -> Iterator[object]:
    """Numbers as float, strings as bytes, names as str, operators; dictionaries and brackets are passed over."""
    place, depth = 0, 0
    while (match := _TOKEN.search(content, place)) is not None:
        token, place = match[0], match.end()
        if token == b"(":
            text, place = _literal(content, place)
            if depth == 0:
                yield text
        elif token in (b"<<", b">>"):
            depth += 1 if token == b"<<" else -1
        elif token == b"/ActualText" and (begun := _ACTUAL.match(content, place)):
            said, place = (
                _literal(content, begun.end()) if begun[1] is None else (bytes.fromhex(begun[1].decode()), begun.end())
            )
            yield _Actual(
                said[2:].decode("utf-16-be", "replace") if said[:2] == b"\xfe\xff" else said.decode("latin-1")
            )
        elif depth or token in (b"[", b"]"):
            continue
        elif token[:1] == b"<":
            yield bytes.fromhex(token[1:-1].decode("ascii"))
        elif token[:1] == b"/":
            yield token[1:].decode("latin-1")
        elif _NUMBER.fullmatch(token):
            yield float(token)
        else:
            yield _Operator(token)


def _literal(content: bytes, start: int) -> tuple[bytes, int]:
    """A string in parentheses, which may nest, and where it ends."""
    depth, place = 1, start
    while depth:
        match = _PAREN.search(content, place)
        if match is None:
            raise UnreadablePdf("a string has no end")
        place = match.end() + (match[0] == b"\\")
        depth += {b"(": 1, b")": -1}.get(match[0], 0)
    return _ESCAPE.sub(_escaped, content[start : place - 1]), place


def _escaped(match: re.Match[bytes]) -> bytes:
    said = match[1]
    if said[:1].isdigit():
        return bytes([int(said, 8) & 0xFF])
    return b"" if said.endswith(b"\n") else _ESCAPES.get(said, said)


def _font(document: _Document, number: int) -> _Font:
    """A font of pictures (type 3) or without a table of texts says nothing."""
    body = document.body(number)
    table, below = re.search(rb"/ToUnicode (\d+) 0 R", body), re.search(rb"/DescendantFonts ?\[(\d+) 0 R", body)
    if table is None or below is None:
        return _Font()
    widths = re.search(rb"/W ?\[([^\[\]]*)\]", document.body(int(below[1])))
    return _Font(_texts(document.stream(int(table[1]))), _widths(widths[1] if widths else b""))


def _texts(cmap: bytes) -> dict[int, str]:
    texts: dict[int, str] = {}
    for block in re.findall(rb"beginbfchar(.*?)endbfchar", cmap, re.DOTALL):
        for code, text in re.findall(rb"<([0-9A-Fa-f]+)>\s*<([0-9A-Fa-f]*)>", block):
            texts[int(code, 16)] = bytes.fromhex(text.decode("ascii")).decode("utf-16-be", "replace")
    return texts


def _widths(listed: bytes) -> dict[int, float]:
    """First code, last code, width, as the writer lists them."""
    numbers = [float(number) for number in listed.split()]
    triples = zip(numbers[::3], numbers[1::3], numbers[2::3], strict=True)
    return {code: width for first, last, width in triples for code in range(int(first), int(last) + 1)}


def _rgb(components: list[float]) -> Colour | None:
    """Of sRGB, grey or (roughly) the four inks."""
    if len(components) == 4:
        components = [(1 - ink) * (1 - components[3]) for ink in components[:3]]
    if len(components) == 1:
        components = components * 3
    if len(components) != 3:
        return None
    red, green, blue = components
    return (red, green, blue)


def _contrast(one: Colour, other: Colour) -> float:
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: Colour) -> float:
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _ground_at(point: Point, grounds: list[_Ground]) -> Colour | None:
    """The colour that all these come to there, on white paper; None: nobody knows."""
    colour: Colour | None = _WHITE
    for ground in grounds:
        if ground.holds(point):
            colour = _mixed(colour, ground)
    return colour


def _mixed(below: Colour | None, above: _Ground) -> Colour | None:
    if above.colour is None or above.alpha >= 1:
        return above.colour
    if below is None:
        return None
    red, green, blue = (
        over * above.alpha + under * (1 - above.alpha) for over, under in zip(above.colour, below, strict=True)
    )
    return (red, green, blue)


def _looked_at(width: float, size: float) -> Iterator[Point]:
    """Points of a line of text from its start, so near each other that none of its letters is missed."""
    steps = min(_MOST_STEPS, max(3, ceil(abs(width) / max(size / 2, 0.01))))
    for step in range(steps):
        for height in _HEIGHTS:
            yield width * (step + 0.5) / steps, size * (height * (_ASCENT + _DESCENT) - _DESCENT)


def _curve(start: Point, name: bytes, points: list[Point]) -> Iterator[Point]:
    """The middle of a Bézier curve and its end."""
    first, second, end = (start, *points) if name == b"v" else points if name == b"c" else (*points, points[-1])
    weighed = zip(start, first, second, end, strict=True)
    across, up = ((a + 3 * b + 3 * c + d) / 8 for a, b, c, d in weighed)
    yield (across, up)
    yield end


def _turns(point: Point, ring: tuple[Point, ...]) -> int:
    """How often a closed line goes around a point."""
    x, y = point
    turns = 0
    for (x1, y1), (x2, y2) in zip(ring, (*ring[1:], ring[0]), strict=True):
        if (y1 <= y) != (y2 <= y) and x < x1 + (y - y1) * (x2 - x1) / (y2 - y1):
            turns += 1 if y1 <= y else -1
    return turns


def _boxes_along(start: Point, end: Point, half: float) -> Iterator[Box]:
    """What a line of that half width covers: one box where it is level or upright."""
    (x1, y1), (x2, y2) = start, end
    level = min(abs(x2 - x1), abs(y2 - y1)) < 0.5
    steps = 1 if level else min(_MOST_STEPS, ceil(max(abs(x2 - x1), abs(y2 - y1)) / max(half, 2.0)))
    for step in range(steps):
        places = [(x1 + (x2 - x1) * part / steps, y1 + (y2 - y1) * part / steps) for part in (step, step + 1)]
        left, bottom, right, top = _around(places)
        yield (left - half, bottom - half, right + half, top + half)


def _least_scale(matrix: Matrix) -> float:
    """How much it makes of a length in the direction where it makes least; nothing where it mirrors."""
    a, b, c, d, _, _ = matrix
    area = a * d - b * c
    if area <= 0:
        return 0.0
    total = a * a + b * b + c * c + d * d
    return float(((total - max(total * total - 4 * area * area, 0.0) ** 0.5) / 2) ** 0.5)


def _matrix(numbers: list[float]) -> Matrix:
    a, b, c, d, e, f = numbers
    return (a, b, c, d, e, f)


def _times(first: Matrix, then: Matrix) -> Matrix:
    a, b, c, d, e, f = first
    k, m, n, o, p, q = then
    return (a * k + b * n, a * m + b * o, c * k + d * n, c * m + d * o, e * k + f * n + p, e * m + f * o + q)


def _apply(matrix: Matrix, x: float, y: float) -> Point:
    a, b, c, d, e, f = matrix
    return (a * x + c * y + e, b * x + d * y + f)


def _around(points: list[Point]) -> Box:
    across, up = [x for x, _ in points], [y for _, y in points]
    return (min(across), min(up), max(across), max(up))


def _common(clip: Box | None, box: Box) -> Box:
    if clip is None:
        return box
    return (max(clip[0], box[0]), max(clip[1], box[1]), min(clip[2], box[2]), min(clip[3], box[3]))


def _meet(one: Box, other: Box) -> bool:
    return one[0] <= other[2] and other[0] <= one[2] and one[1] <= other[3] and other[1] <= one[3]


def _within(point: Point, box: Box) -> bool:
    return box[0] <= point[0] <= box[2] and box[1] <= point[1] <= box[3]


def _inside(point: Point, box: Box) -> bool:
    """Within half a point."""
    return box[0] - 0.5 <= point[0] <= box[2] + 0.5 and box[1] - 0.5 <= point[1] <= box[3] + 0.5


def _name(given: list[object]) -> bytes:
    return next((value.encode("latin-1") for value in given if isinstance(value, str)), b"")


def _reference(body: bytes, key: bytes) -> int:
    found = re.search(rb"/" + key + rb" (\d+) 0 R", body)
    if found is None:
        raise UnreadablePdf("a reference is missing")
    return int(found[1])


def _value(body: bytes, key: bytes) -> bytes:
    found = re.search(rb"/" + key + rb" (\d+)", body)
    if found is None:
        raise UnreadablePdf("a value is missing")
    return found[1]


def _section(resources: bytes, key: bytes) -> bytes:
    found = re.search(rb"/" + key + rb" ?<<(.*?)>>", resources, re.DOTALL)
    return found[1] if found else b""


def _found(pdf: bytes, what: bytes, start: int) -> int:
    place = pdf.find(what, start)
    return place if place >= 0 else len(pdf)
