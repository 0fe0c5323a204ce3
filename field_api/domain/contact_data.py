"""Reading contact data that somebody gave at a door: phone numbers, e-mail addresses, and who may have given them."""

from __future__ import annotations

from dataclasses import dataclass

import phonenumbers
from email_validator import EmailNotValidError, validate_email

from field_api.domain.vocabulary import VERIFIED, Relation


@dataclass(frozen=True)
class ReadContact:
    """`value` in its normal form, or as given where it is `flag`ged."""

    value: str
    flag: str | None = None


def read_phone(text: str, region: str) -> ReadContact:
    """E.164 of a number as dialled in `region` (ISO 3166-1 alpha-2) or with +; flag `invalid-phone`."""
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return ReadContact(text, "invalid-phone")
    national = str(number.national_number)
    if number.country_code == 52 and len(national) == 11 and national.startswith("1"):
        # Mexico dropped the 1 before mobile numbers on 2019-08-03 (IFT, numbering plan); people still give it.
        number.national_number = int(national[1:])
    if not phonenumbers.is_valid_number(number):
        return ReadContact(text, "invalid-phone")
    return ReadContact(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def read_email(text: str) -> ReadContact:
    """The normalised address, checked by form alone: a look-up would tell a name server whom we seek."""
    try:
        return ReadContact(validate_email(text, check_deliverability=False).normalized)
    except EmailNotValidError:
        return ReadContact(text, "invalid-email")


def may_use_number(jurisdiction: str, source: Relation) -> bool:
    """Mexico: a number not supplied by creditor, debtor or obligor is do-not-use until one of them confirms it.

    Source: CONDUSEF, Disposición en Materia de Registros (DOF 14-10-2022), contact data of third parties.
    """
    return jurisdiction.partition("-")[0] != "MX" or source in VERIFIED


def may_be_asked(source: Relation) -> bool:
    """With minors, older people and employers the visit ends: they are asked for nothing (disclosure matrix)."""
    return source not in (Relation.MINOR, Relation.OLDER_OR_DISABLED, Relation.EMPLOYER)
