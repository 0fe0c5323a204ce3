"""What had no effect is looked at, tried again, put right, released or dismissed; others never wait without need."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, text

import sync.office.open_op
from field_api.platform.database import transaction
from field_api.platform.wiring import office_keys
from field_api.records.accounts import Hold
from field_api.records.log import LogEntry
from field_api.records.results import Promise
from field_api.records.visits import VisitEvent
from sync.mailbox import InboxOp
from sync.office.devices import revoke_device
from tests.door_client import Phone, b64u, sha256, un64
from tests.office_client import OfficeClient
from tests.sync_day import Day, pull, states

pytest_plugins = ["tests.door_fixtures"]
QUARANTINE = "/api/v1/quarantine"
CEASE = {
    "outcome": "client_located", "party": {"relation": "sought"}, "identified_by": "code",
    "results": [{"result": "cease_contact"}],
}  # fmt: skip
PROMISE = {
    "outcome": "client_located", "party": {"relation": "sought"}, "identified_by": "code",
    "results": [
        {"result": "promise", "kind": "partial", "amount": {"minor": 100, "currency": "MXN"}, "due_on": "2026-12-01"}
    ],
}  # fmt: skip


@pytest.fixture
def phone(day: Day) -> Phone:
    return day.enrol()


def id_of(operation: dict[str, str]) -> str:
    return str(json.loads(un64(operation["protected"]))["op"])


def place(phone: Phone, operation: dict[str, str], verb: str = "") -> str:
    return f"{QUARANTINE}/{phone.device}/{id_of(operation)}" + (f"/{verb}" if verb else "")


def decide(client: OfficeClient, phone: Phone, operation: dict[str, str], action: str) -> Any:
    return client.post(place(phone, operation, "decision"), json={"action": action, "reason": "visto"})


def decisions(day: Day) -> list[tuple[str, dict[str, Any]]]:
    with transaction(day.agency) as session:
        rows = session.scalars(select(LogEntry).where(LogEntry.kind == "decision").order_by(LogEntry.id)).all()
    return [
        (row.detail["decision"], row.detail) for row in rows if row.detail.get("decision", "").startswith("quarantine")
    ]


def verdicts(phone: Phone) -> dict[int, list[str]]:
    """What the phone was told about each seq, in order."""
    told: dict[int, list[str]] = {}
    for item in pull(phone)[0]:
        if item["kind"] == "verdict":
            told.setdefault(item["body"]["seq"], []).append(item["body"]["verdict"])
    return told


def test_a_look_tells_header_and_clocks_and_only_a_manager_sees_what_was_sealed(
    day: Day, phone: Phone, office_client: OfficeClient, as_role: Callable[..., OfficeClient]
) -> None:
    kept = phone.operation("telepathy", {"words": "secreto"}, visit=day.visits[0], av=1)
    waiting = phone.operation("note", {"words": "x"}, visit=day.visits[0], av=1, deps=(UUID(id_of(kept)),))
    phone.push(kept, waiting, {"ct": "secreto"})
    day.work()
    dispatcher = as_role("dispatcher")
    held = dispatcher.get(f"{QUARANTINE}?state=held").json["items"]
    assert [line["waits_for"] for line in held] == [[id_of(kept)]]
    seen = dispatcher.get(place(phone, kept))
    assert seen.status_code == 200, seen.text
    assert (seen.json["state"], seen.json["reason"]) == ("quarantined", "unknown-kind")
    assert (seen.json["claims"]["visit"], seen.json["claims"]["mono_ms"]) == (str(day.visits[0]), 1000)
    assert seen.json["waiting"] == [id_of(waiting)] and "secreto" not in seen.text
    assert dispatcher.get(place(phone, kept, "content")).status_code == 403
    assert decide(dispatcher, phone, kept, "dismiss").status_code == 403
    opened = office_client.get(place(phone, kept, "content")).json
    assert (opened["content"], opened["trouble"]) == ({"kind": "telepathy", "body": {"words": "secreto"}}, None)
    (odd,) = office_client.get(f"{QUARANTINE}/bytes").json["items"]
    shown = office_client.get(f"{QUARANTINE}/bytes/{odd['id']}/content").json
    assert (shown["trouble"], json.loads(shown["raw"])) == ("bad-form", {"ct": "secreto"})


def test_what_an_upgrade_knows_is_tried_again_all_at_once(
    day: Day, phone: Phone, office_client: OfficeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The office of yesterday did not know notes: with today's they take effect, and the phone is told anew."""

    class Yesterdays:
        def __call__(self, kind: str) -> Any:
            raise ValueError(kind)

    batch = [phone.operation("note", {"words": word}, visit=day.visits[0], av=1) for word in "ab"]
    with monkeypatch.context() as patch:
        patch.setattr(sync.office.open_op, "OpKind", Yesterdays())
        phone.push(*batch)
        day.work()
    assert states(day) == [("quarantined", "unknown-kind")] * 2
    body = {"code": "unknown-kind", "reason": "Version 2 kennt sie."}
    assert office_client.post(f"{QUARANTINE}/retry", json=body).json == {"retried": 2}
    assert office_client.post(f"{QUARANTINE}/retry", json=body).json == {"retried": 0}
    assert decide(office_client, phone, batch[0], "retry").json["state"] == "received"
    assert [name for name, _ in decisions(day)] == ["quarantine-retry"] * 2
    day.work()
    assert states(day) == [("applied", None)] * 2
    assert decide(office_client, phone, batch[0], "retry").json["code"] == "already-done"
    assert verdicts(phone)[1][-1] == "applied"


def test_what_a_revoked_phone_sent_is_accepted_by_a_person_alone(
    day: Day, phone: Phone, office_client: OfficeClient
) -> None:
    with transaction(day.agency) as session:
        revoke_device(session, office_keys().of(day.agency), phone.device, "lost", now=day.clock.now())
    operation = phone.operation("note", {"words": "x"}, visit=day.visits[0], av=1)
    phone.push(operation)
    day.work()
    assert states(day) == [("quarantined", "device-revoked")]
    assert decide(office_client, phone, operation, "retry").status_code == 200
    day.work()
    assert states(day) == [("applied", None)]


def test_released_dependants_go_on_and_say_so(day: Day, phone: Phone, office_client: OfficeClient) -> None:
    needed = phone.operation("telepathy", {}, visit=day.visits[0], av=1)
    waiting = phone.operation("note", {"words": "a"}, visit=day.visits[0], av=1, deps=(UUID(id_of(needed)),))
    of_nobody = phone.operation("note", {"words": "b"}, visit=day.visits[0], av=1, deps=(uuid4(),))
    phone.push(needed, waiting, of_nobody)
    day.work()
    assert [state for state, _ in states(day)] == ["quarantined", "held", "held"]
    for _ in range(2):
        assert decide(office_client, phone, needed, "release").json == {
            "state": "quarantined", "released": True, "closed_at": None,
        }  # fmt: skip
    assert decide(office_client, phone, of_nobody, "release").json["state"] == "received"
    day.work()
    assert [state for state, _ in states(day)] == ["quarantined", "applied", "applied"]
    with transaction(day.agency) as session:
        flags = session.scalars(select(InboxOp.flags).order_by(InboxOp.seq)).all()
        story = session.scalars(select(VisitEvent.flags).where(VisitEvent.kind == "note")).all()
    assert all("dependency-released" in found for found in (*flags[1:], *story))
    assert [name for name, _ in decisions(day)] == ["quarantine-release"] * 2
    assert verdicts(phone) == {1: ["quarantined"], 2: ["held", "applied"], 3: ["held", "applied"]}


def test_a_correction_is_a_new_fact_and_the_phones_bytes_stay(
    day: Day, phone: Phone, office_client: OfficeClient
) -> None:
    wrong = phone.operation("encounter", {"relation": "martian"}, visit=uuid4(), av=1)
    waiting = phone.operation("note", {"words": "a"}, visit=day.visits[0], av=1, deps=(UUID(id_of(wrong)),))
    phone.push(wrong, waiting)
    day.work()
    body = {"kind": "encounter", "body": {"relation": "martian"}, "visit_id": str(day.visits[0]), "reason": "llamó"}
    refused = office_client.post(place(phone, wrong, "mend"), json=body)
    assert (refused.status_code, refused.json["at"]) == (400, "body")
    assert states(day)[0][0] == "quarantined"
    unknown = office_client.post(place(phone, wrong, "mend"), json=body | {"visit_id": str(uuid4())})
    assert unknown.status_code == 404
    right = body | {"body": {"relation": "neighbour"}}
    nowhere = office_client.post(place(phone, wrong, "mend"), json=right | {"visit_id": None}).json
    assert (nowhere["code"], nowhere["at"]) == ("bad-request", "visit_id")
    answer = office_client.post(place(phone, wrong, "mend"), json=right)
    assert (answer.status_code, answer.json["state"]) == (200, "applied")
    assert office_client.post(place(phone, wrong, "mend"), json=right).json["code"] == "already-done"
    day.work()
    assert states(day) == [("applied", None)] * 2
    with transaction(day.agency) as session:
        row = session.scalars(select(InboxOp).order_by(InboxOp.seq)).first()
        assert (b64u(row.protected), b64u(row.ct), row.flags[-1]) == (wrong["protected"], wrong["ct"], "mended")
        events = session.scalars(select(VisitEvent).where(VisitEvent.op_id == row.op_id).order_by(VisitEvent.id)).all()
    assert [(event.kind, event.actor.partition(":")[0]) for event in events] == [
        ("encounter", "agent"), ("verdict", "staff"),
    ]  # fmt: skip
    ((name, leaf),) = decisions(day)
    assert (name, leaf["mended_as"], leaf["kept"]) == (
        "quarantine-mend", id_of(wrong), f"inbox/{phone.device}/{id_of(wrong)}",
    )  # fmt: skip
    assert leaf["body_sha256"] == b64u(sha256(b'{"relation":"neighbour"}')) and "llamó" not in str(leaf)
    assert verdicts(phone)[1] == ["quarantined", "applied"]
    past = office_client.get(place(phone, wrong)).json["decisions"]
    assert [line["action"] for line in past] == ["mend"] and past[0]["decided_by"]


def test_bytes_that_are_no_operation_are_put_right_under_a_new_id(
    day: Day, phone: Phone, office_client: OfficeClient
) -> None:
    spoiled = phone.operation("note", {"words": "x"}, visit=day.visits[0], av=1)
    waiting = phone.operation("note", {"words": "y"}, visit=day.visits[0], av=1, deps=(UUID(id_of(spoiled)),))
    phone.push(spoiled | {"sig": b64u(bytes(64))}, waiting)
    day.work()
    (odd,) = office_client.get(f"{QUARANTINE}/bytes").json["items"]
    assert (odd["reason"], odd["op_id"]) == ("bad-signature", id_of(spoiled))
    here = f"{QUARANTINE}/bytes/{odd['id']}"
    assert office_client.get(f"{here}/content").json["content"] == {"kind": "note", "body": {"words": "x"}}
    body = {"kind": "note", "body": {"words": "x"}, "visit_id": str(day.visits[0]), "reason": "con la agente"}
    answer = office_client.post(f"{here}/mend", json=body)
    assert answer.status_code == 200, answer.text
    assert office_client.post(f"{here}/mend", json=body).json["code"] == "already-done"
    day.work()
    assert [state for state, _ in states(day)] == ["applied"]
    with transaction(day.agency) as session:
        ids = session.scalars(select(VisitEvent.op_id).where(VisitEvent.kind == "note")).all()
    assert len(ids) == 2 and UUID(id_of(spoiled)) not in ids


def test_what_there_is_nothing_to_do_about_is_dismissed_and_kept(
    day: Day, phone: Phone, office_client: OfficeClient
) -> None:
    kept = phone.operation("telepathy", {}, visit=day.visits[0], av=1)
    phone.push(kept, {"ct": "x"})
    day.work()
    assert [decide(office_client, phone, kept, "dismiss").status_code for _ in range(2)] == [200, 200]
    (odd,) = office_client.get(f"{QUARANTINE}/bytes").json["items"]
    for _ in range(2):
        body = {"action": "dismiss", "reason": "x"}
        assert office_client.post(f"{QUARANTINE}/bytes/{odd['id']}/decision", json=body).json["closed_at"]
    assert [name for name, _ in decisions(day)] == ["quarantine-dismiss"] * 2
    assert office_client.get(f"{QUARANTINE}?decided=false").json["items"] == []
    (line,) = office_client.get(f"{QUARANTINE}?decided=true&reason=unknown-kind").json["items"]
    assert line["id"] == id_of(kept) and states(day) == [("quarantined", "unknown-kind")]
    assert decide(office_client, phone, kept, "retry").json["closed_at"] is None


def test_what_stops_work_waits_for_nothing(day: Day, phone: Phone) -> None:
    """The encounter cannot be read; that nobody is to be visited any more holds all the same, and at once."""
    needed = phone.operation("encounter", {"relation": "martian"}, visit=day.visits[0], av=1)
    stop = phone.operation("outcome", CEASE, visit=day.visits[0], av=1, deps=(UUID(id_of(needed)),))
    other = phone.operation("outcome", PROMISE, visit=day.visits[1], av=1, deps=(UUID(id_of(needed)),))
    phone.push(needed, stop, other)
    day.work()
    assert [state for state, _ in states(day)] == ["quarantined", "applied", "held"]
    with transaction(day.agency) as session:
        assert session.scalars(select(Hold.kind)).all() == ["cease_contact"]
        flags = session.scalars(select(InboxOp.flags).where(InboxOp.state == "applied")).one()
    assert "without-its-dependency" in flags


def test_a_promise_that_was_corrected_before_it_came_does_not_stand(day: Day, phone: Phone) -> None:
    promised = phone.operation("outcome", PROMISE, visit=day.visits[0], av=1)
    body = {"corrects": id_of(promised), "words": "no", "outcome": CEASE}
    corrected = phone.operation("correction", body, visit=day.visits[0], av=1, deps=(UUID(id_of(promised)),))
    phone.push(corrected)
    day.work()
    assert states(day) == [("applied", None)]
    phone.push(promised)
    day.work()
    with transaction(day.agency) as session:
        assert session.scalars(select(Promise.state)).all() == ["replaced"]
        assert session.scalar(text("SELECT count(*) FROM office.apply_turn")) == 0
