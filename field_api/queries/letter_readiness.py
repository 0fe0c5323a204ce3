"""What the letters of a creditor lack, place by place, before any plan is made."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import Select, Text, func, literal, select, type_coerce
from sqlalchemy.orm import Session

from field_api.domain.letter_model import LetterFacts, LetterKind
from field_api.domain.letter_outside import outside_lines
from field_api.domain.letter_rules import LetterRules, Requirement
from field_api.domain.vocabulary import Role
from field_api.platform.tenancy import current_agency
from field_api.queries.letter_facts import facts_of_agency, facts_of_creditor
from field_api.records.accounts import Account, Party
from field_api.records.agency import Agency, Creditor
from field_api.records.base import load
from field_api.records.people import Address
from field_api.rules.letters import rules_for

OF_AGENCY = frozenset({
    "agency_name", "agency_address", "agency_phone", "agency_email", "responsible_persons", "registration",
    "permit_number", "supervisory_authority", "vat_statement", "interest_calculation",
})  # fmt: skip
OF_CREDITOR = frozenset({
    "creditor_name", "creditor_address", "creditor_phone", "complaints_address", "complaints_email",
    "complaints_phone", "payment_ways",
})  # fmt: skip
OF_ACCOUNT = frozenset({"product", "contract_on"})
"""What an account may lack: the rest no account is placed without."""
_A_DAY = date(2000, 1, 1)


@dataclass(frozen=True)
class Lack:
    """A required field that is not there, or cannot stand there as it is. `accounts`: how many lack it, where it is the
    accounts'."""

    field: str
    source: str
    of: str  # agency | creditor | account
    accounts: int | None = None


@dataclass(frozen=True)
class Readiness:
    """`rules` False: no rules are known there, and no letter is written."""

    jurisdiction: str
    accounts: int  # placed, by the debtor's address
    rules: bool
    lacks: tuple[Lack, ...]
    outside: tuple[str, ...] = ()  # what of the sender may stand on an envelope there


def letter_readiness(session: Session, creditor_id: UUID) -> list[Readiness]:
    """By place, the creditor's own first of those without an account. For the notification, which must say most.
    Three statements. Raises `not-found`."""
    creditor = load(session, Creditor, creditor_id)
    agency = session.scalars(select(Agency).where(Agency.agency_id == current_agency())).one()
    facts = _facts(agency, creditor)
    counted = {row.jurisdiction: row for row in session.execute(_by_place(creditor_id))}
    found = []
    for place in sorted({creditor.jurisdiction, *counted}):
        row = counted.get(place)
        missing = {"product": row.product, "contract_on": row.contract_on} if row else {}
        found.append(_readiness(place, facts, row.accounts if row else 0, missing))
    return found


def _readiness(place: str, facts: LetterFacts, accounts: int, missing: dict[str, int]) -> Readiness:
    rules = rules_for(place)
    if rules is None:
        return Readiness(place, accounts, False, ())
    asked = {entry.field: entry for entry in rules.required if _is_asked(entry, facts)}
    lacks = [
        *([Lack("in_name_of", rules.agency_only, "creditor")] if _in_a_name_not_its_own(rules, facts) else ()),
        *(Lack(name, entry.source, "agency") for name, entry in asked.items() if _lacks(facts, name, OF_AGENCY)),
        *(Lack(name, entry.source, "creditor") for name, entry in asked.items() if _lacks(facts, name, OF_CREDITOR)),
        *(
            Lack(name, entry.source, "account", missing[name])
            for name, entry in asked.items()
            if name in OF_ACCOUNT and missing.get(name)
        ),
    ]
    return Readiness(place, accounts, True, tuple(lacks), outside_lines(facts, rules))


def _is_asked(entry: Requirement, facts: LetterFacts) -> bool:
    if LetterKind.NOTIFICATION.value not in entry.kinds or entry.sector not in ("", facts.sector):
        return False
    return not entry.when or bool(getattr(facts, entry.when))


def _in_a_name_not_its_own(rules: LetterRules, facts: LetterFacts) -> bool:
    """Whether the brand says "creditor" where letters go out in the agency's name alone."""
    return bool(rules.agency_only) and facts.in_name_of == "creditor"


def _lacks(facts: LetterFacts, name: str, whose: frozenset[str]) -> bool:
    value = getattr(facts, name) if name in whose else True
    return not (value.strip() if isinstance(value, str) else value)


def _facts(agency: Agency, creditor: Creditor) -> LetterFacts:
    """What the two of them say, about nobody."""
    return LetterFacts(
        kind=LetterKind.NOTIFICATION.value,
        language=creditor.language,
        jurisdiction=creditor.jurisdiction,
        dated_on=_A_DAY,
        name="-",
        address_lines=("-",),
        role=Role.DEBTOR.value,
        collector_name="-",
        reference="-",
        product="-",
        currency=creditor.currency,
        principal_minor=1,
        interest_minor=0,
        fees_minor=0,
        balance_minor=1,
        calculated_on=_A_DAY,
        due_on=_A_DAY,
        itemised_on=_A_DAY,
        in_name_of=str(creditor.brand.get("in_name_of", "agency")),
        **facts_of_creditor(creditor),
        **facts_of_agency(agency),
    )


def _by_place(creditor_id: UUID) -> Select[tuple[str, int, int, int]]:
    """Accounts by the place of their debtor's address, and how many lack what letters may need."""
    no_product = func.btrim(type_coerce(Account.product, Text)) == literal("")
    return (
        select(
            Address.jurisdiction,
            func.count(Account.id.distinct()).label("accounts"),
            func.count(Account.id.distinct()).filter(no_product).label("product"),
            func.count(Account.id.distinct()).filter(Account.contract_on.is_(None)).label("contract_on"),
        )
        .join(Party, (Party.agency_id == Account.agency_id) & (Party.account_id == Account.id))
        .join(Address, (Address.agency_id == Party.agency_id) & (Address.person_id == Party.person_id))
        .where(
            Account.agency_id == current_agency(),
            Account.creditor_id == creditor_id,
            Account.state == "placed",
            Party.role == Role.DEBTOR.value,
            Address.retired_at.is_(None),
        )
        .group_by(Address.jurisdiction)
    )
