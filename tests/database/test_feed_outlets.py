"""What phones get is walked key by key: real items hold what is listed, and a planted key keeps its item in the office."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from field_api.domain.disclosure import Label
from field_api.domain.vocabulary import ChangeKind
from field_api.platform.database import transaction
from field_api.platform.egress import OutletKind, outlet, shape_labels
from field_api.usecases.tell_agent import tell_agent
from field_api.usecases.withdraw_visit import withdraw_visit
from sync.mailbox import FeedItem
from sync.office import contents, item_outlets, locks, visit_body
from tests.sync_day import Day, pull

pytest_plugins = ["tests.door_fixtures"]
RETRY = timedelta(seconds=2)  # the first try again
ON_EVERY_VISIT = {"state", "assignment_version", "stop.position", "open.name", "open.address.street", "locks[].ct"}


def places(value: Any, place: str = "") -> set[str]:
    """Every place of an item that holds a plain value, as shapes name them."""
    if isinstance(value, dict):
        return set().union(*(places(inner, f"{place}.{name}" if place else name) for name, inner in value.items()))
    if isinstance(value, list):
        return set().union(*(places(inner, f"{place}[]") for inner in value))
    return {place}


def test_every_key_of_real_items_is_listed_with_a_label_that_the_agent_may_see(day: Day) -> None:
    phone = day.enrol()
    phone.push(phone.operation("arrived", {}, visit=day.visits[0], av=1))
    day.work()
    items, _ = pull(phone)
    assert {item["kind"] for item in items} == {"route", "visit", "verdict"}
    for item in items:
        labels = dict(shape_labels(outlet(OutletKind.FEED_ITEM, item["kind"]).shape))
        found = places(item["body"])
        whole = {place for place in found if place in labels}
        empty = {place for place in found - whole if any(known.startswith(f"{place}.") for known in labels)}
        assert found - whole - empty == set()
        assert {labels[place] for place in whole} <= {Label.OPEN, Label.PLACE, Label.INTERNAL}
        if item["kind"] == "visit":
            assert found >= ON_EVERY_VISIT


def test_every_key_of_a_real_brief_is_listed(day: Day, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[dict[str, Any]] = []
    real = locks.seal_brief
    monkeypatch.setattr(locks, "seal_brief", lambda place, key, told: seen.append(told) or real(place, key, told))
    day.enrol()
    day.work()
    labels = dict(shape_labels(item_outlets.BRIEF.shape))
    assert seen and all(
        {place for place in places(told) if told} - set(labels) <= {"history[]", "letters[]"} for told in seen
    )
    assert labels["accounts[].balance_minor"] is Label.CONFIDENTIAL


def _items(day: Day) -> int:
    with transaction(day.agency) as session:
        return session.scalar(select(func.count()).select_from(FeedItem)) or 0


@pytest.mark.parametrize(
    ("module", "name", "leak", "others"),
    [
        (visit_body, "_body", {"balance_minor": 7751204}, {"route"}),  # beside the open part
        (visit_body, "_body", {"open": {"name": "Ana", "priority": 3}}, {"route"}),  # in it
        (visit_body, "_body", {"state": "published since 90 days"}, {"route"}),  # a listed word that is a sentence
        # Not even the right person's part takes what is unlisted.
        (visit_body, "make_brief", {"strategy": "last call"}, {"route"}),
        (contents, "_route_body", {"amount_to_collect": 7751204}, {"visit"}),
    ],
)
def test_a_key_that_nobody_listed_keeps_its_item_in_the_office_and_no_other(
    day: Day, monkeypatch: pytest.MonkeyPatch, module: Any, name: str, leak: dict[str, Any], others: set[str]
) -> None:
    real = getattr(module, name)
    monkeypatch.setattr(module, name, lambda *given: {**real(*given), **leak})
    phone = day.enrol()
    day.work()
    items, cursor = pull(phone)
    assert {item["kind"] for item in items} == others
    monkeypatch.undo()
    day.clock.advance(RETRY)
    day.work()
    late, _ = pull(phone, cursor)
    assert {item["kind"] for item in late} == {"route", "visit"} - others, "it goes out when the leak is mended"
    assert _items(day) == 3, "nothing is lost and nothing is told twice"


def test_an_urgent_change_that_cannot_be_sealed_holds_up_no_withdrawal(
    day: Day, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A code issued anew and a question put elsewhere are urgent as well: one bad visit must not keep a hold away."""
    phone = day.enrol()
    day.work()
    _, cursor = pull(phone)
    real, bad = visit_body._body, day.visits[0]
    leak = {"balance_minor": 7751204}
    monkeypatch.setattr(
        visit_body, "_body", lambda item, *given: {**real(item, *given), **(leak if item.visit.id == bad else {})}
    )
    with transaction(day.agency) as session:
        tell_agent(session, day.agent, ChangeKind.CODE, bad, urgent=True)
        withdraw_visit(session, day.visits[1], reason="dispatcher", now=day.clock.now(), by=None)
    day.work()
    items, cursor = pull(phone, cursor)
    assert [(item["ref"], item["body"]["state"]) for item in items if item["kind"] == "visit"] == [
        (str(day.visits[1]), "withdrawn")
    ]
    monkeypatch.undo()
    day.clock.advance(RETRY)
    day.work()
    assert str(bad) in {item["ref"] for item in pull(phone, cursor)[0]}, "it goes out when the trouble is mended"
