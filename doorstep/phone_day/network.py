"""A network as agents know it: answers get lost after the door has committed, batches arrive several times."""

from __future__ import annotations

from typing import Any

import requests


class RoughNetwork(requests.Session):
    """A session that loses or repeats calls to `POST …/ops` when told to. Whatever is sent, really is sent."""

    def __init__(self) -> None:
        super().__init__()
        self.trust_env = False
        self.lose_answers = 0
        self.repeat = 0
        self.lost = 0
        self.repeated = 0

    def request(self, method: str | bytes, url: str | bytes, *args: Any, **options: Any) -> requests.Response:  # type: ignore[override]  # the parent's forty options pass through
        if method != "POST" or not str(url).endswith("/ops"):
            return super().request(method, url, *args, **options)
        body = options.pop("data").read()
        for _ in range(self.repeat):
            super().request(method, url, *args, data=body, **options).close()
            self.repeated += 1
        response = super().request(method, url, *args, data=body, **options)
        if self.lose_answers:
            self.lose_answers -= 1
            self.lost += 1
            response.close()
            raise requests.ConnectionError("the answer was lost on the way")
        return response
