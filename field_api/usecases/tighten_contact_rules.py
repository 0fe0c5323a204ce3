"""An agency visits less than the law allows: narrower hours, lower caps, longer waits, more days off. Never more."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from field_api.domain.own_rules import looser_than_the_law, own_rules
from field_api.domain.ports import RuleBook
from field_api.domain.rules_reader import BadRules
from field_api.platform.problems import Problem
from field_api.platform.tenancy import current_agency
from field_api.records.agency import Agency


def tighten_contact_rules(session: Session, wanted: Mapping[str, Any], *, law: RuleBook) -> Agency:
    """Set `policy["contact_rules"]` (field_api.domain.own_rules), all of it; an empty table takes it away.

    Holds for plans made and published from now on. Raises `invalid-fields` naming the first rule that is not
    understood, or looser than one of the law; then nothing is changed.
    """
    try:
        own = own_rules({"contact_rules": wanted})
    except BadRules as error:
        raise _refused(str(error)) from error
    looser = next(looser_than_the_law(own, law.of), None)
    if looser is not None:
        raise _refused(looser)
    agency = session.get_one(Agency, current_agency(), with_for_update=True)
    kept = {name: value for name, value in agency.policy.items() if name != "contact_rules"}
    agency.policy = {**kept, "contact_rules": dict(wanted)} if wanted else kept
    session.flush()
    return agency


def _refused(text: str) -> Problem:
    place, _, why = text.partition(": ")
    return Problem("invalid-fields", f"{place}: {why}", at="contact_rules")
