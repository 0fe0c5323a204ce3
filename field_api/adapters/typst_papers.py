"""Papers by Typst, in subprocesses of their own: bounded in time and memory, fed data, never source or secrets.

Every template is an outlet: the work that renders must be for its audience, the data must fit it, and what comes back
may say nothing of itself but what it is called. Letters that a creditor's own template lays out are made apart, in a
process for each template: what it could do there, it could do to its own letters.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from field_api.adapters.house_templates import differences, running_house
from field_api.adapters.joined_pdf import NotJoinable, joined
from field_api.adapters.paper_bookmarks import check_bookmarks
from field_api.adapters.paper_outlets import check_data, check_metadata, title_of
from field_api.adapters.typst_process import START_S, Ended, Late, TypstProcess
from field_api.domain.ports import House, Paper, PaperFailed, PaperJob, PaperRefused
from field_api.platform.egress import EgressRefused, Misfit, OutletKind, outlet, require_audience

LEAST_BATCH, MOST_BATCH = 32, 512  # papers per subprocess, which starts in the time of ten letters
WORKERS = min(4, len(os.sched_getaffinity(0)))
SECONDS_PER_PAPER = 60.0  # a stack of a whole route on a busy machine
HOUSE_CPU_SHARE = 0.5  # of those seconds: what hangs is ended alone by its own clock, before the batch's runs out
MOST_ENDED = 3  # processes that one batch may lose: more, and it is the machine that is at fault
CPU_SECONDS = 5.0  # of a letter by a creditor's template, which takes a hundredth of one
FILE_NAME = re.compile(r"([0-9a-f]{64})\.(svg|png|pdf|typ)")
MAX_FILES_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True)
class TypstPapers:
    """Keeps the promise of field_api.domain.ports.Papers."""

    seconds_per_paper: float = SECONDS_PER_PAPER
    cpu_seconds: float = CPU_SECONDS

    def render(self, jobs: Sequence[PaperJob]) -> list[Paper | PaperRefused]:
        """Raises UndeclaredOutlet or EgressRefused, besides what the port says; ValueError for a file under a name
        that is not its own."""
        papers = [_refused_before(job) for job in jobs]
        batches = list(_batches(jobs, [index for index, refused in enumerate(papers) if refused is None]))
        with ThreadPoolExecutor(max_workers=WORKERS) as workers:  # threads only wait for their subprocess
            done = workers.map(self._batch, [[jobs[index] for index in batch] for batch in batches])
            for batch, made in zip(batches, done, strict=True):
                for index, paper in zip(batch, made, strict=True):
                    papers[index] = paper
        return [paper for paper in papers if paper is not None]

    def joined(self, papers: Sequence[Paper]) -> Paper:
        try:
            pdf = joined([paper.pdf for paper in papers])
        except NotJoinable as error:
            raise PaperFailed(f"papers cannot be joined: {error}") from error
        return Paper(pdf, sum(paper.pages for paper in papers))

    def house(self) -> House:
        return running_house()

    def changed_since(self, house: bytes) -> list[str]:
        return differences(json.loads(house), json.loads(running_house().body))

    def _batch(self, jobs: Sequence[PaperJob]) -> list[Paper | PaperRefused]:
        """Papers of the same template of a creditor, or of the house. A process that ended is followed by another.

        A paper is refused for it only where it was the first in its process, so that no other one can be the reason.
        """
        made: list[Paper | PaperRefused] = []
        ended: list[str] = []
        while len(made) < len(jobs):
            if len(ended) > MOST_ENDED:
                return made + self._given_up(jobs[len(made) :], ended[-1])
            with self._process(jobs[len(made)]) as process:
                for place, job in enumerate(jobs[len(made) :]):
                    try:
                        made.append(self._paper(process, job))
                    except Ended as error:
                        if place == 0 or error.reason == "too-slow":  # its own clock, which began with the paper
                            ended.append(error.reason)
                            made.append(PaperRefused(error.reason))
                        break
        return made

    def _given_up(self, jobs: Sequence[PaperJob], reason: str) -> list[Paper | PaperRefused]:
        """A template that ends its processes has its other letters refused too; where the house's does, we failed."""
        if not template_of(jobs[0]):
            raise PaperFailed(f"{jobs[0].template}: the worker ended again and again ({reason})")
        return [PaperRefused(reason) for _ in jobs]

    def _process(self, job: PaperJob) -> TypstProcess:
        try:
            return TypstProcess(sealed=bool(template_of(job)), deadline=time.monotonic() + START_S)
        except (Ended, Late) as error:
            raise PaperFailed(f"{job.template}: the worker ended early or never began") from error

    def _paper(self, process: TypstProcess, job: PaperJob) -> Paper | PaperRefused:
        try:
            header, pdf = process.render(self._body(job), job.files, time.monotonic() + self.seconds_per_paper)
        except Late as error:
            if template_of(job):
                raise Ended("too-slow") from error
            raise PaperFailed(f"{job.template}: not done in {self.seconds_per_paper:.0f} s") from error
        if "failed" in header:
            return PaperRefused(str(header["failed"]), str(header.get("at", "")), str(header.get("detail", "")))
        try:
            check_metadata(pdf, title_of(job.template, job.data))
            check_bookmarks(pdf, job.template, job.data)
        except EgressRefused:
            if not template_of(job):
                raise
            return PaperRefused("metadata")  # a title, bookmarks, attachments of the template's own
        return Paper(pdf, int(header["pages"]), str(header.get("own", "")))

    def _body(self, job: PaperJob) -> dict[str, Any]:
        return {
            "template": job.template,
            "data": job.data,
            "made_at": job.made_at.isoformat(timespec="seconds"),
            "creditors": template_of(job),
            "must_show": {name: list(texts) for name, texts in job.must_show.items()},
            "explain": job.explain,
            "house": json.loads(job.house)["sources"] if job.house else None,
            "cpu_s": self.cpu_seconds if template_of(job) else self.seconds_per_paper * HOUSE_CPU_SHARE,
        }


def template_of(job: PaperJob) -> str:
    """The SHA-256 of the creditor's template that lays out the letter; "" where the house does."""
    return str(job.data["letter"].get("template", "")) if job.template == "letter" and "letter" in job.data else ""


def _refused_before(job: PaperJob) -> Paper | PaperRefused | None:
    """Whether a job goes to no process at all: a letter whose record is broken is refused alone.

    Raises what TypstPapers.render says: data that no template may be given are a fault of the program, not of a record.
    """
    way = outlet(OutletKind.TEMPLATE, job.template)
    require_audience(way)
    _check_files(job.files)
    try:
        check_data(job.template, way, job.data)
    except Misfit as error:
        if job.template != "letter":
            raise
        return PaperRefused("malformed", error.place)
    return None


def _batches(jobs: Sequence[PaperJob], places: Sequence[int]) -> Iterator[list[int]]:
    """Places of the jobs that share a process."""
    by_template: dict[str, list[int]] = {}
    for index in places:
        by_template.setdefault(template_of(jobs[index]), []).append(index)
    for places in by_template.values():
        size = min(MOST_BATCH, max(LEAST_BATCH, -(-len(places) // WORKERS)))
        yield from (places[first : first + size] for first in range(0, len(places), size))


def _check_files(files: Mapping[str, bytes]) -> None:
    for name, body in files.items():
        parts = FILE_NAME.fullmatch(name)
        if parts is None or hashlib.sha256(body).hexdigest() != parts[1]:
            raise ValueError("a file is not what its name says")
    if sum(map(len, files.values())) > MAX_FILES_BYTES:
        raise ValueError("files beside a paper are too large together")
