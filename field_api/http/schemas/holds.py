"""What crosses the wire about holds."""

from __future__ import annotations

import marshmallow as ma

from field_api.domain.vocabulary import HoldKind
from field_api.http.paging import PageArguments
from field_api.http.schemas.revealed import RevealedString

REASON = ma.validate.Length(1, 2000)


class HoldQuery(PageArguments):
    account = ma.fields.UUID(load_default=None)
    lifted = ma.fields.Boolean(load_default=False, metadata={"description": "show lifted ones as well"})


class NewHoldSchema(ma.Schema):
    """On an account, or on everything a person owes (kinds that concern a person only)."""

    kind = ma.fields.String(required=True, validate=ma.validate.OneOf([kind.value for kind in HoldKind]))
    reason = ma.fields.String(required=True, validate=REASON)
    account_id = ma.fields.UUID(load_default=None, allow_none=True)
    person_id = ma.fields.UUID(load_default=None, allow_none=True)

    @ma.validates_schema
    def _of_somebody(self, body: dict[str, object], **_: object) -> None:
        if not body.get("account_id") and not body.get("person_id"):
            raise ma.ValidationError("a hold needs an account or a person", "account_id")


class LiftSchema(ma.Schema):
    reason = ma.fields.String(required=True, validate=REASON)


class HoldSchema(ma.Schema):
    id = ma.fields.UUID()
    kind = ma.fields.String()
    account_id = ma.fields.UUID(allow_none=True)
    person_id = ma.fields.UUID(allow_none=True)
    reason = RevealedString()
    placed_at = ma.fields.AwareDateTime()
    placed_by = ma.fields.UUID(allow_none=True)
    lifted_at = ma.fields.AwareDateTime(allow_none=True)
    lifted_by = ma.fields.UUID(allow_none=True)
    lift_reason = RevealedString(allow_none=True)
