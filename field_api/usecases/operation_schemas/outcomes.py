"""Bodies of `outcome` operations, one schema per outcome (docs/outcomes.md)."""

from __future__ import annotations

from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from field_api.domain.vocabulary import (
    REPRESENTATIVES,
    THIRD_PARTIES,
    VERIFIED,
    Danger,
    DisputeReason,
    IdentityMethod,
    LivesHere,
    LocatedResult,
    NeighbourAnswer,
    NonPaymentReason,
    OfferedOption,
    OutcomeKind,
    PromiseKind,
    Relation,
    SkipReason,
    TimeOfDay,
)
from field_api.usecases.operation_schemas.fields import (
    NAME,
    SHORT,
    AddressSchema,
    Body,
    Several,
    Text,
    Variant,
    contacts,
    day,
    moment,
    money,
    place_hazards,
    position,
    word,
    words,
)

MAX_INSTALMENTS = 60
LOCATED_PARTIES = VERIFIED | REPRESENTATIVES
ATTENDING = THIRD_PARTIES | {Relation.AUTHORITY}


class _Result(Body):
    result = word(LocatedResult, required=True)
    account = fields.UUID()  # the brief's opaque account id; without it the visit's accounts
    words = words()


class Instalment(Body):
    amount = money(required=True)
    due_on = day(required=True)


class PromiseResult(_Result):
    kind = word(PromiseKind, required=True)
    amount = money()
    due_on = day()
    instalments = Several(fields.Nested(Instalment), MAX_INSTALMENTS, load_default=list)

    @validates_schema
    def _complete(self, data: dict[str, Any], **_: Any) -> None:
        if data["kind"] is PromiseKind.PLAN:
            if not data["instalments"]:
                raise ValidationError("a plan has instalments", "instalments")
            return
        for name in ("amount", "due_on"):
            if name not in data:
                raise ValidationError("required", name)


class PaymentClaimed(_Result):
    amount = money()
    reference = Text(SHORT)
    paid_on = day()


class DisputeResult(_Result):
    reason = word(DisputeReason, required=True)


class Clarification(_Result):
    reason = word(DisputeReason)
    words = words(required=True)


class CallBack(_Result):
    at = moment(required=True)


class AttorneyNamed(_Result):
    name = Text(NAME, required=True)
    phone = Text(40)


class Insolvency(_Result):
    case_reference = Text(SHORT)


RESULTS: dict[LocatedResult, type[_Result]] = {
    LocatedResult.PROMISE: PromiseResult,
    LocatedResult.PAYMENT_CLAIMED: PaymentClaimed,
    LocatedResult.DISPUTE: DisputeResult,
    LocatedResult.CLARIFICATION: Clarification,
    LocatedResult.REFUSAL: _Result,
    LocatedResult.CALL_BACK: CallBack,
    LocatedResult.ATTORNEY_NAMED: AttorneyNamed,
    LocatedResult.CEASE_CONTACT: _Result,
    LocatedResult.DO_NOT_VISIT: _Result,
    LocatedResult.INSOLVENCY: Insolvency,
    LocatedResult.VULNERABILITY: _Result,
    LocatedResult.COMPLAINT: _Result,
}


class Outcome(Body):
    """What every outcome may carry. `contacts` are candidates; `note` is free text and is searched for debt words."""

    outcome = word(OutcomeKind, required=True)
    position = position()
    house_found = fields.Boolean()  # true: the position is that of the house itself
    hazards = place_hazards()  # the place's, for whoever comes next
    hazards_gone = place_hazards()  # said before, and so no more
    contacts = contacts()
    note = words()


class PartySchema(Body):
    relation = word(Relation, required=True, validate=validate.OneOf(LOCATED_PARTIES))
    person = fields.UUID()  # the lock's person id; without it the one sought
    name = Text(NAME)


class ClientLocated(Outcome):
    party = fields.Nested(PartySchema, required=True)
    identified_by = word(IdentityMethod, required=True)
    reason_for_non_payment = word(NonPaymentReason)
    reason_words = words()
    options_offered = Several(word(OfferedOption), 6, load_default=list)
    results = Several(Variant("result", RESULTS), 12, load_default=list)
    sought_is_minor = fields.Boolean(load_default=False)


class ThirdPartyAttended(Outcome):
    """Only facts about the place: nothing that a third party may not be asked."""

    relation = word(Relation, required=True, validate=validate.OneOf(ATTENDING))
    lives_here = word(LivesHere)
    best_time = word(TimeOfDay)
    place_confirmed = fields.Boolean()
    sought_is_minor = fields.Boolean(load_default=False)


class NobodyThere(Outcome):
    signs_of_life = fields.Boolean()


class Neighbour(Body):
    where = Text(NAME, required=True)  # "next door", "the shop at number 12": never a name
    answer = word(NeighbourAnswer, required=True)


class AddressNotFound(Outcome):
    neighbours_asked = Several(fields.Nested(Neighbour), 10, load_default=list)


class Moved(Outcome):
    told_by = word(Relation)
    new_address = fields.Nested(AddressSchema)
    moved_on = day()


class Vacant(Outcome):
    told_by = word(Relation)


class AccessRefused(Outcome):
    by = word(Relation)


class Unsafe(Outcome):
    danger = word(Danger, required=True)


class Executor(Body):
    name = Text(NAME, required=True)
    phone = Text(40)


class Deceased(Outcome):
    told_by = word(Relation)
    died_on = day()
    executor = fields.Nested(Executor)


class WrongPerson(Outcome):
    lives_here = word(LivesHere)
    sought_is_minor = fields.Boolean(load_default=False)


class Skipped(Outcome):
    reason = word(SkipReason, required=True)


OUTCOMES: dict[OutcomeKind, type[Outcome]] = {
    OutcomeKind.CLIENT_LOCATED: ClientLocated,
    OutcomeKind.THIRD_PARTY_ATTENDED: ThirdPartyAttended,
    OutcomeKind.NOBODY_THERE: NobodyThere,
    OutcomeKind.ADDRESS_NOT_FOUND: AddressNotFound,
    OutcomeKind.MOVED: Moved,
    OutcomeKind.VACANT: Vacant,
    OutcomeKind.ACCESS_REFUSED: AccessRefused,
    OutcomeKind.UNSAFE: Unsafe,
    OutcomeKind.DECEASED: Deceased,
    OutcomeKind.WRONG_PERSON: WrongPerson,
    OutcomeKind.SKIPPED: Skipped,
}
