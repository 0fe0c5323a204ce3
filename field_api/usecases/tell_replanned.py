"""A day planned again as a dispatcher reads it: every changed stop, every agent looked at."""

from __future__ import annotations

from typing import Any

from field_api.domain.replanned import Line
from field_api.queries.day_under_way import AgentNow
from field_api.usecases.replanned_day import Replanned


def told(found: Replanned) -> dict[str, Any]:
    """Plain values, by the names of `ReplannedSchema` (field_api/http/schemas/replanning.py)."""
    return {
        "plan_id": found.plan.id,
        "applied": found.applied,
        "digest": found.digest,
        "disturbed": found.disturbed,
        "cost_s": found.told.cost_s,
        "travel_change_s": found.travel_change_s,
        "changes": [_line(found, line) for line in found.lines],
        "agents": [_agent(found, agent) for agent in found.looked_at],
        "refused": [
            {"account_id": account_id, "reason": why.reason.value, "rule": str(why.rule)}
            for account_id, why in found.refused
        ],
    }


def _line(found: Replanned, line: Line) -> dict[str, Any]:
    common = {
        "change": line.change.value,
        "to_agent": None if line.to_agent is None else found.agent_of(line.to_agent).code,
        "begins_at": line.begins_at,
        "reason": line.why.reason.value if line.why else None,
        "rule": str(line.why.rule) if line.why else None,
    }
    return common | (_of_newcomer(found, line) if line.stop is None else _of_stop(found, line))


def _of_newcomer(found: Replanned, line: Line) -> dict[str, Any]:
    sought = found.newcomers[line.added or 0]
    accounts = [account_id for visit in sought.visits for account_id, _ in visit.accounts]
    nothing = dict.fromkeys(("stop_id", "from_agent", "position", "told_from", "told_to"))
    return {**nothing, "visits": [], "accounts": accounts, "letters": 0, "may_be_visited_twice": False}


def _of_stop(found: Replanned, line: Line) -> dict[str, Any]:
    stop, owner = line.told, found.owner(line.told.key)
    out = [visit.visit_id for visit in found.day.visits.get(stop.key, ())]
    leaves = line.to_agent is not None and found.agent_of(line.to_agent).agent_id != owner.agent_id
    return {
        "stop_id": stop.key,
        "visits": out if line.visit_id is None else [line.visit_id],
        "accounts": [],
        "from_agent": owner.code,
        "position": stop.position,
        "told_from": stop.arrival_from,
        "told_to": stop.arrival_to,
        "letters": stop.letters if leaves or line.to_agent is None else 0,
        "may_be_visited_twice": leaves and found.quiet(owner),
    }


def _agent(found: Replanned, agent: AgentNow) -> dict[str, Any]:
    at = next((n for n, route in enumerate(found.under.routes) if route.agent_id == agent.agent_id), None)
    known = None if at is None else found.under.known[at]
    current = known.current if known else None
    done = sum(stop.done_at is not None for stop in agent.now.stops)
    presumed = sum(fact.presumed for fact in known.facts) if known else 0
    return {
        "agent_id": agent.agent_id,
        "code": agent.code,
        "ill": agent.now.ill,
        "heard_at": agent.now.heard_at,
        "current_stop_id": current.key if current else None,
        "done": done,
        "presumed_done": presumed,
        "left": len(agent.now.stops) - done - presumed,
    }
