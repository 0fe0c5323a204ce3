"""Who may be shown what: labels say how secret a field is, audiences who is looking.

Source: the product's first rule, that no balance and no reason for the visit reaches a third party
(docs/threat-model.md); words as in docs/glossary.md.
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
    CONTROLLER = "controller"  # a creditor's controller, for that creditor's accounts only
    INTEGRATOR = "integrator"  # an API token that feeds accounts and takes results
    OFFICE_JOB = "office_job"  # the office's own work inside its walls: planning, sealing, import
    MACHINE = "machine"  # health, metrics, logs: may see nothing of anybody


_STAFF = frozenset(Label)
_MAY_SEE: dict[Audience, frozenset[Label]] = {
    Audience.THIRD_PARTY: frozenset({Label.OPEN, Label.PLACE}),
    Audience.ENTITLED_PARTY: frozenset({Label.OPEN, Label.ON_REQUEST, Label.PLACE, Label.PERSONAL, Label.CONFIDENTIAL}),
    Audience.AGENT: frozenset({Label.OPEN, Label.ON_REQUEST, Label.PLACE, Label.INTERNAL}),
    Audience.DISPATCHER: _STAFF,
    Audience.MANAGER: _STAFF,
    Audience.CONTROLLER: _STAFF,
    Audience.INTEGRATOR: _STAFF,
    Audience.OFFICE_JOB: _STAFF,
    Audience.MACHINE: frozenset({Label.INTERNAL}),
}


def may_see(audience: Audience, label: Label) -> bool:
    """Whether the audience may be shown a field with this label. Unknown means no."""
    return label in _MAY_SEE.get(audience, frozenset())
