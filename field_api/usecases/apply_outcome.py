"""What an outcome does to the office: visit done, holds, promises, disputes, candidates, attempts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from field_api.domain.confidential import Confidential
from field_api.domain.contact_data import may_be_asked
from field_api.domain.unlocks import passed_mark
from field_api.domain.vocabulary import (
    CONCLUSIVE,
    REPRESENTATIVES,
    VERIFIED,
    ContactKind,
    LocatedResult,
    OutcomeKind,
    Relation,
    VisitEventKind,
)
from field_api.platform.bounded_json import canonical
from field_api.records.results import Attempt
from field_api.usecases.add_contact_candidates import add_contact_candidates
from field_api.usecases.add_promises import add_promises
from field_api.usecases.operation_context import AtTheDoor
from field_api.usecases.place_outcome_holds import open_disputes, place_outcome_holds, wanted_holds

_ASKED = frozenset({"lives_here", "best_time", "place_confirmed"})
"""Facts of an outcome that somebody was asked for."""


def apply_outcome(
    session: Session, door: AtTheDoor, outcome: Mapping[str, Any], recorded: Mapping[str, Any]
) -> dict[str, Any]:
    """Let a read outcome take effect; `recorded` is its JSON as it came. Returns what it placed, as plain JSON data.

    Everything is resolved before anything is written. The visit is marked done before holds are placed, so that a hold
    takes back other visits and not this one; attempts are numbered when all else is done (`VisitsInHand.finish`): their
    head is everybody's. Where the party named is none of the visit's, nothing is promised or disputed in their name and
    nobody was verified; holds, which only stop work, fall on the person sought.
    """
    met = door.person(outcome.get("party", {}).get("person"))
    person_id = met or door.visit.person_id
    said = outcome.get("results", ()) if met else ()
    holds = wanted_holds(door, outcome)
    verified = _verified(door, outcome) and met is not None
    _flag_oddities(door, outcome)
    door.note_house_found(outcome)
    door.note_hazards(outcome)
    _finish_visit(door, outcome["outcome"])
    if holds:
        session.flush()
    place_outcome_holds(session, door, holds, person_id=person_id)
    placed = {
        "holds": [hold.kind.value for hold in holds],
        "promises": add_promises(session, door, said, person_id=person_id),
        "disputes": open_disputes(session, door, said, person_id=person_id),
        "contact_candidates": add_contact_candidates(
            session, door, contacts_of(outcome), source=_source(outcome), person_id=door.visit.person_id
        ),
    }
    if outcome["outcome"] in CONCLUSIVE:
        door.attempts.extend(_attempts(door, outcome, recorded, person_id, verified))
    return placed


def _verified(door: AtTheDoor, outcome: Mapping[str, Any]) -> bool:
    """A verified debtor or obligor was met: this agent's check for that very person passed on this visit, or it is
    typed from paper. The relation must be theirs too: a guarantor's check says nothing of the one sought."""
    if outcome["outcome"] is not OutcomeKind.CLIENT_LOCATED or outcome["party"]["relation"] not in VERIFIED:
        return False
    if door.operation.from_paper:
        return True
    named = door.named(outcome["party"].get("person"))
    theirs = (named == door.visit.person_id) == (outcome["party"]["relation"] is Relation.SOUGHT)
    checks = door.told.of_visit(door.visit, VisitEventKind.IDENTITY_CHECK)
    if theirs and any(check.actor == door.actor and passed_mark(named) in check.flags for check in checks):
        return True
    door.flag("no-identity-check")
    return False


def _flag_oddities(door: AtTheDoor, outcome: Mapping[str, Any]) -> None:
    door.flag_place(outcome["position"])
    if door.visit.state == "done" and "correction" not in door.flags:
        door.flag("again")
    promised = any(result["result"] is LocatedResult.PROMISE for result in outcome.get("results", ()))
    if _ASKED & set(outcome) and "relation" in outcome and not may_be_asked(outcome["relation"]):
        door.flag("asked-where-not-allowed")
    if promised and outcome["party"]["relation"] in REPRESENTATIVES:
        door.flag("not-an-obligor")


def _finish_visit(door: AtTheDoor, kind: OutcomeKind) -> None:
    if not door.late and kind in CONCLUSIVE and door.visit.state == "published":
        door.visit.state = "done"
        door.visit.done_at = door.now


def contacts_of(outcome: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Its contact candidates, those that other fields amount to included: a new address, an attorney, an executor."""
    found: list[Mapping[str, Any]] = list(outcome["contacts"])
    if "new_address" in outcome:
        found.append({**outcome["new_address"], "kind": ContactKind.ADDRESS})
    for result in outcome.get("results", ()):
        if result["result"] is LocatedResult.ATTORNEY_NAMED:
            found.append(_person(result, Relation.ATTORNEY))
    if "executor" in outcome:
        found.append(_person(outcome["executor"], Relation.EXECUTOR))
    return found


def _person(named: Mapping[str, Any], relation: Relation) -> dict[str, Any]:
    phone = {"phone": named["phone"]} if "phone" in named else {}
    return {"kind": ContactKind.PERSON, "name": named["name"], "relation": relation, **phone}


def _source(outcome: Mapping[str, Any]) -> Relation:
    """Who gave the contact data, where an entry does not say it itself; nobody: the agent saw it."""
    if "party" in outcome:
        relation: Relation = outcome["party"]["relation"]
        return relation
    return outcome.get("relation") or outcome.get("told_by") or outcome.get("by") or Relation.NOBODY


def _attempts(
    door: AtTheDoor, outcome: Mapping[str, Any], recorded: Mapping[str, Any], person_id: UUID, verified: bool
) -> Sequence[Attempt]:
    position = outcome["position"] or {}
    detail = canonical(dict(recorded)).decode()
    return [
        Attempt(
            account_id=account_id,
            person_id=person_id,
            visit_id=door.visit.id,
            op_id=door.operation.op_id,
            agent_id=door.operation.agent_id,
            channel="visit",
            at=door.at,
            received_at=door.operation.received_at,
            outcome=outcome["outcome"].value,
            right_party=verified,
            late=door.late,
            flags=[*door.flags, *door.withheld],
            detail=Confidential(detail),
            latitude=position.get("lat"),
            longitude=position.get("lon"),
            accuracy_m=position.get("accuracy_m"),
            distance_m=door.distance_of(outcome["position"]),
            from_paper=door.operation.from_paper,
        )
        for account_id in door.accounts
    ]
