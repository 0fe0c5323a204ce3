"""Secrets stay what they are on their way through the ORM and out of the database's errors."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from datetime import date
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import BigInteger, Date, Select, String, bindparam, cast, func, inspect, literal, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import DBAPIError, StatementError
from sqlalchemy.orm import Session
from werkzeug.debug.repr import DebugReprGenerator

from field_api.domain.confidential import Confidential, DisclosureRefused, audience
from field_api.domain.disclosure import Audience, Label
from field_api.platform.database import transaction
from field_api.records.accounts import Account, Hold
from field_api.records.agency import Creditor
from field_api.records.people import Person

REFERENCE, OWED, REASON = "CTR-8823100", 73_219_954, "paid in cash on Monday"
SECRETS = (REFERENCE, str(OWED), REASON)


def _account(creditor_id: UUID, **more: Any) -> Account:
    values: dict[str, Any] = {
        "creditor_id": creditor_id, "reference": REFERENCE, "product": "card", "currency": "MXN",
        "principal_minor": OWED, "balance_minor": OWED, "balance_calculated_on": date(2026, 1, 1),
        "due_on": date(2025, 1, 1),
    }  # fmt: skip
    return Account(**values | more)


@pytest.fixture
def account(app: Flask, agency: UUID) -> UUID:
    """An account of an agency, with a hold on it."""
    with transaction(agency) as session:
        creditor = Creditor(name="C", jurisdiction="MX", currency="MXN", language="es")
        session.add(creditor)
        session.flush()
        account = _account(creditor.id)
        session.add(account)
        session.flush()
        session.add(
            Hold(
                account_id=account.id, kind="paid", reason=Confidential(REASON), op_id=account.id,
                placed_at=func.now(), placed_by=None,
            )
        )  # fmt: skip
        return account.id


def shown(error: BaseException) -> str:
    """All that can be printed of an error and its causes: text, arguments, and the locals of the libraries' frames."""
    parts, seen = [], error
    while seen is not None:
        with_locals = traceback.TracebackException.from_exception(seen, capture_locals=True)
        frames = [frame for frame in with_locals.stack if frame.filename != __file__]
        parts += [str(seen), repr(seen), str(seen.args), str([frame.locals for frame in frames])]
        seen = seen.__cause__ or seen.__context__  # type: ignore[assignment]  # None ends it
    return "\n".join([*parts, *traceback.format_exception(error)])


def leaks(text_: str) -> bool:
    return any(secret in text_ for secret in SECRETS)


def test_what_the_orm_loads_is_confidential_however_it_is_loaded(app: Flask, agency: UUID, account: UUID) -> None:
    with transaction(agency) as session:
        row = session.get_one(Account, {"agency_id": agency, "id": account})
        ways: list[Any] = [
            row.balance_minor,
            session.scalars(select(Account.balance_minor)).one(),
            session.execute(select(Account.reference, Account.balance_minor)).one()[1],
            session.execute(select(Account.balance_minor).where(Account.balance_minor == OWED)).scalar_one(),
            session.execute(select(func.max(Account.balance_minor))).scalar_one(),
            session.execute(select(Account.balance_minor.label("x")).subquery().select()).scalar_one(),
            session.execute(select(func.coalesce(Account.last_payment_minor, Account.balance_minor))).scalar_one(),
        ]
        assert [type(way) for way in ways] == [Confidential] * len(ways)
        assert type(session.scalars(select(Hold.reason)).one()) is Confidential
        assert row.last_payment_minor is None


SHOWN: dict[str, Callable[[Session, Account], str]] = {
    "repr of a row": lambda session, row: repr(row) + str(row),
    "its attributes": lambda session, row: str(vars(row)) + repr(row.__dict__),
    "its state": lambda session, row: str({a.key: a.history for a in inspect(row).attrs}),
    "a tuple": lambda session, row: str(session.execute(select(Account.reference, Account.balance_minor)).one()),
    "tuples": lambda session, row: str(
        session.execute(select(Account.reference, Hold.reason).join(Hold, Hold.account_id == Account.id)).all()
    ),
    "a mapping": lambda session, row: str(session.execute(select(Account.__table__)).mappings().all()),
    "a tuple as a mapping": lambda session, row: repr(session.execute(select(Account.balance_minor)).one()._asdict()),
    "scalars": lambda session, row: str(session.scalars(select(Account.balance_minor)).all()),
    "a statement": lambda session, row: str(select(Account).where(Account.balance_minor == OWED)),
    "the debugger": lambda session, row: DebugReprGenerator().dump_object(row),
    "the session": lambda session, row: repr(list(session)) + repr(session.identity_map),
}


@pytest.mark.parametrize("way", SHOWN)
def test_rows_show_labels(app: Flask, agency: UUID, account: UUID, way: str) -> None:
    with transaction(agency) as session:
        assert not leaks(SHOWN[way](session, session.scalars(select(Account)).one()))


def test_rows_compare_inside_the_orm_alone(app: Flask, agency: UUID, account: UUID) -> None:
    with transaction(agency) as session:
        one = session.execute(select(Account.balance_minor)).one()
        other = session.execute(select(Account.balance_minor)).one()
        with pytest.raises(DisclosureRefused):
            assert one == other
        row = session.scalars(select(Account)).one()
        row.balance_minor = Confidential(OWED)
        assert not session.is_modified(row)  # compare_values: the same amount is no change
        row.balance_minor = Confidential(OWED + 1)
        assert session.is_modified(row)
        session.flush()
        session.refresh(row)
        with audience(Audience.OFFICE_JOB):
            assert row.balance_minor.reveal(Audience.OFFICE_JOB) == OWED + 1


def _fails_with(agency: UUID, work: Callable[[Session], Any]) -> StatementError:
    with pytest.raises(StatementError) as failed, transaction(agency) as session:
        work(session)
        session.flush()
    return failed.value


def _again(session: Session) -> None:
    session.add(_account(session.scalars(select(Creditor.id)).one()))


def _without_product(session: Session) -> None:
    session.add(_account(session.scalars(select(Creditor.id)).one(), reference=REFERENCE + "-2", product=None))


def _to_nobodys_creditor(session: Session) -> None:
    session.add(_account(UUID(int=7), reference=REFERENCE + "-3"))


def _too_much(session: Session) -> None:
    session.add(_account(session.scalars(select(Creditor.id)).one(), reference="x", balance_minor=OWED * 10**15))


def _number(value: str) -> Callable[[Session], Any]:
    statement: Select[Any] = select(cast(cast(literal(value), String), BigInteger))
    return lambda session: session.execute(statement)


def _raised(session: Session) -> None:
    statement = (
        "DO $$ BEGIN RAISE EXCEPTION 'contract % of %', 'CTR-8823100', 73219954 USING DETAIL = 'CTR-8823100'; END $$"
    )
    session.execute(text(statement))


ERRORS: dict[str, tuple[Callable[[Session], Any], str]] = {
    "the key is there already": (_again, "23505"),
    "a column is missing": (_without_product, "23502"),
    "a foreign key points nowhere": (_to_nobodys_creditor, "23503"),
    "a number too large": (_too_much, "22003"),
    "no number": (_number(REFERENCE), "22P02"),
    "no number in a long text": (_number(f"{OWED},00 " * 20), "22P02"),
    "no date": (lambda s: s.execute(select(cast(cast(literal(REASON), String), Date))), "22007"),
    "no JSON": (
        lambda s: s.execute(select(cast(cast(literal(f'{{"owed": {OWED}, {REASON}'), String), JSONB))),
        "22P02",
    ),
    "a statement that is wrong": (
        lambda s: s.execute(
            text("SELECT nothing_of_that_name FROM office.account WHERE reference = :r"), {"r": REFERENCE}
        ),
        "42703",
    ),
}


@pytest.mark.parametrize("trouble", ERRORS)
def test_an_error_of_the_database_quotes_nothing(app: Flask, agency: UUID, account: UUID, trouble: str) -> None:
    work, state = ERRORS[trouble]
    error = _fails_with(agency, work)
    assert not leaks(shown(error))
    assert state in str(error)


def test_an_error_that_a_function_raises_is_told_by_its_kind(app: Flask, agency: UUID, account: UUID) -> None:
    error = _fails_with(agency, _raised)
    assert isinstance(error, DBAPIError)
    assert error.orig is not None and str(error.orig) == "P0001"


def test_the_name_of_what_was_violated_is_told(app: Flask, agency: UUID, account: UUID) -> None:
    assert "uq_account_agency_id_creditor_id_reference" in str(_fails_with(agency, _again))
    assert "nothing_of_that_name" in str(_fails_with(agency, ERRORS["a statement that is wrong"][0]).orig)


def test_a_value_that_cannot_be_bound_is_not_quoted(app: Flask, agency: UUID, account: UUID) -> None:
    def work(session: Session) -> None:
        session.execute(
            select(Person.id).where(Person.name == bindparam("name", type_=String)), {"name": object(), "other": OWED}
        )

    assert not leaks(shown(_fails_with(agency, work)))


def test_a_sealed_column_without_keys_says_so_and_nothing_else(
    app: Flask, agency: UUID, account: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("field_api.platform.columns._keyring", None)
    with (
        pytest.raises((RuntimeError, StatementError), match="no office keys") as refused,
        transaction(agency) as session,
    ):
        session.scalars(select(Hold)).one().lift_reason = Confidential(REASON, Label.CONFIDENTIAL)
        session.flush()
    assert not leaks(shown(refused.value))
