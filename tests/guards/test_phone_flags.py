"""No verdict carries a flag that nobody looked at: each is told to phones, or kept in the office, and says which."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from field_api.domain.phone_flags import TOLD_TO_PHONES, told_to_phones
from field_api.platform.egress import EgressRefused, passed
from sync.office.item_outlets import VERDICT

ROOT = Path(__file__).parents[2]
OFFICE_ALONE = frozenset(
    {
        "account-not-named",
        "account-not-of-the-visit",
        "attorney-known",
        "currency-differs",
        "invalid-email",
        "invalid-phone",
        "letter-superseded",
        "letter-unknown",
        "more-than-owed",
        "not-from-obligor",
        "operations-lost",
        "person-not-of-the-visit",
        "recipient-not-entitled",
        "time-not-written",
    }
)


def _named(module: ast.Module) -> dict[str, str]:
    """The module's text constants by name, imported ones as far as their own module is one of the house."""
    found: dict[str, str] = {}
    for node in module.body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            found |= {target.id: node.value.value for target in node.targets if isinstance(target, ast.Name)}
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("field_api."):
            file = ROOT / (node.module.replace(".", "/") + ".py")
            theirs = _named_in(file) if file.is_file() else {}
            found |= {(name.asname or name.name): theirs[name.name] for name in node.names if name.name in theirs}
    return found


@cache  # each module is imported by many: without it the search doubles with every layer
def _named_in(file: Path) -> dict[str, str]:
    return _named(ast.parse(file.read_text(encoding="utf-8")))


def _given_to(verb: str) -> Iterator[tuple[str, str]]:
    """(file, flag) for each flag that is written as a text or a named constant in a call of `….verb(…)`."""
    for file in sorted((ROOT / "field_api" / "usecases").glob("*.py")):
        module = ast.parse(file.read_text(encoding="utf-8"))
        names = _named(module)
        for call in ast.walk(module):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == verb:
                for argument in call.args:
                    if isinstance(argument, ast.Constant):
                        yield file.name, argument.value
                    elif isinstance(argument, ast.Name):
                        yield file.name, names[argument.id]


def test_every_flag_of_an_operation_is_sorted() -> None:
    flagged = set(_given_to("flag"))
    assert len({flag for _, flag in flagged}) >= 12, "the search finds what it is for"
    assert {entry for entry in flagged if entry[1] not in TOLD_TO_PHONES | OFFICE_ALONE} == set()
    assert not TOLD_TO_PHONES & OFFICE_ALONE


def test_what_is_withheld_is_never_told() -> None:
    withheld = {flag for _, flag in _given_to("withhold")}
    assert {"account-not-named", "person-not-of-the-visit", "account-not-of-the-visit"} <= withheld <= OFFICE_ALONE


def test_the_documents_list_of_flags_is_complete() -> None:
    text = (ROOT / "docs" / "outcomes.md").read_text(encoding="utf-8")
    table = text.partition("### Flags")[2].partition("A manager sees all of them")[0]
    listed = {name for row in table.splitlines() for name in re.findall(r"`([^`]+)`", row.partition(" | ")[0])}
    assert listed >= OFFICE_ALONE, OFFICE_ALONE - listed
    assert listed <= TOLD_TO_PHONES | OFFICE_ALONE | {"letter-was-STATE"}


@pytest.mark.parametrize("flag", sorted(OFFICE_ALONE | {"letter-was-printed", "a-new-one"}))
def test_no_item_for_a_phone_carries_another_flag(flag: str) -> None:
    body = {"seq": 1, "verdict": "applied", "reason": None, "flags": ["late"]}
    passed(VERDICT, body)
    assert told_to_phones(["late", flag]) == ["late"]
    with pytest.raises(EgressRefused):
        passed(VERDICT, {**body, "flags": ["late", flag]})
