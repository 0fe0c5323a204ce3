"""A visit's item: the open part that may be said before any check, and the locked parts (docs/protocol.md §7)."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from field_api.domain.confidential import audience
from field_api.domain.disclosure import Audience, BadMatrix
from field_api.domain.entitled import LOCKS, Entitled
from field_api.domain.lock_policy import LockPolicy, lock_policy
from field_api.domain.sheets import safe_hint
from field_api.platform.anchors import utc_text
from field_api.platform.keyring import OfficeKeys
from field_api.platform.sealing import b64u
from field_api.queries.phone_visits import PhoneVisit, phone_visits, running_agency
from field_api.records.agency import Agency
from field_api.records.people import Address, VerificationAnswer
from field_api.records.visits import VisitKey
from field_api.usecases.ensure_visit_keys import PLACE, ensure_visit_keys
from sync.crockford import new_code
from sync.office.apart import NotMade, each_made, trouble_of
from sync.office.brief import BRIEF_BYTES, cut_to_fit, make_brief, may_have_a_part
from sync.office.door_rules import Narrower, location_parts
from sync.office.locks import (
    BEFORE_ARRIVAL,
    BY_ATTESTATION,
    KEY_BYTES,
    LockPlace,
    empty_lock,
    independent_pairs,
    sealed_lock,
    wrap_by_code,
    wrap_under_sheet,
)
from sync.office.stretching import Wanted, stretched_answers

MAX_TEXT = 160  # characters of one field of an address or name: keeps every visit within its one size
MAX_HINT = 400


@dataclass(frozen=True)
class CodeLock:
    """What is needed to wrap a lock's key under its code, which is bound to the device."""

    place: LockPlace
    key: bytes = field(repr=False)
    code: str = field(repr=False)


@dataclass(frozen=True)
class SheetVisit:
    """A visit for phones: everything but the wraps under codes, which differ from device to device."""

    body: dict[str, Any]
    codes: tuple[CodeLock, ...] = ()

    def body_for(self, device_id: UUID) -> dict[str, Any]:
        """The item's body for one device of the agent."""
        locks = list(self.body["locks"])
        for own in self.codes:
            wrap = wrap_by_code(own.place, device_id, own.key, own.code)
            locks[own.place.number] = {**locks[own.place.number], "code": wrap}
        return {**self.body, "locks": locks}


def sheet_visits(
    session: Session, keys: OfficeKeys, agent_id: UUID, visit_ids: Collection[UUID]
) -> dict[UUID, SheetVisit]:
    """The visits' present state as bodies for one agent, by id, in a fixed number of statements: a tombstone for each
    that is not published or not theirs. What another's visit needs and may lack does not hold a tombstone back.
    """
    with audience(Audience.OFFICE_JOB):
        found = phone_visits(session, visit_ids)
        published = [item for item in found.values() if _to_do(item, agent_id)]
        bodies = _published(session, keys, published) if published else {}
        return {key: bodies.get(key) or _not_to_do(item, agent_id) for key, item in found.items()}


def _published(session: Session, keys: OfficeKeys, items: Sequence[PhoneVisit]) -> dict[UUID, SheetVisit]:
    """Raises NotMade with those that cannot be made. A tombstone needs nothing of what may be wrong here."""
    agency = running_agency(session)
    try:
        narrower = Narrower(agency)
    except BadMatrix as error:
        raise NotMade({("visit", item.visit.id): trouble_of(error) for item in items}) from error
    wanted = [(item.visit.id, party.person_id) for item in items for party in item.parties]
    key_rows = ensure_visit_keys(session, keys, wanted, new_code)
    stretched = stretched_answers(session, keys, [need for item in items for need in answers_needed(item)])
    maker = _Maker(keys, agency, key_rows, stretched, location_parts(session, items), narrower)
    made = each_made(((("visit", item.visit.id), item) for item in items), maker.published)
    return {item.visit.id: visit for item, visit in zip(items, made, strict=True)}


def answers_needed(item: PhoneVisit) -> Iterator[Wanted]:
    """Every answer that a lock of this visit is wrapped under."""
    for party in item.parties:
        for pair in independent_pairs(item.answers.get(party.person_id, [])):
            yield from (Wanted(row, item.visit.person_id, party.number) for row in pair)


def _tombstone(state: str, assignment_version: int) -> dict[str, Any]:
    return {"state": state, "assignment_version": assignment_version, "stop": None, "open": None, "locks": []}


def _to_do(item: PhoneVisit, agent_id: UUID) -> bool:
    return item.visit.state == "published" and item.visit.agent_id == agent_id


def _not_to_do(item: PhoneVisit, agent_id: UUID) -> SheetVisit:
    state = "moved" if item.visit.agent_id != agent_id else "over" if item.visit.state == "done" else "withdrawn"
    return SheetVisit(_tombstone(state, item.visit.assignment_version))


@dataclass(frozen=True)
class _Maker:
    keys: OfficeKeys
    agency: Agency
    key_rows: dict[tuple[UUID, UUID], VisitKey]
    stretched: dict[Wanted, bytes]
    location: dict[UUID, dict[str, Any]]
    narrower: Narrower

    def published(self, item: PhoneVisit) -> SheetVisit:
        openers = _Openers.under(lock_policy(self.agency.policy))
        locks, codes = [empty_lock(number) for number in range(LOCKS)], []
        for party in item.parties:
            if not may_have_a_part(self.agency, item, party):
                continue
            row = self.key_rows[item.visit.id, party.person_id]
            place = LockPlace(item.visit.id, party.number)
            key = self.keys.open_at_rest(PLACE, row.sealed_key)
            brief = cut_to_fit(make_brief(self.agency, item, party), BRIEF_BYTES[party.number])
            lock = sealed_lock(place, key, brief, self._pairs(item, party))
            locks[party.number] = lock | openers.wraps(place, party, key)
            codes.append(CodeLock(place, key, row.unlock_code.reveal(Audience.OFFICE_JOB)))
        rules = {"location": self.location[item.visit.id], "narrower": self.narrower.at(item.address.jurisdiction)}
        return SheetVisit(_body(item, locks, openers) | rules, tuple(codes))

    def _pairs(self, item: PhoneVisit, party: Entitled) -> list[bytes]:
        def stretched(row: VerificationAnswer) -> bytes:
            return self.stretched[Wanted(row, item.visit.person_id, party.number)]

        return [
            stretched(first) + stretched(second)
            for first, second in independent_pairs(item.answers.get(party.person_id, []))
        ]


@dataclass(frozen=True)
class _Openers:
    """Random keys of one item that wrap lock keys where the agency's policy lets them lie under the sheet key."""

    attestation: bytes | None = field(repr=False)
    before_arrival: bytes | None = field(repr=False)

    @classmethod
    def under(cls, policy: LockPolicy) -> _Openers:
        return cls(
            os.urandom(KEY_BYTES) if policy.attestation else None,
            os.urandom(KEY_BYTES) if policy.read_before_arrival else None,
        )

    def wraps(self, place: LockPlace, party: Entitled, key: bytes) -> dict[str, str]:
        """Never for who acts for another: their authority is on record at the office, which tells the code."""
        wraps = {}
        if self.attestation and not party.by_code_only:
            wraps["attestation"] = wrap_under_sheet(place, BY_ATTESTATION, self.attestation, key)
        if self.before_arrival and party.number == 0:
            wraps["before_arrival"] = wrap_under_sheet(place, BEFORE_ARRIVAL, self.before_arrival, key)
        return wraps

    def body(self) -> dict[str, str | None]:
        return {
            "attestation": b64u(self.attestation) if self.attestation else None,
            "before_arrival": b64u(self.before_arrival) if self.before_arrival else None,
        }


def _questions(item: PhoneVisit) -> list[dict[str, str]]:
    """What the person sought can be asked. Nobody else's questions are told: that there are some would say too much."""
    pairs = independent_pairs(item.answers.get(item.visit.person_id, []))
    asked = {answer.kind: answer.independent_group for pair in pairs for answer in pair}
    return [{"kind": kind, "group": group} for kind, group in sorted(asked.items())]


def _body(item: PhoneVisit, locks: list[dict[str, Any]], openers: _Openers) -> dict[str, Any]:
    person, address = item.person, item.address
    return {
        "state": "published",
        "assignment_version": item.visit.assignment_version,
        "stop": _stop(item),
        "open": {
            "name": person.name[:MAX_TEXT],
            "alias": safe_hint(person.alias or "")[:MAX_TEXT] or None,
            "kind": person.kind,
            "language": person.language,
            "jurisdiction": address.jurisdiction,
            "place": address.kind,
            "address": _address(address),
            "hazards": list(item.hazards),
        },
        "person": str(person.id),
        "questions": _questions(item),
        "openers": openers.body(),
        "locks": locks,
    }


def _stop(item: PhoneVisit) -> dict[str, Any] | None:
    if item.stop is None or item.day is None:
        return None
    return {
        "route": str(item.route_id),
        "day": item.day.isoformat(),
        "position": item.stop.position,
        "arrival_from": utc_text(item.stop.arrival_from),
        "arrival_to": utc_text(item.stop.arrival_to),
        "visit_from": utc_text(item.stop.visit_from) if item.stop.visit_from else None,
        "visit_until": utc_text(item.stop.visit_until),
        "timezone": item.address.timezone,
        "service_s": item.stop.service_s,
    }


_ADDRESS_TEXTS = (
    "street", "number", "interior", "between_1", "between_2", "neighbourhood", "city", "municipality", "postcode",
    "state", "country",
)  # fmt: skip


def _address(address: Address) -> dict[str, Any]:
    texts = {name: getattr(address, name) for name in _ADDRESS_TEXTS}
    return {
        **{name: value[:MAX_TEXT] if value else value for name, value in texts.items()},
        # The creditor's free text: searched whole, before it is cut.
        "hint": safe_hint(address.hint or "")[:MAX_HINT] or None,
        "latitude": address.latitude,
        "longitude": address.longitude,
        "known": address.place_quality,
    }
