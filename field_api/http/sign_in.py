"""Staff sign-in by Flask-Security: its forms, hashing and sessions over our composite-key rows.

`/sign-in` and `/sign-out` speak HTML to people and JSON to programs. The datastore hands out plain copies of rows, so
that no database session outlives its transaction; the agency comes from the session cookie, before any look-up.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any, ClassVar
from urllib.parse import urlsplit
from uuid import UUID

import marshmallow as ma
from flask import Flask, Response, jsonify
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_login import current_user
from flask_security import RoleMixin, Security, UserMixin
from flask_security.datastore import UserDatastore
from flask_security.utils import get_request_attr
from flask_wtf.csrf import CSRFProtect
from sqlalchemy import update

from field_api.domain.credentials import agency_of_uniquifier
from field_api.domain.disclosure import Audience, Label
from field_api.domain.roles import StaffRole
from field_api.http.bodies import HTML, JSON, sends
from field_api.http.permits import Actor, answers, open_to_all
from field_api.http.schemas.audiences import OUTSIDE
from field_api.http.schemas.labelled import Schema, internal
from field_api.platform.database import across_agencies, transaction
from field_api.platform.local_secret import local_secret
from field_api.platform.problems import Problem, problem_response
from field_api.platform.settings import Settings
from field_api.queries.staff import staff_by_email, staff_by_uniquifier
from field_api.records.staff import Staff

SIGN_INS_PER_MINUTE = "10 per minute"  # and address; argon2id makes each one cost some 50 ms
SESSION_LASTS = timedelta(hours=12)  # one working day; no cookie is accepted after that


class SignedInSchema(Schema):
    audiences = OUTSIDE
    email = internal(ma.fields.String(metadata={"description": "as it was sent"}))
    role = internal(ma.fields.String())


class SignInSchema(Schema):
    """What programs get of `/sign-in` and `/sign-out`; who they are in full says `/me`."""

    audiences = OUTSIDE
    csrf_token = internal(ma.fields.String())
    user = internal(ma.fields.Nested(SignedInSchema))


class StaffRoleName(RoleMixin):
    """What Flask-Security wants a role to be; `permits` decides, not this."""

    def __init__(self, name: str) -> None:
        self.name = name


class SignedIn(UserMixin):
    """A copy of a staff row, without its database session."""

    fs_uniquifier: str  # Flask-Security looks for it on the class
    webauthn: ClassVar[list[Any]] = []

    def __init__(self, row: Staff) -> None:
        self.id, self.agency_id, self.email, self.name = row.id, row.agency_id, row.email, row.name
        self.password, self.active = row.password, row.active
        self.fs_uniquifier = row.fs_uniquifier
        self.role, self.creditor_id = StaffRole(row.role), row.creditor_id
        self.roles = [StaffRoleName(row.role)]

    def get_security_payload(self) -> dict[str, Any]:
        return {"email": self.email, "role": self.role.value}


SignedIn.fs_uniquifier = ""


class StaffDatastore(UserDatastore):
    """Finds users by e-mail across agencies, or by session inside one; stores a password that was hashed anew."""

    def __init__(self) -> None:
        super().__init__(SignedIn, StaffRoleName)

    def find_user(self, case_insensitive: bool = False, **kwargs: Any) -> SignedIn | None:
        """By `email` or `fs_uniquifier`; None if there is none. Raises NotImplementedError for other attributes."""
        if "email" in kwargs:
            with across_agencies("sign-in: only the e-mail is known") as session:
                row = staff_by_email(session, str(kwargs["email"]).lower())
                return SignedIn(row) if row else None
        if "fs_uniquifier" in kwargs:
            return _of_session(str(kwargs["fs_uniquifier"]))
        raise NotImplementedError(", ".join(kwargs))

    def find_role(self, role: str) -> StaffRoleName | None:
        return StaffRoleName(role) if role in set(StaffRole) else None

    def put(self, model: SignedIn) -> SignedIn:
        """Flask-Security calls this when it hashed a password with newer parameters; nothing else changes here."""
        with transaction(model.agency_id) as session:
            session.execute(update(Staff).where(Staff.id == model.id).values(password=model.password))
        return model

    def commit(self) -> None:
        """`put` has committed."""


def _of_session(uniquifier: str) -> SignedIn | None:
    agency_id = agency_of_uniquifier(uniquifier)
    if agency_id is None:
        return None
    with transaction(agency_id) as session:
        row = staff_by_uniquifier(session, uniquifier)
        return SignedIn(row) if row else None


def session_actor() -> Actor:
    """The actor of the session cookie. Raises Problem `not-signed-in`."""
    user = current_user._get_current_object()
    if not isinstance(user, SignedIn) or get_request_attr("fs_authn_via") not in {"session", None}:
        raise Problem("not-signed-in", "sign in at /sign-in or send an API token")
    return Actor(_uuid(user.id), _uuid(user.agency_id), user.role, user.creditor_id, "staff", frozenset())


def _uuid(value: Any) -> UUID:
    return value if isinstance(value, UUID) else UUID(str(value))


def install_sign_in(app: Flask, settings: Settings) -> None:
    """Flask-Security: cookies for one working day, CSRF tokens, one answer to failed sign-ins, a rate limit."""
    app.config.update(_configuration(settings))
    CSRFProtect(app)
    security = Security(app, StaffDatastore())
    security.render_json(_as_document)
    app.login_manager.request_loader(lambda _request: None)  # type: ignore[attr-defined]  # no tokens but ours
    limiter = Limiter(get_remote_address, app=app, storage_uri="memory://", strategy="moving-window")
    views = app.view_functions
    limited = limiter.limit(SIGN_INS_PER_MINUTE, methods=["POST"])(views["security.login"])
    for endpoint, view in {"security.login": limited, "security.logout": views["security.logout"]}.items():
        in_either_shape = sends(HTML, Label.INTERNAL)(sends(JSON, schema=SignInSchema)(_own(view)))
        views[endpoint] = open_to_all(answers(Audience.MACHINE)(in_either_shape))


def _own(view: Callable[..., Any]) -> Callable[..., Any]:
    """A function to put marks on: the library's is one for all applications of the process."""

    @wraps(view)
    def own(**values: Any) -> Any:
        return view(**values)

    return own


def _configuration(settings: Settings) -> dict[str, Any]:
    return {
        "SECRET_KEY": local_secret(settings.home / "secrets" / "flask.secret"),
        "SESSION_COOKIE_NAME": "doorstep",
        "SESSION_COOKIE_SECURE": not _loopback(settings.office_url),
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "PERMANENT_SESSION_LIFETIME": SESSION_LASTS,
        "WTF_CSRF_CHECK_DEFAULT": False,  # the frame checks, where a cookie is what signed in
        "WTF_CSRF_TIME_LIMIT": None,  # as long as the session itself
        "WTF_CSRF_SSL_STRICT": False,  # the token is bound to the session; a Referer proves nothing more
        "SECURITY_CSRF_PROTECT_MECHANISMS": ["session"],
        "SECURITY_LOGOUT_CSRF": True,
        "SECURITY_URL_PREFIX": None,
        "SECURITY_STATIC_FOLDER": None,
        "SECURITY_LOGIN_URL": "/sign-in",
        "SECURITY_LOGOUT_URL": "/sign-out",
        "SECURITY_POST_LOGIN_VIEW": "/console/",
        "SECURITY_POST_LOGOUT_VIEW": "/sign-in",
        "SECURITY_LOGIN_USER_TEMPLATE": "doorstep/sign_in.html",
        "SECURITY_LOGOUT_USER_TEMPLATE": "doorstep/sign_out.html",
        "SECURITY_FLASH_MESSAGES": False,
        "SECURITY_PASSWORD_HASH": "argon2",  # argon2id by default
        "SECURITY_PASSWORD_SCHEMES": ["argon2"],
        "SECURITY_PASSWORD_SINGLE_HASH": {"argon2"},
        "SECURITY_RETURN_GENERIC_RESPONSES": True,
        "SECURITY_API_ENABLED_METHODS": ["session"],
        "SECURITY_FRESHNESS": timedelta(minutes=-1),
        "SECURITY_DEFAULT_REMEMBER_ME": False,
        "SECURITY_EMAIL_VALIDATOR_ARGS": {"check_deliverability": False, "test_environment": True},
        "SECURITY_CLI_USERS_NAME": None,
        "SECURITY_CLI_ROLES_NAME": None,
    }


def _loopback(url: str) -> bool:
    """A cookie may go without TLS on the machine itself only."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _as_document(payload: dict[str, Any], code: int, headers: Any = None, user: Any = None) -> Response:
    """Flask-Security's answers in our shapes. A failed sign-in says one thing, whatever was wrong."""
    if code >= 400:
        return problem_response(
            Problem("not-signed-in", "e-mail and password do not match, or you are signed in already")
        )
    # An allow-list: Flask-Security would also hand out tokens of its own, which nothing here accepts.
    response = jsonify(SignInSchema().dump({name: payload[name] for name in ("csrf_token", "user") if name in payload}))
    response.headers.update(headers or {})
    return response
