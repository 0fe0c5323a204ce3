"""Take an agent on."""

from __future__ import annotations

import re
from collections.abc import Sequence
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import select
from sqlalchemy.orm import Session

from field_api.platform.problems import Problem
from field_api.platform.tenancy import current_agency
from field_api.records.base import load
from field_api.records.planning import Agent

CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,19}")
"""It stands in names of printed files and downloads, so it holds nothing that a path or a header reads otherwise."""
LONGEST_LANGUAGE_TAG = 35
"""RFC 5646 §4.4.1: what implementations should be ready for."""


def add_agent(
    session: Session,
    *,
    code: str,
    name: str,
    languages: Sequence[str],
    timezone: str,
    territory: str = "",
    staff_id: UUID | None = None,
) -> Agent:
    """A new agent; `code` is short and unique, `timezone` an IANA name in which shifts are meant.

    Raises `conflict` for a code in use, `invalid-fields` for anything else that is wrong.
    """
    if not CODE.fullmatch(code.strip()):
        raise Problem(
            "invalid-fields", "a code has 1 to 20 letters A to Z, digits, dots, dashes or low lines", at="code"
        )
    if not name.strip():
        raise Problem("invalid-fields", "an agent needs a name", at="name")
    taken = select(Agent.id).where(Agent.agency_id == current_agency(), Agent.code == code.strip())
    if session.scalar(taken) is not None:
        raise Problem("conflict", "there is an agent with this code already", at="code")
    agent = Agent(
        code=code.strip(),
        name=name.strip(),
        languages=checked_languages(languages),
        timezone=_checked_zone(timezone),
        territory=territory,
        staff_id=staff_id,
    )
    session.add(agent)
    session.flush()
    return agent


def set_agent_languages(session: Session, agent_id: UUID, languages: Sequence[str]) -> Agent:
    """Which languages the agent speaks, as BCP 47 tags, for plans from now on. Raises `not-found`, `invalid-fields`."""
    agent = load(session, Agent, agent_id, lock=True)
    agent.languages = checked_languages(languages)
    return agent


def checked_languages(languages: Sequence[str]) -> list[str]:
    """The tags, the best first, each once. Raises `invalid-fields` for none, or for what cannot be a language tag."""
    tags = list(dict.fromkeys(tag.strip() for tag in languages))  # the sheet is written in the first
    for tag in tags:
        primary = tag.partition("-")[0]
        if not (
            primary.isascii() and primary.isalpha() and 2 <= len(primary) <= 3 and len(tag) <= LONGEST_LANGUAGE_TAG
        ):
            raise Problem("invalid-fields", "a language is a BCP 47 tag like es or es-MX", at="languages")
    if not tags:
        raise Problem("invalid-fields", "an agent speaks at least one language", at="languages")
    return tags


def _checked_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise Problem("invalid-fields", "not an IANA time zone", at="timezone") from error
    return name
