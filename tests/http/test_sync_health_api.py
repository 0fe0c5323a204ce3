"""How phones are doing, as the office's people see it: the list, the status page, the command."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask

from doorstep.commands.sync import age, line_of, needs_a_look, told
from field_api.platform.clock import SetClock
from field_api.platform.database import transaction
from sync.office.sync_health import all_healths, overview
from tests.office_client import OfficeClient
from tests.planning_world import statements
from tests.sync_day import Day

pytest_plugins = ["tests.door_fixtures"]
AsRole = Callable[..., OfficeClient]


@pytest.fixture
def office_now(office: Flask, clock: SetClock) -> SetClock:
    """The office's clock is the door's."""
    office.extensions["doorstep.clock"] = clock
    return clock


def test_every_phone_is_listed_with_what_waits(as_role: AsRole, day: Day, office_now: SetClock) -> None:
    phone = day.enrol()
    phone.push(phone.operation("telepathy", {}, visit=day.visits[0], av=1))
    day.work()
    office_now.advance(timedelta(minutes=1))
    phone.call("GET", "/phone/v1/ops/state", query="newest=3", created=int(office_now.now().timestamp()) + 900)
    for role in ("dispatcher", "manager", "admin"):
        (line,) = as_role(role).get("/api/v1/sync-health").json["items"]
        assert line["device_id"] == str(phone.device) and line["agent"] == "MX-1"
        assert (line["waiting_ops"], line["quarantined"], line["unapplied"]) == (2, 1, 0)
        assert (line["clock_ahead_s"], line["clock_off"], line["silent"]) == (900, True, False)
        assert datetime.fromisoformat(line["last_contact_at"]) == office_now.now()
    assert as_role("controller").get("/api/v1/sync-health").status_code == 403


def test_pages_of_it_take_the_same_statements(office_client: OfficeClient, office: Flask, day: Day) -> None:
    def asked(path: str) -> tuple[dict, int]:
        with office.app_context(), statements() as seen:
            answer = office_client.get(path)
        assert answer.status_code == 200, answer.text
        return answer.json, len(seen)

    day.enrol()
    one, few = asked("/api/v1/sync-health?limit=2")
    for _ in range(3):
        day.enrol()
    first, many = asked("/api/v1/sync-health?limit=2")
    rest, _ = asked(f"/api/v1/sync-health?limit=2&after={first['next']}")
    assert (len(one["items"]), many) == (1, few)
    assert len({line["device_id"] for line in first["items"] + rest["items"]}) == 4 and rest["next"] is None


def test_a_revoked_phone_is_nobodys_worry(office_client: OfficeClient, day: Day) -> None:
    phone = day.enrol()
    office_client.post(f"/api/v1/devices/{phone.device}/revoke", json={"reason": "lost"})
    assert office_client.get("/api/v1/sync-health").json["items"] == []


def test_the_status_page_shows_silent_phones(office_client: OfficeClient, day: Day, office_now: SetClock) -> None:
    phone = day.enrol()
    page = office_client.get("/console/").text
    assert "Phones and sync" in page and "all 1" in page and "0 silent" in page
    office_now.advance(timedelta(days=2))
    page = office_client.get("/console/").text
    assert "1 silent" in page and str(phone.device)[:8] in page and "silent, 2026-11-18 15:00:00" in page


def test_the_command_tells_the_whole_and_names_who_needs_a_look(day: Day, clock: SetClock) -> None:
    phone = day.enrol()
    clock.advance(timedelta(minutes=1))
    phone.call("GET", "/phone/v1/ops/state", query="newest=4", created=int(clock.now().timestamp()))
    phone.push(phone.operation("arrived", {"position": None}, visit=day.visits[0], av=1))
    now = clock.now() + timedelta(minutes=17)
    with transaction(day.agency) as session:
        (one,) = found = all_healths(session, now=now)
    lines = told(overview(found), now)
    assert lines[:2] == [
        "1 phones, 0 silent, 0 with a wrong clock",
        "3 operations wait on phones, 1 here (oldest 17 min)",
    ]
    assert not needs_a_look(one)
    assert line_of(one, now).startswith(f"{phone.device}  MX-1       heard 17 min ago  3 on it  1 unapplied, 0 held")
    with transaction(day.agency) as session:
        (later,) = all_healths(session, now=now + timedelta(days=3))
    assert needs_a_look(later) and line_of(later, datetime(2026, 11, 21, 16, tzinfo=UTC)).endswith("SILENT")


@pytest.mark.parametrize(
    ("seconds", "shown"), [(-5, "0 s"), (59, "59 s"), (3_599, "59 min"), (86_399, "23 h"), (2e5, "2 d")]
)
def test_ages_are_told_in_one_unit(seconds: float, shown: str) -> None:
    assert age(timedelta(seconds=seconds)) == shown
