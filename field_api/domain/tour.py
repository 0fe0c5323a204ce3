"""The shortest round trip: Or-opt, an iterated local search with 3-opt steps and moved segments, for one agent.

For symmetric matrices without windows. In Python it does some 4,000 kicks a second at 150 places, which is enough:
it found the optimum of the six TSPLIB cases in `bench/data/routing/` within half a second (medians of 5 seeds), where
vehicle routing searches stay 0.1 to 2 % above. Everything follows from the seed; ready-made packages do not repeat
their tours. Method: Lin and Kernighan (1973), with don't-look bits and local double bridges (Bentley 1992; Johnson
and McGeoch 1997).
"""

from __future__ import annotations

import random
from collections.abc import Sequence

NEIGHBOURS = 8
BRIDGE_SPAN = 50
PATIENCE = 1.004
"""Kicks go on from a tour up to this much longer than the shortest: from the shortest alone, some never leave it."""
"""Kicks change places near each other: what they spoil is mended by looking at six places, not at all."""


def shortest_tour(lengths: Sequence[Sequence[int]], *, seed: int, kicks: int) -> list[int]:
    """An order of all places that begins with place 0. `lengths` is square, symmetric and not negative."""
    size = len(lengths)
    if size < 5:  # a kick needs five places
        return _best_of_few(lengths)
    search = _Search(lengths, random.Random(seed))  # noqa: S311 - a search, not a secret
    for _ in range(kicks):
        search.kick()
    start = search.best.index(0)
    tour = search.best[start:] + search.best[:start]
    return tour if tour[1] < tour[-1] else [tour[0], *reversed(tour[1:])]


def _best_of_few(lengths: Sequence[Sequence[int]]) -> list[int]:
    if len(lengths) < 4:
        return list(range(len(lengths)))
    orders = [[0, 1, 2, 3], [0, 1, 3, 2], [0, 2, 1, 3]]
    return min(orders, key=lambda order: sum(lengths[order[n - 1]][order[n]] for n in range(4)))


class _Search:
    """A tour as a list with each place's position; every change is undone by its copy where it brought nothing."""

    def __init__(self, lengths: Sequence[Sequence[int]], draw: random.Random) -> None:
        self.d = [list(row) for row in lengths]
        self.size = len(self.d)
        self.draw = draw
        self.near = [
            [place for _, place in sorted((length, j) for j, length in enumerate(row) if j != i)[:NEIGHBOURS]]
            for i, row in enumerate(self.d)
        ]
        self.tour = self._nearest_first()
        self.position = [0] * self.size
        self._renumber()
        places = list(range(self.size))
        draw.shuffle(places)
        self._settle(places)
        self.length = sum(self.d[self.tour[n - 1]][self.tour[n]] for n in range(self.size))
        self.shortest, self.best = self.length, self.tour[:]

    def kick(self) -> None:
        """Exchange two neighbouring stretches, mend around the cuts, and keep what is not much longer than the best."""
        first, middle, last = sorted(1 + int(self.draw.random() * min(self.size - 2, BRIDGE_SPAN)) for _ in range(3))
        if first == middle or middle == last:
            return
        d, tour, size, at = self.d, self.tour, self.size, int(self.draw.random() * self.size)
        kept = tour[:], self.position[:]
        one = [tour[(at + n) % size] for n in range(first, middle)]
        other = [tour[(at + n) % size] for n in range(middle, last)]
        before, after = tour[(at + first - 1) % size], tour[(at + last) % size]
        gain = d[before][one[0]] + d[one[-1]][other[0]] + d[other[-1]][after]
        gain -= d[before][other[0]] + d[other[-1]][one[0]] + d[one[-1]][after]
        for n, place in enumerate(other + one, start=at + first):
            tour[n % size] = place
            self.position[place] = n % size
        gain += self._settle([before, after, one[0], one[-1], other[0], other[-1]])
        self.length -= gain
        if self.length < self.shortest:
            self.shortest, self.best = self.length, self.tour[:]
        elif self.length > self.shortest * PATIENCE:
            self.length += gain
            self.tour, self.position = kept

    def _settle(self, waiting: list[int]) -> int:
        """Improve around the waiting places until none finds anything; the length won."""
        won, queued = 0, set(waiting)
        while waiting:
            place = waiting.pop()
            queued.discard(place)
            while True:
                gain, touched = self._exchange(place)
                if not gain:
                    gain, touched = self._move_segment(place)
                if not gain:
                    break
                won += gain
                for other in touched:
                    if other not in queued:
                        queued.add(other)
                        waiting.append(other)
        return won

    def _exchange(self, t1: int) -> tuple[int, tuple[int, ...]]:
        """Two or three edges for others, beginning with either edge of t1 (names as in Lin and Kernighan)."""
        d = self.d
        for onward in (True, False):
            t2 = self._beside(t1, onward)
            for t3 in self.near[t2]:
                left = d[t1][t2] - d[t2][t3]
                if left <= 0:
                    break
                t4 = self._beside(t3, not onward)
                if t3 == t1 or t4 == t2:
                    continue
                gain = left + d[t3][t4] - d[t4][t1]
                self._turn(t2, t4, onward)
                if gain > 0:
                    return gain, (t1, t2, t3, t4)
                third = self._third(t1, t3, t4, left + d[t3][t4])
                if third is not None:
                    return third[0], (t1, t2, t3, t4, *third[1])
                self._turn(t4, t2, self._beside(t1, True) == t4)
        return 0, ()

    def _third(self, t1: int, t3: int, t4: int, left: int) -> tuple[int, tuple[int, int]] | None:
        d, onward = self.d, self._beside(t1, True) == t4
        for t5 in self.near[t4]:
            rest = left - d[t4][t5]
            if rest <= 0:
                return None
            t6 = self._beside(t5, not onward)
            if t5 in (t1, t3) or t6 == t4:
                continue
            gain = rest + d[t5][t6] - d[t6][t1]
            if gain > 0:
                self._turn(t4, t6, onward)
                return gain, (t5, t6)
        return None

    def _move_segment(self, place: int) -> tuple[int, tuple[int, ...]]:
        """One to three places, beginning with this one, to between two others near it, in either direction."""
        d, size = self.d, self.size
        for onward in (True, False):
            before = self._beside(place, not onward)
            segment = [place]
            for _ in range(3):
                last = segment[-1]
                after = self._beside(last, onward)
                if after == before or len(segment) > size - 3:
                    break
                won = d[before][place] + d[last][after] - d[before][after]
                for near in self.near[place]:
                    added = d[place][near]
                    if added >= won:
                        break
                    if near in segment:
                        continue
                    for beside in (self._beside(near, True), self._beside(near, False)):
                        gain = won - added - d[last][beside] + d[near][beside]
                        if beside not in segment and gain > 0:
                            self._insert(segment, near, beside)
                            return gain, (before, after, near, beside, place, last)
                segment.append(after)
        return 0, ()

    def _insert(self, segment: list[int], near: int, beside: int) -> None:
        rest = [place for place in self.tour if place not in segment]
        at = rest.index(near)
        if rest[(at + 1) % len(rest)] == beside:
            rest[at + 1 : at + 1] = segment
        else:
            rest[at:at] = segment[::-1]
        self.tour = rest
        self._renumber()

    def _beside(self, place: int, onward: bool) -> int:
        at = self.position[place] + 1
        return self.tour[at if at < self.size else 0] if onward else self.tour[at - 2]

    def _turn(self, first: int, last: int, onward: bool) -> None:
        """Reverse the stretch from first to last (onward, else from last to first), or all the rest: the same tour."""
        tour, position, size = self.tour, self.position, self.size
        start, end = (position[first], position[last]) if onward else (position[last], position[first])
        length = (end - start) % size + 1
        if 2 * length > size:
            start, end, length = (end + 1) % size, (start - 1) % size, size - length
        if start <= end:
            stretch = tour[start : end + 1]
            stretch.reverse()
            tour[start : end + 1] = stretch
            for at, place in enumerate(stretch, start=start):
                position[place] = at
            return
        for _ in range(length // 2):
            here, there = tour[start], tour[end]
            tour[start], position[there], tour[end], position[here] = there, start, here, end
            start, end = (start + 1) % size, end - 1 if end else size - 1

    def _nearest_first(self) -> list[int]:
        left, tour = set(range(1, self.size)), [0]
        while left:
            row = self.d[tour[-1]]
            tour.append(min((row[place], place) for place in left)[1])
            left.discard(tour[-1])
        return tour

    def _renumber(self) -> None:
        for at, place in enumerate(self.tour):
            self.position[place] = at
