"""Hostile and odd pictures, each through the real sandbox: upright pixels or a refusal with its code, within the limits.

Every twelfth of a family runs always, all of them in `make prove`. Nothing is downloaded: `tests/odd_files.py` makes them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor

import pytest

from media.sandbox.limits import CPU_S, MEMORY_BYTES, WALL_S
from media.sandbox.run import Renditions
from tests.odd_case import Case
from tests.odd_files import FAMILIES, corpus
from tests.odd_judge import CODES, faults_of_jpeg, judge
from tests.odd_measure import Cost, lean, measured
from tests.pictures import encoded, jpeg_with_everything, quarters

EVERY = 12
EVIDENCE = {"format", "captured_at", "camera", "position", "exif"}


@pytest.fixture(scope="module")
def process() -> Iterator[ProcessPoolExecutor]:
    with lean() as executor:
        yield executor


def faults(process: ProcessPoolExecutor, cases: Iterable[Case]) -> dict[str, list[str]]:
    found = {}
    for case in cases:
        became, cost = process.submit(measured, case.make()).result()
        wrong = [*over_limit(cost), *judge(case, became)]
        if isinstance(became, Renditions):
            wrong += [f"says {key}" for key in set(became.evidence) - EVIDENCE]
            json.dumps(became.evidence, allow_nan=False)
        if wrong:
            found[case.name] = wrong
    return found


def over_limit(cost: Cost) -> list[str]:
    limits = {
        "s of CPU time": (cost.cpu_s, CPU_S + 0.5),  # the kernel looks at it now and then, not always
        "s": (cost.wall_s, WALL_S + 2),
        "bytes of memory": (cost.peak_bytes, MEMORY_BYTES),
    }
    return [f"{value} {unit}" for unit, (value, most) in limits.items() if value > most]


@pytest.mark.parametrize("family", FAMILIES)
def test_some_odd_pictures_become_pixels_or_a_refusal(family: str, process: ProcessPoolExecutor) -> None:
    cheap = [case for case in FAMILIES[family]() if not case.costly]
    assert faults(process, cheap[::EVERY]) == {}


@pytest.mark.prove
@pytest.mark.parametrize("family", FAMILIES)
def test_every_odd_picture_becomes_pixels_or_a_refusal(family: str, process: ProcessPoolExecutor) -> None:
    assert faults(process, FAMILIES[family]()) == {}


@pytest.mark.prove
def test_the_corpus_is_large_enough_and_always_the_same() -> None:
    first, again = corpus(), corpus()
    assert len(first) >= 300
    assert len({case.name for case in first}) == len(first)
    assert [case.name for case in first] == [case.name for case in again]
    assert {code for case in first for code in case.refused} == set(CODES)


def test_the_judge_finds_what_it_looks_for() -> None:
    plain = encoded(quarters(64, 48))
    assert faults_of_jpeg(plain) == []
    assert faults_of_jpeg(jpeg_with_everything()) == ["segment ffed"]
    assert faults_of_jpeg(plain + b"tail") == ["6 bytes from the first marker of the scan"]
    assert faults_of_jpeg(encoded(quarters(64, 48), comment=b"hello")) == ["segment fffe"]
    assert faults_of_jpeg(encoded(quarters(64, 48).convert("L"))) == ["1 components"]
    case = next(iter(FAMILIES["jpeg"]()))
    turned = encoded(quarters(96, 64).rotate(180))
    assert len(judge(case, Renditions(turned, turned, 96, 64, "0" * 16, {}))) == 2
    assert judge(case, "undecodable") == ["refused: undecodable, expected a picture"]
    assert judge(case, "some-new-code") != []
    assert over_limit(Cost(1.0, 2.0, 1 << 20)) == []
    assert len(over_limit(Cost(9.0, 90.0, 1 << 30))) == 3
