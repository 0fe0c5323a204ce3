"""A server restored from an older backup is fed again by the phones and by nothing else: nothing is lost, and what was
decided since holds before anything is served."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import select
from whole_house import WholeHouse, journalled_house, waiting, work_at

from doorstep.postgres import EmbeddedPostgres
from field_api.domain.vocabulary import HoldKind
from field_api.platform.clock import SystemClock
from field_api.platform.database import transaction
from field_api.platform.wiring import office_keys
from field_api.records.accounts import Hold
from field_api.usecases.lift_hold import lift_hold
from field_api.usecases.place_hold import place_hold
from sync.office.devices import revoke_device
from sync.phone import Phone
from sync.phone.errors import Revoked

pytestmark = pytest.mark.xdist_group("whole_house")


@pytest.fixture
def house(tmp_path: Path) -> Iterator[WholeHouse]:
    with journalled_house(tmp_path) as house:
        yield house


def _place_hold(house: WholeHouse, account: UUID) -> UUID:
    with transaction(house.agency) as session:
        return place_hold(
            session, kind=HoldKind.DISPUTE, reason="letter", now=SystemClock().now(), account_id=account
        ).id  # fmt: skip


def _revoke(house: WholeHouse, phone: Phone) -> None:
    with transaction(house.agency) as session:
        keys = office_keys().of(house.agency)
        revoke_device(session, keys, UUID(phone.handset.device), "stolen", now=SystemClock().now())


def test_what_phones_recorded_after_the_backup_comes_again_and_what_was_decided_since_holds(house: WholeHouse) -> None:
    ops: set[str] = set()
    with house.open() as server:
        house.furnish(agents=3, visits=3)
        house.serve(server)
        with house.enrol(0, "first") as first, house.enrol(1, "stolen") as stolen:
            (_, mine, accounts), (_, theirs, _) = house.agents[:2]
            saved = work_at(first, mine[0])
            first.push()
            assert len(waiting(first)) == len(saved)  # receipted, and kept: nothing is durable yet
            house.work()
            told = house.back_up()
            assert "durable statements: 1 phones" in told
            first.pull()
            assert waiting(first) == set()  # a verified backup has them

            after = [*work_at(first, mine[1]), *work_at(stolen, theirs[0])]
            first.push()
            stolen.push()
            house.work()
            first.pull()
            kept = _place_hold(house, accounts[2])
            lifted = _place_hold(house, accounts[1])
            with transaction(house.agency) as session:
                lift_hold(session, lifted, reason="a mistake", now=SystemClock().now(), lifted_by=None)
            _revoke(house, stolen)
            with house.enrol(2, "newcomer") as newcomer:
                after += work_at(newcomer, house.agents[2][1][0])
                newcomer.push()
                house.work()
                after += work_at(newcomer, house.agents[2][1][1])  # nobody was told of these
            after += work_at(first, mine[2])  # and of these: there is a hold there, which this phone has not heard of
        ops |= {*saved, *after}
        before = house.devices()
        house.burn()
    assert not house.home.exists()

    told = house.restore()
    assert "1 phones back, 1 revoked again, 2 holds placed again, 1 lifted" in told
    with house.open() as server:
        with transaction(house.agency) as session:
            stands = {row.id: row.lifted_at is None for row in session.scalars(select(Hold))}
        assert stands == {kept: True, lifted: False}  # before the door has opened
        assert house.visit_state(mine[2]) == "withdrawn"
        devices = house.devices()
        assert set(devices) == set(before)
        assert all(devices[one].epoch > before[one].epoch for one in before)
        assert [one.state for one in devices.values()].count("revoked") == 1
        house.serve(server)
        assert set(house.inbox()) == set(saved)

        with house.phone("first") as first, house.phone("newcomer") as newcomer:
            for phone in (first, newcomer):
                phone.push()
                assert phone.pull().snapshots == 1
            assert mine[2] not in {stop.visit for stop in first.today()}
            assert first.status()["epoch"] == devices[first.handset.device].epoch
        with house.phone("stolen") as stolen:
            stolen.push()
            with pytest.raises(Revoked):
                stolen.pull()
            assert stolen.is_wiped
        house.work()

        inbox = house.inbox()
        assert set(inbox) == ops
        quarantined = {op for op, (state, _) in inbox.items() if state == "quarantined"}
        assert {inbox[op][1] for op in quarantined} == {"device-revoked"}
        assert len(quarantined) == 3  # what the stolen phone recorded
        assert {state for state, _ in inbox.values()} == {"applied", "late", "quarantined"}
        effects = house.effects()
        assert set(effects.values()) == {1}
        assert {op for op, _ in effects} >= ops - quarantined

        with house.phone("first") as first:
            assert len(waiting(first)) == 6  # what was durable before the restore is so no more, until a backup says it
            house.back_up()
            first.pull()
            assert waiting(first) == set()


def test_a_restore_refuses_what_it_must(house: WholeHouse, tmp_path: Path) -> None:
    with house.open():
        house.furnish(agents=1, visits=1)
        house.back_up()
        shutil.copytree(house.folder / "elsewhere" / "main", tmp_path / "older")
        house.back_up()
    assert "is not empty" in house.restore(fails=True)
    EmbeddedPostgres(house.home).destroy()
    shutil.rmtree(house.home)

    older = str(next((tmp_path / "older").glob("doorstep-2*")))
    assert "is a later verified backup" in house.restore("--from", older, fails=True)
    (house.folder / "passphrase").unlink()
    main, keys = house.newest("main", "doorstep-"), house.newest("keys", "doorstep-keys-")
    wrong = tmp_path / "wrong"
    wrong.write_text("another passphrase")
    wrong.chmod(0o644)
    arguments = ("restore", "--from", str(main), "--keys-from", str(keys), "--passphrase-file", str(wrong))
    assert "may be read by others" in house.run(*arguments, fails=True)
    wrong.chmod(0o600)
    assert "does not open with this passphrase" in house.run(*arguments, fails=True)

    dump = main / "database.dump"
    whole = dump.read_bytes()
    dump.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    assert "is not what was saved" in house.restore(fails=True)
    dump.write_bytes(whole)
    (main / "more").write_bytes(b"")
    assert "is not what was saved" in house.restore(fails=True)
    (main / "more").unlink()
    journal = house.journal.directory / f"{house.agency}.journal"
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(lines[1:]))
    assert "before line 1 something was changed or taken out" in house.restore(fails=True)
    journal.write_bytes(b"".join(lines))
    assert not (house.home / "keys").exists()
    assert "restored" in house.restore()


@pytest.mark.prove
@pytest.mark.parametrize("seed", range(6))
def test_whatever_phones_did_around_a_backup_nothing_is_lost(house: WholeHouse, seed: int) -> None:
    chance = random.Random(seed)
    created: set[str] = set()
    names = ["a", "b", "c"]
    with house.open() as server:
        house.furnish(agents=4, visits=8)
        house.serve(server)
        for number, name in enumerate(names):
            house.enrol(number, name).close()
        for turn in range(12):
            number = chance.randrange(len(names))
            with house.phone(names[number]) as phone:
                left = [stop.visit for stop in phone.today()]
                if left:
                    created |= set(work_at(phone, chance.choice(left), chance.randrange(3)))
                if chance.random() < 0.7:
                    phone.push()
                    house.work()
                    phone.pull()
            if turn in (3, 7):
                house.back_up()
            if turn == 9:
                house.enrol(3, "d").close()
                names.append("d")
        house.burn()
    house.restore()
    with house.open() as server:
        house.serve(server)
        for name in names:
            with house.phone(name) as phone:
                phone.push()
                phone.pull()
        house.work()
        assert set(house.inbox()) == created
        assert set(house.effects().values()) == {1}
        house.back_up()
        for name in names:
            with house.phone(name) as phone:
                phone.pull()
                assert waiting(phone) == set()
