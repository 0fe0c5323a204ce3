"""What was erased after the backup is erased again before anything is served, and its phone cannot bring it back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select
from whole_house import WholeHouse, journalled_house, waiting, work_at

from doorstep.backup.contents import check_operations, connect
from field_api.platform.clock import SystemClock
from field_api.platform.database import transaction
from field_api.platform.wiring import office_keys
from field_api.records.agency import Agency
from field_api.records.log import LogEntry
from field_api.usecases.note_decision import note_decision
from sync.mailbox import InboxOp
from sync.office.audit import export_log
from sync.office.audit_verify import verify_export
from sync.office.erase_entry import erase_entry
from sync.office.log import sequence_log

pytestmark = pytest.mark.xdist_group("whole_house")


@pytest.fixture
def house(tmp_path: Path) -> Iterator[WholeHouse]:
    with journalled_house(tmp_path) as house:
        yield house


def _erase(house: WholeHouse, op: str) -> None:
    now = SystemClock().now()
    with transaction(house.agency) as session:
        found = select(LogEntry.number).where(LogEntry.ref.endswith(f"/{op}"), LogEntry.number.is_not(None))
        decision = note_decision(session, now, "erased", {"op": op})
        erase_entry(session, session.scalars(found.limit(1)).one(), decision, now=now)


def _contents(house: WholeHouse) -> dict[str, tuple[str, int]]:
    """By operation: its state, and how many bytes of it there are."""
    with transaction(house.agency) as session:
        rows = session.scalars(select(InboxOp)).all()
        return {str(row.op_id): (row.state, len(row.protected) + len(row.ct) + len(row.sig)) for row in rows}


def test_a_row_erased_after_the_backup_stays_erased_also_where_the_backup_lacks_it(house: WholeHouse) -> None:
    with house.open() as server:
        house.furnish(agents=1, visits=3)
        with transaction(house.agency) as session:
            session.get_one(Agency, house.agency).policy = {}  # durable when committed: it may be erased at once
        house.serve(server)
        _, visits, _ = house.agents[0]
        with house.enrol(0, "phone") as phone:
            before = work_at(phone, visits[0])
            phone.push()
            house.work()
            house.back_up()
            after = work_at(phone, visits[1])
            phone.push()
            house.work()
            erased = {before[1], after[1]}
            for op in erased:
                _erase(house, op)
            assert waiting(phone) == {*before, *after}, "it has not read yet that it may delete"
        house.burn()

    assert "2 photographs and rows erased again" in house.restore()
    with house.open() as server:
        found = _contents(house)  # before the door has opened
        assert {op for op, kept in found.items() if kept == ("erased", 0)} == erased
        assert set(found) == {*before, after[1]}
        house.serve(server)
        with house.phone("phone") as phone:
            phone.push()
            house.work()
            found = _contents(house)
            assert {op for op, kept in found.items() if kept == ("erased", 0)} == erased
            assert {state for op, (state, _) in found.items() if op not in erased} == {"applied"}
            assert set(found) == {*before, *after}
            assert phone.pull().snapshots == 1
            assert waiting(phone) == set(), "an erased number is no gap"
        with connect(server.conninfo("owner")) as owner:
            check_operations(owner)
        with transaction(house.agency) as session:
            office = office_keys().fresh(house.agency)
            sequence_log(session, office, now=SystemClock().now())
        with transaction(house.agency) as session:
            report = verify_export(export_log(session, office, now=SystemClock().now()), office.root_public)
            assert report.findings == []
            assert len(report.erasures) == 2  # leaf and receipt of the one that the backup has
            decided = session.scalars(select(LogEntry.detail).where(LogEntry.kind == "decision")).all()
            assert [each["decision"] for each in decided].count("erased-again") == 2
