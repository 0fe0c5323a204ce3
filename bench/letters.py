"""A mixed batch of letters and a long visit sheet on one core, beside ReportLab and WeasyPrint with the same letter.

    .venv/bin/python -m bench.letters [--letters 1000] [--peers 100] [--core 0]

The parent and the process that lays out share one core. One record of the batch is broken: it is named and left out.
Both others come with `uv sync --group bench`; WeasyPrint also needs the system's Pango. The batch's
seconds are of the clock, with the processor's beside them; all others are the processor's, which a busy machine spares.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import time
from collections.abc import Callable, Sequence
from io import BytesIO

from pypdf import PdfReader

from bench.figures import say, timed
from bench.letters_batch import BRANDS, PICTURES, jobs
from bench.letters_sheet import sheet_job
from field_api.adapters import typst_papers
from field_api.adapters.typst_papers import TypstPapers
from field_api.adapters.typst_worker import Layout
from field_api.domain.confidential import audience
from field_api.domain.disclosure import Audience
from field_api.domain.ports import Paper, PaperJob, PaperRefused

WANTED_S, WANTED_MB, WANTED_SHEET_S = 10.0, 700, 0.1
BROKEN = 417
WARM = 20  # papers before the clock runs, of each renderer


def processor_s() -> float:
    """Of this process and of those that it waited for."""
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def memory_mb() -> float:
    """The most that this process and the largest that it waited for held, added as if at once."""
    return sum(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)) / 1024


def batch(count: int) -> list[PaperJob]:
    """Measures the batch as it is issued: `TypstPapers`, its subprocess, every check of what goes in and comes out."""
    with timed() as composing:
        wanted = list(jobs(count, BROKEN if count > BROKEN else -1))
    say("composed, with CLDR's words", f"{composing():9.2f} s, {composing() / count * 1000:.1f} ms a letter")
    before = processor_s()
    with timed() as seconds, audience(Audience.ENTITLED_PARTY):
        papers = TypstPapers().render(wanted)
    made = [paper for paper in papers if isinstance(paper, Paper)]
    say(
        f"{count} letters, {len(BRANDS)} brands, one core",
        f"{seconds():9.2f} s{_aim(seconds(), WANTED_S * count / 1000, 's')}",
    )
    say(
        "of it the processor",
        f"{processor_s() - before:9.2f} s, {(processor_s() - before) / count * 1000:.1f} ms a letter",
    )
    say("memory, parent and worker", f"{memory_mb():9.0f} MB{_aim(memory_mb(), WANTED_MB, 'MB')}")
    pages = sum(paper.pages for paper in made)
    say("pages, KB a letter", f"{pages:9} {sum(len(paper.pdf) for paper in made) / len(made) / 1024:8.1f}")
    for number, paper in enumerate(papers):
        if isinstance(paper, PaperRefused):
            say("left out", f"letter {number}: {paper.reason} {paper.at}".rstrip())
    return wanted


def warm_ms(render: Callable[[int], object], count: int) -> float:
    """Milliseconds of the processor for one paper, the median, once the renderer is warm. `render` takes its number."""
    taken = []
    for number in range(WARM + count):
        began = time.process_time()
        render(number)
        taken.append((time.process_time() - began) * 1000)
    return statistics.median(taken[WARM:])


def beside_others(wanted: Sequence[PaperJob], count: int) -> None:
    """Each renderer in this one process, with the same data, so that only laying out is compared."""
    chosen = [job for number, job in enumerate(wanted) if number != BROKEN][: WARM + count]
    count = len(chosen) - WARM
    layout = Layout()

    def ours(number: int) -> bytes:
        return layout.render(_asked(chosen[number]), chosen[number].files)

    typst_ms = warm_ms(ours, count)
    say("a letter by Typst, PDF/UA-1", f"{typst_ms:9.1f} ms")
    _peer("ReportLab, no tags, no mark", typst_ms, _reportlab, chosen, ours)
    _peer("WeasyPrint, PDF/UA-1", typst_ms, _weasyprint, chosen, ours)


def _reportlab() -> Callable[[PaperJob], bytes]:
    from bench.letters_reportlab import ReportLabLetters

    letters = ReportLabLetters()
    return lambda job: letters.render(job.data)


def _weasyprint() -> Callable[[PaperJob], bytes]:
    from bench.letters_weasyprint import WeasyPrintLetters

    letters = WeasyPrintLetters()
    return lambda job: letters.render(job.data, PICTURES.get(job.data["letter"]["brand"]["logo"], b""))


def _peer(
    name: str,
    typst_ms: float,
    begin: Callable[[], Callable[[PaperJob], bytes]],
    chosen: Sequence[PaperJob],
    ours: Callable[[int], bytes],
) -> None:
    try:
        render = begin()
    except (ImportError, OSError) as error:  # OSError: WeasyPrint's way to say that a library of the system is missing
        say(f"NOT COMPARED: {name}", f"{type(error).__name__}: {str(error).splitlines()[0]}")
        return
    _same_words(name, ours(0), render(chosen[0]))
    taken_ms = warm_ms(lambda number: render(chosen[number]), len(chosen) - WARM)
    say(f"by {name}", f"{taken_ms:9.1f} ms, {taken_ms / typst_ms:.2f} of Typst's time")


def _same_words(name: str, ours: bytes, theirs: bytes) -> None:
    """Says loudly what the other letter lacks: a letter with less in it is no comparison."""
    missing = sorted(_words(ours) - _words(theirs))
    if missing:
        say(f"LACKS WORDS: {name}", " ".join(missing[:8]))


def _words(pdf: bytes) -> set[str]:
    text = " ".join(page.extract_text() for page in PdfReader(BytesIO(pdf)).pages)
    return {word for word in text.split() if len(word) > 3 and word.isalpha()}


def sheets(stops: int) -> None:
    layout, job = Layout(), sheet_job(stops)
    taken = warm_ms(lambda number: layout.render(_asked(job, number), {}), 30) / 1000
    say(f"a sheet of {stops} stops, warm", f"{taken:9.3f} s{_aim(taken, WANTED_SHEET_S, 's')}")
    with timed() as seconds, audience(Audience.AGENT):
        TypstPapers().render([job])
    say("the first, with its process", f"{seconds():9.3f} s")


def _asked(job: PaperJob, number: int = 0) -> dict[str, object]:
    """A job as the process gets it; `number` makes a sheet another one, so that nothing is remembered whole."""
    data = {**job.data, "sheet": {**job.data["sheet"], "lunch": f"13:{number % 60:02}"}} if number else job.data
    return {"template": job.template, "data": data, "made_at": job.made_at.isoformat()}


def _aim(value: float, most: float, unit: str) -> str:
    return f", wanted at most {most:g} {unit}: {'yes' if value <= most else 'NO'}"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--letters", type=int, default=1000)
    parser.add_argument(
        "--peers", type=int, default=100, help="letters that the others lay out, beside those to warm up"
    )
    parser.add_argument("--core", type=int, default=0)
    arguments = parser.parse_args()
    os.sched_setaffinity(0, {arguments.core})  # and of every process that it starts
    typst_papers.WORKERS = len(os.sched_getaffinity(0))
    say("load of the machine", " ".join(f"{value:.1f}" for value in os.getloadavg()))
    began = time.perf_counter()
    wanted = batch(arguments.letters)
    beside_others(wanted, arguments.peers)
    sheets(60)
    say("the whole bench", f"{time.perf_counter() - began:9.0f} s")


if __name__ == "__main__":
    main()
