"""What Typst says of a paper that fails, as one of a few words; and of a creditor's template, where in it and why.

An error's own text may quote the letter. It leaves the process only where the data are invented, and never with a path
of this machine.
"""

from __future__ import annotations

import re
from typing import Any

MISSING_GLYPH = "could not be displayed"
_KNOWN = {
    "address does not fit": "address-too-long",
    MISSING_GLYPH: "missing-glyph",
    "an image is missing": "picture-missing",
    "maximum function call depth": "too-deep",
    "maximum show rule depth": "too-deep",
    "maximum layout depth": "too-deep",
    "maximum grouping depth": "too-deep",
    "maximum parsing depth": "too-deep",
    "loop seems to be infinite": "too-slow",
}
_OF_TEMPLATES = {
    "unresolved import": "no-inner",
    "package": "package-refused",
    "would escape the project root": "file-refused",
    "file not found": "file-refused",
    "failed to load file": "file-refused",
    "is a directory": "file-refused",
    "access denied": "file-refused",
}
_WHY = {
    "no-inner": "the template defines no inner(letter, mark)",
    "package-refused": "a template has no packages: nothing is fetched",
    "file-refused": "a template reads no file but those that its letter brings (letter.brand)",
}
_PLACE = re.compile(r"([0-9a-f]{64})\.typ:(\d+):(\d+)")
_SEARCHED = re.compile(r" ?\(searched (?:at|for) [^)]*\)")
_PATH = re.compile(r"(?:\.\./|/)[\w.@+-]+(?:/[\w.@+-]+)+")
MAX_DETAIL = 300


def told(error: Exception, template: str, *, explain: bool) -> dict[str, Any]:
    """The header of the answer: `failed`, and of a creditor's template (its SHA-256) `at`, `detail`."""
    said = str(getattr(error, "message", "") or error)
    reason = reason_of(error, said)
    if not template:  # the house's own templates hold, so that it is the record that is broken
        return {"failed": "malformed" if reason == "TypstError" else reason}
    reason = next((known for phrase, known in _OF_TEMPLATES.items() if phrase in said.lower()), reason)
    if reason == "TypstError":
        reason = "template-error"
    places = [match for match in _PLACE.finditer(str(getattr(error, "diagnostic", ""))) if match[1] == template]
    found = {"failed": reason, "at": f"{places[0][2]}:{places[0][3]}" if places else ""}
    if not explain:
        return found
    hints = [str(hint) for hint in getattr(error, "hints", [])]
    detail = _WHY.get(reason) or "; ".join([_cleaned(said), *map(_cleaned, hints)])
    return {**found, "detail": detail[:MAX_DETAIL]}


def reason_of(error: Exception, said: str) -> str:
    """One of a few words: the error's own text may quote the letter, and stays in this process."""
    if isinstance(error, MemoryError):
        return "too-much-memory"
    return next((reason for phrase, reason in _KNOWN.items() if phrase in said.lower()), type(error).__name__)


def _cleaned(said: str) -> str:
    return _PATH.sub("...", _SEARCHED.sub("", said))
