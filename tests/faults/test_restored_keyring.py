"""A server restored with a keyring from before the last change of keys: refused, and gone on with only on one's word."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select
from whole_house import WholeHouse, work_at

from doorstep.backup.lost_keys import accepted_in
from doorstep.postgres import EmbeddedPostgres
from field_api.platform.clock import SystemClock
from field_api.platform.database import transaction
from field_api.platform.keyring import OfficeKeys
from field_api.platform.wiring import office_keys
from field_api.records.log import LogEntry
from sync.office.audit import export_log
from sync.office.audit_verify import verify_export
from sync.phone import Phone

pytestmark = pytest.mark.xdist_group("whole_house")


@pytest.fixture
def house(tmp_path: Path) -> Iterator[WholeHouse]:
    made = WholeHouse(tmp_path)
    yield made
    EmbeddedPostgres(made.home).destroy()


def _keys(house: WholeHouse) -> OfficeKeys:
    path = house.home / "keys" / "office" / f"{house.agency}.json"
    return OfficeKeys(house.agency, json.loads(path.read_text()))


def _sealed_to(phone: Phone) -> str:
    return phone.handset.trust.newest("sealing", phone.handset.moment()).kid


def _replace_keys(house: WholeHouse, *roles: str) -> dict[str, str]:
    """Key ids by role, when every feed has them and they are in use."""
    for role in roles:
        assert "1 announced" in house.run("keys", "rotate", role)
        house.work()
    keys = _keys(house)
    newest = {"office": keys.signing_certificate, "sealing": keys.sealing_certificate, "door": keys.door_certificate}
    return {role: newest[role].key_id for role in roles}


def _decisions(house: WholeHouse, decision: str) -> list[dict]:
    with transaction(house.agency) as session:
        details = session.scalars(select(LogEntry.detail).where(LogEntry.kind == "decision")).all()
        return [detail for detail in details if detail.get("decision") == decision]


def test_lost_keys_are_named_refused_and_replaced_before_phones_are_served(house: WholeHouse) -> None:
    house.journal.make()
    with house.open() as server:
        house.furnish(agents=2, visits=3)
        house.serve(server)
        with house.enrol(0, "early") as early:
            house.back_up()  # the keyring that will be all there is
            lost = _replace_keys(house, "sealing", "office", "door")
            early.pull()
            assert _sealed_to(early) == lost["sealing"]
            saved = work_at(early, house.agents[0][1][0])
            early.push()
            house.work()
            with house.enrol(1, "late") as late:  # was never told of the office key that signs after the restore
                unsent = work_at(late, house.agents[1][1][0])
            only_copy = house.newest("keys", "doorstep-keys-")
            house.back_up()
        house.burn()
    newer = house.newest("keys", "doorstep-keys-")
    newer.rename(house.folder / "mislaid")
    assert house.newest("keys", "doorstep-keys-") == only_copy

    refused = house.restore(fails=True)
    assert "phones were told of keys that this keyring lacks" in refused
    assert all(f"{role} {key}" in refused for role, key in lost.items()), refused
    assert "--although-keys-are-lost" in refused
    assert not (house.home / "keys").exists()

    told = house.restore("--although-keys-are-lost")
    new = _keys(house).sealing_certificate.key_id
    assert f"sealing: replaced by {new}" in told
    assert accepted_in(house.journal.read(_keys(house))) == set(lost.values())
    with house.open() as server:
        (decision,) = _decisions(house, "keys-lost")
        assert {each["role"]: each["key"] for each in decision["keys"]} == lost
        house.serve(server)
        with house.phone("early") as early, house.phone("late") as late:
            for phone in (early, late):
                phone.push()  # as they lie there, sealed to the lost key
                assert phone.pull().snapshots == 1
                assert _sealed_to(phone) == new
            after = [*work_at(early, house.agents[0][1][1]), *work_at(late, house.agents[1][1][1])]
            for phone in (early, late):
                phone.push()
            house.work()
        inbox = house.inbox()
        assert {inbox[op] for op in saved} == {("applied", None)}  # from the backup
        assert {inbox[op] for op in unsent} == {("quarantined", "cannot-open")}
        assert {inbox[op] for op in after} == {("applied", None)}
        with transaction(house.agency) as session:  # what the lost keys signed verifies
            office = office_keys().fresh(house.agency)
            lines = export_log(session, office, now=SystemClock().now())
            assert verify_export(lines, office.root_public).findings == []
