"""Staff and tokens: what is stored, and what the commands do on a fresh installation."""

from __future__ import annotations

import json
import re
from pathlib import Path
from uuid import UUID

import pytest
from click.testing import CliRunner, Result
from flask import Flask

from doorstep.cli import main
from doorstep.postgres import EmbeddedPostgres
from field_api.domain.credentials import WireToken, agency_of_uniquifier
from field_api.platform.clock import SetClock
from field_api.platform.database import across_agencies, joint_transaction, transaction
from field_api.platform.ids import new_id
from field_api.platform.problems import Problem
from field_api.records.agency import Creditor
from field_api.records.base import load
from field_api.records.staff import ApiToken, Staff
from field_api.usecases.add_staff import add_staff
from field_api.usecases.change_password import change_password
from field_api.usecases.create_agency import create_agency
from field_api.usecases.issue_api_token import issue_api_token

GOOD = {"email": "ana@agency.test", "name": "Ana", "role": "manager", "password": "long enough for us"}


def test_a_password_is_kept_as_argon2id_and_a_session_names_its_agency(app: Flask, agency: UUID) -> None:
    with transaction(agency) as session:
        row = add_staff(session, **GOOD | {"email": " Ana@Agency.TEST".strip()})
        assert row.password is not None and row.password.startswith("$argon2id$") and "long" not in row.password
        assert agency_of_uniquifier(row.fs_uniquifier) == agency
        assert row.email == "ana@agency.test"


@pytest.mark.parametrize(
    ("change", "at"),
    [
        ({"email": "nobody"}, "email"),
        ({"email": "a@b@c"}, "email"),
        ({"role": "integrator"}, "role"),
        ({"role": "king"}, "role"),
        ({"role": "controller"}, "creditor_id"),
        ({"password": "short"}, "password"),
        ({"password": "x" * 201}, "password"),
    ],
)
def test_bad_sign_ins_are_refused_naming_the_field(app: Flask, agency: UUID, change: dict[str, str], at: str) -> None:
    with pytest.raises(Problem) as refused, transaction(agency) as session:
        add_staff(session, **GOOD | change)
    assert (refused.value.code, refused.value.at) == ("invalid-fields", at)
    assert change[next(iter(change))] not in refused.value.detail or at in {"role", "creditor_id"}


def test_a_controller_belongs_to_a_creditor_of_the_same_agency(
    app: Flask, agency: UUID, clock: SetClock, tmp_path: Path
) -> None:
    other = new_id()
    with transaction(other) as session:
        create_agency(session, other, tmp_path / "home", "Other", now=clock.now())
        creditor = Creditor(name="C", jurisdiction="MX", currency="MXN", language="es")
        session.add(creditor)
        session.flush()
        foreign = creditor.id
    with pytest.raises(Problem) as refused, transaction(agency) as session:
        add_staff(session, **GOOD | {"role": "controller"}, creditor_id=foreign)
    assert refused.value.code == "not-found"
    with pytest.raises(Problem), transaction(agency) as session:
        add_staff(session, **GOOD, creditor_id=foreign)


def test_an_email_that_is_taken_leaves_the_transaction_usable(app: Flask, agency: UUID) -> None:
    with transaction(agency) as session:
        add_staff(session, **GOOD)
        with pytest.raises(Problem) as refused:
            add_staff(session, **GOOD | {"email": "ANA@agency.test"})
        assert refused.value.code == "conflict"
        add_staff(session, **GOOD | {"email": "eva@agency.test"})


def test_a_changed_password_changes_the_session_name_too(app: Flask, agency: UUID) -> None:
    with transaction(agency) as session:
        row = add_staff(session, **GOOD)
        before = row.fs_uniquifier
        with pytest.raises(Problem) as refused:
            change_password(session, row.id, old="not the right one", new="another long one")
        assert refused.value.code == "not-permitted" and row.fs_uniquifier == before
        change_password(session, row.id, old=GOOD["password"], new="another long one")
        assert row.fs_uniquifier != before
        change_password(session, row.id, old="another long one", new="a third long one")


def test_of_a_token_only_the_hash_is_kept(app: Flask, agency: UUID, clock: SetClock) -> None:
    with transaction(agency) as session:
        wire = issue_api_token(
            session, name="feeder", permissions=["a.read"], allowed=frozenset({"a.read"}), now=clock.now()
        )
    assert WireToken.parse(str(wire)) == wire
    assert wire.secret not in repr(wire)
    with transaction(agency) as session:
        row = load(session, ApiToken, wire.token_id)
        assert len(row.token_sha256) == 32 and row.token_sha256.hex() != wire.secret
        assert wire.secret not in json.dumps({name: str(value) for name, value in vars(row).items()})


@pytest.mark.parametrize("text", ["", "ds_", "ds_1_2_3", "x" * 200, "DS_" + "0" * 32 + "_" + "0" * 32 + "_" + "0" * 64])
def test_what_is_no_token_is_no_token(text: str) -> None:
    assert WireToken.parse(text) is None


@pytest.mark.parametrize("text", ["", "x", "0" * 32 + ".", "0" * 32 + "." + "0" * 31, "0" * 32 + "." + "0" * 32 + "\n"])
def test_what_is_no_session_name_is_no_session_name(text: str) -> None:
    assert agency_of_uniquifier(text) is None


def test_a_joint_transaction_stands_or_falls_as_a_whole(app: Flask, agency: UUID) -> None:
    class Stop(Exception):
        pass

    with pytest.raises(Stop), joint_transaction(agency):
        with transaction(agency) as session:
            add_staff(session, **GOOD)
        raise Stop
    with joint_transaction(agency) as outer:
        with pytest.raises(Stop), transaction(agency) as session:
            add_staff(session, **GOOD)
            raise Stop
        with transaction(agency) as session:
            assert session is outer
            add_staff(session, **GOOD | {"email": "eva@agency.test"})
    with transaction(agency) as session:
        assert [row.email for row in session.query(Staff)] == ["eva@agency.test"]


def test_a_joint_transaction_is_for_one_agency(app: Flask, agency: UUID) -> None:
    with joint_transaction(agency), pytest.raises(RuntimeError), transaction(new_id()):
        pass


def test_across_agencies_sees_nothing_by_itself_and_only_where_no_agency_is_set(app: Flask, agency: UUID) -> None:
    with transaction(agency) as session:
        add_staff(session, **GOOD)
    with across_agencies("test") as session:
        assert session.query(Staff).all() == []
    with transaction(agency), pytest.raises(RuntimeError), across_agencies("test"):
        pass


def doorstep(*arguments: str, stdin: str = "") -> Result:
    return CliRunner().invoke(main, arguments, input=stdin)


def test_the_commands_from_an_empty_home_to_a_revoked_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOORSTEP_HOME", str(tmp_path / "home"))
    for name in ("DATABASE_URL", "DOORSTEP_AGENCY"):
        monkeypatch.delenv(name, raising=False)
    server = EmbeddedPostgres(tmp_path / "home", durable=False)
    server.start()  # once for all commands; without it each would start and stop its own
    try:
        _walk_through(tmp_path / "home")
    finally:
        server.destroy()


def _walk_through(home: Path) -> None:
    first = doorstep("init", "--agency", "Agencia Puerta Norte", "--admin", "jefa@agency.test")
    assert first.exit_code == 0, first.stderr
    assert re.search(r"jefa@agency.test can sign in, first with: \S{24}\n", first.stdout)
    again = doorstep("init", "--agency", "Agencia Puerta Norte")
    assert again.exit_code == 0 and "is here already" in again.stdout
    assert len(list((home / "keys" / "office").iterdir())) == 1

    typed = doorstep(
        "staff", "add", "eva@agency.test", "--role", "dispatcher", "--password-stdin", stdin="a long one typed\n"
    )
    assert typed.exit_code == 0 and "a long one" not in typed.stdout
    twice = doorstep("staff", "add", "eva@agency.test", "--role", "dispatcher")
    assert (twice.exit_code, "conflict" in twice.stderr, "Traceback" in twice.stderr) == (1, True, False)

    issued = doorstep("staff", "token", "add", "feeder", "--allow", "accounts.write")
    wire = WireToken.parse(issued.stdout.strip())
    assert wire is not None
    listed = doorstep("staff", "list").stdout
    assert f"token {wire.token_id}  feeder  active  accounts.write" in listed and wire.secret not in listed
    assert doorstep("staff", "token", "revoke", str(wire.token_id)).exit_code == 0
    assert doorstep("staff", "end", "eva@agency.test").exit_code == 0
    listed = doorstep("staff", "list").stdout
    assert "feeder  revoked" in listed and "eva@agency.test  dispatcher  ended" in listed
