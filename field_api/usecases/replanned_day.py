"""What planning a day again comes to: the change, and all that is needed to write it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from field_api.domain.contact_rules import Refusal
from field_api.domain.disturbance import Disturbance
from field_api.domain.replanned import Line
from field_api.domain.replanning import UnderWay
from field_api.domain.routing import PlacedRoute, RoutingAnswer, RoutingProblem
from field_api.domain.stops import SoughtStop
from field_api.queries.day_under_way import AgentNow, DayNow
from field_api.records.planning import Plan

QUIET = timedelta(minutes=10)
"""A phone that was not heard for so long may not hear of a change before its agent is at the door."""


@dataclass(frozen=True)
class Replanned:
    """What is changed, or would be. `looked_at`: agents whose routes were looked at, those without change among them.

    `travel_change_s`: driving after less driving before, of those who can take stops. `digest` names the change: who
    agrees to it sends it, and is refused where it would be another by then. `refused`: accounts to add that nobody may
    visit today.
    """

    plan: Plan
    now: datetime
    day: DayNow
    looked_at: tuple[AgentNow, ...]
    under: UnderWay
    problem: RoutingProblem
    answer: RoutingAnswer
    lines: tuple[Line, ...]
    newcomers: tuple[SoughtStop, ...]
    refused: tuple[tuple[UUID, Refusal], ...]
    told: Disturbance
    travel_change_s: int
    digest: str
    applied: bool = False

    @property
    def disturbed(self) -> int:
        """Stops that phones knew of and that are not as they were told."""
        return len({line.told.key for line in self.lines if line.stop is not None})

    def agent_of(self, index: int) -> AgentNow:
        """Who has that index in the problem."""
        agent_id = self.under.routes[index].agent_id
        return next(agent for agent in self.looked_at if agent.agent_id == agent_id)

    def owner(self, stop_id: UUID) -> AgentNow:
        """Whose a stop was."""
        return next(a for a in self.looked_at if any(stop.key == stop_id for stop in a.now.stops))

    def route(self, index: int) -> PlacedRoute | None:
        return next((route for route in self.answer.routes if route.agent == index), None)

    def quiet(self, agent: AgentNow) -> bool:
        """Whether the agent may not hear of a change in time, and go where another one goes."""
        return agent.now.heard_at is None or agent.now.heard_at < self.now - QUIET
