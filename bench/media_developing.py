"""The worker's real path for photographs that lie sealed in the store: how fast, whose time, how much memory."""

from __future__ import annotations

import os
from contextlib import ExitStack
from datetime import UTC, datetime
from itertools import cycle, islice
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from uuid import UUID

from bench.figures import say, timed
from bench.media_raw import raw_rate
from bench.media_sealed import forget, store
from bench.processor_time import family, spent
from bench.sync import Bench, postmaster
from bench.sync_phones import BenchPhone
from doorstep.app import worker_app
from field_api.platform.database import db
from field_api.platform.settings import Settings
from media.office.work import work_once
from media.sandbox.run import Renditions, Sandbox, end_sandboxes

ROUND = 100  # photographs that wait at once: 2,000 would fill a disk

WARM = 8


def develop(bench: Bench, phones: list[BenchPhone], files: list[bytes], photos: int) -> None:
    """`photos` on one core with one worker, as many on two with two; PostgreSQL and the sandboxes on the same cores."""
    usable = sorted(os.sched_getaffinity(0))
    try:
        for cores in (1, 2)[: len(usable)]:
            _pin({os.getpid(), postmaster(bench.server)}, set(usable[:cores]))
            _develop_on(cores, bench, phones, files, photos)
    finally:
        _pin({os.getpid(), postmaster(bench.server)}, set(usable))


def _pin(firsts: set[int], cores: set[int]) -> None:
    for first in firsts:
        for pid in family(first):
            os.sched_setaffinity(pid, cores)


def _develop_on(cores: int, bench: Bench, phones: list[BenchPhone], files: list[bytes], photos: int) -> None:
    context, wall_s, worker_s, postgres_s, raws = get_context("spawn"), 0.0, 0.0, 0.0, []
    ends = [context.Pipe() for _ in range(cores)]
    workers = [
        context.Process(target=_worker, args=(bench.settings, bench.agency, theirs), daemon=True) for _, theirs in ends
    ]
    for worker in workers:
        worker.start()
    for ours, _ in ends:
        ours.recv()
    store(bench, phones, islice(cycle(files), WARM))  # statements are compiled, decoders loaded
    _developed([ours for ours, _ in ends])
    forget(bench, WARM)
    for first in range(0, photos, ROUND):
        number = min(ROUND, photos - first)
        store(bench, phones, islice(cycle(files), number))
        raws.append(raw_rate(files, cores))
        with ExitStack() as stack:
            workers_spent = [stack.enter_context(spent(worker.pid or 0)) for worker in workers]
            postgres_spent = stack.enter_context(spent(postmaster(bench.server)))
            with timed() as seconds:
                _developed([ours for ours, _ in ends])
        wall_s, postgres_s = wall_s + seconds(), postgres_s + postgres_spent()
        worker_s += sum(each() for each in workers_spent)
        forget(bench, number)
        say(f"memory after {first + number} ({cores} core)", ", ".join(_memory(worker.pid or 0) for worker in workers))
    for (ours, _), worker in zip(ends, workers, strict=True):
        ours.send("end")
        say("largest picture's process", f"{ours.recv() / 1e6:.0f} MB")
        worker.join()
    _say_rates(cores, photos, wall_s, worker_s, postgres_s, raws)


def _developed(workers: list[Connection]) -> None:
    for worker in workers:
        worker.send("go")
    for worker in workers:
        worker.recv()


def _say_rates(
    cores: int, photos: int, wall_s: float, worker_s: float, postgres_s: float, raws: list[tuple[float, float]]
) -> None:
    raw, raw_s = (sum(values) / len(raws) for values in zip(*raws, strict=True))
    rate, ours_s = photos / wall_s, (worker_s + postgres_s) / photos
    say(f"raw pictures, {cores} core", f"{raw:9.1f} photographs/s, {raw_s * 1000:.0f} ms of processor time each")
    say(
        f"developed, {cores} core",
        f"{rate:9.1f} photographs/s = {rate / cores:.1f} a core, {rate / raw:.0%} of raw by the clock",
    )
    shares = f"worker and sandbox {worker_s / photos * 1000:.0f}, PostgreSQL {postgres_s / photos * 1000:.0f}"
    say("processor time of it", f"{shares} ms each: {raw_s / ours_s:.0%} of it is the raw picture's")


def _worker(settings: Settings, agency: UUID, orders: Connection) -> None:
    """A worker's rounds whenever it is told to go; at last it says how large the largest process was, in bytes."""
    app, largest = worker_app(settings), _Largest()
    orders.send("ready")
    while orders.recv() == "go":
        while work_once(app, agency, datetime.now(UTC)):
            pass
        orders.send("done")
    end_sandboxes()
    with app.app_context():
        db.engine.dispose()
    orders.send(largest.bytes)


class _Largest:
    """Peak memory of any picture's process, as zygotes tell it."""

    def __init__(self) -> None:
        self.bytes, self.real = 0, Sandbox.develop
        Sandbox.develop = lambda *given: self.noted(*given)  # type: ignore[method-assign]  # measured where it is called

    def noted(self, sandbox: Sandbox, image: bytes) -> Renditions:
        made = self.real(sandbox, image)
        self.bytes = max(self.bytes, sandbox.used.peak_bytes if sandbox.used else 0)
        return made


def _memory(worker: int) -> str:
    """Of what stays from picture to picture."""
    kept = {"worker": worker, "zygote": next(iter(family(worker) - {worker}))}
    return ", ".join(f"{name} {_resident(pid) / 1e6:.1f} MB" for name, pid in kept.items())


def _resident(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
