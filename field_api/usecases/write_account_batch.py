"""Write what a batch of rows decided: accounts, people, places, contacts, answers, parties, payments; set by set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import case, delete, func, or_, select, tuple_
from sqlalchemy.dialects.postgresql import Insert
from sqlalchemy.orm import Session
from tzfpy import get_tz

from field_api.domain.account_merge import Standing
from field_api.domain.account_row import AddressData, PartyData
from field_api.domain.cells import fold
from field_api.domain.findings import Source
from field_api.platform.bulk import insert_rows, update_rows
from field_api.platform.columns import fingerprint
from field_api.platform.ids import new_id
from field_api.platform.tenancy import current_agency
from field_api.queries.known_accounts import answers_of
from field_api.records.accounts import Account, Party, Payment
from field_api.records.people import Address, ContactPoint, Person, VerificationAnswer

Values = dict[str, Any]
_PLACE = ("street", "number", "interior", "neighbourhood", "city", "municipality", "postcode", "state", "country")
_FINDING = ("between_1", "between_2", "hint", "latitude", "longitude", "timezone")
"""What helps to find a place and may be told later: it does not make it another place."""
_COORDINATES = ("latitude", "longitude", "timezone")


@dataclass
class AccountWrites:
    """Everything to write, keyed so that the last word of a batch wins and no row is touched twice."""

    creditor_id: UUID
    now: datetime
    new_accounts: dict[str, Values] = field(default_factory=dict)
    changed_accounts: dict[UUID, Values] = field(default_factory=dict)
    new_people: dict[str, Values] = field(default_factory=dict)
    changed_people: dict[UUID, Values] = field(default_factory=dict)
    addresses: dict[tuple[UUID, bytes], Values] = field(default_factory=dict)
    contacts: dict[tuple[UUID, str, bytes], Values] = field(default_factory=dict)
    answers: dict[tuple[UUID, str], tuple[str, str]] = field(default_factory=dict)
    parties: set[tuple[UUID, UUID, str]] = field(default_factory=set)  # account, person, role
    parties_gone: set[tuple[UUID, UUID, str]] = field(default_factory=set)
    payments: dict[tuple[UUID, str], Values] = field(default_factory=dict)
    known_people: set[UUID] = field(default_factory=set)  # who may have answers and addresses already

    def add_details(self, person_id: UUID, party: PartyData) -> None:
        """A party's address, contact data and answers."""
        if party.address is not None:
            values = _address_values(person_id, party.address, self.now)
            self.addresses[person_id, values["fingerprint"]] = values
        for kind, texts in (("phone", party.phones), ("email", party.emails)):
            for text in texts:
                mark = fingerprint("contact_point.value")(text)
                self.contacts[person_id, kind, mark] = {
                    "id": new_id(), "person_id": person_id, "kind": kind, "value": text, "fingerprint": mark,
                    "source": "creditor", "usable": True,
                }  # fmt: skip
        for answer in party.answers:
            self.answers[person_id, answer.kind.value] = (answer.group, answer.normal)

    def write(self, session: Session) -> None:
        insert_rows(session, Person, list(self.new_people.values()))
        update_rows(session, Person, list(self.changed_people.values()))
        insert_rows(session, Account, list(self.new_accounts.values()))
        update_rows(session, Account, list(self.changed_accounts.values()))
        self._write_addresses(session)
        insert_rows(session, ContactPoint, list(self.contacts.values()), lambda i: i.on_conflict_do_nothing())
        self._write_answers(session)
        self._write_parties(session)
        insert_rows(session, Payment, list(self.payments.values()))

    def _write_addresses(self, session: Session) -> None:
        known = {person_id for person_id, _ in self.addresses} & self.known_people
        insert_rows(session, Address, list(self.addresses.values()), _keep_place)
        if known:
            update_rows(session, Address, _replaced(session, self.addresses, known, self.now))

    def _write_answers(self, session: Session) -> None:
        known = answers_of(session, {person_id for person_id, _ in self.answers} & self.known_people)
        rows = [
            {"id": new_id(), "person_id": person_id, "kind": kind, "independent_group": group, "answer": normal,
             "stretched": None}
            for (person_id, kind), (group, normal) in self.answers.items()
            if known.get((person_id, kind)) != (group, normal)
        ]  # fmt: skip
        insert_rows(session, VerificationAnswer, rows, _replace_answer)

    def _write_parties(self, session: Session) -> None:
        if self.parties_gone:
            keys = tuple_(Party.account_id, Party.person_id, Party.role)
            session.execute(delete(Party).where(Party.agency_id == current_agency(), keys.in_(self.parties_gone)))
        rows = [
            {"id": new_id(), "account_id": account_id, "person_id": person_id, "role": role}
            for account_id, person_id, role in sorted(self.parties)
        ]
        insert_rows(session, Party, rows, lambda i: i.on_conflict_do_nothing())


def standing_values(standing: Standing, now: datetime) -> Values:
    """The columns of an account that a row or a payment can change."""
    return {
        "currency": standing.currency,
        "balance_minor": standing.owed.balance,
        "principal_minor": standing.owed.principal,
        "interest_minor": standing.owed.interest,
        "fees_minor": standing.owed.fees,
        "balance_calculated_on": standing.balance_calculated_on,
        "due_on": standing.due_on,
        "product": standing.product,
        "original_creditor": standing.original_creditor,
        "last_payment_on": standing.last_payment_on,
        "last_payment_minor": standing.last_payment_minor,
        "options": standing.options,
        "auto_pay": standing.auto_pay,
        "auto_pay_failed_on": standing.auto_pay_failed_on,
        "guarantor_first": standing.guarantor_first,
        "contract_on": standing.contract_on,
        "state": "placed" if standing.is_placed else "closed",
        "closed_reason": standing.closed_reason,
        "closed_at": None if standing.is_placed else standing.closed_at or now,
    }


def _address_values(person_id: UUID, address: AddressData, now: datetime) -> Values:
    values: Values = {spec.name: getattr(address, spec.name) for spec in fields(AddressData)}
    place = "|".join(fold(values[part] or "") for part in _PLACE)
    placed = address.latitude is not None and address.longitude is not None
    return values | {
        "id": new_id(),
        "person_id": person_id,
        "geocode_state": "given" if placed else "wanted",
        "timezone": get_tz(address.longitude, address.latitude) or None if placed else None,
        "fingerprint": fingerprint("address.fingerprint")(place),
        "visits_opted_out": False,
        "source": "creditor",
        "version": 1,
        "created_at": now,
    }


def _keep_place(statement: Insert) -> Insert:
    """The same place again: what helps to find it is added, its coordinates replaced where new ones are given."""
    told: Values = {name: func.coalesce(statement.excluded[name], getattr(Address, name)) for name in _FINDING}
    # A house that an agent or a dispatcher found lies where they found it, whatever the next file says.
    was_found = Address.place_source.in_([Source.AGENT, Source.DISPATCHER])
    told |= {name: case((was_found, getattr(Address, name)), else_=told[name]) for name in _COORDINATES}
    given_anew = statement.excluded.latitude.is_not(None) & ~func.coalesce(was_found, False)
    return statement.on_conflict_do_update(
        index_elements=["agency_id", "person_id", "fingerprint"],
        set_={
            **told,
            "kind": statement.excluded.kind,
            "jurisdiction": statement.excluded.jurisdiction,
            "retired_at": None,
            "geocode_state": case((given_anew, "given"), else_=Address.geocode_state),
            "place_quality": case((given_anew, None), else_=Address.place_quality),
            "place_source": case((given_anew, None), else_=Address.place_source),
            "version": Address.version + 1,
        },
        where=or_(
            *(told[name].is_distinct_from(getattr(Address, name)) for name in _FINDING),
            statement.excluded.kind != Address.kind,
            Address.retired_at.is_not(None),
        ),
    )


def _replaced(
    session: Session, given: Mapping[tuple[UUID, bytes], Values], known: set[UUID], now: datetime
) -> list[Values]:
    """Places from earlier files of people whom the creditor gave another of the same kind: visited no more."""
    kinds = {(person_id, values["kind"]) for (person_id, _), values in given.items() if person_id in known}
    found = select(Address.id, Address.person_id, Address.kind, Address.fingerprint).where(
        Address.agency_id == current_agency(),
        Address.person_id.in_(known),
        Address.source == "creditor",
        Address.retired_at.is_(None),
        Address.created_at < now,
    )
    return [
        {"id": address_id, "retired_at": now}
        for address_id, person_id, kind, mark in session.execute(found)
        if (person_id, kind) in kinds and (person_id, mark) not in given
    ]


def _replace_answer(statement: Insert) -> Insert:
    return statement.on_conflict_do_update(
        index_elements=["agency_id", "person_id", "kind"],
        set_={
            "answer": statement.excluded.answer,
            "independent_group": statement.excluded.independent_group,
            "stretched": None,
        },
    )
