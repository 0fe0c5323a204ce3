"""Who looks, how secret a thing is, and what can be told at a door: the words that the matrix is written in.

Words as in docs/glossary.md; the matrix itself is field_api/rules/disclosure.toml.
"""

from __future__ import annotations

from enum import StrEnum


class Label(StrEnum):
    """How secret a field is. A field without a label is refused."""

    OPEN = "open"  # the name of the person sought, the agent's name
    ON_REQUEST = "on_request"  # the agency's name
    PLACE = "place"  # address and location hints
    PERSONAL = "personal"  # phones, e-mails, birth dates, identity answers
    CONFIDENTIAL = "confidential"  # that a debt exists, creditor, amounts, dates, reference, letters, history
    INTERNAL = "internal"  # ids, versions, states: of use to staff and machines, says nothing about a debt


class Audience(StrEnum):
    """Whom a response, render, export, job or log line is for."""

    THIRD_PARTY = "third_party"  # anyone at the door who is not entitled; also paper, lock screens, object names
    ENTITLED_PARTY = "entitled_party"  # debtor or obligor after the identity check; the letter's inside
    AGENT = "agent"  # the open part of a stop
    DISPATCHER = "dispatcher"
    MANAGER = "manager"
    ADMIN = "admin"  # keeps sign-ins, tokens and phones; has no business with anybody's debt
    CONTROLLER = "controller"  # a creditor's controller, for that creditor's accounts only
    INTEGRATOR = "integrator"  # an API token that feeds accounts and takes results
    OFFICE_JOB = "office_job"  # the office's own work inside its walls: planning, sealing, import
    MACHINE = "machine"  # health, metrics, logs: may see nothing of anybody


class Item(StrEnum):
    """What can be told to whoever answers the door: the columns of the matrix."""

    NAME_SOUGHT = "name_sought"
    AGENT_NAME = "agent_name"
    AGENCY = "agency"
    CREDITOR = "creditor"
    DEBT_EXISTS = "debt_exists"
    BALANCE = "balance"  # and the account's reference, dates and history
    LETTER = "letter"
    TERMS = "terms"  # options, plans, what may be agreed
    LOCATION_QUESTION = "location_question"  # may be asked where the person sought lives


LABEL_OF_ITEM: dict[Item, Label] = {
    Item.NAME_SOUGHT: Label.OPEN,
    Item.AGENT_NAME: Label.OPEN,
    Item.AGENCY: Label.ON_REQUEST,
    Item.CREDITOR: Label.CONFIDENTIAL,
    Item.DEBT_EXISTS: Label.CONFIDENTIAL,
    Item.BALANCE: Label.CONFIDENTIAL,
    Item.LETTER: Label.CONFIDENTIAL,
    Item.TERMS: Label.CONFIDENTIAL,
    Item.LOCATION_QUESTION: Label.PLACE,
}


class Identity(StrEnum):
    """What is known of who stands at the door. Each includes the one before it."""

    NONE = "none"
    VERIFIED = "verified"  # answers, code or attestation passed
    DOCUMENTED = "documented"  # and the authority to act for another is on record (unlocked by code only)
