"""Small road engines on this machine: answers in the shapes that Valhalla 3.9 and OSRM 26 gave when they were asked.

North of NORTHERN is an island without a bridge; east of EASTERN there is no road. The way north takes longer than back.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, urlsplit

NORTHERN, EASTERN = 19.45, -99.05
M_PER_DEGREE = 111_195.0

Place = tuple[float, float]  # latitude, longitude


def leg(here: Place, there: Place) -> tuple[float, float] | None:
    """Seconds and metres in streets that run north and east."""
    if (here[0] > NORTHERN) != (there[0] > NORTHERN):
        return None
    north, east = there[0] - here[0], there[1] - here[1]
    metres = (abs(north) + abs(east)) * M_PER_DEGREE
    return metres / (8 if north > 0 else 10), metres


def on_road(place: Place) -> bool:
    return place[1] <= EASTERN


class Engine(BaseHTTPRequestHandler):
    """What a test sets on the class: how the next questions are answered."""

    protocol_version = "HTTP/1.1"
    paths: list[str]
    trouble: list[str]
    concise = True

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self._told(lambda: self._valhalla(urlsplit(self.path).path, body))

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        self._told(lambda: self._osrm(parts.path, parse_qs(parts.query)))

    def _told(self, answer) -> None:  # a function without arguments
        self.paths.append(self.path)
        trouble = self.trouble.pop(0) if self.trouble else ""
        if trouble == "drop":
            self.close_connection = True
            self.connection.close()
        elif trouble == "drip":
            self._drip()
        elif trouble.startswith("body:"):
            self._send(200, trouble.removeprefix("body:").encode())
        elif trouble:
            self._send(int(trouble), b"{}")
        else:
            status, found = answer()
            self._send(status, json.dumps(found).encode())

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _drip(self) -> None:
        """A byte now and then: no read ever waits long."""
        self.send_response(200)
        self.send_header("Content-Length", "100000")
        self.end_headers()
        try:
            for _ in range(100):
                self.wfile.write(b" ")
                self.wfile.flush()
                time.sleep(0.02)
        except OSError:
            self.close_connection = True  # who asked is gone, as is wanted

    def _valhalla(self, path: str, body: dict) -> tuple[int, object]:
        if path == "/locate":
            places = _places(body["locations"])
            return 200, [
                {"input_lat": place[0], "input_lon": place[1], "edges": [{"way_id": 7}] if on_road(place) else []}
                for place in places
            ]
        here, there = _places(body["sources"]), _places(body["targets"])
        if len(here) * len(there) > 2_500:
            return 400, {"error_code": 150, "error": "Exceeded max locations: 2500", "status_code": 400}
        if not all(map(on_road, (*here, *there))):
            return 400, {"error_code": 170, "error": "Locations are in unconnected regions.", "status_code": 400}
        pairs = [[leg(one, other) for other in there] for one in here]
        if self.concise:
            found: object = {
                "durations": [[pair and round(pair[0]) for pair in row] for row in pairs],
                "distances": [[pair and round(pair[1] / 1000, 3) for pair in row] for row in pairs],
            }
        else:
            found = [
                [
                    {
                        "from_index": i,
                        "to_index": j,
                        "time": pair and round(pair[0]),
                        "distance": pair and round(pair[1] / 1000, 3),
                    }
                    for j, pair in enumerate(row)
                ]
                for i, row in enumerate(pairs)
            ]
        return 200, {"sources_to_targets": found, "units": "kilometers", "algorithm": "costmatrix"}

    def _osrm(self, path: str, query: dict[str, list[str]]) -> tuple[int, object]:
        places = [(float(y), float(x)) for x, y in (place.split(",") for place in path.rsplit("/", 1)[1].split(";"))]
        if len(places) > 100:
            return 400, {"code": "TooBig", "message": "Too many table coordinates"}
        here = [places[int(at)] for at in query["sources"][0].split(";")]
        there = [places[int(at)] for at in query["destinations"][0].split(";")]
        pairs = [[leg(one, other) for other in there] for one in here]
        return 200, {
            "code": "Ok",
            "durations": [[pair and round(pair[0], 1) for pair in row] for row in pairs],
            "distances": [[pair and round(pair[1], 1) for pair in row] for row in pairs],
            "sources": [_waypoint(place) for place in here],
            "destinations": [_waypoint(place) for place in there],
        }

    def log_message(self, *_: object) -> None:
        """Quiet."""


def _places(entries: list[dict]) -> list[Place]:
    return [(entry["lat"], entry["lon"]) for entry in entries]


def _waypoint(place: Place) -> dict[str, object]:
    return {"name": "", "location": [place[1], place[0]], "distance": 3.2 if on_road(place) else 4_000.0}


@contextmanager
def serving(**settings: object) -> Iterator[tuple[str, type[Engine]]]:
    """The address of an engine that speaks both protocols, and its handler."""
    handler = type("Handler", (Engine,), {"paths": [], "trouble": [], **settings})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", handler
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
