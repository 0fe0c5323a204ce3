"""Who asks the office over HTTP in the demonstration: an integrator with a token, a manager who signs in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import requests

Ask = Callable[[str], Any]
"""A path below /api/v1 -> the answer's JSON. Raises HTTPError."""
TIMEOUT_S = 30.0


@dataclass(frozen=True)
class Readers:
    integrator: Ask
    manager: Ask


def with_token(office_url: str, token: str) -> Ask:
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {token}"
    return _asking(session, office_url)


def signed_in(office_url: str, email: str, password: str) -> Ask:
    """The real sign-in, as docs/http.md describes it for programs."""
    session = requests.Session()
    page = session.get(f"{office_url}/sign-in", headers={"Accept": "application/json"}, timeout=TIMEOUT_S)
    answer = session.post(
        f"{office_url}/sign-in",
        json={"email": email, "password": password},
        headers={"X-CSRF-Token": page.json()["csrf_token"]},
        timeout=TIMEOUT_S,
    )
    answer.raise_for_status()
    return _asking(session, office_url)


def _asking(session: requests.Session, office_url: str) -> Ask:
    def ask(path: str) -> Any:
        answer = session.get(f"{office_url}/api/v1{path}", timeout=TIMEOUT_S)
        answer.raise_for_status()
        return answer.json()

    return ask
