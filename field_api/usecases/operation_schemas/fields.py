"""Building blocks of operation bodies: bounded texts, money, positions, addresses, contact candidates."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any

from marshmallow import INCLUDE, Schema, ValidationError, fields, pre_load, validate

from field_api.domain.vocabulary import ContactKind, Hazard, Relation

WORDS = 2_000
NAME = 200
SHORT = 100
MAX_MINOR = 10**13  # a hundred thousand million in the major unit: more is a slip of the finger
FIRST_DAY, LAST_DAY = date(1900, 1, 1), date(2200, 1, 1)
FIRST_MOMENT, LAST_MOMENT = datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


class Body(Schema):
    """A part of a body. What the office does not know yet is kept in the story, never refused; null is absent."""

    class Meta:
        unknown = INCLUDE

    @pre_load
    def _null_is_absent(self, data: Any, **_: Any) -> Any:
        return {name: value for name, value in data.items() if value is not None} if isinstance(data, dict) else data


class Text(fields.String):
    """Text of 1 to `most` characters that a database and a spreadsheet can hold: no NUL."""

    def __init__(self, most: int, **options: Any) -> None:
        super().__init__(validate=[validate.Length(min=1, max=most), _no_nul], **options)


def _no_nul(text: str) -> None:
    if "\x00" in text:
        raise ValidationError("NUL character")


def word(vocabulary: type[StrEnum], **options: Any) -> fields.Field:
    """A code of a closed vocabulary."""
    return fields.Enum(vocabulary, by_value=fields.String(), **options)


def words(**options: Any) -> Text:
    """What was said, as the agent wrote it down."""
    return Text(WORDS, **options)


def day(**options: Any) -> fields.Date:
    return fields.Date(validate=validate.Range(FIRST_DAY, LAST_DAY), **options)


def moment(**options: Any) -> fields.AwareDateTime:
    return fields.AwareDateTime(validate=_plausible_moment, **options)


def _plausible_moment(value: datetime) -> None:
    if not FIRST_MOMENT <= value <= LAST_MOMENT:
        raise ValidationError("outside 1970 to 2200")


class Several(fields.List):
    """A list of at most `most` entries, refused before any entry is read where it is longer."""

    def __init__(self, entry: fields.Field, most: int, **options: Any) -> None:
        super().__init__(entry, **options)
        self.most = most

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> list[Any]:
        if isinstance(value, list) and len(value) > self.most:
            raise ValidationError(f"more than {self.most}")
        return super()._deserialize(value, attr, data, **kwargs)


class Variant(fields.Field):
    """An object whose field `by` says which schema the rest follows."""

    def __init__(self, by: str, schemas: Mapping[Any, type[Schema]], **options: Any) -> None:
        super().__init__(**options)
        self.by = by
        self.schemas = {str(key): schema() for key, schema in schemas.items()}

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        if not isinstance(value, dict):
            raise ValidationError("not an object")
        chosen = value.get(self.by)
        if not isinstance(chosen, str) or chosen not in self.schemas:
            raise ValidationError({self.by: ["unknown code"]})
        return self.schemas[chosen].load(value)


class MoneySchema(Body):
    minor = fields.Integer(strict=True, required=True, validate=validate.Range(1, MAX_MINOR))
    currency = fields.String(required=True, validate=validate.Regexp(r"\A[A-Z]{3}\Z"))


class PositionSchema(Body):
    lat = fields.Float(required=True, validate=validate.Range(-90, 90))
    lon = fields.Float(required=True, validate=validate.Range(-180, 180))
    accuracy_m = fields.Float(load_default=None, validate=validate.Range(0, 100_000))
    at = moment(load_default=None)


def money(**options: Any) -> fields.Nested:
    return fields.Nested(MoneySchema, **options)


def position() -> fields.Nested:
    return fields.Nested(PositionSchema, load_default=None)


def place_hazards() -> Several:
    """What the next agent should know of the place, each at most once."""
    return Several(word(Hazard), len(Hazard))


class AddressSchema(Body):
    """An address as a third party describes it: a street is enough, a hint helps."""

    street = Text(NAME, required=True)
    number = Text(40)  # as said: "17-A", "S/N", "Mz 4 Lt 12"
    interior = Text(40)
    between_1 = Text(NAME)
    between_2 = Text(NAME)
    neighbourhood = Text(NAME)
    city = Text(NAME)
    municipality = Text(NAME)
    postcode = Text(20)
    state = Text(SHORT)
    country = fields.String(validate=validate.Regexp(r"\A[A-Z]{2}\Z"))  # default: that of the visited address
    hint = Text(500)
    lat = fields.Float(validate=validate.Range(-90, 90))
    lon = fields.Float(validate=validate.Range(-180, 180))


class _Candidate(Body):
    kind = word(ContactKind, required=True)
    source = word(Relation)  # who gave it, where that differs from the operation's own


class PhoneCandidate(_Candidate):
    value = Text(40, required=True)  # as dialled there, or +…
    region = fields.String(validate=validate.Regexp(r"\A[A-Z]{2}\Z"))


class EmailCandidate(_Candidate):
    value = Text(320, required=True)


class AddressCandidate(AddressSchema):
    kind = word(ContactKind, required=True)
    source = word(Relation)


class PersonCandidate(_Candidate):
    name = Text(NAME, required=True)
    relation = word(Relation, required=True)
    phone = Text(40)


def contacts() -> Several:
    """At most 20 contact candidates."""
    variant = Variant(
        "kind",
        {
            ContactKind.PHONE: PhoneCandidate,
            ContactKind.EMAIL: EmailCandidate,
            ContactKind.ADDRESS: AddressCandidate,
            ContactKind.PERSON: PersonCandidate,
        },
    )
    return Several(variant, 20, load_default=list)
