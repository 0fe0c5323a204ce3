"""The brief: what may be said to the right person alone (docs/protocol.md §7). Needs audience OFFICE_JOB."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from typing import Any

from field_api.domain.confidential import Confidential
from field_api.domain.disclosure import Audience, Identity, Item, agency_overrides, may_tell
from field_api.domain.entitled import Entitled
from field_api.domain.letter_strings import direction
from field_api.domain.letter_text import addressees_part, plain_lines
from field_api.domain.vocabulary import Relation, Role
from field_api.queries.phone_visits import PhoneVisit
from field_api.records.accounts import Account
from field_api.records.agency import Agency
from field_api.records.visits import Letter
from sync.packing import DoesNotFit, packed_length

BRIEF_BYTES = (1_344, 608, 608, 608)
"""By number of the lock: what it may hold says nothing of who is behind it, or whether anybody is (docs/adr/0006)."""
MAX_NAME = 160
SHORTEST_LETTER = 200  # characters: less than that says nothing
CUT = "…"
"""The last line of a text that had no room: what is missing there stands on the paper."""


def make_brief(agency: Agency, item: PhoneVisit, party: Entitled) -> dict[str, Any]:
    """Everything that this party may have, before it is cut: their own obligations, or those they stand for.

    Who stands for the one sought has that one's history and letters; a guarantor has their own alone. What the matrix
    of the address's jurisdiction, or the agency's stricter one, lets nobody tell this party is null or empty.
    """
    told = _told(agency, item, party)
    concerned = item.visit.person_id if party.by_code_only else party.person_id
    return {
        "agency": {"name": agency.name, "address": agency.address, "phone": agency.phone},
        "creditor": {"name": item.creditor.name, "phone": item.creditor.phone} if Item.CREDITOR in told else None,
        "party": {
            "person": str(party.person_id),
            "name": item.people[party.person_id].name[:MAX_NAME],
            "role": party.role.value,
        },
        "accounts": [
            _account(account) | ({} if Item.TERMS in told else {"options": None})
            for account, _ in item.accounts
            if account.id in party.accounts and Item.BALANCE in told
        ],
        "history": [
            {"on": attempt.at.date().isoformat(), "channel": attempt.channel, "outcome": attempt.outcome}
            for attempt in item.history
            if attempt.account_id in party.accounts and attempt.person_id == concerned and Item.BALANCE in told
        ],
        "letters": [
            shown_letter(letter)
            for letter in item.letters
            if letter.account_id in party.accounts and letter.person_id == concerned and Item.LETTER in told
        ],
        "more": [],
    }


_RELATION = {
    Role.ATTORNEY: Relation.ATTORNEY,
    Role.EXECUTOR: Relation.EXECUTOR,
    Role.GUARDIAN: Relation.GUARDIAN,
}


def may_have_a_part(agency: Agency, item: PhoneVisit, party: Entitled) -> bool:
    """Whether this party may be told that there is a debt at all: otherwise their lock stays empty."""
    return Item.DEBT_EXISTS in _told(agency, item, party)


def _told(agency: Agency, item: PhoneVisit, party: Entitled) -> frozenset[Item]:
    identity = Identity.DOCUMENTED if party.by_code_only else Identity.VERIFIED
    relation = _RELATION.get(party.role, Relation.SOUGHT if party.number == 0 else Relation.GUARANTOR)
    place, own = item.address.jurisdiction, agency_overrides(agency.policy)
    return frozenset(entry for entry in Item if may_tell(relation, entry, place, identity, agency=own))


def cut_to_fit(brief: dict[str, Any], size: int) -> dict[str, Any]:
    """The brief in at most `size` packed bytes: history goes first, then letters' text, options, last accounts.

    Accounts that find no room are told in `more`, their number and sum by currency: none is left out in silence.
    Raises DoesNotFit where what is left without them is still too large.
    """
    whole = brief["accounts"]
    brief = {**brief, "history": list(brief["history"]), "letters": [dict(letter) for letter in brief["letters"]]}
    while packed_length(brief) > size:
        longest = max(brief["letters"], key=lambda letter: len(letter["text"]), default=None)
        if brief["history"]:
            brief["history"].pop()
        elif longest and len(longest["text"]) > SHORTEST_LETTER:
            longest["text"] = _shorter(longest["text"])
        elif brief["letters"]:
            brief["letters"].pop()
        elif any(account["options"] for account in brief["accounts"]):
            brief["accounts"] = [{**account, "options": None} for account in brief["accounts"]]
        elif brief["accounts"]:
            kept = (
                len(brief["accounts"]) * 7 // 8
            )  # in one step a few where there are many: each is packed to be measured
            brief |= {"accounts": brief["accounts"][:kept], "more": _summed(whole[kept:])}
        else:
            raise DoesNotFit("agency, creditor and party alone are too large")
    return brief


def _summed(accounts: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """How many accounts, and what they come to, in each currency."""
    found: dict[str, list[int]] = defaultdict(list)
    for account in accounts:
        found[account["currency"]].append(account["balance_minor"])
    return [
        {"accounts": len(balances), "currency": currency, "balance_minor": sum(balances)}
        for currency, balances in sorted(found.items())
    ]


def _account(account: Account) -> dict[str, Any]:
    return {
        "account": str(account.id),
        "reference": _shown(account.reference),
        "product": _shown(account.product),
        "original_creditor": _shown(account.original_creditor),
        "currency": account.currency,
        "balance_minor": _shown(account.balance_minor),
        "principal_minor": _shown(account.principal_minor),
        "interest_minor": _shown(account.interest_minor),
        "fees_minor": _shown(account.fees_minor),
        "calculated_on": _day(account.balance_calculated_on),
        "due_on": _day(account.due_on),
        "days_past_due": _days_past_due(account),
        "last_payment_on": _day(account.last_payment_on),
        "last_payment_minor": _shown(account.last_payment_minor),
        "options": _shown(account.options),
    }


def _days_past_due(account: Account) -> int:
    """By the day the balance was calculated: the brief states one moment, not the reader's today."""
    calculated: date = _shown(account.balance_calculated_on)
    due: date = _shown(account.due_on)
    return max(0, (calculated - due).days)


def shown_letter(letter: Letter) -> dict[str, Any]:
    """The part in the addressee's own language: what the law wants beside it stands on the paper, which has both."""
    content = json.loads(_shown(letter.content) or "{}")
    part = addressees_part(content)
    title, *lines = plain_lines(part) if part else ("",)
    language = part["language"] if part else letter.language
    return {
        "serial": letter.serial,
        "language": language,
        "direction": direction(language),
        "kind": letter.kind,
        "title": title,
        "text": "\n".join(lines),
    }


def _shorter(text: str) -> str:
    """About three quarters of it, in whole lines where there are some; its last line is CUT."""
    kept = text.removesuffix(f"\n{CUT}")[: len(text) * 3 // 4]
    return f"{kept.rpartition(chr(10))[0] or kept}\n{CUT}"


def _shown(value: Confidential[Any] | None) -> Any:
    return None if value is None else value.reveal(Audience.OFFICE_JOB)


def _day(value: Confidential[date] | None) -> str | None:
    return None if value is None else value.reveal(Audience.OFFICE_JOB).isoformat()
