"""`GET /log/…`: checkpoints and tiles of the tamper-evident log (docs/protocol.md §11)."""

from __future__ import annotations

from flask import Blueprint, Response, g
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from field_api.platform.database import transaction
from field_api.platform.problems import Problem
from field_api.platform.sealing import b64u
from field_api.platform.signatures import signed_by_device
from sync.mailbox import Checkpoint, LogNode
from sync.merkle import TILE_WIDTH

MAX_LEVEL, MAX_INDEX = 7, 1 << 48

blueprint = Blueprint("log", __name__)


@blueprint.get("/log/checkpoint")
@signed_by_device()
def checkpoint() -> ResponseReturnValue:
    with transaction(g.device.agency_id) as session:
        row = session.execute(
            select(Checkpoint.statement, Checkpoint.sig)
            .where(Checkpoint.agency_id == g.device.agency_id)
            .order_by(Checkpoint.size.desc())
            .limit(1)
        ).one_or_none()
    if row is None:
        raise Problem("not-found", "the log is empty")
    return {"checkpoint": b64u(row.statement), "sig": b64u(row.sig)}


@blueprint.get("/log/tile/<int:level>/<int:index>")
@signed_by_device()
def tile(level: int, index: int) -> ResponseReturnValue:
    if level > MAX_LEVEL or index > MAX_INDEX:
        raise Problem("not-found", "no such tile")
    with transaction(g.device.agency_id) as session:
        hashes = session.scalars(
            select(LogNode.hash)
            .where(
                LogNode.agency_id == g.device.agency_id,
                LogNode.level == level,
                LogNode.position.between(index * TILE_WIDTH, (index + 1) * TILE_WIDTH - 1),
            )
            .order_by(LogNode.position)
        ).all()
    if not hashes:
        raise Problem("not-found", "no such tile")
    return Response(b"".join(hashes), mimetype="application/octet-stream")
