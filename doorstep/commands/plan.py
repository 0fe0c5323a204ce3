"""`doorstep plan`: draft a day, look at it, publish it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from doorstep.commands import office_context
from doorstep.commands.plan_explain import explain
from doorstep.commands.plan_places import find_places
from doorstep.commands.plan_progress import progress
from doorstep.commands.plan_shown import draw_routes, plan_json, show_plan
from doorstep.planning import thorough as longer_search
from field_api.platform.database import transaction
from field_api.platform.wiring import clock, planning
from field_api.queries.plan_overview import plan_overview
from field_api.usecases.plan_day import plan_day
from field_api.usecases.publish_by_agent import publish_by_agent


@click.command()
@click.option("--date", "day", type=click.DateTime(["%Y-%m-%d"]), required=True, help="The day to plan.")
@click.option("--publish", is_flag=True, help="Send the routes to phones at once; without it a draft is made.")
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=1, show_default=True, help="Same seed, same plan.")
@click.option("--thorough", is_flag=True, help="Search for shorter ways longer: half a minute a hundred stops.")
@click.option(
    "--explain", "account", metavar="ACCOUNT", help="Plan nothing; tell why this account is (not) on the day."
)
@click.option("--creditor", help="With --explain: ACCOUNT is this creditor's reference, not an id.")
@click.option("--json", "as_json", is_flag=True, help="Tell the plan as JSON instead of tables.")
@click.option(
    "--pictures",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Draw each route into DIR, as SVG: numbers and lines, no name and no address.",
)
def plan(
    day: datetime,
    publish: bool,
    seed: int,
    thorough: bool,
    account: str | None,
    creditor: str | None,
    as_json: bool,
    pictures: Path | None,
) -> None:
    """Plan a day: who goes where in which order, and why everything else does not."""
    if account is not None:
        with office_context() as agency_id, transaction(agency_id) as session:
            explain(session, account, creditor, day.date())
        return
    with office_context() as agency_id:
        parts = longer_search(planning()) if thorough else planning()
        with progress() as report:
            find_places(agency_id, report)
            with transaction(agency_id) as session:
                drafted = plan_day(session, day.date(), parts=parts, now=clock().now(), seed=seed, report=report)
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
            overview = plan_overview(session, drafted.id)
            if pictures is not None:
                draw_routes(session, overview, pictures)
            if as_json:
                click.echo(plan_json(session, overview))
            else:
                show_plan(session, overview)
