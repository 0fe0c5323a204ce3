"""What crosses the wire about creditors, their files and their accounts."""

from __future__ import annotations

import marshmallow as ma
from flask_smorest.fields import Upload

from field_api.domain.amounts import MOST_MINOR
from field_api.http.paging import PageArguments
from field_api.http.schemas.revealed import RevealedDate, RevealedInteger, RevealedString

NAME = ma.validate.Length(1, 200)
MINOR = ma.validate.Range(0, MOST_MINOR)
STATUSES = ("open", "paid", "closed")


class CreditorChangesSchema(ma.Schema):
    """What is not sent stays. `column_map`: docs/import.md. `threshold_minor`: visited only above it."""

    name = ma.fields.String(validate=NAME)
    sector = ma.fields.String(validate=ma.validate.OneOf(["financial", "commercial"]))
    threshold_minor = ma.fields.Integer(strict=True, validate=ma.validate.Range(0, 2**31 - 1))
    language = ma.fields.String(validate=ma.validate.Length(2, 35))
    address = ma.fields.String(validate=ma.validate.Length(max=500))
    phone = ma.fields.String(validate=ma.validate.Length(max=50))
    complaints_unit = ma.fields.Dict(
        keys=ma.fields.String(), values=ma.fields.String(validate=ma.validate.Length(max=500))
    )
    payment_ways = ma.fields.List(
        ma.fields.String(validate=ma.validate.Length(1, 500)), validate=ma.validate.Length(max=20)
    )
    column_map = ma.fields.Dict(keys=ma.fields.String())


class NewCreditorSchema(CreditorChangesSchema):
    name = ma.fields.String(required=True, validate=NAME)
    jurisdiction = ma.fields.String(required=True, validate=ma.validate.Length(2, 6))
    currency = ma.fields.String(required=True, validate=ma.validate.Length(equal=3))
    language = ma.fields.String(required=True, validate=ma.validate.Length(2, 35))


class CreditorSchema(ma.Schema):
    id = ma.fields.UUID()
    name = ma.fields.String()
    jurisdiction = ma.fields.String()
    sector = ma.fields.String()
    currency = ma.fields.String()
    threshold_minor = ma.fields.Integer()
    language = ma.fields.String()
    address = ma.fields.String()
    phone = ma.fields.String()
    complaints_unit = ma.fields.Dict()
    payment_ways = ma.fields.List(ma.fields.String())
    column_map = ma.fields.Dict()


class ImportQuery(ma.Schema):
    dry_run = ma.fields.Boolean(load_default=False, metadata={"description": "do all of it and take it back"})


class ImportUploadSchema(ma.Schema):
    file = Upload(required=True, metadata={"description": "CSV or XLSX"})


class RowErrorSchema(ma.Schema):
    row = ma.fields.Integer(metadata={"description": "as a person counts: the header is row 1"})
    column = ma.fields.String(metadata={"description": "the file's own header, or a field's name where it has none"})
    code = ma.fields.String()
    message = ma.fields.String()


class ImportReportSchema(ma.Schema):
    file_name = ma.fields.String()
    sha256 = ma.fields.String()
    dry_run = ma.fields.Boolean()
    already_imported = ma.fields.Boolean()
    read_as = ma.fields.Dict(keys=ma.fields.String(), values=ma.fields.String())
    ignored_columns = ma.fields.List(ma.fields.String())
    rows_total = ma.fields.Integer()
    rows_imported = ma.fields.Integer()
    rows_rejected = ma.fields.Integer()
    created = ma.fields.Integer()
    updated = ma.fields.Integer()
    unchanged = ma.fields.Integer()
    closed = ma.fields.Integer()
    reopened = ma.fields.Integer()
    never_placed = ma.fields.Integer()
    payments_added = ma.fields.Integer()
    errors = ma.fields.List(ma.fields.Nested(RowErrorSchema), metadata={"description": "the first thousand"})


class AccountQuery(PageArguments):
    creditor = ma.fields.UUID(load_default=None)
    state = ma.fields.String(load_default=None, validate=ma.validate.OneOf(["placed", "closed"]))


class AccountSearchSchema(ma.Schema):
    """References are confidential and so travel in a body, never in an address."""

    creditor_id = ma.fields.UUID(required=True)
    references = ma.fields.List(
        ma.fields.String(validate=ma.validate.Length(1, 80)), required=True, validate=ma.validate.Length(1, 200)
    )


class AccountSchema(ma.Schema):
    id = ma.fields.UUID()
    creditor_id = ma.fields.UUID()
    reference = RevealedString()
    product = RevealedString()
    original_creditor = RevealedString(allow_none=True)
    currency = ma.fields.String()
    balance_minor = RevealedInteger()
    principal_minor = RevealedInteger()
    interest_minor = RevealedInteger()
    fees_minor = RevealedInteger()
    balance_calculated_on = RevealedDate()
    due_on = RevealedDate()
    last_payment_on = RevealedDate(allow_none=True)
    last_payment_minor = RevealedInteger(allow_none=True)
    options = RevealedString(allow_none=True)
    state = ma.fields.String()
    closed_reason = ma.fields.String(allow_none=True)
    placed_at = ma.fields.AwareDateTime()
    closed_at = ma.fields.AwareDateTime(allow_none=True)
    version = ma.fields.Integer()


class AccountListSchema(ma.Schema):
    items = ma.fields.List(ma.fields.Nested(AccountSchema))


class NewPaymentSchema(ma.Schema):
    ref = ma.fields.String(required=True, validate=ma.validate.Length(1, 80))
    paid_on = ma.fields.Date(required=True)
    amount_minor = ma.fields.Integer(required=True, strict=True, validate=ma.validate.Range(1, MOST_MINOR))


class AccountChangesSchema(ma.Schema):
    """What is not sent stays. Amounts in minor units; parts must make the balance; a balance alone is principal.
    A payment lowers what is owed, unless a balance is sent with it."""

    balance_minor = ma.fields.Integer(strict=True, validate=MINOR)
    principal_minor = ma.fields.Integer(strict=True, validate=MINOR)
    interest_minor = ma.fields.Integer(strict=True, validate=MINOR)
    fees_minor = ma.fields.Integer(strict=True, validate=MINOR)
    balance_calculated_on = ma.fields.Date()
    due_on = ma.fields.Date()
    product = ma.fields.String(validate=ma.validate.Length(max=300))
    original_creditor = ma.fields.String(validate=ma.validate.Length(1, 300))
    options = ma.fields.String(validate=ma.validate.Length(1, 2000))
    status = ma.fields.String(validate=ma.validate.OneOf(STATUSES))
    payment = ma.fields.Nested(NewPaymentSchema)
