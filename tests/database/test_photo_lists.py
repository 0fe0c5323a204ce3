"""Lists of photographs by state and by hint: found over indexes among many thousands, also under row security."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Session

from field_api.platform.database import transaction
from media.office.hints import Hint
from media.office.list_photos import listed_photos
from media.office.records import Photo, PhotoState
from tests.photo_world import PhotoWorld

pytest_plugins = ["tests.photo_fixtures"]

RARE = 7


@pytest.mark.parametrize("many", [20_000, pytest.param(100_000, marks=pytest.mark.prove)])
def test_lists_read_what_they_show_and_little_else(world: PhotoWorld, many: int) -> None:
    _insert(world, many)
    with transaction(world.agency) as session:
        session.execute(text("ANALYZE office.photo"))
        for hint in (Hint.EDITING_SOFTWARE, Hint.NO_CAMERA_DATA):
            shown, index, touched = _page(session, hint=hint)
            assert index == f"ix_photo_hint_{hint.name.lower()}" and touched <= 51
            assert all(hint.value in photo.hints for photo in shown)
        shown, index, touched = _page(session, state=PhotoState.QUARANTINED.value)
        assert (len(shown), index, touched) == (RARE, "ix_photo_state", RARE)
        shown, _index, touched = _page(session, hint=Hint.EDITING_SOFTWARE, visit_id=UUID(int=7))
        assert (shown, touched) == ([], 0)
        assert len(_page(session, hint=Hint.EDITING_SOFTWARE)[0]) == RARE


def _page(session: Session, **wanted: Any) -> tuple[list[Photo], str | None, int]:
    """The first page, the index that it came by, and how many rows were looked at for it."""
    statement = listed_photos(**wanted).order_by(Photo.id).limit(51)
    compiled = statement.compile(dialect=postgresql.dialect(), compile_kwargs={"literal_binds": True})
    plan = session.scalar(text("EXPLAIN (ANALYZE, FORMAT JSON) " + str(compiled).replace(":", r"\:")))
    (node,) = list(_scans((plan if isinstance(plan, list) else json.loads(plan))[0]["Plan"]))
    touched = int(node["Actual Rows"] + node.get("Rows Removed by Filter", 0))
    return list(session.scalars(statement)), node.get("Index Name"), touched


def _scans(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if node.get("Relation Name") == "photo":
        yield node
    for inner in node.get("Plans", ()):
        yield from _scans(inner)


def _insert(world: PhotoWorld, many: int) -> None:
    """Half of them with a common hint; the last few, which a scan from the beginning meets late, rare in all."""
    with transaction(world.agency) as session:
        session.execute(
            text("""
                INSERT INTO office.photo (agency_id, id, visit_id, op_id, device_id, upload_id, state, attempts,
                    subject, sha256, received_at, hints)
                SELECT :agency, CAST(lpad(to_hex(n), 32, '0') AS uuid), :visit, gen_random_uuid(), :device,
                    gen_random_uuid(), CASE WHEN n > :common THEN 'quarantined' ELSE 'developed' END, 1, 'facade', '',
                    now(), CAST(CASE WHEN n > :common THEN '["editing-software"]'
                        WHEN n % 2 = 0 THEN '["no-camera-data", "no-position"]' ELSE '[]' END AS jsonb)
                FROM generate_series(1, :many) n
            """),
            {
                "agency": world.agency, "visit": world.visit.visit_id, "device": world.phone.device, "many": many,
                "common": many - RARE,
            },
        )  # fmt: skip
