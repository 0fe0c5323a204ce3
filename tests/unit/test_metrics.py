"""Numbers for Prometheus: closed labels, one board for all processes of a part, and nothing for whoever may not ask."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from doorstep.metrics import MetricsAt, metrics_app, metrics_at, part_environment
from field_api.platform.crash import StartRefused
from field_api.platform.egress import EgressRefused
from field_api.platform.metrics import DOOR_CALLS, DOOR_IN_HAND, VERDICTS, WORK, Board, line, status_of

TOKEN = "t" * 20


def sample(text: str, begins: str) -> str:
    (found,) = [line for line in text.splitlines() if line.startswith(begins)]
    return found.rpartition(" ")[2]


def test_lengths_are_told_as_cumulative_buckets_with_sum_and_count() -> None:
    board = Board([WORK])
    for seconds in (0.001, 0.05, 3.0, 99.0):
        board.observe(WORK, seconds, "sync")
    text = board.text()
    assert "# TYPE doorstep_work_seconds histogram" in text
    told = [
        sample(text, f'doorstep_work_seconds_bucket{{step="sync",le="{bound}"}}')
        for bound in (0.005, 0.05, 5.0, "+Inf")
    ]
    assert told == ["1", "2", "3", "4"]
    assert float(sample(text, 'doorstep_work_seconds_sum{step="sync"}')) == pytest.approx(102.051)
    assert sample(text, 'doorstep_work_seconds_count{step="sync"}') == "4"
    assert sample(text, 'doorstep_work_seconds_count{step="media"}') == "0", "what never happened is told as well"


def test_forked_processes_count_on_one_board_and_a_successor_goes_on() -> None:
    board = Board([VERDICTS, DOOR_IN_HAND])
    for number in (0, 1, 1):  # the second one dies in the middle of a call, and is replaced
        child = os.fork()
        if not child:
            board.take_row(number)
            board.add(VERDICTS, "late", by=10**number)
            board.add(DOOR_IN_HAND, "ops")
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
    text = board.text()
    assert sample(text, 'doorstep_verdicts_total{verdict="late"}') == "21"
    assert sample(text, 'doorstep_door_calls_in_hand{kind="ops"}') == "2", "a dead one's calls are in nobody's hand"


def test_a_label_that_is_not_listed_never_leaves() -> None:
    with pytest.raises(KeyError):
        Board([VERDICTS]).add(VERDICTS, "MX-1")
    with pytest.raises(EgressRefused):
        line(VERDICTS, VERDICTS.name, {"verdict": "0190b8c1-0000-7000-8000-000000000000"}, 1)
    with pytest.raises(EgressRefused):
        line(VERDICTS, VERDICTS.name, {"agency": "late"}, 1)


@pytest.mark.parametrize(("code", "shown"), [(200, "2xx"), (304, "3xx"), (401, "401"), (410, "4xx"), (429, "429"), (460, "4xx"), (500, "5xx"), (503, "503")])  # fmt: skip
def test_statuses_that_say_something_of_load_stand_alone(code: int, shown: str) -> None:
    assert status_of(code) == shown and shown in DOOR_CALLS.labels["status"]


def token_file(folder: Path, text: str = TOKEN, mode: int = 0o600) -> Path:
    path = folder / "metrics.token"
    path.write_text(text + "\n")
    path.chmod(mode)
    return path


def asked(at: MetricsAt, path: str = "/metrics", authorization: str = "") -> tuple[str, bytes]:
    said: list[str] = []

    def start(status: str, _headers: list[tuple[str, str]]) -> None:
        said.append(status)

    application: Callable[..., Any] = metrics_app(at, lambda: "doorstep_phones 1\n")
    request = {"PATH_INFO": path, "REQUEST_METHOD": "GET", "HTTP_AUTHORIZATION": authorization}
    body = b"".join(application(request, start))
    return said[0], body


def test_metrics_are_served_on_loopback_or_to_who_has_the_token(tmp_path: Path) -> None:
    assert metrics_at({}) is None
    local = metrics_at({"DOORSTEP_METRICS_LISTEN": "127.0.0.1:9464"})
    assert local == MetricsAt("127.0.0.1", 9464) and asked(local) == ("200 OK", b"doorstep_phones 1\n")
    assert asked(local, "/")[0] == "404 Not Found"
    file = token_file(tmp_path)
    env = {"DOORSTEP_METRICS_LISTEN": "0.0.0.0:9464", "DOORSTEP_METRICS_TOKEN_FILE": str(file)}
    guarded = metrics_at(env)
    assert guarded is not None
    assert asked(guarded, authorization=f"Bearer {TOKEN}")[0] == "200 OK"
    for wrong in ("", TOKEN, "Bearer ", f"Bearer {TOKEN}x"):
        assert asked(guarded, authorization=wrong) == ("401 Unauthorized", b"")
    file.write_text("n" * 30)
    assert asked(guarded, authorization=f"Bearer {TOKEN}")[0] == "401 Unauthorized", "a new token counts at once"
    file.unlink()
    assert asked(guarded, authorization="Bearer ")[0] == "401 Unauthorized"


def test_a_process_does_not_start_with_metrics_for_everybody(tmp_path: Path) -> None:
    for where in ("0.0.0.0:9464", "[::]:9464", "metrics.internal:9464", "9464", "127.0.0.1:0", "127.0.0.1:x"):
        with pytest.raises(StartRefused):
            metrics_at({"DOORSTEP_METRICS_LISTEN": where})
    for file in (tmp_path / "none", token_file(tmp_path, "short"), token_file(tmp_path, mode=0o644)):
        with pytest.raises(StartRefused):
            metrics_at({"DOORSTEP_METRICS_LISTEN": "127.0.0.1:9464", "DOORSTEP_METRICS_TOKEN_FILE": str(file)})


def test_each_part_has_a_port_of_its_own() -> None:
    env = {"DOORSTEP_METRICS_LISTEN": "[::1]:9464"}
    assert [part_environment(env, part)["DOORSTEP_METRICS_LISTEN"] for part in ("door", "office", "worker")] == [
        "[::1]:9464", "[::1]:9465", "[::1]:9466",
    ]  # fmt: skip
    assert part_environment({}, "door") == {}
