"""Whoever polls attempts by number misses none, whatever order transactions begin and end in."""

from __future__ import annotations

import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from field_api.domain.confidential import Confidential
from field_api.platform.database import transaction
from field_api.platform.ids import new_id
from field_api.queries.results import attempts_after
from field_api.records.results import Attempt, AttemptHead
from field_api.usecases.add_attempts import add_attempts
from tests.outcome_world import Phone, published_visit

AT = datetime(2026, 11, 18, 16, tzinfo=UTC)


class RolledBack(Exception):
    """The transaction is to fail."""


def attempt(phone: Phone) -> Attempt:
    return Attempt(
        account_id=phone.accounts[0],
        person_id=phone.sought,
        visit_id=phone.visit_id,
        op_id=new_id(),
        agent_id=phone.agent_id,
        channel="visit",
        at=AT,
        received_at=AT,
        outcome="vacant",
        right_party=False,
        detail=Confidential("{}"),
    )


def polled(session: Session, after: int) -> list[int]:
    return [found.number for found, _ in attempts_after(session, after, limit=1000)]


def test_a_poller_beside_twelve_writers_sees_every_number_and_no_hole(app: Flask, agency: UUID) -> None:
    phone, writers, each = published_visit(agency), 12, 6
    seeds = random.Random(20261118)
    pauses = [seeds.random() * 0.02 for _ in range(writers * each)]
    done, seen = threading.Event(), []

    def write(number: int) -> None:
        with app.app_context():
            for turn in range(each):
                pause = pauses[number * each + turn]
                try:
                    with transaction(agency) as session:
                        time.sleep(pause)  # work before the number is taken: who begins first does not end first
                        add_attempts(session, [attempt(phone) for _ in range(1 + turn % 3)])
                        time.sleep(
                            pause / 2
                        )  # and between number and commit: the window in which a sequence loses rows
                        if turn == 4:
                            raise RolledBack
                except RolledBack:
                    continue

    def poll() -> None:
        with app.app_context():
            finished = False
            while True:
                with transaction(agency) as session:
                    fresh = polled(session, seen[-1] if seen else 0)
                seen.extend(fresh)
                if finished and not fresh:
                    return
                finished = done.is_set()

    reader = threading.Thread(target=poll)
    reader.start()
    with ThreadPoolExecutor(writers) as pool:
        results = list(pool.map(write, range(writers)))
    done.set()
    reader.join(60)
    assert not reader.is_alive() and len(results) == writers
    committed = writers * sum(1 + turn % 3 for turn in range(each) if turn != 4)
    assert seen == list(range(1, committed + 1))


def test_a_later_transaction_waits_for_the_number_before_its_own(app: Flask, agency: UUID) -> None:
    phone = published_visit(agency)
    first_has_number, may_commit, second_done = threading.Event(), threading.Event(), threading.Event()

    def first() -> None:
        with app.app_context(), transaction(agency) as session:
            add_attempts(session, [attempt(phone)])
            first_has_number.set()
            assert may_commit.wait(30)

    def second() -> None:
        assert first_has_number.wait(30)
        with app.app_context():
            with transaction(agency) as session:
                add_attempts(session, [attempt(phone)])
            second_done.set()

    with ThreadPoolExecutor(2) as pool:
        both = [pool.submit(first), pool.submit(second)]
        assert first_has_number.wait(30)
        assert not second_done.wait(0.3), "number 2 was visible before number 1"
        with transaction(agency) as session:
            assert polled(session, 0) == []
        may_commit.set()
        for future in both:
            future.result(30)
    with transaction(agency) as session:
        assert polled(session, 0) == [1, 2]


def test_a_rolled_back_transaction_gives_its_numbers_back(agency: UUID) -> None:
    phone = published_visit(agency)
    with pytest.raises(RolledBack), transaction(agency) as session:
        add_attempts(session, [attempt(phone), attempt(phone)])
        raise RolledBack
    with transaction(agency) as session:
        assert session.scalars(select(AttemptHead)).all() == []
        add_attempts(session, [attempt(phone)])
    with transaction(agency) as session:
        assert polled(session, 0) == [1]


def test_no_attempts_take_no_number(agency: UUID) -> None:
    with transaction(agency) as session:
        add_attempts(session, [])
        assert session.scalars(select(AttemptHead)).all() == []
