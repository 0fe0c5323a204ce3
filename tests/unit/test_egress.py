"""What no outlet lists does not leave, and no outlet can be declared for eyes that may not see it."""

from __future__ import annotations

import re

import pytest

from field_api.domain.confidential import Confidential, audience, declared_audience
from field_api.domain.disclosure import Audience, Label
from field_api.platform.egress import (
    Closed,
    EgressRefused,
    OutletKind,
    Registry,
    UndeclaredOutlet,
    passed,
    require_audience,
    working_for,
)

SHAPE = {"name": Label.OPEN, "stops": [{"street": Label.PLACE}], "state": Closed(Label.OPEN, re.compile("to do|done"))}


@pytest.fixture
def registry() -> Registry:
    return Registry()


def test_what_fits_passes_unchanged(registry: Registry) -> None:
    way = registry.declare(OutletKind.EXPORT, "walk", Audience.THIRD_PARTY, shape=SHAPE)
    value = {"name": "Ana", "stops": [{"street": "Calle 1"}, {}], "state": "done"}
    assert passed(way, value) is value


@pytest.mark.parametrize(
    ("value", "place"),
    [
        ({"balance": 77512}, "balance"),
        ({"stops": [{"street": "x", "balance": 77512}]}, "stops.balance"),
        ({"stops": {"street": "77512"}}, "stops"),
        ({"state": "77512"}, "state"),
        ({"name": {"text": "77512"}}, "name"),
        ({"name": Confidential(77512)}, "name"),
        ({"name": b"77512"}, "name"),
        ({"owes 77512": 1}, "?"),
        ("77512", "whole"),
    ],
)
def test_what_does_not_fit_is_refused_by_place_and_never_by_value(
    registry: Registry, value: object, place: str
) -> None:
    way = registry.declare(OutletKind.EXPORT, "walk", Audience.THIRD_PARTY, shape=SHAPE)
    with pytest.raises(EgressRefused) as refused:
        passed(way, value)
    assert refused.value.place == place
    assert "77512" not in str(refused.value)


def test_a_value_that_was_not_revealed_is_called_that(registry: Registry) -> None:
    """The line in the log is all that whoever looks for the leak has."""
    way = registry.declare(OutletKind.EXPORT, "walk", Audience.THIRD_PARTY, shape=SHAPE)
    with pytest.raises(EgressRefused, match="was not revealed"):
        passed(way, {"name": Confidential(77512)})


@pytest.mark.parametrize("who", [Audience.THIRD_PARTY, Audience.MACHINE, Audience.AGENT])
def test_a_label_above_one_of_its_audiences_is_refused_when_it_is_declared(registry: Registry, who: Audience) -> None:
    shape = {"stops": [{"balance": Label.CONFIDENTIAL}]}
    with pytest.raises(UndeclaredOutlet, match=r"stops\[\].balance is confidential"):
        registry.declare(OutletKind.FEED_ITEM, "visit", Audience.MANAGER, who, shape=shape)
    assert registry.outlets() == []


def test_an_outlet_may_let_less_pass_than_its_audience_may_see(registry: Registry) -> None:
    with pytest.raises(UndeclaredOutlet, match="on_request"):
        registry.declare(
            OutletKind.TEMPLATE, "sheet", Audience.AGENT, shape={"agency": Label.ON_REQUEST}, at_most={Label.OPEN}
        )


def test_nobody_is_no_audience_and_one_name_is_one_outlet(registry: Registry) -> None:
    with pytest.raises(UndeclaredOutlet, match="no audience"):
        registry.declare(OutletKind.JOB, "tidy")
    registry.declare(OutletKind.JOB, "tidy", Audience.MACHINE)
    registry.declare(OutletKind.JOB, "tidy", Audience.MACHINE)
    with pytest.raises(UndeclaredOutlet, match="twice"):
        registry.declare(OutletKind.JOB, "tidy", Audience.OFFICE_JOB)


@pytest.mark.parametrize("kind", list(OutletKind))
def test_an_undeclared_outlet_of_any_kind_is_named_and_refused(registry: Registry, kind: OutletKind) -> None:
    """No e-mail exists yet: the first one has to be declared to be sent."""
    registry.declare(OutletKind.JOB, "tidy", Audience.MACHINE)
    with pytest.raises(UndeclaredOutlet, match=f"{kind.value} new"):
        registry.outlet(kind, "new")
    with pytest.raises(UndeclaredOutlet, match=f"{kind.value} new") as refused:
        registry.check([(OutletKind.JOB, "tidy"), (kind, "new")])
    assert "tidy" not in str(refused.value)


def test_work_runs_for_its_outlets_audience_and_for_no_other(registry: Registry) -> None:
    one = registry.declare(OutletKind.JOB, "seal", Audience.OFFICE_JOB)
    two = registry.declare(OutletKind.EXPORT, "visits", Audience.MANAGER, Audience.CONTROLLER)
    with working_for(one):
        assert declared_audience() is Audience.OFFICE_JOB
        require_audience(one)
        with pytest.raises(EgressRefused):
            require_audience(two)
    with working_for(two, Audience.CONTROLLER):
        require_audience(two)
    for who in (None, Audience.AGENT):
        with pytest.raises(EgressRefused), working_for(two, who):
            pass
    with audience(Audience.AGENT), pytest.raises(EgressRefused):
        require_audience(two)


def test_without_a_shape_nothing_passes(registry: Registry) -> None:
    with pytest.raises(EgressRefused, match="without a shape"):
        passed(registry.declare(OutletKind.EMAIL, "reminder", Audience.MANAGER), {})
