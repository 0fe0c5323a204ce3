"""How often somebody may call the door in a minute, counted by each of its processes; more is 429 with a time to wait.

Who calls is counted by the device that the request names together with the address: nobody uses up another's share, and
all phones behind one proxy are not one caller. What is not signed by the device that it names is counted apart.
"""

from __future__ import annotations

import time

from flask import Blueprint, Flask, Response, json, request
from flask_limiter import Limiter, RequestLimit

from field_api.platform.overload import later_s
from field_api.platform.problems import Problem, problem_response

FAILED_PER_MINUTE = 60
"""Wrong signatures in the name of one device from one address. A right phone has none, but for one that a restored
server does not know, and that shows its certificate instead."""
SPREAD_S = 15
"""A minute ends for all who were refused in it at once; they come back over this many seconds more."""


class CallRates:
    def __init__(self, app: Flask) -> None:
        self._limiter = Limiter(_caller, app=app, storage_uri="memory://", on_breach=_told_when)

    def limit(self, blueprint: Blueprint, per_minute: int) -> None:
        """Bound the calls of each device to these routes. Call before the blueprint is registered."""
        self._limiter.limit(f"{per_minute}/minute")(blueprint)
        failed = self._limiter.limit(f"{FAILED_PER_MINUTE}/minute", key_func=_failing, deduct_when=_signature_failed)
        failed(blueprint)


def _caller() -> str:
    claimed = request.headers.get("Signature-Input", "")
    _, _, after = claimed.partition('keyid="')
    return f"{request.remote_addr} {after[:80].partition(chr(34))[0]}"


def _failing() -> str:
    return f"failed {_caller()}"


def _signature_failed(response: Response) -> bool:
    return response.status_code == 401 and json.loads(response.get_data()).get("code") == "signature-invalid"


def _told_when(limit: RequestLimit) -> Response:
    """The minute's rest and up to SPREAD_S more: 1 to 75 seconds."""
    rest = min(60, max(1, int(limit.reset_at - time.time()) + 1))
    headers = {"Retry-After": later_s(rest, rest + SPREAD_S)}
    return problem_response(Problem("rate-limited", "too many calls of this device", headers=headers))
