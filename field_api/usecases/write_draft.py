"""Write a change by hand: the routes that it touches, what has to be kept of it, and the story."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from field_api.domain.changes_by_hand import Change, dropped
from field_api.domain.confidential import Confidential
from field_api.domain.draft_orders import ChangeByHand, DraftOrders, Pin
from field_api.domain.draft_times import Tried
from field_api.domain.routing import PlacedStop
from field_api.domain.stops import SoughtStop
from field_api.domain.vocabulary import VisitEventKind
from field_api.platform.ids import new_id
from field_api.platform.problems import Problem
from field_api.platform.tenancy import current_agency
from field_api.queries.arrays import among
from field_api.queries.draft_agents import DraftAgents
from field_api.queries.draft_problem import StopOnPlan, manual_wishes
from field_api.records.drafts import ManualWish, PlanChange
from field_api.records.planning import NotPlanned, Plan, Route, Stop
from field_api.records.visits import Visit, VisitAccount, VisitEvent
from field_api.usecases.add_to_draft import Addition
from field_api.usecases.note_decision import note_decision
from field_api.usecases.note_visit_event import note_visit_event, staff_actor
from field_api.usecases.write_routes import Rows, add_stop, insert_rows, stop_times


@dataclass(frozen=True)
class Written:
    """A change that was found possible, with the orders before and after it."""

    change: Change
    before: DraftOrders
    after: DraftOrders
    tried: tuple[Tried, ...]  # the routes that are others now
    addition: Addition | None
    seen_at: datetime
    by: UUID | None


def write_draft(
    session: Session, plan: Plan, agents: DraftAgents, stops: Sequence[StopOnPlan], written: Written
) -> UUID | None:
    """Returns the stop that the change is about. Raises `precondition-failed` where a hold took a visit off meanwhile;
    then nothing of it is done."""
    return _Writing(session, plan, agents, stops, written).write()


class _Writing:
    def __init__(
        self, session: Session, plan: Plan, agents: DraftAgents, stops: Sequence[StopOnPlan], written: Written
    ) -> None:
        self.session, self.plan, self.agents, self.what = session, plan, agents, written
        self.on_plan = {stop.stop_id: stop for stop in stops}
        self.actor = staff_actor(written.by)
        self.sought: dict[UUID, SoughtStop] = {stop.stop_id: stop.sought for stop in stops}
        if written.addition is not None:
            self.sought[written.addition.stop_id] = written.addition.sought

    def write(self) -> UUID | None:
        self.visits = self._locked()
        routes = {tried.agent: self._route(tried) for tried in self.what.tried}
        self.stop_id = self.what.change.stop_id
        added = self._add(routes)
        if self.what.change.kind is ChangeByHand.DROP and self.what.change.stop_id is not None:
            self._drop(self.on_plan[self.what.change.stop_id])
        self._place(routes, added)
        self._drop_empty(routes)
        self._keep(self._accounts_now())
        self._tell()
        return self.stop_id

    def _locked(self) -> dict[UUID, list[Visit]]:
        """The visits of the routes, by stop: as they were read, or somebody else was faster."""
        touched = {stop for tried in self.what.tried for stop in self.what.before.order(tried.agent)}
        touched |= {stop for tried in self.what.tried for stop in tried.order if stop in self.on_plan}
        if self.what.change.stop_id is not None:
            touched.add(self.what.change.stop_id)
        known = {visit.visit_id for stop in touched for visit in self.on_plan[stop].visits}
        found = self.session.scalars(
            select(Visit)
            .where(Visit.agency_id == current_agency(), among(Visit.id, known))
            .order_by(Visit.id)
            .with_for_update(key_share=True)
            .execution_options(populate_existing=True)
        )
        by_stop: dict[UUID, list[Visit]] = {}
        for visit in found:
            if visit.state != "planned" or visit.stop_id is None:
                raise Problem("precondition-failed", "a visit was withdrawn meanwhile: look again", at="If-Match")
            by_stop.setdefault(visit.stop_id, []).append(visit)
        if {visit.id for own in by_stop.values() for visit in own} != known:
            raise Problem("precondition-failed", "a visit was withdrawn meanwhile: look again", at="If-Match")
        return by_stop

    def _route(self, tried: Tried) -> Route:
        day, placed = self.agents.known[tried.agent].day, tried.timed.route
        route = self.agents.routes.get(tried.agent)
        if route is None:
            route = Route(id=new_id(), plan_id=self.plan.id, agent_id=tried.agent)
            self.session.add(route)
        route.start_latitude, route.start_longitude = day.start.latitude, day.start.longitude
        route.end_latitude, route.end_longitude = day.end.latitude, day.end.longitude
        route.starts_at, route.ends_at = placed.starts_at, placed.ends_at
        route.distance_m, route.travel_s, route.lunch_at = placed.distance_m, placed.travel_s, placed.lunch_at
        self.session.flush()
        return route

    def _place(self, routes: Mapping[UUID, Route], added: UUID | None) -> None:
        touched = [stop for tried in self.what.tried for stop in tried.order if stop != added]
        rows = {row.id: row for row in self.session.scalars(_of(Stop, touched))}
        for tried in self.what.tried:
            for position, entry in enumerate(tried.timed.route.stops, start=1):
                stop_id = tried.order[entry.stop]
                if stop_id == added:
                    continue
                row = rows[stop_id]
                row.route_id, row.position = routes[tried.agent].id, position
                for name, value in stop_times(entry.begins_at, self.sought[stop_id]).items():
                    setattr(row, name, value)
                self._hand_over(stop_id, tried.agent, position)
        self.session.flush()

    def _hand_over(self, stop_id: UUID, agent: UUID, position: int) -> None:
        for visit in self.visits[stop_id]:
            if visit.agent_id != agent:
                body = {"from": str(visit.agent_id), "to": str(agent), "position": position}
                note_visit_event(self.session, visit.id, VisitEventKind.REASSIGNED, self.what.seen_at, self.actor, body)
                visit.agent_id = agent

    def _add(self, routes: Mapping[UUID, Route]) -> UUID | None:
        """The new stop with its visit; returns the stop's id. Of an account that joins a stop: its visit there."""
        addition = self.what.addition
        if addition is None:
            return None
        self.stop_id = addition.stop_id
        self.session.execute(
            delete(NotPlanned).where(
                NotPlanned.agency_id == current_agency(),
                NotPlanned.plan_id == self.plan.id,
                NotPlanned.account_id == addition.account_id,
            )
        )
        if addition.joins is not None:
            self._join(addition, addition.joins)
            return None
        (tried,) = self.what.tried
        at = tried.order.index(addition.stop_id)
        placed: PlacedStop = tried.timed.route.stops[at]
        rows: Rows = {Stop: [], Visit: [], VisitAccount: [], VisitEvent: []}
        route_id, agent_id = routes[tried.agent].id, tried.agent
        self.stop_id = add_stop(
            rows, self.plan, route_id, agent_id, at + 1, placed, addition.sought, self.what.seen_at, self.actor
        )
        insert_rows(self.session, rows)
        return addition.stop_id

    def _join(self, addition: Addition, joins: StopOnPlan) -> None:
        (sought,) = [v for v in addition.sought.visits if addition.account_id in dict(v.accounts)]
        visit_id = next((visit.visit_id for visit in joins.visits if visit.person_id == sought.person_id), None)
        if visit_id is None:
            visit = Visit(
                stop_id=joins.stop_id,
                agent_id=joins.agent_id,
                person_id=sought.person_id,
                address_id=sought.address_id,
                state="planned",
                planned_at=self.what.seen_at,
            )
            self.session.add(visit)
            self.session.flush()
            visit_id = visit.id
            body = {"plan_id": str(self.plan.id), "position": joins.position}
            note_visit_event(self.session, visit_id, VisitEventKind.PLANNED, self.what.seen_at, self.actor, body)
        role = dict(sought.accounts)[addition.account_id]
        self.session.add(VisitAccount(visit_id=visit_id, account_id=addition.account_id, role=role))
        self.session.flush()

    def _drop(self, stop: StopOnPlan) -> None:
        why = dropped(self.what.change.reason)
        for account_id in sorted(stop.accounts):
            row = NotPlanned(plan_id=self.plan.id, account_id=account_id, reason=why.reason.value, rule=str(why.rule))
            self.session.add(row)
        self.session.flush()
        options = {"synchronize_session": False}
        visits = delete(Visit).where(Visit.agency_id == current_agency(), Visit.stop_id == stop.stop_id)
        self.session.execute(visits, execution_options=options)
        gone = delete(Stop).where(Stop.agency_id == current_agency(), Stop.id == stop.stop_id)
        self.session.execute(gone, execution_options=options)

    def _drop_empty(self, routes: Mapping[UUID, Route]) -> None:
        empty = [routes[tried.agent].id for tried in self.what.tried if not tried.order]
        if empty:
            self.session.execute(
                delete(Route).where(Route.agency_id == current_agency(), among(Route.id, empty)),
                execution_options={"synchronize_session": False},
            )

    def _accounts_now(self) -> dict[UUID, set[UUID]]:
        accounts = {stop_id: set(stop.accounts) for stop_id, stop in self.on_plan.items()}
        if self.what.addition is not None:
            accounts.setdefault(self.what.addition.stop_id, set()).add(self.what.addition.account_id)
        return accounts

    def _keep(self, accounts: Mapping[UUID, Collection[UUID]]) -> None:
        """What later optimisation has to keep, by account: pins as they are now, what was added, what was dropped."""
        before, after = self.what.before, self.what.after
        held = {
            stop: (after.agent_of(stop), after.pin(stop))
            for stop in accounts
            if (before.agent_of(stop), before.pin(stop)) != (after.agent_of(stop), after.pin(stop))
        }
        if self.what.addition is not None:
            held[self.what.addition.stop_id] = (
                after.agent_of(self.what.addition.stop_id),
                after.pin(self.what.addition.stop_id),
            )
        concerned = {account for stop in held for account in accounts[stop]}
        wishes = manual_wishes(self.session, self.plan.id, concerned)
        for stop, (agent, pin) in held.items():
            for account_id in accounts[stop]:
                self._wish(wishes.get(account_id), account_id, agent, pin)
        self.session.flush()

    def _wish(self, wish: ManualWish | None, account_id: UUID, agent: UUID | None, pin: Pin) -> None:
        if wish is None:
            wish = ManualWish(plan_id=self.plan.id, account_id=account_id, added=False, dropped=False)
            self.session.add(wish)
        wish.agent_id = agent if pin.agent else None
        wish.position = pin.position
        if self.what.change.kind is ChangeByHand.DROP and agent is None:
            wish.dropped, wish.added = True, False
        addition = self.what.addition
        if addition is not None and addition.account_id == account_id:
            wish.added, wish.dropped = True, False

    def _tell(self) -> None:
        """The plan's version, its sums, and the line in its story; the log gets ids and numbers alone."""
        totals = self.session.execute(
            select(func.coalesce(func.sum(Route.distance_m), 0), func.coalesce(func.sum(Route.travel_s), 0)).where(
                Route.agency_id == current_agency(), Route.plan_id == self.plan.id
            )
        ).one()
        self.plan.solver = {**self.plan.solver, "distance_m": int(totals[0]), "travel_s": int(totals[1])}
        note_change(
            self.session,
            self.plan,
            self.what.change.kind,
            _detail(self.what, self.stop_id),
            at=self.what.seen_at,
            by=self.what.by,
            reason=self.what.change.reason,
        )


def note_change(
    session: Session,
    plan: Plan,
    kind: ChangeByHand,
    detail: dict[str, Any],
    *,
    at: datetime,
    by: UUID | None,
    reason: str | None = None,
) -> None:
    """The plan's next version, with what made it one: in the plan's story, and in the log."""
    plan.version += 1
    words = None if reason is None else Confidential(reason)
    session.add(
        PlanChange(plan_id=plan.id, version=plan.version, at=at, by=by, kind=kind.value, detail=detail, reason=words)
    )
    what = {"plan": str(plan.id), "version": plan.version, "kind": kind.value, "by": staff_actor(by), **detail}
    note_decision(session, at, "plan-changed", what)
    session.flush()


def _detail(what: Written, stop_id: UUID | None) -> dict[str, Any]:
    change = what.change
    account = None if what.addition is None else what.addition.account_id
    ids = {"stop": stop_id, "agent": change.agent_id, "to_agent": change.to_agent_id, "account": account}
    detail: dict[str, Any] = {name: str(value) for name, value in ids.items() if value is not None}
    if change.position is not None:
        detail["position"] = change.position
    if change.order:
        detail["order"] = [str(stop) for stop in change.order]
    return detail


def _of(kind: type[Stop], ids: Collection[UUID]) -> Any:
    return select(kind).where(kind.agency_id == current_agency(), among(kind.id, ids))
