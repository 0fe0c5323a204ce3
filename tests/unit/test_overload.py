"""Slots of the door: each kind has its own, and whoever is refused gets a turn of their own."""

from __future__ import annotations

from collections import Counter

from field_api.platform.overload import LONGEST_RETRY_S, SLOTS, THREADS, Lanes, Load


def lanes(chance: float = 0.0, **slots: int) -> Lanes:
    return Lanes({Load(name): number for name, number in slots.items()}, now=lambda: 1_000.0, chance=lambda: chance)


def test_a_kind_that_is_full_takes_nothing_from_another() -> None:
    full = lanes(ops=2, photos=1)
    assert full.enter(Load.PHOTOS) is None
    assert full.enter(Load.PHOTOS) == 1
    assert [full.enter(Load.OPS), full.enter(Load.OPS)] == [None, None]
    assert full.enter(Load.OPS) == 1
    full.leave(Load.PHOTOS, 0.1)
    assert full.enter(Load.PHOTOS) is None
    assert (full.in_hand(Load.OPS), full.in_hand(Load.PHOTOS)) == (2, 1)


def test_a_crowd_gets_turns_at_the_rate_at_which_it_can_be_served() -> None:
    crowd = lanes(ops=2)
    for _ in range(2):
        crowd.enter(Load.OPS)
    for _ in range(200):
        crowd.leave(Load.OPS, 0.1)  # twenty a second, on two slots
        crowd.enter(Load.OPS)
    told = Counter(crowd.enter(Load.OPS) for _ in range(100))
    assert sorted(told) == [1, 2, 3, 4, 5]
    assert all(19 <= number <= 21 for number in told.values())


def test_nobody_waits_longer_than_half_a_minute_and_nobody_less_than_a_second() -> None:
    for chance in (0.0, 0.999_999):
        crowd = lanes(chance, photos=1)
        crowd.enter(Load.PHOTOS)
        told = [crowd.enter(Load.PHOTOS) for _ in range(5_000)]
        assert min(told) >= 1
        assert max(told) == (24 if chance == 0 else LONGEST_RETRY_S)


def test_threads_are_left_to_refuse_and_ops_have_most_slots() -> None:
    assert sum(SLOTS.values()) < THREADS
    assert SLOTS[Load.OPS] > SLOTS[Load.PULLS] > SLOTS[Load.PHOTOS] > SLOTS[Load.SNAPSHOTS]
    assert Load.HEALTH not in SLOTS
