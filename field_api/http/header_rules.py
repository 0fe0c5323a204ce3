"""Which headers may leave, and what each may say: an allow-list of names, every value of a closed form."""

from __future__ import annotations

import re
from collections.abc import Callable
from http.cookies import SimpleCookie
from urllib.parse import parse_qs, urlsplit

from flask import Flask, Response, request, session
from werkzeug.exceptions import HTTPException
from werkzeug.http import generate_etag

from field_api.http.response_headers import ALWAYS, KEPT_AN_HOUR, OF_PICTURES, PICTURES, STRICT_TRANSPORT

BEARER_CHALLENGE = 'Bearer realm="doorstep"'
SIGN_IN = "/sign-in"

_SESSION_KEYS = {
    "_fresh", "_id", "_permanent", "_remember", "_user_id", "csrf_token", "fs_cc", "fs_gexp", "fs_paa", "identity.id",
    "identity.auth_type",
}  # fmt: skip
"""What Flask-Security, Flask-Login and Flask-WTF keep in the cookie; it is signed, and anybody can read it."""


class HeaderRefused(Exception):
    """A header that is not on the list, or that says something else. Holds a listed name or `unlisted`, no value."""


def _one_of(*values: str) -> Callable[[str], bool]:
    return frozenset(values).__contains__


def _form(pattern: str) -> Callable[[str], bool]:
    compiled = re.compile(pattern)
    return lambda value: compiled.fullmatch(value) is not None


_VERSION = re.compile(r"\d{1,9}\.\d{1,9}")

_RULES: dict[str, Callable[[str], bool]] = {
    **{name.lower(): _one_of(value, OF_PICTURES.get(name, value)) for name, value in ALWAYS.items()},
    "strict-transport-security": _one_of(STRICT_TRANSPORT),
    "content-length": _form(r"\d{1,12}"),
    "date": _form(r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT"),
    "cache-control": _one_of("no-store", KEPT_AN_HOUR),
    "vary": _one_of("Cookie"),
    "allow": _form(r"[A-Z]+(, [A-Z]+)*"),
    "retry-after": _form(r"\d{1,6}"),
    "www-authenticate": _one_of(BEARER_CHALLENGE),
    "idempotency-replayed": _one_of("true"),
    # Known to be right only together with the body, or the operation: checked below and by the gate.
    "content-type": lambda _value: True,
    "content-disposition": lambda _value: True,
    "etag": lambda _value: True,
    "location": lambda _value: True,
    "set-cookie": lambda _value: True,
}


def check_headers(app: Flask, response: Response) -> None:
    """Raises HeaderRefused at the first header that may not leave."""
    for name, value in response.headers:
        rule = _RULES.get(name.lower())
        if rule is None:
            raise HeaderRefused("unlisted")
        if not rule(value):
            raise HeaderRefused(name.lower())
    if response.mimetype in PICTURES:
        for name, value in OF_PICTURES.items():
            if response.headers.get(name) != value:
                raise HeaderRefused(name.lower())
    for cookie in response.headers.getlist("Set-Cookie"):
        _check_cookie(app, cookie)
    if "ETag" in response.headers and not _right_etag(response):
        raise HeaderRefused("etag")
    if response.location is not None and not _own(app, response.location):
        raise HeaderRefused("location")
    if response.location is not None and not 300 <= response.status_code < 400:
        raise HeaderRefused("location")


def _right_etag(response: Response) -> bool:
    """The body's own, or the version that the body names: nothing that is not in the body."""
    tag, weak = response.get_etag()
    if weak or tag is None:
        return False
    if tag == generate_etag(response.get_data()):
        return True
    return bool(_VERSION.fullmatch(tag)) and response.is_json and (response.get_json() or {}).get("version") == tag


def _check_cookie(app: Flask, header: str) -> None:
    """The session's, or the removal of the one that Flask-Login would remember people with."""
    for name, morsel in SimpleCookie(header).items():
        if name == "remember_token" and morsel.value == "" and morsel["max-age"] == "0":
            continue
        if name != app.config["SESSION_COOKIE_NAME"] or not set(session) <= _SESSION_KEYS:
            raise HeaderRefused("set-cookie")


def _own(app: Flask, location: str) -> bool:
    """A path of this application with nothing of anybody in it; a query only where the request brought it."""
    where = urlsplit(location)
    if where.scheme or where.netloc or where.fragment or location.startswith(("//", "/\\")) or "\\" in location:
        return False
    if not _routed(app, where.path):
        return False
    brought = {"", request.query_string.decode("latin-1")}
    if where.query in brought or location == request.values.get("next"):
        return True
    asked = parse_qs(where.query)
    return where.path == SIGN_IN and set(asked) == {"next"} and asked["next"] == [request.full_path.rstrip("?")]


def _routed(app: Flask, path: str) -> bool:
    """Whether the path is one of ours without place-holders: an id in it could be anything."""
    try:
        _endpoint, values = app.url_map.bind("office").match(path, method="GET")
    except HTTPException:
        return False
    return not values
