"""What can be read on the pages of a PDF that Typst wrote: text that is dark enough, large enough, on the page, inside
what clips it and not painted over.

A reader for one writer, on purpose: Typst's PDFs have a plain table of objects, fonts with two-byte codes and a
ToUnicode table, and few operators. Alternative texts do not count: nobody reads them on paper. Coordinates are points
from the lower left corner (ISO 32000-1).
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

Box = tuple[float, float, float, float]  # left, bottom, right, top
Matrix = tuple[float, float, float, float, float, float]

MIN_SIZE_PT = 7.0
MIN_CONTRAST = 4.5  # against white paper: WCAG 2.2, success criterion 1.4.3
_ASCENT, _DESCENT = 0.7, 0.2  # of the size: where the ink of a line is, about
_ONE: Matrix = (1, 0, 0, 1, 0, 0)
_TOKEN = re.compile(rb"\(|<<|>>|<[0-9A-Fa-f\s]*>|/[^\s()<>\[\]/%]*|[\[\]]|[^\s()<>\[\]/%]+")
_PAREN = re.compile(rb"[()\\]")
_ESCAPE = re.compile(rb"\\([0-7]{1,3}|\r?\n|.)", re.DOTALL)
_ESCAPES = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}
_NUMBER = re.compile(rb"[-+.\d]+")


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
    dark: bool = True
    opaque: bool = True
    font: _Font = _Font()
    size: float = 0.0
    rendering: int = 0


def _page(document: _Document, number: int) -> PageText:
    body = document.body(number)
    media = re.search(rb"/MediaBox ?\[([^\]]*)\]", body)
    if media is None:
        raise UnreadablePdf("a page has no size")
    _, _, width, height = map(float, media[1].split())
    resources = document.resources(body)
    fonts = {name: int(ref) for name, ref in re.findall(rb"/(f\d+) (\d+) 0 R", _section(resources, b"Font"))}
    states = {name: int(ref) for name, ref in re.findall(rb"/(g\w*\d+) (\d+) 0 R", _section(resources, b"ExtGState"))}
    drawing = _Drawing(document, fonts, states)
    contents = re.search(rb"/Contents (\d+) 0 R", body)
    if contents is not None:
        drawing.draw(document.stream(int(contents[1])))
    return PageText(width, height, tuple(drawing.runs), b"/Annots" in body)


class _Drawing:
    """What is drawn on one page, step by step."""

    def __init__(self, document: _Document, fonts: Mapping[bytes, int], states: Mapping[bytes, int]) -> None:
        self.runs: list[Run] = []
        self._document, self._fonts, self._states = document, fonts, states
        self._state, self._saved = _State(), list[_State]()
        self._line: Matrix = _ONE
        self._path: list[tuple[float, float]] = []
        self._clips = False

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
            self._set(dark=not _name(given) and _contrast(numbers) >= MIN_CONTRAST)
        elif name == b"cs":
            self._set(dark=True)  # a colour space begins with black
        elif name == b"gs":
            self._set(opaque=self._is_opaque(_name(given)))
        else:
            self._do_path(name, numbers)

    def _do_path(self, name: bytes, numbers: list[float]) -> None:
        if name in (b"m", b"l", b"c", b"v", b"y"):
            self._path += [_apply(self._state.ctm, x, y) for x, y in zip(numbers[::2], numbers[1::2], strict=True)]
        elif name == b"re":
            x, y, width, height = numbers
            corners = ((x, y), (x + width, y), (x, y + height), (x + width, y + height))
            self._path += [_apply(self._state.ctm, *corner) for corner in corners]
        elif name in (b"W", b"W*"):
            self._clips = True
        elif name in (b"n", b"f", b"F", b"f*", b"B", b"B*", b"b", b"b*", b"S", b"s"):
            if self._clips and self._path:
                self._set(clip=_common(self._state.clip, _around(self._path)))
            if name not in (b"n", b"S", b"s") and self._path:
                self._cover(_around(self._path))
            self._path, self._clips = [], False
        elif name == b"Do":
            self._cover(_around([_apply(self._state.ctm, x, y) for x, y in ((0, 0), (1, 0), (0, 1), (1, 1))]))
        elif name == b"sh" and self._state.clip is not None:
            self._cover(self._state.clip)

    def _set(self, **changed: object) -> None:
        self._state = replace(self._state, **changed)  # type: ignore[arg-type]  # each call names fields of _State

    def _cover(self, box: Box) -> None:
        """What lies below is not read any more, whatever the colour: even a see-through one may hide it in print."""
        seen = _common(self._state.clip, box)
        self.runs = [run for run in self.runs if not _inside(_middle(run.box), seen)]

    def _show(self, given: list[object]) -> None:
        state, place, text, advance = self._state, self._line, "", 0.0
        for part in given:
            if isinstance(part, bytes):
                codes = [int.from_bytes(part[n : n + 2], "big") for n in range(0, len(part), 2)]
                text += "".join(state.font.texts.get(code, "") for code in codes)
                advance += sum(state.font.widths.get(code, 0.0) for code in codes)
            elif isinstance(part, float):
                advance -= part
        width = advance / 1000 * state.size
        self._line = _times((1, 0, 0, 1, width, 0), place)
        if not text.strip() or not state.opaque or state.rendering == 3:
            return
        matrix = _times(place, state.ctm)
        corners = ((0.0, -_DESCENT * state.size), (width, _ASCENT * state.size))
        box = _around([_apply(matrix, *corner) for corner in corners])
        size = abs(matrix[0] * matrix[3] - matrix[1] * matrix[2]) ** 0.5 * state.size
        whole = state.clip is None or all(_inside(corner, state.clip) for corner in (box[:2], box[2:]))
        self.runs.append(Run(text, box, size, state.dark, whole))

    def _is_opaque(self, name: bytes) -> bool:
        number = self._states.get(name)
        found = re.search(rb"/ca ([.\d]+)", self._document.body(number)) if number else None
        return found is None or float(found[1]) > 0.9


@dataclass(frozen=True)
class _Operator:
    name: bytes


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


def _contrast(components: list[float]) -> float:
    """Of a colour with its paper; sRGB, grey or (roughly) the four inks."""
    if len(components) == 4:
        components = [(1 - ink) * (1 - components[3]) for ink in components[:3]]
    if len(components) == 1:
        components = components * 3
    if len(components) != 3:
        return 0.0
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in components)
    return 1.05 / (0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05)


def _matrix(numbers: list[float]) -> Matrix:
    a, b, c, d, e, f = numbers
    return (a, b, c, d, e, f)


def _times(first: Matrix, then: Matrix) -> Matrix:
    a, b, c, d, e, f = first
    k, m, n, o, p, q = then
    return (a * k + b * n, a * m + b * o, c * k + d * n, c * m + d * o, e * k + f * n + p, e * m + f * o + q)


def _apply(matrix: Matrix, x: float, y: float) -> tuple[float, float]:
    a, b, c, d, e, f = matrix
    return (a * x + c * y + e, b * x + d * y + f)


def _around(points: list[tuple[float, float]]) -> Box:
    across, up = [x for x, _ in points], [y for _, y in points]
    return (min(across), min(up), max(across), max(up))


def _common(clip: Box | None, box: Box) -> Box:
    if clip is None:
        return box
    return (max(clip[0], box[0]), max(clip[1], box[1]), min(clip[2], box[2]), min(clip[3], box[3]))


def _middle(box: Box) -> tuple[float, float]:
    return ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2)


def _inside(point: tuple[float, float], box: Box) -> bool:
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
