"""What commands show on the terminal of whoever runs them, where it is more than ids, counts and states.

A terminal is its operator's own: no gate stands before it. The list says which commands show what, for whom it is then,
and is read by a guard test; nothing here is loaded to run a command.
"""

from __future__ import annotations

from field_api.domain.disclosure import Audience
from field_api.platform.egress import OutletKind, declare

_OPERATOR, _AGENT = Audience.OFFICE_JOB, Audience.AGENT
for _name, _audience, _what in (
    ("init", _OPERATOR, "the first password, once"),
    ("staff", _OPERATOR, "a first password or a token's secret, once"),
    ("device", _OPERATOR, "an enrolment line, good once and for 72 hours"),
    ("keys", _OPERATOR, "names and dates of keys, public halves"),
    ("visit", Audience.DISPATCHER, "an unlock code, once, with a reason"),
    ("creditor", _OPERATOR, "creditors with their thresholds, column maps of their files"),
    ("quarantine", Audience.MANAGER, "with show --content: what a phone recorded and the office could not use"),
    ("hold", _OPERATOR, "which accounts are held"),
    ("plan", _OPERATOR, "why an account is not visited"),
    ("replan", _OPERATOR, "which stops change hands or times, and why accounts are not added"),
    ("letter", _OPERATOR, "versions of creditors' letter templates; with --out: a letter as it was issued, as a file"),
    ("address", _OPERATOR, "addresses without coordinates"),
    ("export", Audience.MANAGER, "with --out -: the rows"),
    ("sheet", Audience.DISPATCHER, "names and addresses of a sheet's rows, what was typed of them, what phones said"),
    ("restore", _OPERATOR, "which held accounts a backup does not know"),
    ("audit", _OPERATOR, "findings by leaf and reference, erasures with their decision"),
    ("phone", _AGENT, "what the agent's phone would show, the locked part after a check"),
    ("demo", _OPERATOR, "a made-up day, with invented people"),
):
    declare(OutletKind.TERMINAL, f"doorstep {_name}", _audience, note=_what)
