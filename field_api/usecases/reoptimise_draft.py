"""Plan a draft anew around what a dispatcher said by hand: the same plan, from the routes that it has."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from field_api.domain.changes_by_hand import dropped
from field_api.domain.contact_rules import Refusal, Rule
from field_api.domain.draft_orders import ChangeByHand
from field_api.domain.mending import mended
from field_api.domain.ports import PlanningParts
from field_api.domain.routing import PlacedRoute, PlacedStop, RoutingProblem, StopWish
from field_api.domain.stops import SoughtStop, gather_stops
from field_api.domain.territories import MOST_STOPS
from field_api.domain.vocabulary import NotPlannedReason
from field_api.platform.tenancy import current_agency
from field_api.queries.agents_on_duty import OnDuty, agents_on_duty
from field_api.queries.arrays import among
from field_api.queries.draft_problem import manual_wishes
from field_api.queries.planning_policy import planning_policy
from field_api.records.drafts import ManualWish
from field_api.records.planning import NotPlanned, Plan, Route, Stop
from field_api.records.visits import Visit, VisitAccount
from field_api.usecases.change_draft import the_draft
from field_api.usecases.note_visit_event import staff_actor
from field_api.usecases.plan_day import clear_plan, sorted_out
from field_api.usecases.solve_day import Report, SolvedDay, silent, solve_wishes
from field_api.usecases.travel_of_day import day_travel
from field_api.usecases.write_draft import note_change
from field_api.usecases.write_plan import write_plan

BY_HAND = 100
"""How many times its weight a stop counts that a dispatcher placed: others make room for it."""


def reoptimise_draft(
    session: Session,
    plan_id: UUID,
    *,
    parts: PlanningParts,
    now: datetime,
    by: UUID | None,
    seen: Collection[str] | None,
    seed: int = 1,
    report: Report = silent,
) -> Plan:
    """Put the rest of the day in order anew, from the draft as it stands: what was pinned stays with its agent and at
    its position, what was added stays on a route, what was dropped on none; whoever may be visited by now comes in,
    whoever may not goes out, with the reason. Raises `not-found`, `already-done`, `precondition-failed`.
    """
    plan = the_draft(session, plan_id, seen)
    wishes = manual_wishes(session, plan.id)
    kept_out = _kept_out(session, plan, [account_id for account_id, wish in wishes.items() if wish.dropped])
    eligible, refused = sorted_out(session, plan.for_day, parts, without=kept_out)
    on_duty = agents_on_duty(session, plan.for_day, now)
    stops = gather_stops(eligible)
    travel = day_travel(session, parts, plan.for_day, now, [entry.day for entry in on_duty])
    asked = _Asked(on_duty, stops, _accounts_in_order(session, plan), wishes)
    solved = asked.solve(replace(parts, travel=travel), seed, report, planning_policy(session).balance)
    clear_plan(session, plan)
    out = _out(refused, kept_out)
    write_plan(session, plan, solved, on_duty, stops, out, now=now, actor=staff_actor(by))
    plan.solver = solved.facts | travel.facts()
    note_change(session, plan, ChangeByHand.OPTIMISE, {"seed": seed}, at=now, by=by)
    return plan


def _out(refused: Sequence[tuple[UUID, Refusal]], by_hand: Mapping[UUID, Refusal]) -> list[tuple[UUID, Refusal]]:
    """A dispatcher's own reason stands before every other."""
    return [
        *((account_id, why) for account_id, why in refused if account_id not in by_hand),
        *by_hand.items(),
    ]


def _kept_out(session: Session, plan: Plan, account_ids: Collection[UUID]) -> dict[UUID, Refusal]:
    """What was dropped, with the reason that was given then."""
    rows = session.execute(
        select(NotPlanned.account_id, NotPlanned.rule).where(
            NotPlanned.agency_id == current_agency(),
            NotPlanned.plan_id == plan.id,
            NotPlanned.reason.in_((NotPlannedReason.DROPPED.value, NotPlannedReason.WITHDRAWN.value)),
            among(NotPlanned.account_id, account_ids),
        )
    )
    given = {row.account_id: dropped((row.rule or "").partition(": ")[2] or None) for row in rows}
    return dict.fromkeys(account_ids, dropped(None)) | given


class _Asked:
    """The day with what was said by hand, as wishes to the solver."""

    def __init__(
        self,
        on_duty: Sequence[OnDuty],
        stops: Sequence[SoughtStop],
        order: Mapping[UUID, Sequence[UUID]],
        wishes: Mapping[UUID, ManualWish],
    ) -> None:
        self.agents = [agent.day for agent in on_duty]
        numbers = {agent.agent_id: number for number, agent in enumerate(on_duty)}
        self.by_hand = [_by_hand(stop, wishes) for stop in stops]
        stop_of = {account: at for at, stop in enumerate(stops) for account in _accounts(stop)}
        self.before = [
            tuple(dict.fromkeys(stop_of[account] for account in order.get(agent.agent_id, ()) if account in stop_of))
            for agent in on_duty
        ]
        self.before = _each_once(self.before)
        self.holder = {stop: agent for agent, own in enumerate(self.before) for stop in own}
        self.large = len(stops) > MOST_STOPS
        self.wishes = [self._wish(at, stop, numbers) for at, stop in enumerate(stops)]

    def _wish(self, at: int, stop: SoughtStop, numbers: Mapping[UUID, int]) -> StopWish:
        wish, said = stop.wish(), self.by_hand[at]
        if said is None:
            return wish
        agent = None if said.agent_id is None else numbers.get(said.agent_id, -1)
        if agent is None and self.large:
            # Of a large day only what is near is looked at: what was added stays with whom it was put.
            agent = self.holder.get(at)
        return replace(wish, agent=agent, position=said.position, weight=wish.weight * BY_HAND, prize=None)

    def solve(self, parts: PlanningParts, seed: int, report: Report, balance: float | None) -> SolvedDay:
        solved = solve_wishes(
            self.agents,
            self.wishes,
            solver=parts.solver,
            travel=parts.travel,
            seed=seed,
            report=report,
            balance=balance,
            before=self.before,
        )
        lost = [stop for stop in solved.left_out if self.by_hand[stop] is not None and stop in self.holder]
        if lost:
            kept = self._as_it_stands(parts)
            # Also where hours or a shift no longer let the draft be kept: then the one that loses less.
            if sum(stop in kept.left_out for stop in lost) < len(lost):
                solved = replace(kept, facts={**solved.facts, **kept.facts})
        return self._explained(solved)

    def _as_it_stands(self, parts: PlanningParts) -> SolvedDay:
        """The routes of the draft, timed anew: what no longer fits makes room, what was placed by hand last."""
        routes: list[PlacedRoute] = []
        for agent, order in enumerate(self.before):
            wishes = tuple(
                replace(self.wishes[stop], agent=None if self.wishes[stop].agent == agent else self.wishes[stop].agent)
                for stop in order
            )
            day = self.agents[agent]
            points = [day.start, day.end, *(wish.point for wish in wishes)]
            problem = RoutingProblem((day,), wishes, parts.travel.between(points, points))
            for route in mended(problem, [range(len(order))]).routes:
                own = tuple(PlacedStop(order[entry.stop], entry.begins_at) for entry in route.stops)
                routes.append(replace(route, agent=agent, stops=own))
        placed = {entry.stop for route in routes for entry in route.stops}
        left_out = {
            stop: (NotPlannedReason.NO_TIME_ON_ANY_ROUTE, KEPT_AS_IT_WAS)
            for stop in range(len(self.wishes))
            if stop not in placed
        }
        facts = {
            "distance_m": sum(route.distance_m for route in routes),
            "travel_s": sum(route.travel_s for route in routes),
        }
        return SolvedDay(tuple(routes), left_out, facts)

    def _explained(self, solved: SolvedDay) -> SolvedDay:
        """What was held by hand and is on no route says so."""
        left_out = {
            stop: (NotPlannedReason.NO_AGENT, PINNED_TO_NOBODY) if self.wishes[stop].agent == -1 else why
            for stop, why in solved.left_out.items()
        }
        return replace(solved, left_out=left_out)


PINNED_TO_NOBODY = Rule("pinned", "a dispatcher held it with an agent who has no shift on that day", "H")
KEPT_AS_IT_WAS = Rule("no-time", "what dispatchers placed by hand leaves no time for it", "H")


def _by_hand(stop: SoughtStop, wishes: Mapping[UUID, ManualWish]) -> ManualWish | None:
    own = [wishes[account] for account in _accounts(stop) if account in wishes and not wishes[account].dropped]
    said = [wish for wish in own if wish.agent_id is not None or wish.position is not None or wish.added]
    return said[0] if said else None


def _accounts(stop: SoughtStop) -> list[UUID]:
    return sorted(account for visit in stop.visits for account, _ in visit.accounts)


def _each_once(orders: Sequence[tuple[int, ...]]) -> list[tuple[int, ...]]:
    """Two stops may have become one, on two routes: it stays on the first."""
    seen: set[int] = set()
    found = []
    for order in orders:
        found.append(tuple(stop for stop in order if stop not in seen))
        seen.update(order)
    return found


def _accounts_in_order(session: Session, plan: Plan) -> dict[UUID, list[UUID]]:
    """Of each agent, the accounts in the order in which they are visited."""
    rows = session.execute(
        select(Route.agent_id, VisitAccount.account_id)
        .join(Stop, (Stop.agency_id == Route.agency_id) & (Stop.route_id == Route.id))
        .join(Visit, (Visit.agency_id == Stop.agency_id) & (Visit.stop_id == Stop.id))
        .join(VisitAccount, (VisitAccount.agency_id == Visit.agency_id) & (VisitAccount.visit_id == Visit.id))
        .where(Route.agency_id == current_agency(), Route.plan_id == plan.id)
        .order_by(Route.agent_id, Stop.position, VisitAccount.account_id)
    )
    found: dict[UUID, list[UUID]] = {}
    for agent_id, account_id in rows:
        found.setdefault(agent_id, []).append(account_id)
    return found
