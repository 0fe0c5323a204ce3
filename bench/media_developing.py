"""The worker's real path for photographs that lie sealed in the store: how fast, whose time, how much memory."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterable
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from itertools import cycle, islice
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from uuid import UUID

from sqlalchemy import select, update

from bench.figures import say, timed
from bench.media_raw import raw_rate
from bench.processor_time import family, spent
from bench.sync import Bench, postmaster
from bench.sync_phones import BenchPhone
from doorstep.app import worker_app
from field_api.platform import sealing
from field_api.platform.database import db, transaction
from field_api.platform.ids import new_id
from field_api.platform.settings import Settings
from media.door.uploads import upload_id_of
from media.office.records import Photo
from media.office.work import work_once
from media.records import COMPLETE, Upload
from media.sandbox.run import end_sandboxes
from media.sealed_photo import PhotoName, seal_photo
from media.stores import stores_of

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
    _store(bench, phones, islice(cycle(files), WARM))  # statements are compiled, decoders loaded
    _developed([ours for ours, _ in ends])
    _forget(bench, WARM)
    for first in range(0, photos, ROUND):
        number = min(ROUND, photos - first)
        _store(bench, phones, islice(cycle(files), number))
        raws.append(raw_rate(files, cores))
        with ExitStack() as stack:
            workers_spent = [stack.enter_context(spent(worker.pid or 0)) for worker in workers]
            postgres_spent = stack.enter_context(spent(postmaster(bench.server)))
            with timed() as seconds:
                _developed([ours for ours, _ in ends])
        wall_s, postgres_s = wall_s + seconds(), postgres_s + postgres_spent()
        worker_s += sum(each() for each in workers_spent)
        _forget(bench, number)
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
    app = worker_app(settings)
    orders.send("ready")
    while orders.recv() == "go":
        while work_once(app, agency, datetime.now(UTC)):
            pass
        orders.send("done")
    end_sandboxes()
    with app.app_context():
        db.engine.dispose()
    orders.send(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024)


def _store(bench: Bench, phones: list[BenchPhone], files: Iterable[bytes]) -> None:
    """As if phones had uploaded them and operations declared them with a permission."""
    stores, now = stores_of(bench.settings), datetime.now(UTC)
    with bench.app.app_context(), transaction(bench.agency) as session:
        for phone, data in zip(cycle(phones), files):
            device, photo_id, key = UUID(phone.device), new_id(), os.urandom(32)
            name = PhotoName(bench.agency, device, photo_id)
            sealed = seal_photo(key, name, "image/jpeg", data)
            wrap, digest = sealing.seal_to(phone.sealing_public, name.key_info, key), sealing.sha256(sealed)
            upload_id = upload_id_of(device, digest)
            stores.files.append(bench.agency, upload_id, 0, sealed)
            stores.keys.put(bench.agency, upload_id, wrap)
            size = {"length_bytes": len(sealed), "received_bytes": len(sealed)}
            times = {"created_at": now, "completed_at": now, "taken_at": now, "expires_at": now + timedelta(days=7)}
            session.add(Upload(
                id=upload_id, device_id=device, photo_id=photo_id, sha256=digest, wrap_sha256=sealing.sha256(wrap),
                sealing_key_id=sealing.key_id_of(phone.sealing_public), state=COMPLETE, **size, **times,
            ))  # fmt: skip
            session.add(Photo(
                visit_id=UUID(phone.visits[0]), op_id=photo_id, device_id=device, upload_id=upload_id, sha256=digest,
                subject="facade", received_at=now, latitude=19.4, longitude=-99.1, accuracy_m=8.0, captured_at=now,
            ))  # fmt: skip


def _forget(bench: Bench, number: int) -> None:
    """Free the disk, and take the hashes out: real photographs are not the same eight again and again."""
    stores = stores_of(bench.settings)
    with bench.app.app_context(), transaction(bench.agency) as session:
        photos = session.scalars(select(Photo).where(Photo.dhash.is_not(None))).all()
        if len(photos) != number or any(photo.state != "developed" or not photo.width for photo in photos):
            raise RuntimeError("not all were developed")
        for photo in photos:
            for key in (photo.large_key, photo.small_key):
                bench.app.extensions["doorstep.objects"].delete(key or "")
            stores.files.delete(bench.agency, photo.upload_id)
        session.execute(update(Photo).values(dhash=None))


def _memory(worker: int) -> str:
    """Of what stays from picture to picture."""
    kept = {"worker": worker, "zygote": next(iter(family(worker) - {worker}))}
    return ", ".join(f"{name} {_resident(pid) / 1e6:.1f} MB" for name, pid in kept.items())


def _resident(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
