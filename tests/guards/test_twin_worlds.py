"""Twin worlds: two installations from one seed that differ in secrets alone cannot be told apart by who may not see.

The same requests go to both, by everybody who can ask (nobody signed in, each role, an integrator's token, an enrolled,
an unknown, a forging and an unsigned phone), over every operation of the OpenAPI document, every route beside it and
every route of the phone door: valid requests, wrong ones, foreign ids. Status, all headers, bytes, order, what a phone
opens in its feed, lengths of ciphertext, log lines, metrics and object names are compared. Those who may see secrets are
compared without the values labelled so; pairs with other *counts* of secret rows are compared for all others.

How it is made: tests/twins. `sides` two installations with shared keys, chance and time; `hidden` what differs;
`world` what both have; `requests` and `door` what is asked; `compare` what counts as the same; `run` counts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from doorstep.server import Server
from tests.twins.door import DOOR
from tests.twins.hidden import COUNTED, KINDS
from tests.twins.requests import everybody
from tests.twins.run import Comparison, first_words
from tests.twins.sides import Twins, twin_installations

WORLDS = (*KINDS, *COUNTED)
PAIRS_OF_A_WORLD = 110
SHARDS, PAIRS_OF_A_SHARD = 20, 10_000


@pytest.fixture(scope="module")
def twins(postgres: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Twins]:
    folder: Path = tmp_path_factory.mktemp("twins")
    with twin_installations(postgres, folder) as made:
        yield made


def compare(twins: Twins, seed: int, kind: str, pairs: int, first: int) -> Comparison:
    """One pair of worlds, so many pairs of answers; what phones sent is worked on twice on the way."""
    comparison = Comparison(twins, twins.world(seed, kind))
    comparison.sweep(pairs // 2, first)
    comparison.work()
    comparison.sweep(pairs, first + pairs // 2)
    comparison.tables()
    comparison.work()
    comparison.tables()
    comparison.object_names()
    comparison.metrics()
    return comparison


def test_twins_cannot_be_told_apart(twins: Twins) -> None:
    done = [compare(twins, 1, kind, PAIRS_OF_A_WORLD, n * PAIRS_OF_A_WORLD) for n, kind in enumerate(WORLDS)]
    _ask_the_rest(done)
    assert [difference for one in done for difference in one.differences] == [], first_words(
        [difference for one in done for difference in one.differences]
    )
    assert [failed for one in done for failed in one.failed] == []
    assert len(done) >= 20 and sum(one.pairs for one in done) >= 2_000
    statuses = sum((Counter(one.statuses) for one in done), Counter())
    answered = sum(count for status, count in statuses.items() if status < 300)
    assert answered > sum(statuses.values()) / 5, f"hardly anything is answered, so little is compared: {statuses}"


def _ask_the_rest(done: list[Comparison]) -> None:
    """What no round came to, in the pair whose secrets let everything be asked."""
    last = done[WORLDS.index("names")]
    everything = [(operation, who) for operation in last.operations for who in everybody(operation)]
    everything += [(operation, who) for operation in last.door_operations for who in DOOR]
    asked = set().union(*(one.covered for one in done))
    for operation, who in everything:
        if (str(operation), who) not in asked:
            last.ask(operation, who)
    asked |= last.covered
    assert {(str(operation), who) for operation, who in everything} - asked == set(), "never compared"


@pytest.mark.prove
@pytest.mark.parametrize("shard", [pytest.param(n, marks=pytest.mark.xdist_group(f"twins {n}")) for n in range(SHARDS)])
def test_a_twentieth_of_two_hundred_thousand_pairs(twins: Twins, shard: int) -> None:
    wanted = -(-PAIRS_OF_A_SHARD // len(WORLDS))
    done = [
        compare(twins, 1_000 + shard, kind, wanted, (shard * len(WORLDS) + n) * wanted) for n, kind in enumerate(WORLDS)
    ]
    assert [difference for one in done for difference in one.differences] == [], first_words(
        [difference for one in done for difference in one.differences]
    )
    assert [failed for one in done for failed in one.failed] == []
    assert sum(one.pairs for one in done) >= PAIRS_OF_A_SHARD
