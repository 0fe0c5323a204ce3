"""Photographs against the raw cost in the same run: developing, uploading, and one phone beside 24 slow ones.

    .venv/bin/python -m bench.media [--only developing|upload|slow] [--photos 200]

Makes an installation of its own below a temporary directory (its PostgreSQL as durable as production's) and photographs
of its own from a seed. `--photos 2000` shows whether memory stays flat; 100 of them lie on the disk at a time.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import signal
import sys
import tempfile
from pathlib import Path

from bench.figures import say
from bench.media_developing import develop
from bench.media_raw import raw_rate, say_raw_costs
from bench.media_slow import beside_slow_phones
from bench.media_upload import upload
from bench.photographs import photographs
from bench.sync import Bench
from doorstep.migrate import migrate
from doorstep.postgres import EmbeddedPostgres, Server
from field_api.platform.database import db
from media.sandbox.limits import LARGE_PX
from media.sandbox.pictures import LEAST_DECODED_PX

PARTS = ("developing", "upload", "slow")
DIFFERENT = 8
PHONES = 40  # the door counts a phone's calls and waiting bytes: one alone would soon be told to wait


def run(directory: Path, server: Server, arguments: argparse.Namespace) -> None:
    parts = (arguments.only,) if arguments.only else PARTS
    bench = Bench(directory, server, argparse.Namespace(phones=PHONES, visits=1, serve=[]))
    try:
        phones, files = bench.fill(), photographs(DIFFERENT)
        say("load of the machine", " ".join(f"{value:.1f}" for value in os.getloadavg()))
        say_raw_costs(files, directory)
        if "developing" in parts:
            rate, seconds = raw_rate(files, 1, LARGE_PX)
            say(f"raw pictures, at least {LARGE_PX} px", f"{rate:9.1f} photographs/s, {seconds * 1000:.0f} ms each")
            say("below: decoded by our rule", f"no smaller than {LEAST_DECODED_PX} px")
            develop(bench, phones, files, arguments.photos)
        if "upload" in parts or "slow" in parts:
            with bench.door() as door_pid:
                if "upload" in parts:
                    upload(bench, phones, files, arguments.photos, door_pid)
                if "slow" in parts:
                    beside_slow_phones(bench, phones, files[0])
    finally:
        with bench.app.app_context():
            db.engine.dispose()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", choices=PARTS)
    parser.add_argument("--photos", type=int, default=200)
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))  # nothing is left behind then, either
    with tempfile.TemporaryDirectory() as folder:
        embedded = EmbeddedPostgres(Path(folder) / "home")
        server = embedded.start()
        try:
            migrate(server.url("owner"))
            run(Path(folder), server, arguments)
        finally:
            embedded.destroy()


if __name__ == "__main__":
    multiprocessing.set_start_method("spawn")
    main()
