"""What an agent can do, where they work and how much of it."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.orm import Session

from field_api.domain.skills import read_skills
from field_api.platform.problems import Problem
from field_api.queries.planning_policy import planning_policy
from field_api.records.base import load
from field_api.records.planning import Agent

MOST_STOPS = 1_000


def change_agent(
    session: Session,
    agent_id: UUID,
    *,
    skills: Sequence[str] | None = None,
    territories: Sequence[str] | None = None,
    most_stops: int | None = None,
) -> Agent:
    """Change what is given and leave the rest, for plans from now on. `territories`: names of the agency's policy, none
    for anywhere; `most_stops`: a day, 0 for no limit. Raises `not-found`, `invalid-fields`."""
    agent = load(session, Agent, agent_id, lock=True)
    if skills is not None:
        agent.skills = checked_skills(skills)
    if territories is not None:
        agent.territories = _territories(session, territories)
    if most_stops is not None:
        if not 0 <= most_stops <= MOST_STOPS:
            raise Problem("invalid-fields", "0 to 1,000 stops a day, 0 for no limit", at="most_stops")
        agent.most_stops = most_stops or None
    session.flush()
    return agent


def checked_skills(words: Sequence[str]) -> list[str]:
    """Raises `invalid-fields`."""
    try:
        return read_skills(words)
    except ValueError as error:
        raise Problem(
            "invalid-fields", "at most 20 short words of letters, digits, blanks and dashes", at="skills"
        ) from error


def _territories(session: Session, names: Sequence[str]) -> list[str]:
    wanted = sorted({name.strip() for name in names})
    if set(wanted) - set(planning_policy(session).territories):
        raise Problem("invalid-fields", "not a territory of the agency (`doorstep agency planning`)", at="territories")
    return wanted
