"""A core dump of the living door holds no key that opens anything, no office password and nothing of a debt.

The office's own memory, searched in the same way for the same things, is the positive control.
"""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import requests
from flask import Flask
from process_memory import found_in_memory
from sqlalchemy import select

from doorstep.serve import Part, running, wait_until_ready
from doorstep.server import Server
from field_api.platform.clock import SystemClock
from field_api.platform.database import transaction
from field_api.platform.sealing import from_b64u
from field_api.platform.settings import Settings
from field_api.platform.wiring import office_keys
from field_api.records.accounts import Account
from field_api.usecases.issue_api_token import issue_api_token
from sync.office.enrolment import issue_enrolment
from sync.phone import Patience, Phone
from tests.sync_day import Day

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
OPTIONS = "Cuatro mensualidades canario-8d1f"
REFERENCE = "CANARIO-REF-5c0e77"


@pytest.fixture
def settings(database: Server, tmp_path: Path) -> Settings:
    return Settings(tmp_path / "home", database.url("office"), f"http://{_free()}", f"http://{_free()}")


def _free() -> str:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return f"127.0.0.1:{probe.getsockname()[1]}"


@pytest.fixture
def parts(app: Flask, agency: UUID, settings: Settings, database: Server) -> Iterator[dict[str, Part]]:
    """Door and office as production runs them: processes of their own, each with its own role."""
    told = {
        name: value for name, value in os.environ.items() if not name.startswith(("DOORSTEP_", "DATABASE_URL", "PG"))
    } | {
        "DOORSTEP_HOME": str(settings.home),
        "DOORSTEP_DOOR_URL": settings.door_url,
        "DOORSTEP_OFFICE_URL": settings.office_url,
    }  # fmt: skip
    both = [
        Part(role, ["doorstep.cli", "serve", role], told | {"DOORSTEP_DATABASE_URL": database.url(role)}, url)
        for role, url in (("door", settings.door_url), ("office", settings.office_url))
    ]
    with running(both):
        wait_until_ready(both)
        yield {part.name: part for part in both}


@pytest.fixture
def day(app: Flask, agency: UUID, parts: dict[str, Part]) -> Day:
    day = Day(app, agency, None, SystemClock())
    with transaction(agency) as session:
        for number, account in enumerate(session.scalars(select(Account))):
            account.options, account.reference = OPTIONS, f"{REFERENCE}{number}"
    return day


def test_the_doors_memory_opens_nothing(
    app: Flask, agency: UUID, day: Day, parts: dict[str, Part], settings: Settings, database: Server, tmp_path: Path
) -> None:
    _work_a_day(day, tmp_path)
    _read_accounts(agency, settings)
    secrets = _secrets(agency, settings, database)
    own = _forms(_stored(settings.home / "keys" / "door", agency)["private"])
    try:
        door = found_in_memory(_pid(parts["door"]), secrets | {"the door's own key": own})
        office = found_in_memory(_pid(parts["office"]), secrets)
    except PermissionError:
        pytest.skip("this kernel forbids reading a child's memory (ptrace_scope)")
    assert door == {"the door's own key"}
    assert office == set(secrets) - {"the root key"}


def _work_a_day(day: Day, folder: Path) -> None:
    """Enrolment, sheet, operations, receipts: the door has signed, stored and served."""
    with transaction(day.agency) as session:
        line = issue_enrolment(session, office_keys().of(day.agency), day.agent, now=SystemClock().now()).line
    patience = Patience(tries=6, sleep=lambda _seconds: day.work())
    with Phone.enrol(folder / "phone", "correct horse", line, patience=patience, scrypt_cost=2**4) as phone:
        day.work()
        assert phone.pull().items > 0
        phone.arrive(str(day.visits[0]))
        phone.record_outcome(str(day.visits[0]), "nobody_there")
        phone.push()
        day.work()


def _read_accounts(agency: UUID, settings: Settings) -> None:
    """The office opens a sealed column and shows it to somebody who may see it."""
    wanted = frozenset({"accounts.read"})
    with transaction(agency) as session:
        token = issue_api_token(session, name="t", permissions=wanted, allowed=wanted, now=SystemClock().now())
    answer = requests.get(
        f"{settings.office_url}/api/v1/accounts", headers={"Authorization": f"Bearer {token}"}, timeout=10
    )
    assert answer.ok and OPTIONS in answer.text


def _secrets(agency: UUID, settings: Settings, database: Server) -> dict[str, frozenset[bytes]]:
    office = _stored(settings.home / "keys" / "office", agency)
    password = database.passfile("office").read_text().strip().rpartition(":")[2]
    return {
        "the office's signing key": _forms(office["signing"]["private"]),
        "the agency's sealing key": _forms(office["sealing"][0]["private"]),
        "the column key": _forms(office["column"]),
        "the root key": _forms(_stored(settings.home / "keys" / "root", agency)["private"]),
        "the office's database password": frozenset({password.encode()}),
        "an account's reference": _texts(REFERENCE),
        "what the creditor offers": _texts(OPTIONS),
    }


def _stored(directory: Path, agency: UUID) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((directory / f"{agency}.json").read_text())
    return content


def _forms(text: str) -> frozenset[bytes]:
    """A key as its file has it, as bytes, as a little-endian big number (how OpenSSL keeps one), as hexadecimal."""
    raw = from_b64u(text)
    return frozenset({text.encode(), raw, raw[::-1], raw.hex().encode()})


def _texts(text: str) -> frozenset[bytes]:
    return frozenset({text.encode(), text.encode("utf-16-le"), text.encode("utf-32-le")})


def _pid(part: Part) -> int:
    assert part.process is not None
    return part.process.pid
