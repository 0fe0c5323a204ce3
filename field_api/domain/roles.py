"""Roles of those who use the office."""

from __future__ import annotations

from enum import StrEnum


class StaffRole(StrEnum):
    AGENT = "agent"
    DISPATCHER = "dispatcher"
    MANAGER = "manager"
    ADMIN = "admin"
    CONTROLLER = "controller"  # a creditor's controller: that creditor's accounts alone
    INTEGRATOR = "integrator"  # an API token; it may do what its own list says, within this role's


PEOPLE = frozenset(StaffRole) - {StaffRole.INTEGRATOR}
"""Roles that a person signs in with."""
