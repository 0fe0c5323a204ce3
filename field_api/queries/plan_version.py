"""Which state of a plan somebody has seen."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from field_api.domain.vocabulary import NotPlannedReason
from field_api.platform.problems import Problem
from field_api.platform.tenancy import current_agency
from field_api.records.planning import NotPlanned, Plan


def plan_version(session: Session, plan: Plan) -> str:
    """`3.1`: the third version by hand, from which one account was withdrawn since.

    Holds and payments take visits off a draft without a dispatcher. They do not write the plan's row, which a publisher
    locks before the accounts that they have locked: they are counted instead.
    """
    withdrawn = session.scalar(
        select(func.count()).where(
            NotPlanned.agency_id == current_agency(),
            NotPlanned.plan_id == plan.id,
            NotPlanned.reason == NotPlannedReason.WITHDRAWN.value,
        )
    )
    return version_of(plan, withdrawn or 0)


def must_be_seen(session: Session, plan: Plan, seen: Collection[str] | None) -> None:
    """Raises `precondition-failed` where the plan's version is none of those; None: any will do."""
    if seen is not None and plan_version(session, plan) not in seen:
        raise Problem("precondition-failed", "somebody changed the plan since: look at it again", at="If-Match")


def version_of(plan: Plan, withdrawn: int) -> str:
    return f"{plan.version}.{withdrawn}"
