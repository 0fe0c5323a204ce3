"""What letters state, gathered for many visits in one statement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from field_api.domain.confidential import Confidential
from field_api.domain.disclosure import Audience
from field_api.domain.letters import LetterFacts, LetterKind
from field_api.domain.postal import PostalAddress, postal_lines
from field_api.platform.tenancy import current_agency
from field_api.records.accounts import Account
from field_api.records.agency import Agency, Creditor
from field_api.records.people import Address, Person
from field_api.records.planning import Agent, Plan, Route, Stop
from field_api.records.visits import Visit, VisitAccount

T = TypeVar("T")


@dataclass(frozen=True)
class LetterNeed:
    """A letter that a visit calls for."""

    visit_id: UUID
    account_id: UUID
    person_id: UUID
    facts: LetterFacts

    @property
    def key(self) -> tuple[UUID, UUID, UUID]:
        return self.visit_id, self.account_id, self.person_id


def letter_needs(session: Session, visit_ids: Sequence[UUID], kind: LetterKind, now: datetime) -> list[LetterNeed]:
    """One need per visit and account, with the facts as they stand. Needs audience OFFICE_JOB. Two statements."""
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
    return [
        LetterNeed(
            visit_id,
            account.id,
            person.id,
            LetterFacts(
                kind=kind.value,
                role=role,
                collector_name=agent_name,
                dated_on=for_day or now.date(),
                **_addressee(person, address),
                **_creditor(creditor),
                **_account(account),
                **_agency(agency),
            ),
        )
        for visit_id, role, person, address, account, creditor, agent_name, for_day in session.execute(query)
    ]


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


def _creditor(creditor: Creditor) -> dict[str, Any]:
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
        # 12 CFR 1006.34(b)(3)(iii): the last payment's date may be the itemisation date; without one, the due date.
        "itemised_on": _open_or(account.last_payment_on, due_on),
        "settlement": _open_or(account.options, ""),
    }


def _agency(agency: Agency) -> dict[str, Any]:
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


def _open_or(value: Confidential[T] | None, otherwise: T) -> T:
    return otherwise if value is None else value.reveal(Audience.OFFICE_JOB)
