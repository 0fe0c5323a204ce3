"""Several PDFs of our own making as one, page after page, with their structure kept for those who have it read aloud.

A day's stacks laid out at once would take gigabytes; one after the other they take what one takes. Libraries join pages
and drop the tags; what Typst writes is plain enough to be joined whole: a classic cross-reference table, no object
streams, one flat page tree, one structure tree with one `Document`. Anything else is refused.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

CATALOG, PAGES, STRUCTURE, OUTLINES, METADATA, INFO, DOCUMENT = range(1, 8)
"""The joined file's own objects; those of the parts follow."""
_TOKEN = re.compile(rb"\\.|[()]|\b(\d+) 0 R\b", re.DOTALL)
_NUMS = re.compile(rb"(\d+) (\d+) 0 R")
_ROLES = re.compile(rb"/RoleMap<<([^>]*)>>")
_CELL = re.compile(rb"/S/T[HD]\b")
_NAME = re.compile(rb"\((U\d+x\d+y\d+)\)")
_NAMED = re.compile(rb"\((U\d+x\d+y\d+)\)\s*(\d+) 0 R")
_PARENTS = re.compile(rb"/StructParents (\d+)")
_UA = b"<pdfuaid:part>1</pdfuaid:part>"


class NotJoinable(ValueError):
    """A PDF that is not built as Typst builds them. The text names the part's number and what is missing."""


@dataclass(frozen=True)
class _Part:
    """One PDF, its objects' bodies by number, and the numbers that its catalogue names."""

    objects: dict[int, bytes]
    catalog: bytes
    info: bytes
    pages: int
    structure: int
    metadata: int
    outlines: int
    document: int
    identity: bytes

    @property
    def count(self) -> int:
        return int(_one(rb"/Count (\d+)", self.objects[self.pages], "a count of pages"))

    @property
    def parent_tree(self) -> bytes:
        return self.objects[self.structure].split(b"/ParentTree", 1)[1].split(b"/IDTree", 1)[0]

    @property
    def ids(self) -> bytes:
        return self.objects[self.structure].partition(b"/IDTree")[2]

    @property
    def has_bookmarks(self) -> bool:
        return b"/First" in self.objects[self.outlines]

    @property
    def own(self) -> Iterator[tuple[int, bytes]]:
        """What goes over: all but what the joined file has one of."""
        dropped = {self.structure, self.metadata, self.outlines}
        return ((number, body) for number, body in self.objects.items() if number not in dropped)


def joined(pdfs: Sequence[bytes]) -> bytes:
    """One PDF with the pages of all, in their order; title, language and dates are the first one's. Raises NotJoinable.

    The same PDFs give the same bytes.
    """
    parts = [_read(number, pdf) for number, pdf in enumerate(pdfs, start=1)]
    bases, next_number = [], DOCUMENT
    for part in parts:
        bases.append(next_number)
        next_number += max(part.objects)
    writer = _Writer()
    page_base = 0
    nums: list[bytes] = []
    names: list[bytes] = []
    for index, (part, base) in enumerate(zip(parts, bases, strict=True)):
        for number, body in part.own:
            writer.add(base + number, _moved(part, number, body, base, page_base))
        writer.add(base + part.outlines, _entry(parts, bases, index))
        nums += [
            b"%d %d 0 R" % (int(page) + page_base, int(row) + base) for page, row in _NUMS.findall(part.parent_tree)
        ]
        names += [b"(%s)%d 0 R" % (_name(name, base), int(cell) + base) for name, cell in _NAMED.findall(part.ids)]
        page_base += part.count
    identity = base64.b64encode(hashlib.sha256(b"".join(part.identity for part in parts)).digest()[:16])
    for number, body in _own(parts, bases, (nums, sorted(names)), page_base, identity):
        writer.add(number, body)
    return writer.finished(identity)


def _own(
    parts: Sequence[_Part], bases: Sequence[int], trees: tuple[list[bytes], list[bytes]], pages: int, identity: bytes
) -> Iterator[tuple[int, bytes]]:
    def kids(numbers: Sequence[int]) -> bytes:
        return b" ".join(b"%d 0 R" % (base + number) for base, number in zip(bases, numbers, strict=True))

    catalog = re.sub(rb"/(?:Pages|Metadata|StructTreeRoot|Outlines) \d+ 0 R", b"", parts[0].catalog)
    names = b"/Pages %d 0 R/Metadata %d 0 R/StructTreeRoot %d 0 R/Outlines %d 0 R>>"
    yield CATALOG, catalog[: catalog.rindex(b">>")] + names % (PAGES, METADATA, STRUCTURE, OUTLINES)
    yield PAGES, b"<</Type/Pages/Count %d/Kids[%s]>>" % (pages, kids([part.pages for part in parts]))
    nums, cells = (b" ".join(tree) for tree in trees)
    tree = b"/ParentTree<</Nums[%s]>>/ParentTreeNextKey %d" % (nums, pages)
    tree += b"/IDTree<</Names[%s]>>" % cells if cells else b""
    yield STRUCTURE, b"<</Type/StructTreeRoot%s/K[%d 0 R]%s>>" % (_roles(parts), DOCUMENT, tree)
    yield OUTLINES, _outlines(parts, bases)
    packet = _packet(parts, pages, identity)
    yield METADATA, b"<</Length %d/Type/Metadata/Subtype/XML>>\nstream\n%s\nendstream" % (len(packet), packet)
    yield INFO, parts[0].info
    of = kids([part.document for part in parts])
    yield DOCUMENT, b"<</Type/StructElem/S/Document/P %d 0 R/K[%s]>>" % (STRUCTURE, of)


def _outlines(parts: Sequence[_Part], bases: Sequence[int]) -> bytes:
    """The list of bookmarks: an entry for each part that has some."""
    listed = [base + part.outlines for part, base in zip(parts, bases, strict=True) if part.has_bookmarks]
    ends = b"/First %d 0 R/Last %d 0 R/Count %d" % (listed[0], listed[-1], len(listed)) if listed else b""
    return b"<</Type/Outlines%s>>" % ends


def _entry(parts: Sequence[_Part], bases: Sequence[int], index: int) -> bytes:
    """A part's own list as one entry of the joined file's: closed, called as the part is, at its first page."""
    listed = [place for place, part in enumerate(parts) if part.has_bookmarks]
    part, base = parts[index], bases[index]
    if index not in listed:
        return b"null"
    at = listed.index(index)
    beside = [(b"Prev", listed[at - 1 : at]), (b"Next", listed[at + 1 : at + 2])]
    links = b"".join(
        b"/%s %d 0 R" % (name, bases[place[0]] + parts[place[0]].outlines) for name, place in beside if place
    )
    title = _one(rb"/Title\s*(\([^()]*\)|<[0-9A-F]*>)", part.info, "a title")
    page = base + int(_one(rb"/Kids\s*\[(\d+) 0 R", part.objects[part.pages], "pages"))
    known = part.objects[part.outlines]
    first, last = (base + int(_one(rb"/%s (\d+) 0 R" % name, known, "bookmarks")) for name in (b"First", b"Last"))
    children = b"/First %d 0 R/Last %d 0 R/Count -%d" % (first, last, int(_one(rb"/Count (\d+)", known, "bookmarks")))
    return b"<</Title%s/Parent %d 0 R%s%s/Dest[%d 0 R/Fit]>>" % (title, OUTLINES, links, children, page)


def _packet(parts: Sequence[_Part], pages: int, identity: bytes) -> bytes:
    """What the file says of itself. It is PDF/UA where all parts are."""
    _, _, stream = parts[0].objects[parts[0].metadata].partition(b"\nstream\n")
    packet = stream.rpartition(b"\nendstream")[0]
    packet = re.sub(rb"(<xmpTPg:NPages>)\d+", rb"\g<1>%d" % pages, packet)
    packet = re.sub(rb"(<xmpMM:(?:Instance|Document)ID>)[^<]*", rb"\g<1>" + identity, packet)
    accessible = all(_UA in part.objects[part.metadata] for part in parts)
    return packet if accessible else packet.replace(_UA, b"")


def _roles(parts: Sequence[_Part]) -> bytes:
    known: dict[bytes, bytes] = {}
    for part in parts:
        found = _ROLES.search(part.objects[part.structure])
        known |= dict(re.findall(rb"/(\w+)/(\w+)", found[1])) if found else {}
    return b"/RoleMap<<%s>>" % b"".join(b"/%s/%s" % pair for pair in sorted(known.items()))


def _moved(part: _Part, number: int, body: bytes, base: int, page_base: int) -> bytes:
    """An object of a part under its new number: whatever it refers to moves as well, strings stay as they are."""
    head, mark, stream = body.partition(b"\nstream\n")
    depth = 0

    def move(token: re.Match[bytes]) -> bytes:
        nonlocal depth
        depth += {b"(": 1, b")": -1}.get(token[0], 0)
        if token[1] is None or depth:
            return token[0]
        old = int(token[1])
        return b"%d 0 R" % (DOCUMENT if old == part.structure else base + old)

    head = _TOKEN.sub(move, head)
    if number == part.pages:
        head = head.replace(b"/Type/Pages", b"/Type/Pages/Parent %d 0 R" % PAGES, 1)
    elif number == part.document:
        head = head.replace(b"/S/Document", b"/S/Part", 1)  # the joined file is the document
    elif _CELL.search(head):
        head = _NAME.sub(lambda found: b"(%s)" % _name(found[1], base), head)
    elif b"/Type/Page/" in head:
        head = _PARENTS.sub(lambda found: b"/StructParents %d" % (int(found[1]) + page_base), head)
    return head + mark + stream


def _name(cell: bytes, base: int) -> bytes:
    """What a table's cell is called in the joined file, where other parts have tables too."""
    return b"N%010d%s" % (base, cell)


def _read(number: int, pdf: bytes) -> _Part:
    try:
        objects, trailer = _objects(pdf)
        root = int(_one(rb"/Root (\d+) 0 R", trailer, "a catalogue"))
        info = int(_one(rb"/Info (\d+) 0 R", trailer, "information"))
        catalog = objects.pop(root)
        named = {
            name: int(_one(rb"/%s (\d+) 0 R" % name.encode(), catalog, name))
            for name in ("Pages", "StructTreeRoot", "Metadata", "Outlines")
        }
        tree = objects[named["StructTreeRoot"]]
        if b"/Kids" in tree:
            raise NotJoinable("a structure tree with branches")
        document = int(_one(rb"/K\[(\d+) 0 R\]", tree, "one document"))
        identity = _one(rb"/ID\[\(([^)]*)\)", trailer, "an identity")
        named_objects = [named[name] for name in ("Pages", "StructTreeRoot", "Metadata", "Outlines")]
        return _Part(objects, catalog, objects.pop(info), *named_objects, document, identity)
    except (NotJoinable, KeyError, ValueError) as error:
        raise NotJoinable(f"part {number}: {error}") from error


def _objects(pdf: bytes) -> tuple[dict[int, bytes], bytes]:
    """The bodies of all objects by number, found by the table of their places, and the trailer."""
    start = int(_one(rb"startxref\s+(\d+)\s+%%EOF\s*$", pdf[-64:], "a place of its table"))
    table, _, trailer = pdf[start:].partition(b"trailer")
    lines = table.split(b"\n")
    if lines[0].strip() != b"xref" or not trailer:
        raise NotJoinable("no table of places")
    used = [(int(line[:10]), number) for number, line in enumerate(lines[2:]) if line[17:18] == b"n"]
    used.sort()
    ends = [place for place, _ in used[1:]] + [start]
    bodies = {}
    for (place, number), end in zip(used, ends, strict=True):
        body = pdf[place:end]
        bodies[number] = body[body.index(b"obj") + 3 : body.rindex(b"endobj")].strip(b"\n")
    return bodies, trailer


def _one(pattern: bytes, text: bytes, what: str) -> bytes:
    found = re.search(pattern, text)
    if found is None:
        raise NotJoinable(f"has not {what}")
    return found[1]


class _Writer:
    def __init__(self) -> None:
        self._pieces: list[bytes] = [b"%PDF-1.7\n%\x80\x80\x80\x80\n\n"]
        self._length = len(self._pieces[0])
        self._places: dict[int, int] = {}

    def add(self, number: int, body: bytes) -> None:
        self._places[number] = self._length
        self._write(b"%d 0 obj\n%s\nendobj\n" % (number, body))

    def finished(self, identity: bytes) -> bytes:
        start, size = self._length, max(self._places) + 1
        lines = [b"xref\n0 %d\n0000000000 65535 f\r\n" % size]
        for number in range(1, size):
            place = self._places.get(number)
            lines.append(b"0000000000 00000 f\r\n" if place is None else b"%010d 00000 n\r\n" % place)
        names = (size, CATALOG, INFO, identity, identity)
        lines.append(b"trailer\n<</Size %d/Root %d 0 R/Info %d 0 R/ID[(%s)(%s)]>>\n" % names)
        self._write(b"".join([*lines, b"startxref\n%d\n%%%%EOF" % start]))
        return b"".join(self._pieces)

    def _write(self, piece: bytes) -> None:
        self._pieces.append(piece)
        self._length += len(piece)
