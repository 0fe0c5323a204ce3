"""Requests made up from the OpenAPI document, a few for each operation: none ends in a 5xx, every refusal is a problem."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case, GenerationMode

from field_api.platform.problems import STATUS
from tests.office_client import BASE_URL, OfficeClient


@pytest.mark.parametrize(
    ("role", "examples"), [("manager", 2), ("integrator", 1), pytest.param("manager", 10, marks=pytest.mark.prove)]
)
def test_made_up_requests_meet_no_internal_error(
    office: Flask, as_role: Callable[..., OfficeClient], role: str, examples: int
) -> None:
    client = as_role(role)
    schema = schemathesis.openapi.from_dict(client.get("/api/v1/openapi.json").json)
    statuses: set[int] = set()
    wrong: set[str] = set()
    for found in schema.get_all_operations():
        operation = found.ok()
        if operation.path == "/api/v1/me/password":
            continue  # a right guess would end the session
        for mode in GenerationMode:
            _try(client, operation.as_strategy(generation_mode=mode), examples, statuses, wrong)
    assert wrong == set()
    assert min(statuses) < 300, "not one request was answered: the generator is not at work"
    assert 422 in statuses


def _try(client: OfficeClient, cases: Any, examples: int, statuses: set[int], wrong: set[str]) -> None:
    @settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases)
    def one(case: Case) -> None:
        answer = _send(client, case)
        statuses.add(answer.status_code)
        if answer.status_code >= 500 or (answer.status_code >= 400 and not _is_problem(answer)):
            wrong.add(f"{answer.status_code} {answer.mimetype}: {case.as_curl_command()}")

    one()


def _is_problem(answer: Any) -> bool:
    return answer.mimetype == "application/problem+json" and STATUS.get(answer.json["code"]) == answer.status_code


def _send(client: OfficeClient, case: Case) -> Any:
    sent = case.as_transport_kwargs(base_url=BASE_URL)
    headers = {name: value for name, value in sent["headers"].items() if name.lower() not in {"user-agent"}}
    body = {name: sent[name] for name in ("json", "data") if name in sent}
    return client.open(case.formatted_path, method=case.method, query_string=case.query or {}, headers=headers, **body)
