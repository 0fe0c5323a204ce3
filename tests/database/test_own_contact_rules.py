"""An agency visits less than the law allows; a draft is looked at again before it goes out."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from click.testing import CliRunner
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from doorstep.commands import address_rules, agency_rules
from doorstep.commands.agency_rules import contact_rules
from field_api.domain.contact_rules import LONGEST_WINDOW_DAYS
from field_api.domain.own_rules import own_rules
from field_api.domain.rules_reader import BadRules
from field_api.platform.database import transaction
from field_api.platform.ids import new_id
from field_api.platform.problems import Problem
from field_api.queries.explain_account import explain_account
from field_api.records.accounts import Account
from field_api.records.agency import Agency, Creditor
from field_api.records.people import Address, Person
from field_api.records.planning import NotPlanned, Stop
from field_api.records.results import Attempt
from field_api.records.visits import Letter, LetterCustody, Visit, VisitAccount
from field_api.usecases.plan_day import plan_day
from field_api.usecases.publish_plan import publish_plan
from field_api.usecases.tighten_contact_rules import tighten_contact_rules
from tests.planning_world import MEXICO_CITY, NOW, PARTS, WEDNESDAY, World

EVERYWHERE = "*"


def set_rules(agency: UUID, wanted: dict) -> None:
    with transaction(agency) as session:
        tighten_contact_rules(session, wanted, law=PARTS.rules)


def planned_reasons(session: Session) -> list[tuple[str, str]]:
    plan_day(session, WEDNESDAY, parts=PARTS, now=NOW)
    return [(row.reason, row.rule.partition(" ")[0]) for row in session.scalars(select(NotPlanned))]


@pytest.mark.parametrize(("rules", "why"), [
    ({"no_visit": [{"dates": ["11-18"]}]}, ("no_visit_day", "agency:MX:no_visit-1")),
    ({"hours": [{"id": "mornings", "days": {"mon-fri": [["08:00", "09:05"]]}}]}, ("outside_contact_hours", "shifts")),
    ({"hours": [{"days": {"wed": []}}]}, ("no_visit_day", "agency:MX:hours-1")),
    ({"notice": [{"channels": ["letter"], "at_least_days": 3}]}, ("waiting_after_letter", "agency:MX:notice-1")),
    ({"place": [{"refuse_kinds": ["home"]}]}, ("visits_opted_out", "agency:MX:place-1")),
    ({"frequency": [{"at_most": 0, "within_days": 1, "counts": "visits"}]}, ("too_frequent", "agency:MX:frequency-1")),
])  # fmt: skip
def test_an_agencys_own_rule_refuses_and_is_named(agency: UUID, rules: dict, why: tuple[str, str]) -> None:
    set_rules(agency, {"MX": rules})
    with transaction(agency) as session:
        world = World(session)
        world.household()
        world.agent()
        assert planned_reasons(session) == [why]


@pytest.mark.parametrize(("rules", "told"), [
    ({"hours": [{"days": {"mon": [["07:00", "20:00"]]}}]}, "wider than mx-product-hours"),
    ({"hours": [{"days": {"sat": [["10:00", "12:00"]]}}]}, "wider than mx-product-hours"),
    ({"frequency": [{"at_most": 2, "within_days": 7, "counts": "visits"}]}, "more than mx-one-visit-a-week"),
    ({"frequency": [{"at_most": 1, "within_days": LONGEST_WINDOW_DAYS + 1, "counts": "visits"}]}, "within_days"),
    ({"frequency": [{"at_most": 1, "within_days": 7, "counts": "visits", "per": "street"}]}, "per account"),
    ({"hours": [{"days": {"mon": [["20:00", "07:00"]]}}]}, "opens at or after"),
    ({"hours": [{"days": {"mon": [["08:00", "20:00"]]}, "confidence": "L"}]}, "unknown confidence"),
    ({"no_visit": [{"dates": ["13-41"]}]}, "dates are"),
    ({"hour": []}, "unknown hour"),
])  # fmt: skip
def test_what_is_looser_than_the_law_or_not_understood_is_refused_and_changes_nothing(
    agency: UUID, rules: dict, told: str
) -> None:
    with pytest.raises(Problem) as refused:
        set_rules(agency, {"MX": rules})
    assert refused.value.code == "invalid-fields" and told in refused.value.detail
    with transaction(agency) as session:
        assert "contact_rules" not in session.get_one(Agency, agency).policy


def test_rules_written_by_hand_that_nobody_understands_stop_planning(agency: UUID) -> None:
    with pytest.raises(BadRules):
        own_rules({"contact_rules": {"MX": {"hours": [{"days": "mon"}]}}})
    with transaction(agency) as session:
        session.get_one(Agency, agency).policy = {"contact_rules": {"MX": {"hours": "nine to five"}}}
        World(session).household()
    with pytest.raises(Problem) as refused, transaction(agency) as session:
        plan_day(session, WEDNESDAY, parts=PARTS, now=NOW)
    assert (refused.value.code, refused.value.at) == ("conflict", "policy.contact_rules")


def test_the_command_sets_shows_and_takes_away(
    app: Flask, agency: UUID, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agency_rules, "office_context", lambda: nullcontext(agency))
    app.extensions["doorstep.planning"] = lambda: PARTS
    file = tmp_path / "own.toml"
    file.write_text('[["*".no_visit]]\ndates = ["12-24"]\n[[MX.hours]]\ndays = { mon-fri = [["09:00", "19:00"]] }\n')
    told = CliRunner().invoke(contact_rules, [str(file)], catch_exceptions=False)
    assert told.output.splitlines() == ["*: 1 no_visit", "MX: 1 hours"]
    told = CliRunner().invoke(contact_rules, ["--none"], catch_exceptions=False)
    assert told.output == "the law's rules alone\n"


def tried(session: Session, account: Account, person: Person, days_ago: int, channel: str = "visit") -> None:
    at = NOW + timedelta(days=1, hours=2) - timedelta(days=days_ago)
    number = len(session.scalars(select(Attempt)).all()) + 1
    session.add(
        Attempt(
            number=number, account_id=account.id, person_id=person.id, op_id=new_id(), channel=channel, at=at,
            received_at=at, outcome="nobody_there", right_party=False, detail="{}",
        )
    )  # fmt: skip
    session.flush()


@pytest.mark.parametrize(("per", "same_person", "another_creditor", "refused"), [
    ("account", True, False, False),
    ("creditor", True, False, True),
    ("creditor", False, True, False),
    ("person", False, True, True),
])  # fmt: skip
def test_caps_count_by_account_creditor_and_person(
    agency: UUID, per: str, same_person: bool, another_creditor: bool, refused: bool
) -> None:
    """One name at one address is one person, whatever the creditors' customer numbers say."""
    cap = {"at_most": 1, "within_days": 90, "counts": "visits", "per": per}
    set_rules(agency, {EVERYWHERE: {"frequency": [cap]}})
    with transaction(agency) as session:
        world = World(session)
        person, address, account = world.household()
        other = person
        if another_creditor:
            other = world.person(world.creditor("LI", "CHF", "de"), name=person.name.upper())
            world.address(other, fingerprint=address.fingerprint, country="LI", jurisdiction="LI")
        tried(session, world.account(other), other, 80)
        world.agent()
        plan_day(session, WEDNESDAY, parts=PARTS, now=NOW)
        about = set(session.scalars(select(VisitAccount.account_id)))
        assert (account.id not in about) is refused


def test_two_entries_for_one_person_are_not_both_visited_on_one_day_where_a_cap_says_so(agency: UUID) -> None:
    set_rules(
        agency, {EVERYWHERE: {"frequency": [{"at_most": 1, "within_days": 7, "counts": "visits", "per": "person"}]}}
    )
    with transaction(agency) as session:
        world = World(session)
        person, address, _ = world.household()
        again = world.person(name=person.name)
        world.address(again, fingerprint=address.fingerprint)
        world.account(again)
        world.agent()
        assert planned_reasons(session) == [("too_frequent", "agency:*:frequency-1")]
        assert len(session.scalars(select(Visit)).all()) == 1


Meanwhile = Callable[[Session, Account, Person], object]


@pytest.mark.parametrize(("meanwhile", "rule"), [
    (lambda s, a, p: tried(s, a, p, 2), "mx-one-visit-a-week"),
    (lambda s, a, p: tighten_contact_rules(s, {"MX": {"no_visit": [{"dates": ["2026-11-18"]}]}}, law=PARTS.rules), "agency:MX"),
    (lambda s, a, p: tighten_contact_rules(s, {"MX": {"hours": [{"days": {"wed": [["14:00", "15:00"]]}}]}}, law=PARTS.rules), "agency:MX"),
    (lambda s, a, p: s.execute(update(Address).values(visits_opted_out=True)), "address-opted-out"),
    (lambda s, a, p: s.execute(update(Address).values(retired_at=NOW)), "moved"),
    (lambda s, a, p: s.execute(update(Account).values(balance_minor=5)), "threshold"),
    (lambda s, a, p: s.execute(update(Creditor).values(exclusions=[p.external_ref])), "held, excluded or closed"),
    (lambda s, a, p: s.execute(update(Person).values(is_minor=True)), "minors"),
])  # fmt: skip
def test_what_changed_since_the_draft_keeps_a_visit_from_going_out(
    agency: UUID, meanwhile: Meanwhile, rule: str
) -> None:
    with transaction(agency) as session:
        world = World(session)
        person, _, account = world.household()
        world.agent()
        plan_id = plan_day(session, WEDNESDAY, parts=PARTS, now=NOW).id
        assert len(session.scalars(select(Visit)).all()) == 1
        meanwhile(session, account, person)
    with transaction(agency) as session:
        publish_plan(session, plan_id, parts=PARTS, now=NOW, published_by=None)
        assert [visit.state for visit in session.scalars(select(Visit))] == ["withdrawn"]
        (why,) = session.scalars(select(NotPlanned))
        assert why.reason == "withdrawn" and why.rule.startswith(f"withdrawn: {rule}"), why.rule


def test_hours_that_end_earlier_by_now_are_told_to_the_phone(agency: UUID) -> None:
    with transaction(agency) as session:
        world = World(session)
        world.household()
        world.household((MEXICO_CITY[0] + 0.01, MEXICO_CITY[1]))
        world.agent()
        plan_id = plan_day(session, WEDNESDAY, parts=PARTS, now=NOW).id
        before = {stop.id: stop.visit_until for stop in session.scalars(select(Stop))}
        tighten_contact_rules(session, {"MX": {"hours": [{"days": {"wed": [["08:00", "17:00"]]}}]}}, law=PARTS.rules)
    with transaction(agency) as session:
        publish_plan(session, plan_id, parts=PARTS, now=NOW, published_by=None)
        stops = session.scalars(select(Stop)).all()
        assert len(stops) == 2
        for stop in stops:
            assert before[stop.id] - stop.visit_until == timedelta(hours=4)
            assert stop.arrival_to <= stop.visit_until - timedelta(seconds=stop.service_s)


def test_a_letter_in_the_hand_of_the_one_who_owes_starts_the_wait(agency: UUID) -> None:
    set_rules(agency, {"MX": {"notice": [{"channels": ["letter"], "at_least_days": 3}]}})
    with transaction(agency) as session:
        world = World(session)
        person, address, account = world.household()
        late_person, late_address, late = world.household()
        world.agent("MX-2")
        agent = world.agent()
        for days, (who, where, what) in ((20, (person, address, account)), (3, (late_person, late_address, late))):
            visit = world.visit(
                world.route(agent, day=WEDNESDAY - timedelta(days=60)), 1, where, who, what, state="done"
            )
            letter = Letter(
                visit_id=visit.id, account_id=what.id, person_id=who.id, kind="notification", language="es",
                jurisdiction="MX", serial=f"S{days}", state="handed_over", content="{}",
            )  # fmt: skip
            session.add(letter)
            session.flush()
            at = NOW + timedelta(days=1) - timedelta(days=days)
            session.add(LetterCustody(letter_id=letter.id, state="handed_over", at=at, actor="agent"))
        session.flush()
        reasons = {row.account_id: row.reason for row in _not_planned(session)}
        assert reasons == {late.id: "waiting_after_letter"}


def _not_planned(session: Session) -> list[NotPlanned]:
    plan_day(session, WEDNESDAY, parts=PARTS, now=NOW)
    return list(session.scalars(select(NotPlanned)))


def test_who_wants_no_visits_at_a_place_gets_none_and_what_is_out_comes_back(
    app: Flask, agency: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(address_rules, "office_context", lambda: nullcontext(agency))
    with transaction(agency) as session:
        world = World(session)
        _, home, account = world.household()
        world.agent()
        plan_id = plan_day(session, WEDNESDAY, parts=PARTS, now=NOW).id
        publish_plan(session, plan_id, parts=PARTS, now=NOW, published_by=None)
        home_id, account_id = home.id, account.id
    opt_out = lambda *more: CliRunner().invoke(address_rules.opt_out, [str(home_id), *more], catch_exceptions=False)  # noqa: E731 one line, used twice
    assert opt_out().output == "nobody is sent there any more\n"
    with transaction(agency) as session:
        assert [visit.state for visit in session.scalars(select(Visit))] == ["withdrawn"]
        assert "address-opted-out" in {
            one.rule.id for one in explain_account(session, account_id, WEDNESDAY, PARTS).reasons
        }
    assert opt_out("--again").output == "visits there are wanted again\n"
    with transaction(agency) as session:
        rules = {one.rule.id for one in explain_account(session, account_id, WEDNESDAY, PARTS).reasons}
        assert "address-opted-out" not in rules
