"""What letters state, gathered for many visits in three statements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from field_api.domain.confidential import Confidential
from field_api.domain.disclosure import Audience
from field_api.domain.letter_brand import BadBrand, Brand, read_brand
from field_api.domain.letter_model import DisputeFacts, Instalment, PromiseFacts
from field_api.domain.letter_templates import ActiveTemplate, choose
from field_api.domain.letters import LetterFacts, LetterKind
from field_api.domain.postal import PostalAddress, postal_lines
from field_api.domain.strategy import BadStrategy, LetterSteps, read_strategy
from field_api.platform.tenancy import current_agency
from field_api.queries.letter_stages import Happened, OpenDispute, OpenPromise
from field_api.queries.letter_templates import active_templates
from field_api.records.accounts import Account
from field_api.records.agency import Agency, Creditor
from field_api.records.people import Address, Person
from field_api.records.planning import Agent, Plan, Route, Stop
from field_api.records.visits import Visit, VisitAccount

T = TypeVar("T")
WEEKEND = (5, 6)


@dataclass(frozen=True)
class LetterNeed:
    """What a letter of one visit about one account would state, whatever its kind. `brand` None: it cannot be read."""

    visit_id: UUID
    account_id: UUID
    person_id: UUID
    facts: LetterFacts
    steps: LetterSteps
    brand: Brand | None
    zone: ZoneInfo
    templates: tuple[ActiveTemplate, ...] = ()  # of the creditor

    @property
    def key(self) -> tuple[UUID, UUID, UUID]:
        return self.visit_id, self.account_id, self.person_id

    @property
    def pair(self) -> tuple[UUID, UUID]:
        return self.account_id, self.person_id

    def dated(self, now: datetime) -> LetterNeed:
        """Of a letter that goes out by itself: it bears the day on which it is written, wherever the visit is."""
        return replace(self, facts=replace(self.facts, dated_on=self._day(now)))

    def facts_of(self, kind: LetterKind, happened: Happened) -> LetterFacts:
        """What a letter of this kind states: with the creditor's look and words, the promise, the dispute."""
        brand = self.brand or Brand()
        promise, dispute = happened.promise, happened.dispute
        return replace(
            self.facts,
            kind=kind.value,
            in_name_of=brand.in_name_of,
            brand=brand.look,
            template=choose(self.templates, kind.value, self.facts.language),
            free_paragraphs=brand.own_words(kind.value, self.facts.language),
            promise=None if promise is None else self._promise(promise),
            instalments=() if promise is None or not promise.as_plan else _instalments(promise),
            dispute=None if dispute is None else self._dispute(dispute),
        )

    def _promise(self, promise: OpenPromise) -> PromiseFacts:
        """As a whole: all of what was promised, by its last day."""
        return PromiseFacts(
            amount_minor=sum(minor for _, minor in promise.payments),
            due_on=promise.payments[-1][0],
            made_on=self._day(promise.made_at),
        )

    def _dispute(self, dispute: OpenDispute) -> DisputeFacts:
        received_on = self._day(dispute.opened_at)
        answer_by = working_days_after(received_on, self.steps.dispute_answer_days)
        return DisputeFacts(kind=dispute.reason, received_on=received_on, answer_by=answer_by)

    def _day(self, at: datetime) -> date:
        """At the door, not in Greenwich."""
        return at.astimezone(self.zone).date()


def letter_needs(session: Session, visit_ids: Sequence[UUID], now: datetime) -> list[LetterNeed]:
    """One per visit and account, with the facts as they stand. Needs audience OFFICE_JOB. Three statements."""
    agency = session.execute(select(Agency).where(Agency.agency_id == current_agency())).scalar_one()
    query = (
        select(Visit.id, VisitAccount.role, Person, Address, Account, Creditor, Agent.name, Plan.for_day)
        .join(VisitAccount, VisitAccount.visit_id == Visit.id)
        .join(Account, Account.id == VisitAccount.account_id)
        .join(Creditor, Creditor.id == Account.creditor_id)
        .join(Person, Person.id == Visit.person_id)
        .join(Address, Address.id == Visit.address_id)
        .join(Agent, Agent.id == Visit.agent_id)
        .outerjoin(Stop, Stop.id == Visit.stop_id)
        .outerjoin(Route, Route.id == Stop.route_id)
        .outerjoin(Plan, Plan.id == Route.plan_id)
        .where(Visit.id.in_(visit_ids))
        .order_by(Visit.id, VisitAccount.account_id)
        .execution_options(populate_existing=True)  # rows added in this very session hold bare values until reread
    )
    rows = session.execute(query).all()
    creditors = _Creditors()
    templates = active_templates(session, {creditor.id for _, _, _, _, _, creditor, _, _ in rows})
    return [
        LetterNeed(
            visit_id,
            account.id,
            person.id,
            LetterFacts(
                kind="",
                role=role,
                collector_name=agent_name,
                # The day on which it is handed over; what is asked for later is of the day on which it is asked for.
                dated_on=max(filter(None, [for_day, now.astimezone(_zone(address)).date()])),
                **_addressee(person, address),
                **facts_of_creditor(creditor),
                **_account(account),
                **facts_of_agency(agency),
            ),
            steps=creditors.steps(creditor),
            brand=creditors.brand(creditor),
            zone=_zone(address),
            templates=templates.get(creditor.id, ()),
        )
        for visit_id, role, person, address, account, creditor, agent_name, for_day in rows
    ]


class _Creditors:
    """What creditors' data say, read once for all their letters."""

    def __init__(self) -> None:
        self._steps: dict[UUID, LetterSteps] = {}
        self._brands: dict[UUID, Brand | None] = {}

    def steps(self, creditor: Creditor) -> LetterSteps:
        """A strategy that is not understood says nothing of letters here: planning refuses it by name."""
        if creditor.id not in self._steps:
            try:
                self._steps[creditor.id] = read_strategy(creditor.strategy).letters
            except BadStrategy:
                self._steps[creditor.id] = LetterSteps()
        return self._steps[creditor.id]

    def brand(self, creditor: Creditor) -> Brand | None:
        if creditor.id not in self._brands:
            try:
                self._brands[creditor.id] = read_brand(creditor.brand)
            except BadBrand:
                self._brands[creditor.id] = None
        return self._brands[creditor.id]


def working_days_after(day: date, count: int) -> date:
    """So many days after it that are no weekend. Holidays count as work: the day is never later than the law's."""
    while count:
        day += timedelta(days=1)
        count -= day.weekday() not in WEEKEND
    return day


def _zone(address: Address) -> ZoneInfo:
    return ZoneInfo(address.timezone or "UTC")


def _instalments(promise: OpenPromise) -> tuple[Instalment, ...]:
    return tuple(Instalment(number, due_on, minor) for number, (due_on, minor) in enumerate(promise.payments, start=1))


def postal_address(address: Address) -> PostalAddress:
    """The record's parts as a value of the domain."""
    return PostalAddress(
        street=address.street,
        country=address.country,
        number=address.number or "",
        interior=address.interior or "",
        between_1=address.between_1 or "",
        between_2=address.between_2 or "",
        neighbourhood=address.neighbourhood or "",
        city=address.city or "",
        municipality=address.municipality or "",
        postcode=address.postcode or "",
        state=address.state or "",
    )


def _addressee(person: Person, address: Address) -> dict[str, Any]:
    return {
        "name": person.name,
        "language": person.language,
        "jurisdiction": address.jurisdiction,
        "address_lines": tuple(postal_lines(postal_address(address))),
    }


def facts_of_creditor(creditor: Creditor) -> dict[str, Any]:
    unit = creditor.complaints_unit
    return {
        "sector": creditor.sector,
        "creditor_name": creditor.name,
        "creditor_address": creditor.address,
        "creditor_phone": creditor.phone,
        "payment_ways": tuple(creditor.payment_ways),
        "complaints_address": str(unit.get("address", "")),
        "complaints_email": str(unit.get("email", "")),
        "complaints_phone": str(unit.get("phone", "")),
    }


def _account(account: Account) -> dict[str, Any]:
    due_on = _open(account.due_on)
    return {
        "reference": _open(account.reference),
        "product": _open(account.product),
        "original_creditor": _open_or(account.original_creditor, ""),
        "currency": account.currency,
        "principal_minor": _open(account.principal_minor),
        "interest_minor": _open(account.interest_minor),
        "fees_minor": _open(account.fees_minor),
        "balance_minor": _open(account.balance_minor),
        "calculated_on": _open(account.balance_calculated_on),
        "due_on": due_on,
        "contract_on": _open_or(account.contract_on, None),
        # 12 CFR 1006.34(b)(3)(iii): the last payment's date may be the itemisation date; without one, the due date.
        "itemised_on": _open_or(account.last_payment_on, due_on),
        "settlement": _open_or(account.options, ""),
    }


def facts_of_agency(agency: Agency) -> dict[str, Any]:
    """Name and address from the agency's row, the rest from `policy["letters"]` (docs/letters.md)."""
    policy: Mapping[str, Any] = agency.policy.get("letters") or {}
    return {
        "agency_name": agency.name,
        "agency_address": agency.address,
        "agency_phone": agency.phone,
        "agency_email": agency.email,
        "responsible_persons": ", ".join(policy.get("responsible_persons") or []),
        "registration": str(policy.get("registration", "")),
        "permit_number": str(policy.get("permit_number", "")),
        "supervisory_authority": str(policy.get("supervisory_authority", "")),
        "vat_statement": str(policy.get("vat_statement", "")),
        "interest_calculation": str(policy.get("interest_calculation", "")),
    }


def _open(value: Confidential[T]) -> T:
    return value.reveal(Audience.OFFICE_JOB)


def _open_or(value: Confidential[T] | None, otherwise: T | None) -> T | None:
    return otherwise if value is None else value.reveal(Audience.OFFICE_JOB)
