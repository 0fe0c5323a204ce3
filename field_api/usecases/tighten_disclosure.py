"""An agency lets less be told at doors than the rule does. It can never let more be told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from field_api.domain.disclosure import BadMatrix, agency_overrides
from field_api.domain.vocabulary import ChangeKind
from field_api.platform.problems import Problem
from field_api.platform.tenancy import current_agency
from field_api.records.agency import Agency
from field_api.records.visits import Visit
from field_api.usecases.tell_agent import tell_agent

AS_THE_RULE = "rule"


def tighten_disclosure(session: Session, cells: Sequence[tuple[str, str, str]]) -> Agency:
    """Set cells (row, item, cell) of `policy["disclosure"]`; the cell `rule` takes the agency's own one away.

    Visits that are out on phones are sealed anew, with what may be said now. Raises `invalid-fields` naming the first
    cell that is not understood or would tell more than the rule; then nothing is changed. A cell that somebody wrote
    by hand, or that a later release's rule made too loose, can be taken away.
    """
    agency = session.get_one(Agency, current_agency(), with_for_update=True)
    wanted: dict[str, dict[str, Any]] = {row: dict(items) for row, items in _own(agency).items()}
    for row, item, cell in cells:
        wanted.setdefault(row, {})[item] = cell
        if cell == AS_THE_RULE:
            del wanted[row][item]
    kept = {row: items for row, items in wanted.items() if items}
    _checked(kept)
    if kept != _own(agency):
        agency.policy = {**agency.policy, "disclosure": kept}
        _tell_agents(session)
    return agency


def _own(agency: Agency) -> dict[str, dict[str, Any]]:
    own = agency.policy.get("disclosure") or {}
    if not isinstance(own, dict) or not all(isinstance(items, dict) for items in own.values()):
        _checked(own)  # somebody wrote it by hand: raises, naming the place
    return dict(own)


def _checked(wanted: object) -> None:
    try:
        agency_overrides({"disclosure": wanted})
    except BadMatrix as refusal:
        place, _, why = str(refusal).partition(": ")
        raise Problem("invalid-fields", f"{place}: {why}", at=place) from refusal


def _tell_agents(session: Session) -> None:
    out = select(Visit.id, Visit.agent_id).where(Visit.agency_id == current_agency(), Visit.state == "published")
    for visit_id, agent_id in session.execute(out.order_by(Visit.id)):
        tell_agent(session, agent_id, ChangeKind.VISIT, visit_id)
