"""What happens at each door of the demonstration, in a fixed order: every outcome occurs, whatever the routes are.

A fate is a list of phone-script steps (docs/phone-script.md) for one visit. Positions are a few metres beside the
address, so that distances can be shown.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from doorstep.demo.people import MadeUpPerson

Step = dict[str, Any]
PROMISED_MINOR = 25_000


@dataclass(frozen=True)
class Door:
    """One visit as the demonstration knows it: where, who is sought, and what that person would answer."""

    visit: str
    person: str
    sought: MadeUpPerson
    currency: str
    latitude: float
    longitude: float
    day: date
    metres_off: int

    def position(self) -> dict[str, Any]:
        return {
            "lat": round(self.latitude + self.metres_off / 111_000, 6),
            "lon": self.longitude,
            "accuracy_m": 8.0,
        }

    def step(self, do: str, **arguments: Any) -> Step:
        return {"do": do, "visit": self.visit, **arguments}

    def arrive(self) -> Step:
        return self.step("arrive", position=self.position())

    def outcome(self, outcome: str, **body: Any) -> Step:
        return self.step("outcome", outcome=outcome, position=self.position(), **body)

    def right_answers(self) -> dict[str, str]:
        return {"birth_date": self.sought.birth_date.isoformat(), "account_last4": self.sought.account_last4}

    def identified(self) -> list[Step]:
        """The right person proves to be themselves, and is shown the brief."""
        answers = self.right_answers()
        return [
            self.arrive(),
            self.step("encounter", relation="claims_to_be_sought"),
            self.step("check", person=self.person, answers=answers, expect={"passed": True}),
            self.step("encounter", relation="sought"),
            self.step("opened", person=self.person, parts=["brief", "letter"], shown_s=40),
        ]

    def located(self, *results: dict[str, Any], **body: Any) -> list[Step]:
        party = {"relation": "sought", "person": self.person}
        said = {"party": party, "identified_by": "answers", "results": list(results), **body}
        letter = self.step("letter", handling="handed_over", recipient="sought")
        return [*self.identified(), self.outcome("client_located", **said), letter]

    def not_delivered(self) -> Step:
        return self.step("letter", handling="not_delivered", reason="not_met")

    def promise(self, days: int, minor: int = PROMISED_MINOR, kind: str = "partial") -> dict[str, Any]:
        amount = {"minor": minor, "currency": self.currency}
        return {"result": "promise", "kind": kind, "amount": amount, "due_on": str(self.day + timedelta(days=days))}


def promises_part(d: Door) -> list[Step]:
    return d.located(d.promise(7), reason_for_non_payment="unemployment", options_offered=["partial_payment"])


def agrees_to_a_plan(d: Door) -> list[Step]:
    instalments = [
        {"amount": {"minor": 10_000, "currency": d.currency}, "due_on": str(d.day + timedelta(days=30 * n))}
        for n in (1, 2, 3)
    ]
    plan = {"result": "promise", "kind": "plan", "instalments": instalments}
    return d.located(plan, reason_for_non_payment="low_income", options_offered=["payment_plan", "partial_payment"])


def allows_a_photograph(d: Door) -> list[Step]:
    """The right person allows a photograph of the house's front; without asking, the phone takes none."""
    return [
        *d.located(d.promise(14), reason_for_non_payment="forgot"),
        d.step("photo", file="facade.jpg", subject="facade", refused="no-permission"),
        d.step("photo_permission", granted=True, by="sought", subjects=["facade"]),
        d.step("photo", file="facade.jpg", subject="facade", position=d.position()),
    ]


def disputes(d: Door) -> list[Step]:
    words = "The amount is not what was agreed in writing."
    return d.located({"result": "dispute", "reason": "wrong_amount", "words": words})


def says_it_is_paid(d: Door) -> list[Step]:
    paid = {"result": "payment_claimed", "paid_on": str(d.day - timedelta(days=3)), "reference": "R-1042"}
    return d.located(paid, reason_for_non_payment="already_paid")


def names_an_attorney(d: Door) -> list[Step]:
    return d.located({"result": "attorney_named", "name": "Lic. Brin Thoraz", "phone": "+1 410 555 0142"})


def wants_no_more_visits(d: Door) -> list[Step]:
    return d.located({"result": "do_not_visit"}, {"result": "complaint", "words": "Twice in one week is too much."})


def refuses_and_wants_a_call(d: Door) -> list[Step]:
    at = f"{d.day + timedelta(days=1)}T17:00:00.000Z"
    return d.located({"result": "refusal"}, {"result": "call_back", "at": at}, reason_for_non_payment="will_not_say")


def is_vulnerable(d: Door) -> list[Step]:
    return d.located({"result": "vulnerability", "words": "Long illness."}, reason_for_non_payment="illness")


def fails_the_check(d: Door) -> list[Step]:
    wrong = {"birth_date": "1901-01-01", "account_last4": "0000"}
    tries = [d.step("check", person=d.person, answers=wrong, expect={"passed": False}) for _ in range(2)]
    return [
        d.arrive(), d.step("encounter", relation="claims_to_be_sought"), *tries,
        d.outcome("third_party_attended", relation="claims_to_be_sought", lives_here="will_not_say"), d.not_delivered(),
    ]  # fmt: skip


def meets_a_relative(d: Door) -> list[Step]:
    """They ask which company: its name, and nothing more."""
    return [
        d.arrive(), d.step("encounter", relation="relative"),
        d.step("may_say", expect={"fields": ["agent_name", "name_sought"], "may_check": False}),
        d.step("company"),
        d.step("may_say", expect={"fields": ["agency", "agent_name", "name_sought"]}),
        d.outcome(
            "third_party_attended", relation="relative", lives_here="yes", best_time="evening",
            contacts=[{"kind": "phone", "value": "+1 410 555 0177"}],
        ),
        d.not_delivered(),
    ]  # fmt: skip


def meets_a_neighbour(d: Door) -> list[Step]:
    """Asked once where the place is, and not a second time."""
    return [
        d.arrive(), d.step("encounter", relation="neighbour"), d.step("location", whom="next_door_left"),
        d.step("location", whom="next_door_left", refused="location-already-asked"),
        d.outcome("third_party_attended", relation="neighbour", place_confirmed=True),
        d.not_delivered(),
    ]  # fmt: skip


def meets_a_child(d: Door) -> list[Step]:
    """The visit ends politely: one parting line, no question."""
    return [
        d.arrive(), d.step("encounter", relation="minor"),
        d.step("may_say", expect={"lines": ["parting_minor"], "ends": True, "proposes": "third_party_attended"}),
        d.step("location", whom="same_home", refused="location-may-not-be-asked"),
        d.outcome("third_party_attended", relation="minor"), d.not_delivered(),
    ]  # fmt: skip


def finds_nobody(d: Door) -> list[Step]:
    return [d.arrive(), d.step("encounter", relation="nobody"), d.outcome("nobody_there"), d.not_delivered()]


def finds_no_such_number(d: Door) -> list[Step]:
    asked = [
        {"where": "No. 12", "answer": "does_not_know"},
        {"where": "the shop at the corner", "answer": "does_not_know"},
    ]
    return [
        d.arrive(), d.step("encounter", relation="neighbour"),
        d.step("location", whom="next_door_left"), d.step("location", whom="shop"),
        d.outcome("address_not_found", neighbours_asked=asked), d.not_delivered(),
    ]  # fmt: skip


def has_moved(d: Door) -> list[Step]:
    new = {"street": "Calle Imaginaria", "number": "S/N", "city": "Ejemplo", "hint": "Behind the market"}
    return [
        d.arrive(), d.step("encounter", relation="relative"),
        d.outcome("moved", told_by="relative", new_address=new), d.not_delivered(),
    ]  # fmt: skip


def has_died(d: Door) -> list[Step]:
    return [
        d.arrive(), d.step("encounter", relation="relative"),
        d.outcome("deceased", told_by="relative", executor={"name": "Wex Harlobarr"}), d.not_delivered(),
    ]  # fmt: skip


def is_somebody_else(d: Door) -> list[Step]:
    return [
        d.arrive(), d.step("encounter", relation="claims_to_be_sought"),
        d.outcome("wrong_person", lives_here="no"),
        d.step("encounter", relation="claims_to_be_sought", refused="contact-ended"), d.not_delivered(),
    ]  # fmt: skip


def stands_empty(d: Door) -> list[Step]:
    return [d.arrive(), d.step("encounter", relation="nobody"), d.outcome("vacant"), d.not_delivered()]


def is_not_let_in(d: Door) -> list[Step]:
    return [
        d.arrive(),
        d.step("encounter", relation="guard"),
        d.outcome("access_refused", by="guard"),
        d.not_delivered(),
    ]


def is_unsafe(d: Door) -> list[Step]:
    return [d.arrive(), d.outcome("unsafe", danger="animal", note="Two loose dogs."), d.not_delivered()]


def runs_out_of_time(d: Door) -> list[Step]:
    return [d.outcome("skipped", reason="no_time")]


FATES: tuple[Callable[[Door], list[Step]], ...] = (
    promises_part, allows_a_photograph, finds_nobody, meets_a_relative, disputes, finds_nobody, fails_the_check,
    promises_part,
    meets_a_neighbour, says_it_is_paid, finds_nobody, agrees_to_a_plan, has_moved, is_somebody_else, promises_part,
    finds_no_such_number, refuses_and_wants_a_call, meets_a_child, stands_empty, names_an_attorney, finds_nobody,
    is_not_let_in, promises_part, wants_no_more_visits, is_unsafe, has_died, is_vulnerable, runs_out_of_time,
)  # fmt: skip
"""Dealt out along a route in this order, beginning anew when it is longer; each agent begins at another place."""
