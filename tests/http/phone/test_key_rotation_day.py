"""Keys are replaced by the operator's command while a phone is away: through the real door, nothing is lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

import pytest
from click.testing import CliRunner, Result
from phone_day_world import PhoneDay
from sqlalchemy import func, select

from doorstep.commands.keys import keys
from field_api.platform import keyring_files
from field_api.platform.clock import SystemClock
from field_api.platform.database import transaction
from field_api.platform.devices import Device
from field_api.platform.settings import Settings
from field_api.platform.wiring import office_keys
from field_api.records.changes import Change
from sync.mailbox import InboxOp
from sync.office.audit import export_log
from sync.office.audit_verify import verify_export
from sync.office.devices import revoke_device
from sync.office.quarantine import operations_without_effect
from sync.phone import Phone, Revoked

Run = Callable[..., Result]


@pytest.fixture
def run(day: PhoneDay, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Run:
    """`doorstep keys …` in this process; every process reads a replaced key file at once."""

    @contextmanager
    def here() -> Iterator[UUID]:
        yield day.agency

    monkeypatch.setattr("doorstep.commands.keys.office_context", here)
    monkeypatch.setenv("DOORSTEP_HOME", str(settings.home))
    monkeypatch.setattr(keyring_files, "LOOK_S", 0.0)

    def invoke(*arguments: str) -> Result:
        done = CliRunner().invoke(keys, arguments)
        assert done.exit_code == 0, (done.output, done.exception)
        return done

    return invoke


def in_use(run: Run) -> dict[str, str]:
    """Key id by role, as the list tells."""
    lines = [line.split() for line in run("list").output.splitlines()]
    return {line[0]: line[1] for line in lines if line[2:4] == ["in", "use"]}


def test_thirty_operations_sealed_to_a_retired_key_apply_after_two_rotations_of_everything(
    day: PhoneDay, phone: Phone, run: Run
) -> None:
    for number in range(30):
        phone.note(day.visits[number % 2], f"word {number}")
    phone.close()
    before = in_use(run)
    for _ in range(2):
        for role in ("sealing", "office", "door", "root"):
            assert "announced" in run("rotate", role).output
        day.work()
    after = in_use(run)
    assert all(before[role] != after[role] for role in ("root", "office", "sealing", "door"))
    assert run("list").output.endswith("to be announced: 0   agents whose phones are still to be told: 0\n")
    with day.open() as back:
        pushed = back.push()
        assert (pushed.received, pushed.waiting) == (30, 30)
        day.work()
        back.pull()
        assert day.inbox() == [(seq, "applied", None) for seq in range(1, 31)]
        assert back.status()["verdicts"] == {"applied": 30}
        assert back.push().waiting == 0, "the durable statement of the new key covers them"
        back.note(day.visits[0], "sealed to the newest key")
        assert back.handset.trust.newest("sealing", back.handset.moment()).kid == after["sealing"]
        assert back.push().received == 1
        day.work()
        assert day.inbox()[-1] == (31, "applied", None)
    with transaction(day.agency) as session:  # the newest checkpoint may be by any of the keys
        office = office_keys().of(day.agency)
        assert verify_export(export_log(session, office, now=SystemClock().now()), office.root_public).findings == []


def test_a_phone_that_enrols_after_rotations_works_at_once(day: PhoneDay, run: Run) -> None:
    for role in ("root", "office", "sealing", "door"):
        run("rotate", role)
        day.work()
    with day.enrol() as phone:
        day.work()
        phone.pull()
        assert len(phone.today()) == 2
        phone.note(day.visits[0], "first")
        assert phone.push().received == 1
        run("rotate", "office")
        day.work()
        phone.pull()
        assert phone.status()["verdicts"] == {"applied": 1}


def test_the_root_may_lie_on_another_machine(
    day: PhoneDay, phone: Phone, run: Run, settings: Settings, tmp_path: Path
) -> None:
    safe = tmp_path / "safe"
    safe.mkdir()
    root = safe / f"{day.agency}.json"
    (settings.root_keys / root.name).rename(root)
    request, certified = tmp_path / "request.json", tmp_path / "certified.json"
    for role, options in (("office", ()), ("root", ("--new-root",)), ("door", ())):
        before = in_use(run)[role]
        asked = run("request", role, "--out", str(request)).output.splitlines()[0]
        seen = run("certify", str(request), "--root", str(root), "--out", str(certified), *options).output
        assert asked in seen, "the operator compares what both machines print"
        for file in (request, certified):
            assert '"private"' not in file.read_text()
        run("install", str(certified))
        day.work()
        assert in_use(run)[role] != before
    refused = CliRunner().invoke(keys, ["rotate", "office"])
    assert refused.exit_code == 1 and "no keys at root/" in refused.output
    phone.note(day.visits[0], "kept")
    assert phone.push().received == 1


def test_an_install_that_died_before_its_announcement_is_announced_later(
    day: PhoneDay, phone: Phone, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = in_use(run)["office"]
    with monkeypatch.context() as patch:
        patch.setattr("doorstep.commands.keys._announce", lambda files, agency: None)
        run("rotate", "office")
    day.work()
    assert in_use(run)["office"] == before, "nobody was told, so it signs nothing"
    assert "to be announced: 1" in run("list").output
    assert "1 announced to the phones of 1 agents" in run("announce").output
    assert "0 announced" in run("announce").output
    day.work()
    assert in_use(run)["office"] != before
    assert phone.pull().items == 1


def test_the_new_key_signs_nothing_while_one_feed_lacks_it(day: PhoneDay, phone: Phone, run: Run) -> None:
    before = in_use(run)["office"]
    run("rotate", "office")
    later = SystemClock().now().replace(year=2100)
    with transaction(day.agency) as session:
        for row in session.scalars(select(Change).where(Change.kind == "keys")):
            row.retry_at = later
    day.work()
    assert in_use(run)["office"] == before
    with transaction(day.agency) as session:
        for row in session.scalars(select(Change).where(Change.kind == "keys")):
            row.retry_at = None
    day.work()
    assert in_use(run)["office"] != before
    assert phone.pull().items == 1


def test_a_revoked_phone_is_wiped_by_a_key_it_never_heard_of_and_its_agent_goes_on_with_another(
    day: PhoneDay, phone: Phone, run: Run, tmp_path: Path
) -> None:
    for number in range(3):
        phone.note(day.visits[0], f"recorded before the loss {number}")
    device = UUID(phone.handset.device)
    for role in ("office", "door"):
        run("rotate", role)
        day.work()
    now = SystemClock().now()
    day.change(lambda session: revoke_device(session, office_keys().of(day.agency), device, "lost", now=now))
    with pytest.raises(Revoked) as refused:
        phone.pull()
    assert refused.value.wiped and phone.today() == [] and len(phone.queue()) == 3
    assert phone.push().received == 3, "nothing recorded is lost"
    day.work()
    assert day.inbox() == [(seq, "quarantined", "device-revoked") for seq in (1, 2, 3)]
    with transaction(day.agency) as session:  # what staff read
        rows = session.execute(operations_without_effect()).all()
        assert sorted((row.seq, row.reason) for row in rows) == [(seq, "device-revoked") for seq in (1, 2, 3)]
    elsewhere = PhoneDay(day.app, day.agency, day.agent, day.visits, day.people, tmp_path / "second")
    elsewhere.folder.mkdir()
    with elsewhere.enrol() as second:
        day.work()
        second.pull()
        assert [stop.visit for stop in second.today()] == day.visits
        second.note(day.visits[1], "goes on")
        assert second.push().received == 1
    with transaction(day.agency) as session:
        states = dict(session.execute(select(Device.state, func.count()).group_by(Device.state)).all())
        assert states == {"active": 1, "revoked": 1}
        assert session.scalar(select(func.count()).select_from(InboxOp).where(InboxOp.device_id != device)) == 1
    with pytest.raises(Revoked):
        phone.pull()
