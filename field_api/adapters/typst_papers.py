"""Papers by Typst, in a subprocess of its own: bounded in time and memory, fed data, never source or secrets.

Every template is an outlet: the work that renders must be for its audience, the data must fit it, and what comes back
may say nothing of itself but what it is called.
"""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from field_api.adapters.paper_outlets import check_data, check_metadata, title_of
from field_api.domain.ports import Paper, PaperFailed, PaperJob, PaperRefused
from field_api.platform.egress import OutletKind, outlet, require_audience

BATCH = 64  # papers per subprocess: start-up is paid seldom, what a crash loses stays small
WORKERS = min(4, os.cpu_count() or 1)
SECONDS_PER_BATCH = 20.0
SECONDS_PER_PAPER = 2.0
_COMMAND = [sys.executable, "-I", "-m", "field_api.adapters.typst_worker"]


@dataclass(frozen=True)
class TypstPapers:
    """Keeps the promise of field_api.domain.ports.Papers."""

    seconds_per_batch: float = SECONDS_PER_BATCH
    seconds_per_paper: float = SECONDS_PER_PAPER

    def render(self, jobs: Sequence[PaperJob]) -> list[Paper | PaperRefused]:
        """Raises UndeclaredOutlet or EgressRefused, besides what the port says."""
        for job in jobs:
            way = outlet(OutletKind.TEMPLATE, job.template)
            require_audience(way)
            check_data(job.template, way, job.data)
        batches = [jobs[first : first + BATCH] for first in range(0, len(jobs), BATCH)]
        with ThreadPoolExecutor(max_workers=WORKERS) as workers:  # threads only wait for their subprocess
            return [paper for batch in workers.map(self._batch, batches) for paper in batch]

    def _batch(self, jobs: Sequence[PaperJob]) -> list[Paper | PaperRefused]:
        allowed_s = self.seconds_per_batch + self.seconds_per_paper * len(jobs)
        try:
            done = subprocess.run(
                _COMMAND,
                input=b"".join(_piece(_body(job)) for job in jobs),
                capture_output=True,
                timeout=allowed_s,
                env={"LC_ALL": "C.UTF-8"},  # nothing inherited: no password file, no home, no keys
                cwd="/",
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise PaperFailed(f"{_names(jobs)}: not done in {allowed_s:.0f} s") from error
        return list(_answers(jobs, done.stdout))


def _body(job: PaperJob) -> bytes:
    return json.dumps(
        {"template": job.template, "data": job.data, "made_at": job.made_at.isoformat(timespec="seconds")}
    ).encode()


def _piece(body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + body


def _answers(jobs: Sequence[PaperJob], output: bytes) -> Iterator[Paper | PaperRefused]:
    pieces = _pieces(output)
    for job in jobs:
        try:
            header, pdf = json.loads(next(pieces)), next(pieces)
        except StopIteration as error:
            raise PaperFailed(f"{job.template}: the worker ended early (a limit of memory or time)") from error
        if "failed" in header:
            yield PaperRefused(header["failed"])
            continue
        check_metadata(pdf, title_of(job.template, job.data))
        yield Paper(pdf, int(header["pages"]))


def _pieces(output: bytes) -> Iterator[bytes]:
    place = 0
    while place + 4 <= len(output):
        (length,) = struct.unpack_from(">I", output, place)
        if place + 4 + length > len(output):
            return  # cut off in the middle
        yield output[place + 4 : place + 4 + length]
        place += 4 + length


def _names(jobs: Sequence[PaperJob]) -> str:
    return ", ".join(sorted({job.template for job in jobs}))
