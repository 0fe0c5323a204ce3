"""`/agents`: who goes out, when, from where, in which languages."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import g
from flask_smorest import Blueprint

from field_api.domain.disclosure import Audience
from field_api.domain.routing import Point
from field_api.http.paging import Page, PageArguments, page_schema, paged
from field_api.http.permits import answers, permitted
from field_api.http.schemas.agents import (
    AbsenceSchema,
    AgentChangesSchema,
    AgentSchema,
    AgentWithTimesSchema,
    LanguagesSchema,
    NewAbsenceSchema,
    NewAgentSchema,
    NewShiftSchema,
    ShiftSchema,
)
from field_api.http.schemas.planning import RouteQuery, RouteSchema
from field_api.platform.database import transaction
from field_api.platform.wiring import clock
from field_api.queries.agents import AgentWithTimes, agent_with_times, agents
from field_api.queries.route_of_agent import RouteOfAgent, route_of_agent
from field_api.records.planning import Absence, Agent, Shift
from field_api.usecases.add_agent import add_agent, set_agent_languages
from field_api.usecases.change_agent import change_agent
from field_api.usecases.set_shift import LunchBreak, end_shift, record_absence, set_shift

blueprint = Blueprint("agents", __name__, url_prefix="/agents", description="Agents, shifts and absences")


@blueprint.get("")
@answers(Audience.DISPATCHER, Audience.MANAGER, Audience.ADMIN, Audience.INTEGRATOR)
@permitted("agents.read")
@blueprint.arguments(PageArguments, location="query")
@blueprint.response(200, page_schema(AgentSchema))
def list_agents(page: dict[str, Any]) -> Page:
    """Agents by code."""
    with transaction(g.actor.agency_id) as session:
        return paged(session, agents(), [Agent.code, Agent.id], **page)


@blueprint.post("")
@answers(Audience.DISPATCHER, Audience.MANAGER, Audience.ADMIN)
@permitted("agents.write")
@blueprint.arguments(NewAgentSchema)
@blueprint.response(201, AgentSchema)
def add(body: dict[str, Any]) -> Agent:
    """Take an agent on."""
    work = {name: body.pop(name) for name in ("skills", "territories", "most_stops") if name in body}
    with transaction(g.actor.agency_id) as session:
        return change_agent(session, add_agent(session, **body).id, **work)


@blueprint.get("/<uuid:agent_id>")
@answers(Audience.DISPATCHER, Audience.MANAGER)
@permitted("shifts.read")
@blueprint.response(200, AgentWithTimesSchema)
def show(agent_id: UUID) -> AgentWithTimes:
    """The agent with the week's shifts and the absences that are not over."""
    with transaction(g.actor.agency_id) as session:
        return agent_with_times(session, agent_id, since=clock().now().date())


@blueprint.patch("/<uuid:agent_id>")
@answers(Audience.DISPATCHER, Audience.MANAGER, Audience.ADMIN)
@permitted("agents.write")
@blueprint.arguments(AgentChangesSchema)
@blueprint.response(200, AgentSchema)
def change(body: dict[str, Any], agent_id: UUID) -> Agent:
    """What the agent can do, where they work and how many stops a day, for plans from now on."""
    with transaction(g.actor.agency_id) as session:
        return change_agent(session, agent_id, **body)


@blueprint.get("/<uuid:agent_id>/route")
@answers(Audience.DISPATCHER, Audience.MANAGER)
@permitted("plans.read")
@blueprint.arguments(RouteQuery, location="query")
@blueprint.response(200, RouteSchema)
def show_route(query: dict[str, Any], agent_id: UUID) -> RouteOfAgent:
    """The agent's route of a day: stops in order, with the visits behind each."""
    with transaction(g.actor.agency_id) as session:
        return route_of_agent(session, agent_id, query["day"])


@blueprint.put("/<uuid:agent_id>/languages")
@answers(Audience.DISPATCHER, Audience.MANAGER, Audience.ADMIN)
@permitted("agents.write")
@blueprint.arguments(LanguagesSchema)
@blueprint.response(200, AgentSchema)
def set_languages(body: dict[str, Any], agent_id: UUID) -> Agent:
    """Which languages the agent speaks."""
    with transaction(g.actor.agency_id) as session:
        return set_agent_languages(session, agent_id, body["languages"])


@blueprint.put("/<uuid:agent_id>/shifts/<int:weekday>")
@answers(Audience.DISPATCHER, Audience.MANAGER)
@permitted("shifts.write")
@blueprint.arguments(NewShiftSchema)
@blueprint.response(200, ShiftSchema)
def put_shift(body: dict[str, Any], agent_id: UUID, weekday: int) -> Shift:
    """The working window of a weekday (0 Monday), with where it starts and ends."""
    end, lunch = body.pop("end"), body.pop("lunch")
    points = {"start": Point(**body.pop("start")), "end": Point(**end) if end else None}
    with transaction(g.actor.agency_id) as session:
        return set_shift(session, agent_id, weekday, **body, **points, lunch=LunchBreak(**lunch) if lunch else None)


@blueprint.delete("/<uuid:agent_id>/shifts/<int:weekday>")
@answers(Audience.DISPATCHER, Audience.MANAGER)
@permitted("shifts.write")
@blueprint.response(204)
def delete_shift(agent_id: UUID, weekday: int) -> None:
    """No work on that weekday any more."""
    with transaction(g.actor.agency_id) as session:
        end_shift(session, agent_id, weekday)


@blueprint.post("/<uuid:agent_id>/absences")
@answers(Audience.DISPATCHER, Audience.MANAGER)
@permitted("shifts.write")
@blueprint.arguments(NewAbsenceSchema)
@blueprint.response(201, AbsenceSchema)
def add_absence(body: dict[str, Any], agent_id: UUID) -> Absence:
    """Away from the first to the last day, both included."""
    with transaction(g.actor.agency_id) as session:
        return record_absence(session, agent_id, **body)
