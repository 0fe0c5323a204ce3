"""What the parts count while a day goes on: calls at the door, verdicts and queues at the worker."""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path

import pytest
import requests
from flask import Flask

from doorstep.metrics import serve_metrics
from doorstep.worker_metrics import worker_text
from field_api.platform.clock import SystemClock
from field_api.platform.measured import BOARD
from field_api.platform.overload import SLOTS, Load
from tests.planning_world import statements
from tests.sync_day import Day

pytest_plugins = ["tests.door_fixtures"]


def samples(text: str) -> dict[str, float]:
    pairs = (line.rpartition(" ") for line in text.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, _, value in pairs}


def test_calls_of_phones_are_counted_by_kind_and_status_refused_ones_too(day: Day, door: Flask) -> None:
    phone = day.enrol()
    before = samples(door.extensions[BOARD].text())
    phone.push(phone.operation("arrived", {"position": None}, visit=day.visits[0], av=1))
    phone.call("GET", "/phone/v1/feed", query="limit=0")
    lanes = door.extensions["doorstep.lanes"]
    for _ in range(SLOTS[Load.PHOTOS]):
        lanes.enter(Load.PHOTOS)
    phone.call("POST", "/phone/v1/photos")
    now = samples(door.extensions[BOARD].text())

    def more(kind: str, status: str) -> float:
        name = f'doorstep_door_call_seconds_count{{kind="{kind}",status="{status}"}}'
        return now[name] - before[name]

    assert (more("ops", "2xx"), more("pulls", "4xx"), more("photos", "503"), more("ops", "503")) == (1, 1, 1, 0)
    assert now['doorstep_door_calls_in_hand{kind="photos"}'] == SLOTS[Load.PHOTOS]
    assert now['doorstep_door_calls_in_hand{kind="ops"}'] == 0


def test_the_worker_tells_verdicts_and_queues_and_names_nobody(day: Day, app: Flask) -> None:
    day.clock.moment = SystemClock().now() - timedelta(minutes=10)
    phone = day.enrol()
    phone.call("GET", "/phone/v1/ops/state", query="newest=4", created=int(day.clock.now().timestamp()))
    phone.push(
        phone.operation("arrived", {"position": None}, visit=day.visits[0], av=1),
        phone.operation("telepathy", {}, visit=day.visits[0], av=1),
    )
    day.work()
    phone.push(phone.operation("arrived", {"position": None}, visit=day.visits[1], av=1))
    text = worker_text(app, app.extensions[BOARD])
    told = samples(text)
    assert told['doorstep_verdicts_total{verdict="applied"}'] == 1
    assert told['doorstep_verdicts_total{verdict="quarantined"}'] == 1
    assert told["doorstep_queues_readable"] == told["doorstep_phones"] == told["doorstep_ops_unapplied"] == 1
    assert told["doorstep_ops_waiting_on_phones"] == 1 and told["doorstep_ops_quarantined"] == 1
    assert told["doorstep_ops_not_durable"] == told["doorstep_ops_not_durable_most"] >= 1
    assert 600 <= told["doorstep_ops_unapplied_oldest_seconds"] < 700
    assert told["doorstep_log_leaves"] >= 2
    for secret in (day.agency, phone.device, day.agent, "MX-1", day.visits[0]):
        assert str(secret) not in text


def test_more_phones_take_no_more_statements_of_the_worker(day: Day, app: Flask) -> None:
    def asked() -> int:
        with statements() as seen:
            worker_text(app, app.extensions[BOARD])
        return len(seen)

    day.enrol()
    one = asked()
    for _ in range(3):
        day.enrol()
    assert asked() == one


def test_a_database_that_is_away_is_told_and_the_counts_stay(
    day: Day, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sqlalchemy.exc import OperationalError

    def away(*_: object, **__: object) -> None:
        raise OperationalError("SELECT", {}, Exception("gone"))

    monkeypatch.setattr("doorstep.worker_metrics.all_healths", away)
    told = samples(worker_text(app, app.extensions[BOARD]))
    assert told["doorstep_queues_readable"] == 0 and "doorstep_phones" not in told
    assert 'doorstep_verdicts_total{verdict="applied"}' in told


def test_they_are_served_over_http(tmp_path: Path) -> None:
    import socket

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    serve_metrics(lambda: "doorstep_phones 3\n", {"DOORSTEP_METRICS_LISTEN": f"127.0.0.1:{port}"})
    for _ in range(100):
        try:
            answer = requests.get(f"http://127.0.0.1:{port}/metrics", timeout=5)
            break
        except requests.ConnectionError:
            time.sleep(0.02)
    assert (answer.status_code, answer.text) == (200, "doorstep_phones 3\n")
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
