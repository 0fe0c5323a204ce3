"""The catalogue of log events: which there are, and which fields each may carry. All are for MACHINE.

An event that is not here is written as `unnamed`, without its fields, and they are counted as dropped.
"""

from __future__ import annotations

from field_api.domain.disclosure import Audience, Label
from field_api.platform.egress import OutletKind, declare

ALWAYS = frozenset({"event", "level", "timestamp", "dropped"})
"""What every line carries."""

EVENTS: dict[str, frozenset[str]] = {
    name: frozenset(fields.split())
    for name, fields in {
        "library": "logger place error",  # a line of a library, without its text
        "incident": "incident error place",  # what nobody expected; the id is all that goes outside
        "egress-refused": "incident place endpoint",  # something did not fit its outlet and stayed
        "restarted": "part",
        "step-failed": "step agency error place",
        "sync-unit-failed": "step agency error place",
        "change-waits": "agency kind ref tries error place",  # it cannot be made an item of, and stays
        "operation-crashed": "incident op error",
        "journal-unwritten": "agency error place",  # a lifted hold that a restore would place again
        "photo-shown": "photo size actor",
        "photo-destroyed": "photo sha256 reason",
        "upload-destroyed": "upload sha256 reason",  # whole, and nothing takes it any more
        "original-lost": "photo error",
        "photo-key-returned": "upload sha256",  # of a destroyed photograph, copied back by somebody
        "photo-key-copies-deleted": "count",  # older than a week, and no backup deleted them
        "rendition-lost": "photo size error",
        "object-flawed": "store flaw ref",  # missing or corrupt; a random key or an upload's id
        "store-unavailable": "store error",
        "travel-engine-failed": "engine kind",  # the road engine; nothing of what was asked
        "unnamed": "",
    }.items()
}

for _name, _fields in EVENTS.items():
    declare(OutletKind.LOG_EVENT, _name, Audience.MACHINE, shape=dict.fromkeys(_fields, Label.INTERNAL))
