"""Which version of a plan a request was made for: `If-Match` (RFC 9110, 13.1.1)."""

from __future__ import annotations

from flask import request

from field_api.platform.problems import Problem


def seen_versions(*, required: bool = True) -> set[str] | None:
    """What `If-Match` names; None for `*`, or where it is missing and need not be there. Weak ones match nothing.

    Raises `precondition-required` (RFC 6585).
    """
    if "If-Match" not in request.headers:
        if required:
            raise Problem("precondition-required", "say which version was looked at, by its ETag", at="If-Match")
        return None
    return None if request.if_match.star_tag else request.if_match.as_set()
