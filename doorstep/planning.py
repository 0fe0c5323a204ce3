"""What planning is made of in production. Wired once, in `doorstep.app`."""

from __future__ import annotations

import os
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from field_api.domain.ports import PlanningParts


def refuse_unsafe_travel() -> None:
    """At the start, where travel times are configured at all: the first plan would be too late to hear of a mistake.
    Raises UnsafeSettings."""
    if os.environ.get("DOORSTEP_TRAVEL_URL") or os.environ.get("DOORSTEP_TRAVEL_RUSH_HOURS"):
        from field_api.adapters.travel_settings import travel_from

        travel_from()


@cache
def planning_parts() -> PlanningParts:
    """The shipped rules, the almanac, travel times as configured (else great-circle estimates) and PyVRP."""
    # Imported on first use: numpy, PyVRP and holidays cost a second that most commands need not wait for.
    from field_api.adapters.calendars import Almanac
    from field_api.adapters.rules_toml import TomlRules
    from field_api.adapters.solver_pool import SolverPool
    from field_api.adapters.solver_pyvrp import PyVrpSolver
    from field_api.adapters.travel_settings import travel_from
    from field_api.domain.ports import PlanningParts

    found = travel_from()
    return PlanningParts(
        TomlRules(),
        Almanac(),
        found.travel,
        SolverPool(PyVrpSolver()),
        instead_of_roads=found.instead_of_roads,
        rush_hours=found.rush_hours,
    )


def thorough(parts: PlanningParts) -> PlanningParts:
    """The same with a search that goes on for about half a minute for each hundred stops."""
    from field_api.adapters.solver_pool import SolverPool
    from field_api.adapters.solver_pyvrp import THOROUGH

    return replace(parts, solver=SolverPool(THOROUGH))
