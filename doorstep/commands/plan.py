"""`doorstep plan`: draft a day, look at it, publish it."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import click
from rich.console import Console
from rich.table import Table
from sqlalchemy.orm import Session

from doorstep.commands import office_context
from doorstep.commands.plan_explain import explain
from doorstep.commands.plan_places import find_places
from doorstep.commands.plan_progress import progress
from field_api.platform.database import transaction
from field_api.platform.wiring import clock, planning
from field_api.queries.agents import agents
from field_api.queries.plan_overview import PlanOverview, plan_overview
from field_api.records.planning import Agent
from field_api.usecases.plan_day import plan_day
from field_api.usecases.publish_by_agent import publish_by_agent


@click.command()
@click.option("--date", "day", type=click.DateTime(["%Y-%m-%d"]), required=True, help="The day to plan.")
@click.option("--publish", is_flag=True, help="Send the routes to phones at once; without it a draft is made.")
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=1, show_default=True, help="Same seed, same plan.")
@click.option(
    "--explain", "account", metavar="ACCOUNT", help="Plan nothing; tell why this account is (not) on the day."
)
@click.option("--creditor", help="With --explain: ACCOUNT is this creditor's reference, not an id.")
def plan(day: datetime, publish: bool, seed: int, account: str | None, creditor: str | None) -> None:
    """Plan a day: who goes where in which order, and why everything else does not."""
    if account is not None:
        with office_context() as agency_id, transaction(agency_id) as session:
            explain(session, account, creditor, day.date())
        return
    with office_context() as agency_id:
        with progress() as report:
            find_places(agency_id, report)
            with transaction(agency_id) as session:
                drafted = plan_day(session, day.date(), parts=planning(), now=clock().now(), seed=seed, report=report)
            if publish:
                publish_by_agent(
                    lambda: transaction(agency_id),
                    drafted.id,
                    parts=planning(),
                    now=clock().now(),
                    published_by=None,
                    report=report,
                )
        with transaction(agency_id) as session:
            show_plan(session, plan_overview(session, drafted.id))


def show_plan(session: Session, overview: PlanOverview) -> None:
    """Print routes and reasons as tables. Counts and codes only: nothing of any account."""
    console = Console()
    zones = {agent.id: ZoneInfo(agent.timezone) for agent in session.scalars(agents().where(Agent.active))}
    title = f"{overview.plan.for_day.isoformat()}: {overview.plan.state}"
    routes = Table("agent", "from", "to", "stops", "visits", "km", "driving", title=title)
    for route in overview.routes:
        zone = zones.get(route.agent_id)
        routes.add_row(
            route.agent_code,
            f"{route.starts_at.astimezone(zone):%H:%M}",
            f"{route.ends_at.astimezone(zone):%H:%M}",
            str(route.stops),
            str(route.visits),
            f"{route.distance_m / 1000:.1f}",
            f"{route.travel_s // 3600}:{route.travel_s % 3600 // 60:02d}",
        )
    console.print(routes)
    if overview.plan.solver.get("estimates"):
        console.print("Distances and driving times are estimates (great circle with a detour factor).")
    reasons = Table("not planned because", "accounts")
    for reason, count in overview.not_planned.items():
        reasons.add_row(reason, str(count))
    console.print(reasons)
    console.print(f"{overview.visits} visits on {len(overview.routes)} routes; plan {overview.plan.id}")
