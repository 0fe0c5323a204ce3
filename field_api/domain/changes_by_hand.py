"""A change by hand as a value, and the orders after it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from field_api.domain.contact_rules import Refusal, Rule
from field_api.domain.draft_orders import ChangeByHand, DraftOrders
from field_api.domain.draft_times import DraftTimes, Tried
from field_api.domain.vocabulary import NotPlannedReason


class CannotBeMeant(Exception):
    """The change does not fit the draft: an unknown stop, an order of other stops. `at` names the field."""

    def __init__(self, at: str, words: str) -> None:
        super().__init__(words)
        self.at, self.words = at, words


@dataclass(frozen=True)
class Change:
    """What a dispatcher asks for. Which fields a kind uses: docs/planning.md."""

    kind: ChangeByHand
    stop_id: UUID | None = None
    agent_id: UUID | None = None  # whose route it goes to, or concerns
    to_agent_id: UUID | None = None  # of REASSIGN
    position: int | None = None
    order: tuple[UUID, ...] = ()
    account_id: UUID | None = None  # of ADD
    hold_agent: bool = True  # of PIN
    hold_position: bool = False
    reason: str | None = None  # of DROP


@dataclass(frozen=True)
class Rearranged:
    orders: DraftOrders
    tried: tuple[Tried, ...]  # the routes that are others now


def rearranged(before: DraftOrders, change: Change, times: DraftTimes) -> Rearranged:
    """The orders after the change, with times. Raises CannotBeMeant. ADD is a MOVE of a stop that is on no route."""
    after = _after(before, change, times)
    agents = [agent for agent in {**before.by_agent, **after.by_agent} if before.order(agent) != after.order(agent)]
    return Rearranged(after, tuple(times.tried(agent, after.order(agent)) for agent in sorted(agents, key=str)))


def _after(before: DraftOrders, change: Change, times: DraftTimes) -> DraftOrders:
    match change.kind:
        case ChangeByHand.PIN:
            return before.pinned(_known(before, change.stop_id), agent=change.hold_agent, position=change.hold_position)
        case ChangeByHand.UNPIN:
            return before.unpinned(_known(before, change.stop_id))
        case ChangeByHand.DROP:
            return before.without(_known(before, change.stop_id))
        case ChangeByHand.MOVE:
            return _moved(before, _known(before, change.stop_id), change, times)
        case ChangeByHand.REORDER:
            return _in_order(before, change)
        case ChangeByHand.REASSIGN:
            return _handed_over(before, change)
        case _:
            raise CannotBeMeant("kind", "no such change of orders")


def placed(before: DraftOrders, stop: UUID, change: Change, times: DraftTimes, agents: tuple[UUID, ...]) -> Rearranged:
    """A stop that is on no route yet: at the change's place, else at the best one of the agents'."""
    if change.agent_id is not None and change.position is not None:
        after = before.put(stop, change.agent_id, change.position)
    else:
        best = times.best_place(before, stop, agents)
        after = before.taking(best.agent, best.order)
    holder = after.agent_of(stop)
    if change.agent_id is not None:
        after = after.pinned(stop, agent=True, position=change.position is not None)
    return Rearranged(after, () if holder is None else (times.tried(holder, after.order(holder)),))


def _moved(before: DraftOrders, stop: UUID, change: Change, times: DraftTimes) -> DraftOrders:
    agent = change.agent_id or before.agent_of(stop)
    if agent is None or (change.agent_id is None and change.position is None):
        raise CannotBeMeant("agent_id", "a move needs an agent, a position, or both")
    if change.position is not None:
        return before.put(stop, agent, change.position).pinned(stop, agent=True, position=True)
    left = before.without(stop)
    best = times.best_place(left, stop, [agent])
    return left.taking(agent, best.order).pinned(stop, agent=True, position=False)


def _in_order(before: DraftOrders, change: Change) -> DraftOrders:
    if change.agent_id is None or not before.order(change.agent_id):
        raise CannotBeMeant("agent_id", "this agent has no route on the draft")
    if sorted(change.order) != sorted(before.order(change.agent_id)):
        raise CannotBeMeant("order", "an order has the route's own stops, each once")
    return before.in_order(change.agent_id, change.order)


def _handed_over(before: DraftOrders, change: Change) -> DraftOrders:
    if change.agent_id is None or not before.order(change.agent_id):
        raise CannotBeMeant("agent_id", "this agent has no route on the draft")
    if change.to_agent_id is None or change.to_agent_id == change.agent_id:
        raise CannotBeMeant("to_agent_id", "a route is reassigned to another agent")
    return before.handed_over(change.agent_id, change.to_agent_id)


def _known(before: DraftOrders, stop: UUID | None) -> UUID:
    if stop is None or before.agent_of(stop) is None:
        raise CannotBeMeant("stop_id", "no such stop on the draft")
    return stop


def dropped(reason: str | None) -> Refusal:
    """Why an account is on no route that a dispatcher took off the draft."""
    return Refusal(NotPlannedReason.DROPPED, Rule("dropped", reason or "a dispatcher took it off the draft", "H"))
