"""What goes to phones, key by key: open parts for the agent, briefs for the party behind a lock (docs/protocol.md §7).

A key that is not here does not get into an item. Whoever adds one says how secret it is; above what an agent may see it
belongs into the brief.
"""

from __future__ import annotations

import re

from field_api.domain.disclosure import Audience, Item, Label
from field_api.domain.phone_flags import TOLD_TO_PHONES
from field_api.domain.vocabulary import Hazard, Relation
from field_api.platform.egress import Closed, OutletKind, Shape, declare

_SEALED = Closed(Label.INTERNAL, re.compile("[A-Za-z0-9_-]+"))
_OPEN, _PLACE, _INTERNAL, _SECRET = Label.OPEN, Label.PLACE, Label.INTERNAL, Label.CONFIDENTIAL
_WORD = Closed(Label.INTERNAL, re.compile(r"[A-Za-z0-9_.:-]{1,120}"))
_FLAG = Closed(Label.INTERNAL, re.compile("|".join(sorted(TOLD_TO_PHONES))))
_HAZARD = Closed(Label.PLACE, re.compile("|".join(hazard.value for hazard in Hazard)))
_POINT: Shape = {"label": _PLACE, "latitude": _PLACE, "longitude": _PLACE}


def _all(label: Shape, names: str) -> dict[str, Shape]:
    return dict.fromkeys(names.split(), label)


VISIT = declare(
    OutletKind.FEED_ITEM,
    "visit",
    Audience.AGENT,
    shape={
        "state": _WORD,
        "assignment_version": _INTERNAL,
        "stop": _all(_INTERNAL, "route day position arrival_from arrival_to visit_from visit_until timezone service_s"),
        "open": {
            "name": _OPEN,
            "alias": _OPEN,
            "kind": _WORD,
            "language": _INTERNAL,
            "jurisdiction": _PLACE,
            "place": _WORD,
            "hazards": [_HAZARD],
            "address": _all(
                _PLACE,
                "street number interior between_1 between_2 neighbourhood city municipality postcode state country "
                "hint latitude longitude known",
            ),
        },
        "person": _INTERNAL,
        "location": {"closed": _INTERNAL, "asked": [{"relation": _WORD, "whom": _WORD}]},
        "narrower": {relation.value: {item.value: _WORD for item in Item} for relation in Relation},
        "questions": [{"kind": _WORD, "group": _WORD}],
        "openers": {"attestation": _SEALED, "before_arrival": _SEALED},
        "locks": [
            {"answers": [_SEALED], "code": _SEALED, "attestation": _SEALED, "before_arrival": _SEALED, "ct": _SEALED}
        ],
    },
    at_most={Label.OPEN, Label.PLACE, Label.INTERNAL},
    note="the open part, and locks that nothing in it opens but by the agency's policy",
)
BRIEF = declare(
    OutletKind.FEED_ITEM,
    "visit.brief",
    Audience.ENTITLED_PARTY,
    shape={
        "agency": _all(Label.ON_REQUEST, "name address phone"),
        "creditor": _all(_SECRET, "name phone"),
        "party": {"person": _SECRET, "name": _OPEN, "role": _SECRET},
        "accounts": [
            _all(
                _SECRET,
                "account reference product original_creditor currency balance_minor principal_minor interest_minor "
                "fees_minor calculated_on due_on days_past_due last_payment_on last_payment_minor options",
            )
        ],
        "history": [_all(_SECRET, "on channel outcome")],
        "letters": [_all(_SECRET, "serial language direction kind title text")],
        "more": [_all(_SECRET, "accounts currency balance_minor")],
    },
    note="the locked part: sealed under the key of its lock before it joins the item",
)
ROUTE = declare(
    OutletKind.FEED_ITEM,
    "route",
    Audience.AGENT,
    shape={
        **_all(_INTERNAL, "day starts_at ends_at lunch_at timezone stops visits distance_m travel_s estimates"),
        "state": _WORD,
        "agent": _OPEN,
        "territory": _PLACE,
        "start": _POINT,
        "end": _POINT,
    },
    at_most={Label.OPEN, Label.PLACE, Label.INTERNAL},
)
KEYS = declare(
    OutletKind.FEED_ITEM,
    "keys",
    Audience.AGENT,
    shape={"roots": [_all(_SEALED, "root old new")], "certificates": [_all(_SEALED, "cert sig")]},
    at_most={Label.INTERNAL},
    note="public halves, certified by the agency's root",
)
VERDICT = declare(
    OutletKind.FEED_ITEM,
    "verdict",
    Audience.AGENT,
    shape={"seq": _INTERNAL, "verdict": _WORD, "reason": _WORD, "flags": [_FLAG]},
    at_most={Label.INTERNAL},
)
