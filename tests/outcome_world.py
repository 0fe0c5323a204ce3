"""A published visit and a phone that records operations on it, for the tests of outcomes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from field_api.domain.operations import ClockEvidence, Effect, RecordedOperation
from field_api.domain.vocabulary import OpKind
from field_api.platform.database import transaction
from field_api.platform.ids import new_id
from field_api.usecases.record_operation import record_operation
from tests.planning_world import World

ANCHOR = datetime(2026, 11, 18, 14, 0, tzinfo=UTC)
AT_THE_DOOR = ANCHOR + timedelta(hours=2)
RECEIVED = ANCHOR + timedelta(hours=8)
HERE = {"lat": 19.4326, "lon": -99.1332, "accuracy_m": 8.0, "at": "2026-11-18T16:00:00.000Z"}


@dataclass
class Phone:
    """Records operations on one visit as its agent, and lets them take effect, each in a transaction of its own."""

    agency: UUID
    agent_id: UUID
    visit_id: UUID
    sought: UUID
    accounts: list[UUID]
    device_id: UUID = field(default_factory=new_id)
    assignment_version: int = 1
    seq: int = 0

    def operation(self, kind: OpKind, body: dict[str, Any], **more: Any) -> RecordedOperation:
        self.seq += 1
        evidence = ClockEvidence(wall=AT_THE_DOOR, monotonic_ms=self.seq * 1000, boot_id="boot", anchor_at=ANCHOR)
        operation = RecordedOperation(
            op_id=new_id(),
            device_id=self.device_id,
            agent_id=self.agent_id,
            visit_id=self.visit_id,
            assignment_version=self.assignment_version,
            seq=self.seq,
            kind=kind,
            body=body,
            wall_clock=AT_THE_DOOR,
            received_at=RECEIVED,
            evidence=evidence,
        )
        return replace(operation, **more)

    def apply(self, session: Session, kind: OpKind, body: dict[str, Any], **more: Any) -> Effect:
        return record_operation(session, self.operation(kind, body, **more), now=RECEIVED)

    def records(self, kind: OpKind, body: dict[str, Any], **more: Any) -> Effect:
        with transaction(self.agency) as session:
            return self.apply(session, kind, body, **more)

    def passes_check(self) -> None:
        self.records(OpKind.IDENTITY_CHECK, {"method": "answers", "passed": True, "kinds": ["postcode", "tax_id"]})

    def outcome(self, outcome: str, **body: Any) -> Effect:
        return self.records(OpKind.OUTCOME, {"outcome": outcome, "position": HERE, **body})

    def located(self, *results: dict[str, Any], **body: Any) -> Effect:
        party = {"relation": "sought"}
        return self.outcome(
            "client_located", **{"party": party, "identified_by": "answers", "results": list(results), **body}
        )


def published_visit(agency: UUID, accounts: int = 1, **address: Any) -> Phone:
    """A person of MX with `accounts` accounts of 2,500.00 MXN, and one published visit about all of them."""
    with transaction(agency) as session:
        world = World(session)
        person, place, first = world.household(**address)
        owed = [first, *(world.account(person) for _ in range(accounts - 1))]
        agent = world.agent()
        visit = world.visit(world.route(agent), 1, place, person, *owed)
        return Phone(agency, agent.id, visit.id, person.id, [account.id for account in owed])
