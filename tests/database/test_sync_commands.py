"""`doorstep device` and `doorstep audit` as an operator runs them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

import pytest
from click.testing import CliRunner, Result

from doorstep.commands.audit import audit
from doorstep.commands.device import device
from field_api.platform.clock import SystemClock
from field_api.platform.sealing import b64u
from field_api.platform.wiring import office_keys
from tests.sync_day import Day

pytest_plugins = ["tests.door_fixtures"]


@pytest.fixture
def run(day: Day, monkeypatch: pytest.MonkeyPatch):
    @contextmanager
    def here() -> Iterator[UUID]:
        yield day.agency

    for command in ("device", "audit"):
        monkeypatch.setattr(f"doorstep.commands.{command}.office_context", here)

    def invoke(command, *arguments: str) -> Result:
        return CliRunner().invoke(command, arguments)

    return invoke


def test_a_phone_is_enrolled_listed_and_revoked(day: Day, run) -> None:
    day.clock.moment = SystemClock().now()  # commands live in the present
    printed = run(device, "enrol", "--agent", "MX-1")
    assert printed.exit_code == 0, printed.output
    line, by_hand = printed.output.splitlines()
    assert line.partition("#")[2] in by_hand
    phone = day.claim(line)
    assert run(device, "list").output.split()[:3] == [str(phone.device), "MX-1", "active"]
    assert run(device, "revoke", str(phone.device), "--reason", "lost").exit_code == 0
    assert "revoked" in run(device, "list").output
    assert phone.call("GET", "/phone/v1/feed").json["code"] == "device-revoked"


def test_the_log_is_exported_and_verified_and_a_changed_file_fails(day: Day, run, tmp_path: Path) -> None:
    day.enrol()
    file, root = tmp_path / "log.jsonl", b64u(office_keys().of(day.agency).root_public)
    exported = run(audit, "export", "--out", str(file))
    assert exported.exit_code == 0, exported.output
    assert root in exported.output
    assert run(audit, "verify", str(file), "--root", root).exit_code == 0
    file.write_bytes(b"".join(file.read_bytes().splitlines(keepends=True)[:-2]))
    broken = run(audit, "verify", str(file), "--root", root)
    assert broken.exit_code == 1
    assert "missing" in broken.output
    assert run(audit, "verify", str(file), "--root", "?").exit_code == 2
