"""The process that lays out papers: `python -I -m field_api.adapters.typst_worker`, started and bounded by its parent.

Reads jobs from standard input and writes results to standard output, both as 4-byte big-endian length and body. It has
no environment, no keys, no database; it may write no file, and memory and CPU are limited before the first job.
"""

from __future__ import annotations

import json
import re
import resource
import struct
import sys
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

TEMPLATES = Path(__file__).parent / "papers"
NAMES = frozenset({"sheet", "letter", "stack", "legend"})
INDISPENSABLE = frozenset({"sheet", "stack"})
MEMORY_BYTES = 3 * 1024**3  # address space, of which Typst touches a tenth
CPU_S = 120
_COUNT = re.compile(rb"/Type\s*/Pages\s*/Count\s+(\d+)")


def limit() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


class Layout:
    """One compiler for the whole run: fonts are read once and parsed templates are remembered between papers."""

    def __init__(self) -> None:
        import typst  # after the limits: what the library maps counts as well

        fonts = typst.Fonts(include_system_fonts=False, font_paths=[str(TEMPLATES / "fonts")])
        self._compiler = typst.Compiler(root=str(TEMPLATES), font_paths=fonts, ignore_system_fonts=True)

    def render(self, job: dict[str, Any]) -> bytes:
        """PDF/UA-1: a glyph that the shipped fonts lack is an error; a letter with an empty box in it is not issued.

        An agent needs the sheet all the same: there such a name is printed with boxes, next to its address and code.
        """
        if job["template"] not in NAMES:
            raise ValueError("unknown template")
        try:
            return self._compile(job, accessible=True)
        except Exception as error:
            if job["template"] in INDISPENSABLE and reason_of(error) == "missing-glyph":
                return self._compile(job, accessible=False)
            raise

    def _compile(self, job: dict[str, Any], *, accessible: bool) -> bytes:
        pdf = self._compiler.compile(
            input=str(TEMPLATES / f"{job['template']}.typ"),
            format="pdf",
            sys_inputs={"data": json.dumps(job["data"]), "qr": json.dumps([qr_svg(t) for t in job["data"]["qr"]])},
            pdf_standards=["ua-1"] if accessible else [],
            timestamp=datetime.fromisoformat(job["made_at"]),
        )
        if not isinstance(pdf, bytes):
            raise TypeError("no single PDF")
        return pdf


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


def reason_of(error: Exception) -> str:
    """One of a few words: the error's own text may quote the letter, and stays in this process."""
    said = str(error).lower()
    known = {"address does not fit": "address-too-long", "could not be displayed": "missing-glyph"}
    return next((reason for phrase, reason in known.items() if phrase in said), type(error).__name__)


def main() -> None:
    limit()
    layout = Layout()
    while (piece := read_piece(sys.stdin.buffer)) is not None:
        job = json.loads(piece)
        try:
            pdf = layout.render(job)
            header = {"pages": pages_of(pdf)}
        except Exception as error:  # noqa: BLE001 a failing paper must be answered, whatever failed
            answer(sys.stdout.buffer, {"failed": reason_of(error)})
        else:
            answer(sys.stdout.buffer, header, pdf)


if __name__ == "__main__":
    main()
