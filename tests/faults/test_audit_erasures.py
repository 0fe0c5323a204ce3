"""A lawful erasure is told apart from tampering; one leaf is proven to somebody who has the root key alone."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

import pytest
from audit_world import AuditWorld
from click.testing import CliRunner
from sqlalchemy import delete, select, update

from doorstep.commands.audit import audit
from doorstep.server import Server
from field_api.platform.bounded_json import canonical
from field_api.platform.database import transaction
from field_api.platform.problems import Problem
from field_api.platform.sealing import b64u
from field_api.platform.settings import Settings
from field_api.platform.wiring import office_keys
from field_api.records.log import LogEntry
from field_api.usecases.note_decision import note_decision
from field_api.usecases.note_erasure import Erased, note_erasure
from media.office.records import Photo
from sync.mailbox import Durable, InboxOp, QuarantinedBytes
from sync.office.audit_proof import BadProof, prove_leaf, verify_proof
from sync.office.erase_entry import erase_again, erase_entry
from sync.office.quarantine import odd_bytes
from tests.sync_day import Day

pytest_plugins = ["tests.door_fixtures"]


@pytest.fixture
def world(day: Day, database: Server, settings: Settings) -> AuditWorld:
    return AuditWorld(day, database, settings.home)


def erase(world: AuditWorld, number: int) -> None:
    now = world.day.clock.now()
    with transaction(world.day.agency) as session:
        decision = note_decision(session, now, "erased", {"leaf": number})
        erase_entry(session, number, decision, now=now)
    world.sequence()


def test_an_operation_erased_by_a_decision_is_no_finding_and_leaves_nothing_behind(world: AuditWorld) -> None:
    number = world.number("inbox/", "op")
    erase(world, number)
    report = world.report(world.export())
    assert report.findings == []
    erasure = world.number("erasure/")
    assert [line.split(": ")[1] for line in report.erasures] == [f"erased by decision {erasure - 1}"] * 2
    with transaction(world.day.agency) as session:
        entries = session.scalars(select(LogEntry).where(LogEntry.number.in_((number, number + 1)))).all()
        assert {(entry.salt, entry.payload_sha256) for entry in entries} == {(None, None)}
        _, device, op = entries[0].ref.split("/")
        row = session.get_one(InboxOp, (world.day.agency, UUID(device), UUID(op)))
        assert (row.state, row.protected, row.ct, row.sig) == ("erased", b"", b"", b"")
        with pytest.raises(Problem, match="already-done"):
            erase_entry(session, number, "decision/x", now=world.day.clock.now())
        again = erase_again(session, {"ref": entries[0].ref}, now=world.day.clock.now())
        assert not again, "the journal's line was taken"


def test_the_place_of_an_erased_operation_stays_filled(world: AuditWorld) -> None:
    """Its phone may not have read yet that it may delete: it gets its receipt again, and the bytes stay erased."""
    phone, day = world.phone, world.day
    resent = phone.operation("arrived", {}, visit=day.visits[0], av=1)
    before = phone.push(resent)
    world.work()
    world.sequence()
    with transaction(day.agency) as session:
        row = session.scalars(select(InboxOp).order_by(InboxOp.seq.desc())).first()
        ref = f"inbox/{row.device_id}/{row.op_id}"
        number = session.scalars(select(LogEntry.number).where(LogEntry.ref == ref)).first()
    erase(world, number)
    assert phone.push(resent) == before
    later = phone.operation("arrived", {}, visit=day.visits[0], av=1)
    phone.push(later)
    with transaction(day.agency) as session:
        session.execute(delete(Durable))  # as a restore does: it is stated anew, from the first number on
    world.work()
    with transaction(day.agency) as session:
        assert session.scalars(select(InboxOp.ct).where(InboxOp.state == "erased")).all() == [b""]
        highest = session.scalars(select(InboxOp.seq).order_by(InboxOp.seq.desc())).first()
        assert session.scalars(select(Durable.durable_seq)).one() == highest
    assert world.report(world.export()).findings == []


def test_erased_bytes_that_were_no_operation_leave_their_place_and_no_line(world: AuditWorld) -> None:
    erase(world, world.number("quarantine/", "op"))
    with transaction(world.day.agency) as session:
        row = session.scalars(select(QuarantinedBytes)).one()
        assert (row.raw, row.status) == (b"", "erased")
        assert session.execute(odd_bytes()).all() == []
    assert world.report(world.export()).findings == []


def test_a_removal_without_a_decision_stays_a_finding_and_so_does_an_erasure_without_one(world: AuditWorld) -> None:
    number, now = world.number("quarantine/", "op"), world.day.clock.now()
    removed = "DELETE FROM mailbox.quarantine"
    forgotten = "UPDATE office.log_entry SET salt = NULL, payload_sha256 = NULL WHERE ref LIKE 'quarantine/%'"
    assert len([each for each in world.tampered(removed, forgotten) if each.endswith("its row is missing")]) == 2
    with transaction(world.day.agency) as session:
        ref = session.scalars(select(LogEntry.ref).where(LogEntry.number == number)).one()
        note_erasure(session, now, erased=ref, what=Erased.ROW, decided="decision/nobody")
    world.sequence()
    assert any("an erasure without a decision" in each for each in world.findings(world.export()))


def test_what_is_erased_and_there_again_is_a_finding(world: AuditWorld) -> None:
    number, now = world.number("inbox/", "op"), world.day.clock.now()
    with transaction(world.day.agency) as session:
        ref = session.scalars(select(LogEntry.ref).where(LogEntry.number == number)).one()
        decided = note_decision(session, now, "erased", {})
        note_erasure(session, now, erased=ref, what=Erased.ROW, decided=decided)
    world.sequence()
    assert any("and what it stands for is there" in each for each in world.findings(world.export()))


def test_an_operation_that_its_phone_still_has_is_not_erased(world: AuditWorld) -> None:
    now = world.day.clock.now()
    with transaction(world.day.agency) as session:
        session.execute(update(Durable).values(durable_seq=0))
        with pytest.raises(Problem, match="conflict"):
            erase_entry(session, world.number_in(session, "inbox/"), "decision/x", now=now)
        with pytest.raises(Problem, match="not-found"):
            erase_entry(session, 10**6, "decision/x", now=now)
        with pytest.raises(Problem, match="conflict"):
            erase_entry(session, world.number_in(session, "photo/"), "decision/x", now=now)
        session.rollback()


def test_a_destroyed_photograph_is_told_with_its_decision(world: AuditWorld) -> None:
    now = world.day.clock.now()
    with transaction(world.day.agency) as session:  # as media.office.destroy_photo does at its end
        session.execute(update(Photo).values(state="destroyed"))
        decided = note_decision(session, now, "photo-destroyed", {"photo": str(world.photo)})
        note_erasure(session, now, erased=f"photo/{world.photo}", what=Erased.PHOTOGRAPH, decided=decided)
    world.sequence()
    report = world.report(world.export())
    assert report.findings == []
    assert len(report.erasures) == 1 and "its photograph was erased by decision" in report.erasures[0]


def test_one_leaf_is_proven_and_every_flipped_byte_of_the_proof_is_refused(world: AuditWorld) -> None:
    keys, pick = office_keys().fresh(world.day.agency), random.Random(3)
    with transaction(world.day.agency) as session:
        proofs = [prove_leaf(session, keys, which) for which in (0, world.number_in(session, "photo/"), 258)]
        ref = session.scalars(select(LogEntry.ref).where(LogEntry.number == 0)).one()
        assert prove_leaf(session, keys, ref) == proofs[0]
        with pytest.raises(Problem, match="not-found"):
            prove_leaf(session, keys, 10**6)
    for data in proofs:
        proven = verify_proof(data, keys.root_public)
        assert json.loads(data)["leaf"]["number"] == proven.number < proven.size
        for _ in range(60):
            at, value = pick.randrange(len(data)), pick.randrange(1, 256)
            with pytest.raises(BadProof):
                verify_proof(data[:at] + bytes([data[at] ^ value]) + data[at + 1 :], keys.root_public)
        with pytest.raises(BadProof):
            verify_proof(data, keys.door_certificate.public)
        document = json.loads(data)
        for path in (
            document["inclusion"][:-1],
            [*document["inclusion"], b64u(bytes(32))],
            document["inclusion"][::-1],
        ):
            with pytest.raises(BadProof):
                verify_proof(canonical({**document, "inclusion": path}), keys.root_public)


def test_the_commands_prove_verify_and_fail_with_a_status(
    world: AuditWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def here() -> Iterator[UUID]:
        yield world.day.agency

    monkeypatch.setattr("doorstep.commands.audit.office_context", here)
    root, proof, log = b64u(office_keys().of(world.day.agency).root_public), tmp_path / "proof", tmp_path / "log"

    def run(*arguments: object) -> tuple[int, str]:
        done = CliRunner().invoke(audit, [str(each) for each in arguments])
        return done.exit_code, done.output

    assert run("prove", "5", "--out", proof)[0] == 0 and run("export", "--out", log)[0] == 0
    code, shown = run("verify-proof", proof, "--root", root)
    assert code == 0 and "leaf 5 (" in shown
    assert run("verify", log, "--root", root, "--seen", proof, "--seen", log)[0] == 0
    world.decide(1)
    later = tmp_path / "later"
    assert run("export", "--out", later)[0] == 0
    assert run("verify", later, "--root", root, "--seen", log)[0] == 0
    code, shown = run("verify", log, "--root", root, "--seen", later)
    assert code == 1 and "its end was cut off" in shown
    assert run("verify", log, "--root", root, "--seen", tmp_path / "none")[0] == 2
    proof.write_bytes(proof.read_bytes()[:-1])
    assert run("verify-proof", proof, "--root", root)[0] == 1
    assert run("verify-proof", proof, "--root", "?")[0] == 2
