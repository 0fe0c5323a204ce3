"""What `doorstep plan` shows when it is done: tables, JSON, a picture of each route. Counts and codes, no name."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

import click
from rich.table import Table
from sqlalchemy.orm import Session

from doorstep.commands.tables import plain_console
from field_api.domain.route_picture import route_svg
from field_api.queries.agents import agents
from field_api.queries.plan_overview import PlanOverview
from field_api.queries.route_loads import route_sketches, service_s, shift_s
from field_api.records.planning import Agent

ESTIMATES = "Distances, times and loads are estimates (great circle with a detour factor)."


@dataclass(frozen=True)
class AgentDay:
    """One agent's route. `load`: time on the way and at doors against the shift, 1.0 is all of it; None: no shift."""

    agent: str
    starts_at: str  # local
    ends_at: str
    timezone: str
    stops: int
    visits: int
    distance_km: float
    driving_hours: float
    hours: float
    load: float | None


def agent_days(session: Session, overview: PlanOverview) -> list[AgentDay]:
    """By agent's code. Four statements."""
    known = {agent.id: agent for agent in session.scalars(agents().where(Agent.active))}
    at_doors, shifts = service_s(session, overview.plan.id), shift_s(session, overview.plan.for_day)
    days = []
    for route in overview.routes:
        agent = known.get(route.agent_id)
        zone = ZoneInfo(agent.timezone if agent else "UTC")
        worked_s = route.travel_s + at_doors.get(route.id, 0)
        shift = shifts.get(route.agent_id)
        days.append(
            AgentDay(
                agent=route.agent_code,
                starts_at=f"{route.starts_at.astimezone(zone):%H:%M}",
                ends_at=f"{route.ends_at.astimezone(zone):%H:%M}",
                timezone=zone.key,
                stops=route.stops,
                visits=route.visits,
                distance_km=round(route.distance_m / 1000, 1),
                driving_hours=round(route.travel_s / 3600, 2),
                hours=round((route.ends_at - route.starts_at).total_seconds() / 3600, 2),
                load=round(worked_s / shift, 2) if shift else None,
            )
        )
    return days


def show_plan(session: Session, overview: PlanOverview) -> None:
    """Print routes and reasons as tables."""
    console = plain_console()
    title = f"{overview.plan.for_day.isoformat()}: {overview.plan.state}"
    table = Table("agent", "from", "to", title=title)
    for heading in ("stops", "visits", "km", "driving", "hours", "load"):
        table.add_column(heading, justify="right")
    for day in agent_days(session, overview):
        load = "" if day.load is None else f"{day.load:.0%}"
        km, driving, hours = f"{day.distance_km:.1f}", _clock(day.driving_hours), _clock(day.hours)
        table.add_row(day.agent, day.starts_at, day.ends_at, str(day.stops), str(day.visits), km, driving, hours, load)
    console.print(table)
    if overview.plan.solver.get("estimates"):
        console.print(ESTIMATES)
    reasons = Table("not planned because")
    reasons.add_column("accounts", justify="right")
    for reason, count in sorted(overview.not_planned.items(), key=lambda entry: (-entry[1], entry[0])):
        reasons.add_row(reason, str(count))
    console.print(reasons)
    console.print(f"{overview.visits} visits on {len(overview.routes)} routes; plan {overview.plan.id}")


def plan_json(session: Session, overview: PlanOverview) -> str:
    """The same as one JSON object."""
    told = {
        "plan": str(overview.plan.id),
        "day": overview.plan.for_day.isoformat(),
        "state": overview.plan.state,
        "estimates": bool(overview.plan.solver.get("estimates")),
        "visits": overview.visits,
        "routes": [asdict(day) for day in agent_days(session, overview)],
        "not_planned": overview.not_planned,
    }
    return json.dumps(told, indent=2)


def draw_routes(session: Session, overview: PlanOverview, directory: Path) -> int:
    """One SVG per route, named by day and the agent's code. How many."""
    directory.mkdir(parents=True, exist_ok=True)
    drawn = route_sketches(session, overview.plan)
    for route in overview.routes:
        path = directory / f"{overview.plan.for_day.isoformat()}-{route.agent_code}.svg"
        path.write_text(route_svg(drawn[route.id]), encoding="utf-8")
    click.echo(f"{len(overview.routes)} pictures in {directory}", err=True)
    return len(overview.routes)


def _clock(hours: float) -> str:
    minutes = round(hours * 60)
    return f"{minutes // 60}:{minutes % 60:02d}"
