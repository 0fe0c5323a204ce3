"""The process that lays out papers: `python -I -m field_api.adapters.typst_worker`, started and bounded by its parent.

Reads jobs and the files beside them from standard input and writes results to standard output, each as 4-byte
big-endian length and body. It has no environment, no keys, no database; it may write no file, and memory and CPU are
limited before the first job. With the argument `sealed` it lays out by templates of others: then it has loaded every
font before the first job, can open no file any more, and the kernel refuses it whatever is not computing.
"""

from __future__ import annotations

import base64
import json
import re
import resource
import signal
import struct
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

from field_api.adapters.pdf_text import Box, PageText, UnreadablePdf, read_pages
from field_api.adapters.typst_errors import MAX_DETAIL, MISSING_GLYPH, told
from field_api.domain.letter_shown import missing, own_words
from field_api.platform.system_calls import COMPUTING, TIMING, allow

TEMPLATES = Path(__file__).parent / "papers"
NAMES = frozenset({"sheet", "letter", "stack", "legend"})
INDISPENSABLE = frozenset({"sheet", "stack"})
MEMORY_BYTES = 3 * 1024**3  # address space, of which Typst touches a tenth
SEALED_MEMORY_BYTES = 1024**3
CPU_S = 600  # of a whole batch; each paper has its own measure
MAX_SEALED_PAGES = 24
MAX_SEALED_PDF_BYTES = 8 * 1024 * 1024
EDGE_PT = 4 / 25.4 * 72  # 4 mm: what printers leave white
_COUNT = re.compile(rb"/Type\s*/Pages\s*/Count\s+(\d+)")


class Refused(Exception):
    """A paper that was laid out and may not leave. `args`: the reason; where there is one, what it is
    about; where the data are invented, the text."""


def limit(memory_bytes: int = MEMORY_BYTES) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


class Layout:
    """One compiler for the whole run: fonts are read once and parsed templates are remembered between papers."""

    def __init__(self) -> None:
        import typst  # after the limits: what the library maps counts as well

        # The package's fonts alone: neither the machine nor the library's release decides how a letter looks.
        fonts = typst.Fonts(
            include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(TEMPLATES / "fonts")]
        )
        self._families = fonts.fonts()
        self._compiler = typst.Compiler(
            root=str(TEMPLATES),
            font_paths=fonts,
            ignore_system_fonts=True,
            package_path=str(TEMPLATES),  # where no package is
            package_cache_path=str(TEMPLATES),
        )
        self._house = {path.name: path.read_bytes() for path in sorted(TEMPLATES.glob("*.typ"))}

    def seal(self) -> None:
        """Read every font now, then open nothing more and ask the kernel for nothing but to compute."""
        shown = "".join(
            f"#text(font: {json.dumps(font.family)}, weight: {font.weight}, style: {json.dumps(font.style)})[a]"
            for font in self._families
        )
        self._compiler.compile(input=shown.encode(), format="pdf")
        "".encode("utf-16-be")  # what reads the finished pages; Python loads a codec when it is first needed
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))
        allow(COMPUTING | TIMING)

    def render(self, job: Mapping[str, Any], files: Mapping[str, bytes]) -> bytes:
        """PDF/UA-1: a glyph that the shipped fonts lack is an error; a letter with an empty box in it is not issued.

        An agent needs the sheet all the same: there such a name is printed with boxes, next to its address and code.
        """
        if job["template"] not in NAMES:
            raise ValueError("unknown template")
        if any(name.endswith(".pdf") for name in files):
            # Finished letters among others, for the printer: the library takes no PDF into a PDF/UA. Each letter was
            # one when it was issued.
            return self._compile(job, files, accessible=False)
        try:
            return self._compile(job, files, accessible=True)
        except Exception as error:
            if job["template"] in INDISPENSABLE and MISSING_GLYPH in str(error):
                return self._compile(job, files, accessible=False)
            raise

    def _compile(self, job: Mapping[str, Any], files: Mapping[str, bytes], *, accessible: bool) -> bytes:
        main = f"{job['template']}.typ"
        old: Mapping[str, str] | None = job.get("house")
        house = self._house if old is None else {name: source.encode() for name, source in old.items()}
        beside = dict(as_text(name, body) for name, body in files.items())
        given = {"data": job["data"], "qr": [qr_svg(text) for text in job["data"]["qr"]], "files": sorted(beside)}
        # A sealed process opens no file: all lies in memory. Else the house's templates are read, and what they come to
        # is remembered between papers, which nothing but their data differ in: a third of a letter's time.
        held = house if old is not None or job.get("creditors") else {}
        pdf = self._compiler.compile(
            input={**held, "main.typ": house[main], "given.json": json.dumps(given).encode(), **beside},
            format="pdf",
            pdf_standards=["ua-1"] if accessible else [],
            timestamp=datetime.fromisoformat(job["made_at"]),
        )
        if not isinstance(pdf, bytes):
            raise TypeError("no single PDF")
        return pdf


def as_text(name: str, body: bytes) -> tuple[str, bytes]:
    """A file as the library takes it: its binding refuses what is not UTF-8, so a PNG is given inside of an SVG, and a
    finished letter's PDF as a list of its bytes."""
    if name.endswith(".pdf"):
        return f"{name}.json", json.dumps(list(body), separators=(",", ":")).encode()
    if not name.endswith(".png"):
        return name, body
    width, height = struct.unpack_from(">II", body, 16)  # of IHDR, which every PNG begins with
    picture = base64.b64encode(body).decode("ascii")
    inside = f'<image width="{width}" height="{height}" href="data:image/png;base64,{picture}"/>'
    form = f'xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
    return f"{name}.svg", f"<svg {form}>{inside}</svg>".encode()


def qr_svg(text: str) -> str:
    """A QR code as SVG, error correction M: readable when a corner of the paper is wet or torn."""
    import zxingcpp

    return str(zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode, ec_level="M").to_svg())


def pages_of(pdf: bytes) -> int:
    """How many pages: Typst writes its one page tree in the clear."""
    found = _COUNT.search(pdf)
    if found is None:
        raise ValueError("no page count")
    return int(found[1])


def checked(pdf: bytes, job: Mapping[str, Any]) -> dict[str, Any]:
    """The answer's header. Raises Refused for what a creditor's template made of its letter."""
    count = pages_of(pdf)
    if not job.get("creditors"):
        return {"pages": count}
    if count % 2:
        raise Refused("odd-pages")  # the last sheet's back would be the next letter's address page
    if count > MAX_SEALED_PAGES:
        raise Refused("too-many-pages")
    if len(pdf) > MAX_SEALED_PDF_BYTES:
        raise Refused("too-large")
    return {"pages": count, "own": check_inner_pages(read_pages(pdf), job)}


def check_inner_pages(pages: Sequence[PageText], job: Mapping[str, Any]) -> str:
    """What the template says of its own accord, where that may be told. Raises Refused."""
    address, *inner = pages
    for number, page in enumerate(inner, 2):
        if (page.width, page.height) != (address.width, address.height):
            raise Refused("page-size", f"page {number}")
        if page.links:  # what is behind one cannot be read on paper
            raise Refused("link", f"page {number}")
        if not all(on_paper(run.box, page) for run in page.runs):
            raise Refused("outside-page", f"page {number}")
    lost = missing(job["must_show"], [page.readable for page in inner])
    if lost is not None:
        name, text = lost
        raise Refused("not-shown", name, *([text[:MAX_DETAIL]] if job["explain"] else []))
    return own_words(job["must_show"], [run.text for page in inner for run in page.runs]) if job["explain"] else ""


def on_paper(box: Box, page: PageText) -> bool:
    left, bottom, right, top = box
    return left >= EDGE_PT and bottom >= EDGE_PT and right <= page.width - EDGE_PT and top <= page.height - EDGE_PT


def answer(stream: BinaryIO, header: dict[str, Any], body: bytes = b"") -> None:
    encoded = json.dumps(header).encode()
    for piece in (encoded, body):
        stream.write(struct.pack(">I", len(piece)) + piece)
    stream.flush()


def read_piece(stream: BinaryIO) -> bytes | None:
    prefix = stream.read(4)
    if len(prefix) < 4:
        return None
    return stream.read(struct.unpack(">I", prefix)[0])


def work(layout: Layout, job: Mapping[str, Any], files: Mapping[str, bytes]) -> tuple[dict[str, Any], bytes]:
    """The answer's header and the PDF. What takes too long ends the process: nothing here could stop the library."""
    signal.setitimer(signal.ITIMER_PROF, float(job.get("cpu_s", CPU_S)))  # CPU time: a busy machine refuses no letter
    try:
        pdf = layout.render(job, files)
        return checked(pdf, job), pdf
    except Refused as refused:
        return dict(zip(("failed", "at", "detail"), refused.args, strict=False)), b""
    except UnreadablePdf:
        return {"failed": "unreadable"}, b""
    except Exception as error:  # noqa: BLE001 a failing paper must be answered, whatever failed
        return told(error, str(job.get("creditors", "")), explain=bool(job.get("explain"))), b""
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def main() -> None:
    sealed = sys.argv[1:] == ["sealed"]
    limit(SEALED_MEMORY_BYTES if sealed else MEMORY_BYTES)
    layout = Layout()
    qr_svg("0")  # the library is loaded before the door closes
    if sealed:
        layout.seal()
    kept: dict[str, bytes] = {}
    answer(sys.stdout.buffer, {"ready": True})
    while (piece := read_piece(sys.stdin.buffer)) is not None:
        job = json.loads(piece)
        if "keep" in job:
            kept[job["keep"]] = read_piece(sys.stdin.buffer) or b""
            continue
        header, pdf = work(layout, job, {name: kept[name] for name in job["files"]})
        answer(sys.stdout.buffer, header, pdf)


if __name__ == "__main__":
    main()
