"""One operation beside the locked visit that it speaks of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from field_api.domain.evidence import distance_m, is_far_away, is_late, is_within, when_it_happened
from field_api.domain.findings import Finding
from field_api.domain.operations import RecordedOperation, UnreadableOperation
from field_api.domain.paper_entry import TIME_NOT_WRITTEN
from field_api.domain.routing import Point
from field_api.records.accounts import Account
from field_api.records.people import Address
from field_api.records.results import Attempt
from field_api.records.visits import Visit
from field_api.usecases.apply_findings import FoundHouse
from field_api.usecases.apply_hazards import ToldHazard, hazards_told
from field_api.usecases.told_before import ToldBefore
from field_api.usecases.visits_in_hand import VisitsInHand

NOT_OF_THE_VISIT = "person-not-of-the-visit"
ACCOUNT_NOT_OF_THE_VISIT = "account-not-of-the-visit"


@dataclass
class AtTheDoor:
    """One operation on one locked visit.

    `flags` grow while it is applied, each once: what a manager should look at. `marks` go into the story's event beside
    them, so that later operations can be compared with this one without opening sealed bodies. `withheld` are flags
    that follow from what is owed, or from who and what a visit is about: the office sees them, the verdict does not
    carry them, since whoever records an amount would learn from it how it compares with the balance.
    """

    operation: RecordedOperation
    visit: Visit
    address: Address
    accounts: dict[UUID, Account]  # of the visit, by id
    parties: frozenset[UUID]  # persons that the visit's accounts know
    late: bool
    at: datetime
    now: datetime
    told: ToldBefore
    attempts: list[Attempt]  # to be numbered at the end, of all operations that share the transaction
    findings: list[FoundHouse]  # to be applied at the end, likewise
    hazards: list[ToldHazard]  # the same
    hours: tuple[datetime | None, datetime] | None = None  # contact hours of the visit's stop
    flags: list[str] = field(default_factory=list)
    marks: list[str] = field(default_factory=list)
    withheld: list[str] = field(default_factory=list)

    @property
    def actor(self) -> str:
        return f"agent:{self.operation.agent_id}"

    def flag(self, *flags: str) -> None:
        self.flags.extend(flag for flag in flags if flag not in self.flags)

    def withhold(self, *flags: str) -> None:
        self.withheld.extend(flag for flag in flags if flag not in self.withheld)

    def named(self, chosen: UUID | None) -> UUID:
        """The id that the operation names, whoever that is; without one the person sought."""
        return self.visit.person_id if chosen is None else chosen

    def person(self, chosen: UUID | None) -> UUID | None:
        """The person meant, the one sought where none is named; None for somebody who is no party here.

        That is flagged for the office alone. The operation stands: a verdict of its own would tell whoever holds an
        open phone, and knows an id from another visit, who is tied to whose debt.
        """
        if chosen is None or chosen == self.visit.person_id or chosen in self.parties:
            return self.named(chosen)
        self.withhold(NOT_OF_THE_VISIT)
        return None

    def accounts_meant(self, chosen: UUID | None) -> list[UUID]:
        """The account named, or all of the visit's. One that the visit is not about counts as none named: what
        stops work then stops it for all of them. That is flagged for the office alone, as `person` says why."""
        if chosen is not None and chosen in self.accounts:
            return [chosen]
        if chosen is not None:
            self.withhold(ACCOUNT_NOT_OF_THE_VISIT)
        return list(self.accounts)

    def distance_of(self, position: Mapping[str, Any] | None) -> float | None:
        """Metres from the visited address; None where either is unknown."""
        if position is None or self.address.latitude is None or self.address.longitude is None:
            return None
        return distance_m((position["lat"], position["lon"]), (self.address.latitude, self.address.longitude))

    def flag_hours(self) -> None:
        """Where the paper has no time, the moment is the plan's and says nothing."""
        guessed = TIME_NOT_WRITTEN in self.operation.noted
        if self.hours is not None and not guessed and not is_within(self.at, *self.hours):
            self.flag("outside-hours")

    def flag_place(self, position: Mapping[str, Any] | None) -> None:
        distance = self.distance_of(position)
        if position is None:
            self.flag("no-position")
        elif distance is not None and is_far_away(distance, position["accuracy_m"]):
            self.flag("far-away")

    def note_house_found(self, body: Mapping[str, Any]) -> None:
        """`house_found`: the position is that of the house. Without a position there is nothing to learn."""
        position = body["position"]
        if not body.get("house_found") or position is None:
            return
        read_at = position["at"] or self.operation.wall_clock
        finding = Finding(
            Point(position["lat"], position["lon"]),
            position["accuracy_m"],
            abs((self.operation.wall_clock - read_at).total_seconds()),
        )
        self.findings.append(
            FoundHouse(self.address.id, finding, self.at, self.operation.op_id, self.operation.agent_id)
        )

    def note_hazards(self, body: Mapping[str, Any]) -> None:
        """What an arrival or an outcome says the place is like, for whoever comes next."""
        place, operation = bytes(self.address.fingerprint), self.operation
        self.hazards.extend(
            ToldHazard(place, hazard, present, self.at, operation.agent_id, operation.op_id)
            for hazard, present in hazards_told(body)
        )


def at_the_door(in_hand: VisitsInHand, operation: RecordedOperation, now: datetime) -> AtTheDoor:
    """The operation beside its locked visit. Raises UnreadableOperation `visit-required`, `unknown-visit`."""
    if operation.visit_id is None:
        raise UnreadableOperation("visit-required")
    known = in_hand.visits.get(operation.visit_id)
    if known is None:
        raise UnreadableOperation("unknown-visit")
    visit = known.visit
    late = is_late(operation, agent_id=visit.agent_id, assignment_version=visit.assignment_version, state=visit.state)
    moment = when_it_happened(operation.evidence, operation.received_at)
    door = AtTheDoor(
        operation=operation,
        visit=visit,
        address=known.address,
        accounts=known.accounts,
        parties=known.parties,
        late=late,
        at=moment.at,
        now=now,
        told=in_hand.told,
        attempts=in_hand.attempts,
        findings=in_hand.findings,
        hazards=in_hand.hazards,
        hours=known.hours,
    )
    door.flag(*(["late"] if late else []), *moment.flags, *(["from-paper"] if operation.from_paper else []))
    door.flag(*operation.noted)
    return door
