"""A visit's item: the open part that may be said before any check, and the locked part (docs/protocol.md §7)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from field_api.domain.confidential import audience
from field_api.domain.disclosure import Audience
from field_api.domain.sheets import safe_hint
from field_api.domain.vocabulary import OBLIGORS, Role
from field_api.platform.anchors import utc_text
from field_api.platform.keyring import OfficeKeys
from field_api.queries.phone_visits import PhoneVisit, phone_visits, running_agency
from field_api.records.people import Address, VerificationAnswer
from field_api.usecases.ensure_visit_keys import PLACE, ensure_visit_keys
from sync.crockford import new_code
from sync.office.brief import cut_to_fit, make_brief
from sync.office.locks import LockPlace, independent_pairs, seal_brief, wrap_by_answers, wrap_by_code
from sync.office.stretching import stretched_answers

MAX_TEXT = 160  # characters of one field of an address or name: keeps every visit within its one size
MAX_HINT = 400


@dataclass(frozen=True)
class SheetVisit:
    """A visit for phones: everything but the wrap under the code, which differs from device to device."""

    agent_id: UUID
    body: dict[str, Any]
    place: LockPlace | None = None
    key: bytes = b""
    code: str = ""

    def body_for(self, agent_id: UUID, device_id: UUID) -> dict[str, Any]:
        """The item's body for one device of this agent: a tombstone unless the visit is published and theirs."""
        if self.agent_id != agent_id:
            return _tombstone("moved", self.body["assignment_version"])
        if self.place is None:
            return self.body
        (lock,) = self.body["locks"]
        by_code = {"method": "code", "kinds": [], "wrap": wrap_by_code(self.place, device_id, self.key, self.code)}
        return {**self.body, "locks": [{**lock, "wraps": [*lock["wraps"], by_code]}]}


def sheet_visits(session: Session, keys: OfficeKeys, visit_ids: Collection[UUID]) -> dict[UUID, SheetVisit]:
    """The visits' present state as bodies, by id, in a fixed number of statements."""
    with audience(Audience.OFFICE_JOB):
        found = phone_visits(session, visit_ids)
        published = {key: item for key, item in found.items() if item.visit.state == "published"}
        locks = [(item.visit.id, item.person.id) for item in published.values()]
        key_rows = ensure_visit_keys(session, keys, locks, new_code)
        pairs = {key: list(independent_pairs(item.answers)) for key, item in published.items()}
        needed = {answer.id: answer for some in pairs.values() for pair in some for answer in pair}
        stretched = stretched_answers(session, keys, list(needed.values()))
        agency = running_agency(session)
        result = {}
        for key, item in found.items():
            if key not in published:
                body = _tombstone("withdrawn", item.visit.assignment_version)
                result[key] = SheetVisit(item.visit.agent_id, body)
                continue
            row = key_rows[item.visit.id, item.person.id]
            secret = keys.open_at_rest(PLACE, row.sealed_key)
            place = LockPlace(item.visit.id, item.person.id)
            lock = _lock(item, place, secret, pairs[key], stretched)
            lock["ct"] = seal_brief(place, secret, cut_to_fit(make_brief(agency, item, lock["role"])))
            code = row.unlock_code.reveal(Audience.OFFICE_JOB)
            result[key] = SheetVisit(item.visit.agent_id, _body(item, lock), place, secret, code)
        return result


def _tombstone(state: str, assignment_version: int) -> dict[str, Any]:
    return {"state": state, "assignment_version": assignment_version, "stop": None, "open": None, "locks": []}


def _lock(
    item: PhoneVisit,
    place: LockPlace,
    key: bytes,
    pairs: list[tuple[VerificationAnswer, VerificationAnswer]],
    stretched: dict[UUID, bytes],
) -> dict[str, Any]:
    asked = {answer.kind: answer.independent_group for pair in pairs for answer in pair}
    return {
        "person": str(item.person.id),
        "role": _role(item),
        "name": item.person.name[:MAX_TEXT],
        "questions": [{"kind": kind, "group": group} for kind, group in sorted(asked.items())],
        "wraps": [
            {
                "method": "answers",
                "kinds": [first.kind, second.kind],
                "wrap": wrap_by_answers(place, key, stretched[first.id], stretched[second.id]),
            }
            for first, second in pairs
        ],
    }


def _role(item: PhoneVisit) -> str:
    """Debtor where the person owes as such on any account of the visit, else guarantor."""
    roles = {role for _, role in item.accounts} & {role.value for role in OBLIGORS}
    return min(roles, key=lambda role: role != Role.DEBTOR.value) if roles else Role.DEBTOR.value


def _body(item: PhoneVisit, lock: dict[str, Any]) -> dict[str, Any]:
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
            "address": _address(address),
        },
        "locks": [lock],
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
    }
