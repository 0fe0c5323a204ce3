"""A real S3 server for tests: SeaweedFS on ports of this machine alone, with credentials made for it."""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store

START_S = 20.0
PORTS = ("master", "volume", "filer", "s3", "admin")


@dataclass
class Seaweed:
    """One server with an empty bucket `photos`."""

    folder: Path
    ports: dict[str, int] = field(default_factory=dict)
    key: str = field(default_factory=lambda: secrets.token_hex(8))
    secret: str = field(default_factory=lambda: secrets.token_hex(16))
    process: subprocess.Popen[bytes] | None = None

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.ports['s3']}"

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs to use it, as the cloud's own tools have it."""
        return {
            "AWS_ACCESS_KEY_ID": self.key,
            "AWS_SECRET_ACCESS_KEY": self.secret,
            "AWS_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": self.endpoint,
        }

    def start(self) -> None:
        """Returns when the bucket takes an object and gives out all it has. A server that was killed goes on with that,
        but knows its volumes only a while after it answers: an object without bytes would need none."""
        self.folder.mkdir(exist_ok=True)
        identity = {"name": "tests", "credentials": [{"accessKey": self.key, "secretKey": self.secret}]}
        config = {"identities": [{**identity, "actions": ["Read", "Write", "List", "Tagging"]}]}
        (self.folder / "s3.json").write_text(json.dumps(config))
        self.ports = self.ports or _free_ports()
        with (self.folder / "output").open("ab") as output:
            self.process = subprocess.Popen(
                [Path(sys.executable).parent / "weed", f"-logdir={self.folder}", "mini", *self._options()],
                cwd=self.folder, stdout=output, stderr=output, stdin=subprocess.DEVNULL,
                env={name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "S3_"))},
            )  # fmt: skip
        until, store = time.monotonic() + START_S, self.open(retries=0)
        while True:
            try:
                obstore.put(store, "ready", b"ready")
                self.bodies()
                obstore.delete(store, "ready")
                return
            except BaseError:
                if time.monotonic() > until or self.process.poll() is not None:
                    self.kill()
                    raise
                time.sleep(0.05)

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def open(self, prefix: str | None = None, retries: int = 2) -> S3Store:
        """The bucket as its owner sees it, past everything of ours."""
        return S3Store(
            "photos", prefix=prefix, endpoint=self.endpoint, region="us-east-1", access_key_id=self.key,
            secret_access_key=self.secret, client_options={"allow_http": True, "timeout": "5s"},
            retry_config={"max_retries": retries},
        )  # fmt: skip

    def bodies(self, prefix: str | None = None) -> dict[str, bytes]:
        """Everything below `prefix`."""
        store = self.open(prefix)
        paths = [meta["path"] for meta in obstore.list(store).collect()]
        return {path: bytes(obstore.get(store, path).bytes()) for path in paths}

    def _options(self) -> list[str]:
        where = [f"-{name}.port={port}" for name, port in self.ports.items() if "_" not in name]
        inner = [f"-{name.removesuffix('_grpc')}.port.grpc={port}" for name, port in self.ports.items() if "_" in name]
        sockets = [f"-{name}.localSocket={self.folder / name}.sock" for name in ("filer", "s3")]
        quiet = ["-webdav=false", "-admin.ui=false", "-s3.port.iceberg=0", "-s3.port.lance=0"]
        home = [f"-dir={self.folder}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-bucket=photos"]
        tells_nobody = ["-master.telemetry=false"]
        return [*home, *where, *inner, *sockets, *quiet, *tells_nobody, f"-s3.config={self.folder / 's3.json'}"]


def _free_ports() -> dict[str, int]:
    names = [*PORTS, *(f"{name}_grpc" for name in PORTS)]
    with ExitStack() as stack:
        found = {name: stack.enter_context(socket.socket()) for name in names}
        for one in found.values():
            one.bind(("127.0.0.1", 0))
        return {name: one.getsockname()[1] for name, one in found.items()}


@contextmanager
def seaweed_server(folder: Path) -> Iterator[Seaweed]:
    server = Seaweed(folder)
    try:
        server.start()
        yield server
    finally:
        server.kill()
