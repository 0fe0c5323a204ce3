"""`POST /anchors`: signed server time, for a phone that has none or only an old one."""

from __future__ import annotations

from flask import Blueprint, g
from flask.typing import ResponseReturnValue

from field_api.platform.anchors import make_anchor
from field_api.platform.signatures import signed_by_device
from field_api.platform.wiring import clock, door_keys

blueprint = Blueprint("anchors", __name__)


@blueprint.post("/anchors")
@signed_by_device(anchor=False)
def give_anchor() -> ResponseReturnValue:
    return {"anchor": make_anchor(door_keys().of(g.device.agency_id), g.device.id, clock().now())}
