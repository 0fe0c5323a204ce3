"""What a refusal says is a text of the code: no `Problem` and no validation error is put together from a value."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("field_api", "sync/door", "sync/office", "media", "doorstep")
REFUSALS = {"Problem": ("detail", "at"), "ValidationError": ("message",)}
"""The call, and its arguments after the code that end up before somebody's eyes."""

STATE = "a state of a closed vocabulary"
LIMIT = "a number or a list that stands in the code"
CATALOGUE = "a text of a catalogue of refusals, each a constant of the code (tests/unit hold that they repeat no value)"

ARGUED: dict[tuple[str, str], str] = {
    ("field_api/usecases/tighten_disclosure.py", "place"): "the row and item of a policy's cell, to whoever sets it",
    ("field_api/usecases/tighten_disclosure.py", "why"): CATALOGUE,
    ("field_api/usecases/tighten_contact_rules.py", "place"): "the part of an agency's rules, to whoever sets them",
    ("field_api/usecases/tighten_contact_rules.py", "why"): CATALOGUE,
    ("field_api/platform/problems.py", "HTTPStatus(error.code or 500).phrase"): "the standard's phrase",
    ("doorstep/commands/device.py", "agent_code"): "what the operator typed, back to the terminal",
    ("field_api/usecases/import_accounts.py", "at"): "as `name`, of the use case's caller",
    ("field_api/usecases/set_shift.py", "at"): "as `name`, of the use case's caller",
    ("field_api/usecases/accept_contact_candidate.py", "candidate.state"): STATE,
    ("field_api/usecases/place_hold.py", "kind.value"): STATE,
    ("field_api/usecases/read_letter.py", "letter.state"): STATE,
    ("field_api/usecases/take_custody_step.py", "letter.state"): STATE,
    ("field_api/usecases/publish_plan.py", "plan.state"): STATE,
    ("field_api/usecases/decide_unlock_review.py", "review.state"): STATE,
    ("field_api/usecases/take_custody_step.py", "to.value"): STATE,
    ("field_api/usecases/disclose_unlock_code.py", "visit.state"): STATE,
    ("field_api/usecases/reassign_visit.py", "visit.state"): STATE,
    ("field_api/usecases/change_draft.py", "plan.state"): STATE,
    ("field_api/usecases/change_draft.py", "at"): "the name of a field, of two in the code",
    ("field_api/usecases/change_draft.py", "error.at"): "the name of a field, of CannotBeMeant's raisers",
    ("field_api/usecases/change_draft.py", "error.words"): CATALOGUE,
    ("field_api/http/schemas/drafts.py", "errors"): "names of the schema's own fields, with constants",
    ("field_api/usecases/withdraw_visit.py", "visit.state"): STATE,
    ("field_api/usecases/print_legend.py", "card.reason"): "a code of the layout",
    ("field_api/usecases/print_route.py", "paper.reason"): "a code of the layout",
    ("field_api/usecases/move_letter.py", "state.value"): STATE,
    ("field_api/usecases/print_letter.py", "state.value"): STATE,
    ("field_api/usecases/print_route.py", "one.letter.serial"): "a random number: which paper to look at",
    ("field_api/usecases/print_route.py", "job.reason"): "a code of the layout",
    ("field_api/usecases/import_accounts.py", "error.message"): CATALOGUE,
    ("doorstep/commands/attempts.py", "refusal.message"): CATALOGUE,
    ("field_api/usecases/set_planning_policy.py", "error.message"): CATALOGUE,
    ("field_api/usecases/set_planning_policy.py", "error.at"): "the part of an agency's policy, to whoever sets it",
    ("field_api/usecases/decide_finding.py", "finding.state"): "a word of the vocabulary",
    ("field_api/usecases/create_creditor.py", "refusal.at"): CATALOGUE,
    ("field_api/usecases/update_account.py", "refusal.field"): CATALOGUE,
    ("field_api/usecases/change_account.py", "refusal.message"): CATALOGUE,
    ("field_api/usecases/create_creditor.py", "refusal.message"): CATALOGUE,
    ("field_api/usecases/update_account.py", "refusal.message"): CATALOGUE,
    ("field_api/http/requests.py", "str(error)"): CATALOGUE,
    ("sync/door/enrolments.py", "str(error)"): CATALOGUE,
    ("sync/door/ops.py", "str(error)"): CATALOGUE,
    ("sync/door/returning.py", "str(error)"): CATALOGUE,
    ("field_api/records/base.py", "kind.__name__.lower()"): "the name of a class of records",
    ("media/door/headers.py", "length"): LIMIT,
    ("field_api/platform/signatures.py", "max_body_bytes"): LIMIT,
    ("field_api/usecases/operation_schemas/fields.py", "self.most"): LIMIT,
    ("field_api/usecases/add_staff.py", "sorted(PEOPLE)"): LIMIT,
    ("field_api/usecases/issue_api_token.py", "sorted(allowed)"): LIMIT,
    ("field_api/platform/signatures.py", "name"): "the name of a header or a column, of a list in the code",
    ("field_api/usecases/change_agency.py", "error.message"): CATALOGUE,
    ("field_api/usecases/change_agency.py", "error.at"): "the name of a particular, of a list in the code",
    ("field_api/usecases/ask_for_letters.py", "holds"): "kinds of holds, of a closed vocabulary",
    ("field_api/usecases/add_letter_template.py", "template.state"): STATE,
    ("field_api/usecases/add_letter_template.py", "name"): "kinds or languages",
    ("field_api/usecases/add_letter_template.py", "place_of(faults[0])"): "source.LINE.COLUMN",
    ("field_api/usecases/set_brand.py", "error.message"): CATALOGUE,
    ("field_api/usecases/set_brand.py", "error.at"): "the part of a creditor's brand, to whoever sets it",
    ("field_api/usecases/set_brand.py", "place"): "the part of a creditor's brand, to whoever sets it",
    ("field_api/usecases/set_brand.py", "name"): "logo or signature_image",
    ("field_api/usecases/set_brand.py", "str(error)"): CATALOGUE,
    ("field_api/usecases/set_brand.py", "found.source"): "the source of a rule of field_api/rules/letters",
    ("field_api/usecases/create_creditor.py", "at"): "the name of a field, of a list in the code, or a place of a list",
    ("field_api/usecases/change_agency.py", "name"): "the name of a header or a column, of a list in the code",
    ("field_api/usecases/create_creditor.py", "name"): "the name of a header or a column, of a list in the code",
    ("media/door/headers.py", "name"): "the name of a header or a column, of a list in the code",
    ("field_api/usecases/reassign_visit.py", "str(window.rule)"): "a rule of field_api/rules with its source",
    ("field_api/usecases/operation_schemas/fields.py", "{self.by: ['unknown code']}"): "the keys are names of fields",
}
"""Where which expression may stand in a refusal, and why. Nothing that somebody sent, nothing of a record."""


def texts(node: ast.expr) -> Iterator[ast.expr]:
    """The parts of an argument that are no constant: what an f-string, a sum or a choice is put together from."""
    if isinstance(node, ast.Constant) or _is_constant_name(node):
        return
    if isinstance(node, ast.JoinedStr):
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                yield from texts(part.value)
    elif isinstance(node, ast.BinOp):
        yield from texts(node.left)
        yield from texts(node.right)
    elif isinstance(node, ast.IfExp):
        yield from texts(node.body)
        yield from texts(node.orelse)
    elif _is_joined(node):
        yield from texts(node.args[0])  # type: ignore[attr-defined]  # a call, as just found
    else:
        yield node


def _is_constant_name(node: ast.expr) -> bool:
    """LIMIT, module.LIMIT, str(NO_RULES)."""
    if isinstance(node, ast.Call) and ast.unparse(node.func) == "str" and len(node.args) == 1:
        return _is_constant_name(node.args[0])
    name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
    return name.isupper()


def _is_joined(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "join"


def arguments(call: ast.Call, names: tuple[str, ...]) -> Iterator[ast.expr]:
    first = 1 if "detail" in names else 0  # of a Problem the first is its code
    yield from call.args[first : first + len(names)]
    yield from (keyword.value for keyword in call.keywords if keyword.arg in names)


def found_in(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            names = REFUSALS.get(ast.unparse(node.func).rpartition(".")[2])
            for argument in arguments(node, names) if names else ():
                yield from (ast.unparse(part) for part in texts(argument))


def test_refusals_are_constants_but_for_an_argued_few() -> None:
    found = {
        (str(path.relative_to(ROOT)), expression)
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
        for expression in found_in(path.read_text(encoding="utf-8"))
    }
    assert found - set(ARGUED) == set()
    assert set(ARGUED) - found == set(), "no longer needed"


def test_a_value_in_a_refusal_is_found() -> None:
    assert list(found_in('raise Problem("conflict", f"owes {account.balance} of {MOST}")')) == ["account.balance"]
    assert list(found_in('Problem("conflict", detail="a" + body["name"], at=place)')) == ["body['name']", "place"]
    assert list(found_in('ma.ValidationError(f"{value} is bad")')) == ["value"]
    assert list(found_in('Problem("conflict", "a text", at="name", extra={"reason": 1})')) == []
