"""How phones are doing: when each was heard last, what still waits on it, and what of it waits here.

In a fixed number of statements, however many phones are asked about; each reads an index over what waits, never the
operations that are done with.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from field_api.domain.silence import is_silent, silent_after_hours
from field_api.platform.devices import Device
from field_api.platform.tenancy import current_agency
from field_api.queries.phone_visits import running_agency
from field_api.records.changes import Change
from field_api.records.planning import Agent, Shift
from sync.mailbox import DeviceContact, Durable

LATE_FOR = timedelta(days=30)  # late operations are told for so long
NO_END = (1 << 63) - 1
CLOCK_OFF_S = 300  # as of an operation's clocks (field_api.domain.evidence)


@dataclass(frozen=True)
class DeviceHealth:
    """One phone. Times are aware UTC; None: never, or nothing waits. `waiting_ops`: on the phone, of those that it told
    of at `told_at`; None where it tells nothing, as an old phone. `clock_ahead_s` is the phone's clock less the
    door's."""

    device_id: UUID
    agent_id: UUID
    agent: str
    silent: bool
    last_contact_at: datetime | None
    waiting_ops: int | None
    told_at: datetime | None
    clock_ahead_s: int | None
    clock_off: bool
    unapplied: int
    oldest_unapplied_at: datetime | None
    held: int
    quarantined: int
    late: int
    unpublished: int
    oldest_unpublished_at: datetime | None


class Known(NamedTuple):
    """What one statement says of a phone."""

    id: UUID
    agent_id: UUID
    agent: str
    timezone: str
    enrolled_at: datetime
    heard_at: datetime | None
    newest_seq: int | None
    newest_told_at: datetime | None
    clock_ahead_s: int | None
    durable_seq: int | None


def active_devices() -> Any:
    """A statement for the agency's active phones: rows of Known."""
    return (
        select(
            Device.id, Device.agent_id, Agent.code, Agent.timezone, Device.enrolled_at, DeviceContact.heard_at,
            DeviceContact.newest_seq, DeviceContact.newest_told_at, DeviceContact.clock_ahead_s, Durable.durable_seq,
        )
        .join(Agent, (Agent.agency_id == Device.agency_id) & (Agent.id == Device.agent_id))
        .outerjoin(
            DeviceContact, (DeviceContact.agency_id == Device.agency_id) & (DeviceContact.device_id == Device.id)
        )
        .outerjoin(Durable, (Durable.agency_id == Device.agency_id) & (Durable.device_id == Device.id))
        .where(Device.agency_id == current_agency(), Device.state == "active")
    )  # fmt: skip


def all_healths(session: Session, *, now: datetime) -> list[DeviceHealth]:
    """Every active phone's, by agent and age."""
    rows = session.execute(active_devices().order_by(Agent.code, Device.enrolled_at, Device.id)).all()
    return healths(session, [Known(*row) for row in rows], now=now)


def healths(session: Session, devices: Sequence[Known], *, now: datetime) -> list[DeviceHealth]:
    """Of these phones, in their order. Five statements."""
    ids, agents = [row.id for row in devices], {row.agent_id for row in devices}
    hours = silent_after_hours(running_agency(session).policy)
    weekdays = _weekdays(session, agents)
    kept, waiting, told = _kept(session, ids, now), _waiting(session, devices), _unpublished(session, agents)
    found = []
    for row in devices:
        of = kept.get(row.id, {})
        unapplied, oldest = of.get("received", (0, None))
        unpublished, since = told.get(row.agent_id, (0, None))
        last = row.heard_at or row.enrolled_at
        ahead = row.clock_ahead_s
        found.append(
            DeviceHealth(
                row.id, row.agent_id, row.agent,
                is_silent(last, now, row.timezone, weekdays.get(row.agent_id, frozenset()), hours),
                row.heard_at, waiting.get(row.id), row.newest_told_at, ahead,
                ahead is not None and abs(ahead) > CLOCK_OFF_S,
                unapplied, oldest, of.get("held", (0,))[0],
                of.get("quarantined", (0,))[0] + of.get("odd", (0,))[0], of.get("late", (0,))[0],
                unpublished, since,
            )
        )  # fmt: skip
    return found


def not_durable(session: Session) -> int:
    """How many operations lie here above the durable marks of active phones: those that phones must still keep."""
    known = [Known(*row) for row in session.execute(active_devices())]
    bounds = {
        "devices": [one.id for one in known],
        "firsts": [(one.durable_seq or 0) + 1 for one in known],
        "lasts": [NO_END] * len(known),
    }
    return sum(row.number for row in session.execute(HERE, bounds | {"agency": current_agency()}))


@dataclass(frozen=True)
class Overview:
    """An agency's phones in numbers."""

    devices: int
    silent: int
    clocks_off: int
    waiting_ops: int
    unapplied: int
    oldest_unapplied_at: datetime | None
    held: int
    quarantined: int
    late: int
    unpublished: int
    oldest_unpublished_at: datetime | None


def overview(found: Sequence[DeviceHealth]) -> Overview:
    """What waits for an agent counts once, however many phones the agent has."""
    by_agent = {one.agent_id: one for one in found}.values()
    return Overview(
        len(found),
        sum(one.silent for one in found),
        sum(one.clock_off for one in found),
        sum(one.waiting_ops or 0 for one in found),
        sum(one.unapplied for one in found),
        _oldest(one.oldest_unapplied_at for one in found),
        sum(one.held for one in found),
        sum(one.quarantined for one in found),
        sum(one.late for one in found),
        sum(one.unpublished for one in by_agent),
        _oldest(one.oldest_unpublished_at for one in by_agent),
    )


def _oldest(moments: Iterable[datetime | None]) -> datetime | None:
    return min((moment for moment in moments if moment is not None), default=None)


# States stand in the text, not as parameters: only so does the planner know that the partial indexes answer.
KEPT = text(
    """
    SELECT device_id, 'received' AS state, count(*) AS number, min(received_at) AS oldest FROM mailbox.inbox
    WHERE agency_id = :agency AND device_id = ANY(:devices) AND state = 'received' GROUP BY device_id
    UNION ALL
    SELECT device_id, 'held', count(*), NULL FROM mailbox.inbox
    WHERE agency_id = :agency AND device_id = ANY(:devices) AND state = 'held' GROUP BY device_id
    UNION ALL
    SELECT device_id, 'late', count(*), NULL FROM mailbox.inbox
    WHERE agency_id = :agency AND device_id = ANY(:devices) AND state = 'late' AND received_at >= :since
    GROUP BY device_id
    UNION ALL
    SELECT device_id, 'quarantined', count(*), NULL FROM mailbox.inbox
    WHERE agency_id = :agency AND device_id = ANY(:devices) AND state = 'quarantined' AND closed_at IS NULL
    GROUP BY device_id
    UNION ALL
    SELECT device_id, 'odd', count(*), NULL FROM mailbox.quarantine
    WHERE agency_id = :agency AND device_id = ANY(:devices) AND closed_at IS NULL GROUP BY device_id
    """
)

# Of what is durable nothing is missing: only what lies above it is counted. Bounds come from outside, since the planner
# takes none for an index that it would have to read from another protected table.
HERE = text(
    """
    SELECT w.device_id, (
        SELECT count(DISTINCT i.seq) FROM mailbox.inbox i
        WHERE i.agency_id = :agency AND i.device_id = w.device_id AND i.seq BETWEEN w.first AND w.last
    ) AS number
    FROM unnest(CAST(:devices AS uuid[]), CAST(:firsts AS bigint[]), CAST(:lasts AS bigint[]))
        AS w (device_id, first, last)
    """
)


def _kept(session: Session, ids: list[UUID], now: datetime) -> dict[UUID, dict[str, tuple[int, datetime | None]]]:
    found: dict[UUID, dict[str, tuple[int, datetime | None]]] = {}
    parameters = {"agency": current_agency(), "devices": ids, "since": now - LATE_FOR}
    for row in session.execute(KEPT, parameters):
        found.setdefault(row.device_id, {})[row.state] = (row.number, row.oldest)
    return found


def _waiting(session: Session, devices: Sequence[Known]) -> dict[UUID, int]:
    """Of each phone that told of its newest operation, how many it made that are neither durable nor here."""
    telling = {row.id: (row.durable_seq or 0, row.newest_seq) for row in devices if row.newest_seq is not None}
    bounds = {
        "devices": list(telling),
        "firsts": [durable + 1 for durable, _ in telling.values()],
        "lasts": [newest for _, newest in telling.values()],
    }
    here = session.execute(HERE, bounds | {"agency": current_agency()})
    return {row.device_id: max(0, telling[row.device_id][1] - telling[row.device_id][0] - row.number) for row in here}


def _unpublished(session: Session, agents: set[UUID]) -> dict[UUID, tuple[int, datetime]]:
    rows = session.execute(
        select(Change.agent_id, func.count(), func.min(Change.created_at))
        .where(Change.agency_id == current_agency(), Change.agent_id.in_(agents))
        .group_by(Change.agent_id)
    )
    return {agent: (number, oldest) for agent, number, oldest in rows}


def _weekdays(session: Session, agents: set[UUID]) -> dict[UUID, frozenset[int]]:
    days = func.array_agg(Shift.weekday)
    rows = session.execute(
        select(Shift.agent_id, days)
        .where(Shift.agency_id == current_agency(), Shift.agent_id.in_(agents))
        .group_by(Shift.agent_id)
    )
    return {agent: frozenset(weekdays) for agent, weekdays in rows}
