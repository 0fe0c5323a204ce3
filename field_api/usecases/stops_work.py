"""Whether an operation must take hold at once: what stops work waits for nothing (docs/outcomes.md, Without it)."""

from __future__ import annotations

from field_api.domain.operations import RecordedOperation
from field_api.domain.vocabulary import HOLD_OF_OUTCOME, HOLD_OF_RESULT, OpKind
from field_api.usecases.operation_schemas import read_body


def stops_work(operation: RecordedOperation) -> bool:
    """Whether it is an outcome, or corrects one, that places a hold. Raises UnreadableOperation."""
    body = read_body(operation.kind, operation.body)
    match operation.kind:
        case OpKind.OUTCOME:
            outcome = body
        case OpKind.CORRECTION:
            outcome = body.get("outcome") or {}
        case _:
            return False
    return bool(
        outcome.get("outcome") in HOLD_OF_OUTCOME
        or outcome.get("sought_is_minor")
        or any(result["result"] in HOLD_OF_RESULT for result in outcome.get("results", ()))
    )
