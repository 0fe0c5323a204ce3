"""Who may do what at the office: the permission table, the actor, and what a route says about itself.

`@permitted(...)` and `@answers(...)` only declare; `field_api.http.frame` puts the frame that enforces around every
route, whatever the order of the decorators, and refuses to start with a route that declares nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

from field_api.domain.disclosure import Audience
from field_api.domain.roles import StaffRole

View = TypeVar("View", bound=Callable[..., Any])


@dataclass(frozen=True)
class Actor:
    """Who acts in this request (`g.actor`). `creditor_id` is set for controllers and bounds all they see."""

    id: UUID
    agency_id: UUID
    role: StaffRole
    creditor_id: UUID | None
    kind: str  # staff | token
    permissions: frozenset[str]  # a token's own; unused for staff

    def may(self, permission: str) -> bool:
        """Whether the table, and for a token its own list, allow it. An unknown permission is refused."""
        if self.role not in PERMISSIONS.get(permission, frozenset()):
            return False
        return self.kind == "staff" or permission in self.permissions


_A, _D, _M, _S, _C, _I = (
    StaffRole.AGENT,
    StaffRole.DISPATCHER,
    StaffRole.MANAGER,
    StaffRole.ADMIN,
    StaffRole.CONTROLLER,
    StaffRole.INTEGRATOR,
)
# fmt: off
PERMISSIONS: dict[str, frozenset[StaffRole]] = {name: frozenset(roles) for name, roles in {
    # permission            agent  dispatcher  manager  admin  controller  integrator
    "accounts.read":        [        _D,         _M,             _C,         _I],
    "accounts.write":       [                    _M,                         _I],
    "addresses.read":       [        _D,         _M],
    "addresses.write":      [        _D,         _M],
    # An administrator keeps the system running: staff, tokens, agents, phones; no creditor, no debtor, no debt.
    "agency.read":          [        _D,         _M,      _S],
    "agency.write":         [                    _M,      _S],
    "agents.read":          [        _D,         _M,      _S,                _I],
    "agents.write":         [        _D,         _M,      _S],
    "attempts.read":        [                    _M,             _C,         _I],
    "attempts.write":       [        _D,         _M,                         _I],
    "candidates.read":      [        _D,         _M,                         _I],
    "candidates.write":     [                    _M],
    "codes.disclose":       [        _D,         _M],
    "console.read":         [        _D,         _M,      _S],
    "creditors.read":       [        _D,         _M,             _C,         _I],
    "creditors.write":      [                    _M,                         _I],
    "devices.read":         [        _D,         _M,      _S],
    "devices.write":        [                    _M,      _S],
    "disputes.read":        [                    _M,             _C,         _I],
    "disputes.write":       [                    _M],
    "exports.read":         [                    _M,             _C,         _I],
    "holds.read":           [        _D,         _M,             _C,         _I],
    "holds.write":          [        _D,         _M,                         _I],
    "imports.read":         [                    _M,             _C,         _I],
    "imports.write":        [                    _M,                         _I],
    "operations.decide":    [                    _M],
    "operations.read":      [        _D,         _M],
    "papers.read":          [        _D,         _M],
    "papers.write":         [        _D,         _M],
    "photos.read":          [                    _M],
    "photos.write":         [                    _M],
    "plans.read":           [        _D,         _M],
    "plans.write":          [        _D,         _M],
    "promises.read":        [                    _M,             _C,         _I],
    "reports.read":         [                    _M,             _C,         _I],
    "self.read":            [_A,     _D,         _M,      _S,    _C,         _I],
    "self.write":           [_A,     _D,         _M,      _S,    _C],
    "shifts.read":          [        _D,         _M],
    "shifts.write":         [        _D,         _M],
    "staff.read":           [                    _M,      _S],
    "staff.write":          [                             _S],
    "unlocks.read":         [                    _M],
    "unlocks.review":       [                    _M],
    "visits.audit":         [                    _M],
    "visits.read":          [        _D,         _M,             _C,         _I],
    "visits.write":         [        _D,         _M],
}.items()}
# fmt: on
"""Permission -> roles. An agent works with the phone and has nothing here but a password of their own."""

AUDIENCE_OF: dict[StaffRole, Audience] = {
    StaffRole.AGENT: Audience.AGENT,
    StaffRole.DISPATCHER: Audience.DISPATCHER,
    StaffRole.MANAGER: Audience.MANAGER,
    StaffRole.ADMIN: Audience.ADMIN,
    StaffRole.CONTROLLER: Audience.CONTROLLER,
    StaffRole.INTEGRATOR: Audience.INTEGRATOR,
}
"""For whom a request works once it is known who asks."""

OPEN_AUDIENCES = frozenset({Audience.MACHINE})
"""Of routes that anybody may call: nothing of anybody."""

TOKEN_PERMISSIONS = frozenset(name for name, roles in PERMISSIONS.items() if StaffRole.INTEGRATOR in roles)
"""What an integrator's token may be given."""


@dataclass(frozen=True)
class Declaration:
    """What a view says about itself. `permission` None means open to everybody (a health check, the sign-in)."""

    audiences: frozenset[Audience] = frozenset()
    permission: str | None = None
    open_to_all: bool = False
    by_creditor: bool = False
    replay: bool = True

    @property
    def complete(self) -> bool:
        return bool(self.audiences) and (self.open_to_all != (self.permission is not None))

    @property
    def admitted(self) -> frozenset[Audience]:
        """The audiences of everybody whom the permission table lets in."""
        if self.permission is None:
            return OPEN_AUDIENCES if self.open_to_all else frozenset()
        roles = PERMISSIONS.get(self.permission, frozenset())
        return frozenset(AUDIENCE_OF[role] for role in roles if role is not StaffRole.CONTROLLER or self.by_creditor)


def declaration_of(view: Any) -> Declaration:
    """The declaration of a view function, which every well-behaved decorator carries outwards (functools.wraps)."""
    return Declaration(
        audiences=getattr(view, "doorstep_audiences", frozenset()),
        permission=getattr(view, "doorstep_permission", None),
        open_to_all=getattr(view, "doorstep_open", False),
        by_creditor=getattr(view, "doorstep_by_creditor", False),
        replay=getattr(view, "doorstep_replay", True),
    )


def permitted(permission: str, *, by_creditor: bool = False, replay: bool = True) -> Callable[[View], View]:
    """Only a signed-in actor with this permission gets in; the view finds them in `g.actor`.

    A controller gets in only where `by_creditor=True`: with it the view promises to show
    `g.actor.creditor_id`'s rows alone whenever that is set. `replay=False` keeps an answer with a secret that is shown
    once from being stored under an Idempotency-Key. Raises ValueError for a name that is not in the table.
    """
    if permission not in PERMISSIONS:
        raise ValueError(f"{permission} is not in PERMISSIONS")
    if by_creditor and StaffRole.CONTROLLER not in PERMISSIONS[permission]:
        raise ValueError(f"{permission} is not for controllers")

    def mark(view: View) -> View:
        view.doorstep_permission = permission  # type: ignore[attr-defined]  # marks travel with functools.wraps
        view.doorstep_by_creditor = by_creditor  # type: ignore[attr-defined]  # the same
        view.doorstep_replay = replay  # type: ignore[attr-defined]  # the same
        return view

    return mark


def open_to_all(view: View) -> View:
    """No sign-in needed. Rare: health, sign-in, the OpenAPI document."""
    view.doorstep_open = True  # type: ignore[attr-defined]  # marks travel with functools.wraps
    return view


def answers(*audiences: Audience) -> Callable[[View], View]:
    """For whom the route answers: exactly those whom its permission lets in. A request runs for its own actor's
    audience, one of these; values are revealed to that audience and to no other. `open_to_all` answers MACHINE."""

    def mark(view: View) -> View:
        view.doorstep_audiences = frozenset(audiences)  # type: ignore[attr-defined]  # marks travel with functools.wraps
        return view

    return mark
