"""No permission, no photo: whether what was recorded allows a photograph. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from field_api.domain.vocabulary import Relation
from field_api.queries.photo_declarations import PhotoDeclaration, PhotoPermission

CANNOT_ALLOW = frozenset({Relation.MINOR.value, Relation.NOBODY.value})
"""A minor's word allows nothing (docs/outcomes.md), and nobody allowed nothing."""


def refusal(declaration: PhotoDeclaration, permissions: Sequence[PhotoPermission]) -> str | None:
    """Why the photograph must not be developed, as a stable code; None where a permission covers it.

    `permissions` are those of the operation that the declaration names.
    """
    if declaration.permission_op_id is None or not declaration.permission_stands:
        return "no-permission"
    here = [permission for permission in permissions if permission.visit_id == declaration.visit_id]
    if not here:
        return "no-permission"
    able = [permission for permission in here if permission.allowed_by not in CANNOT_ALLOW]
    if not able:
        return "cannot-allow"
    if not any(not permission.subjects or declaration.subject in permission.subjects for permission in able):
        return "other-subject"
    return None
