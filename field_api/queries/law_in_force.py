"""By which rules the running agency plans: the law's, and its own stricter ones."""

from __future__ import annotations

from sqlalchemy.orm import Session

from field_api.domain.eligibility import Law
from field_api.domain.own_rules import beside_the_law, own_rules
from field_api.domain.ports import PlanningParts
from field_api.domain.rules_reader import BadRules
from field_api.platform.problems import Problem
from field_api.platform.tenancy import current_agency
from field_api.records.agency import Agency


def law_in_force(session: Session, parts: PlanningParts) -> Law:
    """Raises `conflict` where the agency's own rules are not understood (somebody wrote them by hand): then nobody is
    visited until they are, rather than by the law alone."""
    try:
        own = own_rules(session.get_one(Agency, current_agency()).policy)
    except BadRules as error:
        raise Problem(
            "conflict", "the agency's own contact rules are not understood", at="policy.contact_rules"
        ) from error
    return Law(beside_the_law(parts.rules.of, own), parts.calendars.days_off)
