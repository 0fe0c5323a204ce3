"""The orders of a draft and what a dispatcher pinned, and how changes by hand rearrange them. Pure, over ids.

A dispatcher's word is the last one: a stop put at a position moves those behind it on by one, pinned ones too, whose
positions move with them. Who names no position moves no pinned stop.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from uuid import UUID

Order = tuple[UUID, ...]


class ChangeByHand(StrEnum):
    PIN = "pin"  # stays with its agent, at its position, or both
    UNPIN = "unpin"
    MOVE = "move"  # to another route, another position, or both
    REORDER = "reorder"  # a whole route
    REASSIGN = "reassign"  # a whole route, to another agent
    DROP = "drop"  # on no route, and kept out
    ADD = "add"  # an account that is on no route
    OPTIMISE = "optimise"  # the rest anew; not by hand, but of the story


@dataclass(frozen=True)
class Pin:
    """What later optimisation keeps of a stop: its agent, its position (from 1), or both."""

    agent: bool = False
    position: int | None = None


@dataclass(frozen=True)
class DraftOrders:
    """Stops in order by agent. Values: every change gives new ones."""

    by_agent: Mapping[UUID, Order]
    pins: Mapping[UUID, Pin] = field(default_factory=dict)

    def order(self, agent: UUID) -> Order:
        return self.by_agent.get(agent, ())

    def agent_of(self, stop: UUID) -> UUID | None:
        return next((agent for agent, order in self.by_agent.items() if stop in order), None)

    def pin(self, stop: UUID) -> Pin:
        return self.pins.get(stop, Pin())

    def pinned(self, stop: UUID, *, agent: bool, position: bool) -> DraftOrders:
        """Held where it is, beside what holds it already."""
        holder = self.agent_of(stop)
        at = None if holder is None or not position else self.order(holder).index(stop) + 1
        known = self.pin(stop)
        return self._with_pin(stop, Pin(agent or known.agent, at or known.position))

    def unpinned(self, stop: UUID) -> DraftOrders:
        return self._with_pin(stop, Pin())

    def without(self, stop: UUID) -> DraftOrders:
        """It is on no route any more; those behind it come one position earlier."""
        holder = self.agent_of(stop)
        if holder is None:
            return self
        left = self._with_order(holder, tuple(other for other in self.order(holder) if other != stop))
        return left._with_pin(stop, Pin())._renumbered(holder)

    def put(self, stop: UUID, agent: UUID, position: int) -> DraftOrders:
        """From wherever it is to that position; behind the last where the route is shorter."""
        left = self.without(stop)
        order = left.order(agent)
        at = min(position, len(order) + 1) - 1
        placed = left._with_order(agent, (*order[:at], stop, *order[at:]))
        return placed._renumbered(agent)

    def in_order(self, agent: UUID, order: Sequence[UUID]) -> DraftOrders:
        """The agent's stops in this order, all of them pinned as they stand. Raises ValueError for other stops."""
        if sorted(order) != sorted(self.order(agent)):
            raise ValueError("an order has the route's own stops, each once")
        changed = self._with_order(agent, tuple(order))
        for stop in order:
            changed = changed.pinned(stop, agent=True, position=True)
        return changed._renumbered(agent)

    def handed_over(self, agent: UUID, other: UUID) -> DraftOrders:
        """All stops of one agent to another, who gives theirs in return; each held by its new agent."""
        mine, theirs = self.order(agent), self.order(other)
        changed = self._with_order(agent, theirs)._with_order(other, mine)
        for stop in (*mine, *theirs):
            changed = changed.pinned(stop, agent=True, position=False)
        return changed

    def places_for(self, stop: UUID, agent: UUID) -> Iterator[Order]:
        """Every order of the agent's route with the stop somewhere in it and each pinned one at its position."""
        order = [other for other in self.order(agent) if other != stop]
        free = [other for other in order if self.pin(other).position is None]
        for at in range(len(free) + 1):
            yield woven([*free[:at], stop, *free[at:]], {o: self.pin(o).position for o in order})

    def taking(self, agent: UUID, order: Order) -> DraftOrders:
        """With this as the agent's order; its stops leave the routes that they were on. Pins stay as they are."""
        changed = self
        for stop in order:
            holder = self.agent_of(stop)
            if holder is not None and holder != agent:
                pin = self.pin(stop)
                changed = changed.without(stop)._with_pin(stop, replace(pin, position=None))
        return changed._with_order(agent, order)

    def _with_order(self, agent: UUID, order: Order) -> DraftOrders:
        return replace(self, by_agent={**self.by_agent, agent: order})

    def _with_pin(self, stop: UUID, pin: Pin) -> DraftOrders:
        others = {key: known for key, known in self.pins.items() if key != stop}
        return replace(self, pins=others if pin == Pin() else {**others, stop: pin})

    def _renumbered(self, agent: UUID) -> DraftOrders:
        moved = {
            stop: replace(self.pin(stop), position=at)
            for at, stop in enumerate(self.order(agent), start=1)
            if self.pin(stop).position is not None
        }
        return replace(self, pins={**self.pins, **moved})


def woven(free: Sequence[UUID], positions: Mapping[UUID, int | None]) -> Order:
    """The free stops in their order around those that have a position; these last where the route is shorter."""
    at = {position: stop for stop, position in positions.items() if position is not None}
    waiting = list(free)
    order: list[UUID] = []
    for position in range(1, len(free) + len(at) + 1):
        if position in at:
            order.append(at.pop(position))
        elif waiting:
            order.append(waiting.pop(0))
    return (*order, *waiting, *(at[position] for position in sorted(at)))
