"""Which of an operation's flags its phone is told with the verdict (docs/outcomes.md, Flags).

An operation can be recorded by whoever holds an open phone, without any check. So a flag may only say what that phone
recorded itself, or what it is told anyway: "more than was owed", put to a promise of any amount, would give the balance
away by halving (`AtTheDoor.withhold` keeps it out of the verdict); a flag about letters or counsel would say that there
are some; "no party of this visit", that somebody else is one. Those are the manager's alone.
"""

from __future__ import annotations

from collections.abc import Iterable

TOLD_TO_PHONES = frozenset(
    {
        "again",
        "asked-where-not-allowed",
        "chain-broken",
        "clock-unreadable",
        "clock-wrong",
        "correction",
        "debt-words",
        "dependency-released",
        "far-away",
        "from-paper",
        "late",
        "location-asked-again",
        "mended",
        "no-anchor",
        "no-identity-check",
        "no-permission",
        "no-position",
        "not-an-obligor",
        "not-by-policy",
        "opened-without-check",
        "outside-hours",
        "seq-twice",
        "too-many-tries",
        "without-its-dependency",
    }
)
"""An allow-list: a flag that somebody adds later stays in the office until it is looked at."""


def told_to_phones(flags: Iterable[str]) -> list[str]:
    """The flags, in their order, that the phone of the operation may be told."""
    return [flag for flag in flags if flag in TOLD_TO_PHONES]
