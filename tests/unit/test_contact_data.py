"""Contact data from a door are read or flagged, never refused; who gave a number decides whether it may be used."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from field_api.domain.contact_data import may_be_asked, may_use_number, read_email, read_phone
from field_api.domain.vocabulary import VERIFIED, Relation


@pytest.mark.parametrize(
    ("text", "region", "e164"),
    [
        ("55 1234 5678", "MX", "+525512345678"),
        ("+52 1 55 1234 5678", "MX", "+525512345678"),  # the 1 of old Mexican mobile numbers is gone
        ("(410) 555-2368", "US", "+14105552368"),
        ("232 12 34", "LI", "+4232321234"),
        ("+44 20 7946 0018", "MX", "+442079460018"),
    ],
)
def test_a_number_becomes_e164(text: str, region: str, e164: str) -> None:
    assert (read_phone(text, region).value, read_phone(text, region).flag) == (e164, None)


@given(st.text(max_size=40), st.sampled_from(["MX", "US", "LI", "ZZ", ""]))
def test_any_text_is_a_number_or_kept_with_a_flag(text: str, region: str) -> None:
    read = read_phone(text, region)
    assert (read.value, read.flag) == (text, "invalid-phone") or read.value.startswith("+")


@given(st.text(max_size=60) | st.emails() | st.builds("{}@{}".format, st.text(max_size=20), st.text(max_size=20)))
def test_any_text_is_an_address_or_kept_with_a_flag(text: str) -> None:
    read = read_email(text)
    assert (read.value, read.flag) == (text, "invalid-email") or "@" in read.value


def test_in_mexico_only_debtor_and_obligor_give_usable_numbers() -> None:
    assert {source for source in Relation if may_use_number("MX", source)} == VERIFIED
    assert all(may_use_number("US-MD", source) for source in Relation)
    assert not may_use_number("MX-JAL", Relation.NEIGHBOUR)


def test_minors_older_people_and_employers_are_asked_for_nothing() -> None:
    assert {source for source in Relation if not may_be_asked(source)} == {
        Relation.MINOR,
        Relation.OLDER_OR_DISABLED,
        Relation.EMPLOYER,
    }
