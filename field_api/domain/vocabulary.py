"""Closed vocabularies: what may be recorded, why something is held, what a phone can be told. Codes are stable.

Sources: docs/outcomes.md (for people), docs/protocol.md §9 (for phone clients).
"""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """A party's role on an account."""

    DEBTOR = "debtor"
    GUARANTOR = "guarantor"
    PAYER = "payer"
    ATTORNEY = "attorney"
    EXECUTOR = "executor"
    GUARDIAN = "guardian"


OBLIGORS = frozenset({Role.DEBTOR, Role.GUARANTOR})
"""Roles that owe: only they are sought at a door and get a locked part of their own."""


class Relation(StrEnum):
    """Who answered the door, as the agent recorded it before anything else (docs/glossary.md)."""

    CLAIMS_TO_BE_SOUGHT = "claims_to_be_sought"
    SOUGHT = "sought"  # after a passed identity check
    GUARANTOR = "guarantor"  # after a passed identity check
    ATTORNEY = "attorney"
    EXECUTOR = "executor"
    GUARDIAN = "guardian"
    SPOUSE = "spouse"
    RELATIVE = "relative"
    MINOR = "minor"
    OLDER_OR_DISABLED = "older_or_disabled"
    NEIGHBOUR = "neighbour"
    GUARD = "guard"
    EMPLOYER = "employer"
    AUTHORITY = "authority"
    NOBODY = "nobody"


VERIFIED = frozenset({Relation.SOUGHT, Relation.GUARANTOR})
THIRD_PARTIES = frozenset(
    {
        Relation.CLAIMS_TO_BE_SOUGHT,
        Relation.SPOUSE,
        Relation.RELATIVE,
        Relation.MINOR,
        Relation.OLDER_OR_DISABLED,
        Relation.NEIGHBOUR,
        Relation.GUARD,
        Relation.EMPLOYER,
    }
)


class OutcomeKind(StrEnum):
    CLIENT_LOCATED = "client_located"
    THIRD_PARTY_ATTENDED = "third_party_attended"
    NOBODY_THERE = "nobody_there"
    ADDRESS_NOT_FOUND = "address_not_found"
    MOVED = "moved"
    VACANT = "vacant"
    ACCESS_REFUSED = "access_refused"
    UNSAFE = "unsafe"
    DECEASED = "deceased"
    WRONG_PERSON = "wrong_person"
    SKIPPED = "skipped"


class ToldChannel(StrEnum):
    """Channels of attempts that are not visits: somebody tells the office of them."""

    CALL = "call"
    LETTER = "letter"
    EMAIL = "email"
    MESSAGE = "message"


class ToldOutcome(StrEnum):
    """What came of an attempt on another channel."""

    REACHED = "reached"  # spoke with the person sought
    OTHER_PERSON = "other_person"
    NO_ANSWER = "no_answer"
    WRONG_CONTACT = "wrong_contact"
    SENT = "sent"
    DELIVERED = "delivered"
    RETURNED = "returned"  # undeliverable: what was sent before on this channel came to nobody


class MadeBy(StrEnum):
    """Who made the attempt."""

    AGENCY = "agency"
    CREDITOR = "creditor"


class Came(StrEnum):
    """Whether an attempt came to the person, as far as is known: a notice counts where it did."""

    TOLD = "told"
    TRIED = "tried"
    BACK = "back"


class NonPaymentReason(StrEnum):
    UNEMPLOYMENT = "unemployment"
    LOW_INCOME = "low_income"
    ILLNESS = "illness"
    FAMILY_EVENT = "family_event"
    FORGOT = "forgot"
    BILLING_ERROR = "billing_error"
    DISSATISFIED = "dissatisfied"
    ALREADY_PAID = "already_paid"
    NOT_MINE = "not_mine"
    WILL_NOT_SAY = "will_not_say"
    OTHER = "other"


class OfferedOption(StrEnum):
    PAY_IN_FULL = "pay_in_full"
    PARTIAL_PAYMENT = "partial_payment"
    PAYMENT_PLAN = "payment_plan"
    DISCOUNT = "discount"
    REFINANCING = "refinancing"
    CALL_CREDITOR = "call_creditor"


class LocatedResult(StrEnum):
    """What the located client said or agreed to; several may hold."""

    PROMISE = "promise"
    PAYMENT_CLAIMED = "payment_claimed"
    DISPUTE = "dispute"
    CLARIFICATION = "clarification"
    REFUSAL = "refusal"
    CALL_BACK = "call_back"
    ATTORNEY_NAMED = "attorney_named"
    CEASE_CONTACT = "cease_contact"
    DO_NOT_VISIT = "do_not_visit"
    INSOLVENCY = "insolvency"
    VULNERABILITY = "vulnerability"
    COMPLAINT = "complaint"


class PromiseKind(StrEnum):
    FULL = "full"
    PARTIAL = "partial"
    PLAN = "plan"


class PromiseState(StrEnum):
    """What became of a promise. `partly`: something was paid in its time, and less than promised."""

    OPEN = "open"
    KEPT = "kept"
    PARTLY = "partly"
    BROKEN = "broken"
    REPLACED = "replaced"  # by a correction


class DisputeReason(StrEnum):
    NOT_MY_DEBT = "not_my_debt"
    WRONG_AMOUNT = "wrong_amount"
    PAID = "paid"
    SERVICE_NOT_RENDERED = "service_not_rendered"
    FRAUD = "fraud"
    OTHER = "other"


class SkipReason(StrEnum):
    NO_TIME = "no_time"
    WEATHER = "weather"
    ROAD_CLOSED = "road_closed"
    VEHICLE = "vehicle"
    TOLD_BY_OFFICE = "told_by_office"
    OTHER = "other"


class LetterHandling(StrEnum):
    HANDED_OVER = "handed_over"  # into the hand of a verified obligor
    NOT_DELIVERED = "not_delivered"  # comes back to the office


class HoldKind(StrEnum):
    PAID = "paid"
    CLARIFICATION = "clarification"
    DISPUTE = "dispute"
    ATTORNEY = "attorney"
    DECEASED = "deceased"
    INSOLVENT = "insolvent"
    VULNERABLE = "vulnerable"
    CEASE_CONTACT = "cease_contact"
    DO_NOT_VISIT = "do_not_visit"
    CREDITOR_REQUEST = "creditor_request"
    WRONG_PERSON = "wrong_person"
    MINOR = "minor"
    UNSAFE_PLACE = "unsafe_place"
    COMPLAINT = "complaint"


PERSON_HOLDS = frozenset(
    {
        HoldKind.ATTORNEY,
        HoldKind.DECEASED,
        HoldKind.INSOLVENT,
        HoldKind.VULNERABLE,
        HoldKind.CEASE_CONTACT,
        HoldKind.DO_NOT_VISIT,
        HoldKind.WRONG_PERSON,
        HoldKind.MINOR,
        HoldKind.UNSAFE_PLACE,
        HoldKind.COMPLAINT,
    }
)
"""Holds that concern the person and so every account of theirs; the others concern one account."""

HOLD_OF_RESULT: dict[LocatedResult, HoldKind] = {
    LocatedResult.PAYMENT_CLAIMED: HoldKind.PAID,
    LocatedResult.DISPUTE: HoldKind.DISPUTE,
    LocatedResult.CLARIFICATION: HoldKind.CLARIFICATION,
    LocatedResult.ATTORNEY_NAMED: HoldKind.ATTORNEY,
    LocatedResult.CEASE_CONTACT: HoldKind.CEASE_CONTACT,
    LocatedResult.DO_NOT_VISIT: HoldKind.DO_NOT_VISIT,
    LocatedResult.INSOLVENCY: HoldKind.INSOLVENT,
    LocatedResult.VULNERABILITY: HoldKind.VULNERABLE,
    LocatedResult.COMPLAINT: HoldKind.COMPLAINT,
}
HOLD_OF_OUTCOME: dict[OutcomeKind, HoldKind] = {
    OutcomeKind.DECEASED: HoldKind.DECEASED,
    OutcomeKind.WRONG_PERSON: HoldKind.WRONG_PERSON,
    OutcomeKind.UNSAFE: HoldKind.UNSAFE_PLACE,
}


class NotPlannedReason(StrEnum):
    BELOW_THRESHOLD = "below_threshold"
    NOT_DUE = "not_due"
    CLOSED = "closed"
    ON_HOLD = "on_hold"
    NO_COORDINATES = "no_coordinates"
    VISITS_OPTED_OUT = "visits_opted_out"
    OUTSIDE_CONTACT_HOURS = "outside_contact_hours"
    NO_VISIT_DAY = "no_visit_day"
    TOO_FREQUENT = "too_frequent"
    WAITING_AFTER_LETTER = "waiting_after_letter"
    ALREADY_ON_A_ROUTE = "already_on_a_route"
    NO_AGENT = "no_agent"
    NO_TIME_ON_ANY_ROUTE = "no_time_on_any_route"
    NO_ROAD = "no_road"  # the road engine knows no way there for a car
    MINOR = "minor"
    REPRESENTED = "represented"  # by an attorney
    EXCLUDED = "excluded"  # on the creditor's list of whom not to contact
    AUTO_PAY = "auto_pay"  # paid automatically, and that has not failed
    STRATEGY = "strategy"  # the creditor's strategy: too early, often enough, a promise to wait for
    WITHDRAWN = "withdrawn"  # was planned, then taken back
    DROPPED = "dropped"  # a dispatcher took it off the draft, and it stays off


class ChangeKind(StrEnum):
    """What an agent's phones must learn; `ref` of the change row is the entity's id."""

    VISIT = "visit"  # load the visit's present state: published, withdrawn or gone to somebody else
    ROUTE = "route"
    VERDICT = "verdict"  # an operation of this agent's phone got a verdict
    CODE = "code"  # an unlock code was issued anew: the locked part is wrapped again
    KEYS = "keys"  # a certificate that phones have to know; `ref` is its name (Certificate.ref)


class OpKind(StrEnum):
    """What a phone records. The kind travels sealed."""

    SESSION = "session"  # the app was opened for the day: battery, version, clock
    ARRIVED = "arrived"
    ENCOUNTER = "encounter"  # who answered the door
    IDENTITY_CHECK = "identity_check"  # written before anything is shown
    OPENED = "opened"  # the locked part was shown
    OUTCOME = "outcome"
    LETTER = "letter"  # handed over or not delivered
    CONTACT = "contact"  # contact candidates outside of an outcome
    PHOTO_PERMISSION = "photo_permission"
    PHOTO = "photo"  # declares a photo by hash; the bytes come by media
    CORRECTION = "correction"  # a new fact about an earlier operation
    NOTE = "note"


class Verdict(StrEnum):
    """What became of an operation."""

    APPLIED = "applied"
    LATE = "late"
    HELD = "held"
    QUARANTINED = "quarantined"
    FORK = "fork"


class VisitEventKind(StrEnum):
    PLANNED = "planned"
    PUBLISHED = "published"
    REASSIGNED = "reassigned"
    WITHDRAWN = "withdrawn"
    CODE_DISCLOSED = "code_disclosed"
    UNLOCK_REVIEWED = "unlock_reviewed"
    ARRIVED = "arrived"
    ENCOUNTER = "encounter"
    IDENTITY_CHECK = "identity_check"
    OPENED = "opened"
    OUTCOME = "outcome"
    LETTER = "letter"
    CONTACT = "contact"
    PHOTO_PERMISSION = "photo_permission"
    PHOTO = "photo"
    PHOTO_SHOWN = "photo_shown"  # a manager looked at one, closely or as it came
    CORRECTION = "correction"
    NOTE = "note"
    HOLD = "hold"
    VERDICT = "verdict"


AT_THE_DOOR = (
    VisitEventKind.ARRIVED,
    VisitEventKind.ENCOUNTER,
    VisitEventKind.IDENTITY_CHECK,
    VisitEventKind.OPENED,
    VisitEventKind.OUTCOME,
    VisitEventKind.LETTER,
    VisitEventKind.PHOTO,
)
"""What only somebody records who is there."""


class PhotoSubject(StrEnum):
    """What a photograph may be of: never people, never the inside."""

    FACADE = "facade"
    NUMBER_PLATE_OF_HOUSE = "house_number"
    STREET = "street"
    METER = "meter"


CONCLUSIVE = frozenset(OutcomeKind) - {OutcomeKind.SKIPPED}
"""Outcomes after which the visit is done: somebody went there. A skipped stop is still to be visited."""

REPRESENTATIVES = frozenset({Relation.ATTORNEY, Relation.EXECUTOR, Relation.GUARDIAN})
"""Relations that act for the one sought, with documented authority."""


class IdentityMethod(StrEnum):
    """How a person showed who they are (docs/protocol.md §7)."""

    ANSWERS = "answers"
    CODE = "code"
    ATTESTATION = "attestation"  # the agent saw a document and signs for it, where the agency's policy allows


class LockClaim(StrEnum):
    """Who somebody at the door said to be when a lock was tried."""

    SOUGHT = "sought"
    OTHER = "other"  # another who is entitled: a guarantor, a representative


class IdentityDocument(StrEnum):
    NATIONAL_ID = "national_id"
    PASSPORT = "passport"
    DRIVING_LICENCE = "driving_licence"
    RESIDENCE_PERMIT = "residence_permit"
    OTHER = "other"


class LockedPart(StrEnum):
    BRIEF = "brief"
    LETTER = "letter"


class LivesHere(StrEnum):
    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"
    WILL_NOT_SAY = "will_not_say"


class TimeOfDay(StrEnum):
    MORNING = "morning"
    MIDDAY = "midday"
    AFTERNOON = "afternoon"
    EVENING = "evening"
    WEEKEND = "weekend"


class NeighbourAnswer(StrEnum):
    KNOWS_THE_PLACE = "knows_the_place"
    DOES_NOT_KNOW = "does_not_know"
    WILL_NOT_SAY = "will_not_say"


class Whom(StrEnum):
    """Where a person who was asked for a location is found: enough to ask nobody twice, and no datum of theirs."""

    SAME_HOME = "same_home"
    NEXT_DOOR_LEFT = "next_door_left"
    NEXT_DOOR_RIGHT = "next_door_right"
    OPPOSITE = "opposite"
    ABOVE = "above"
    BELOW = "below"
    GATEHOUSE = "gatehouse"
    SHOP = "shop"
    OTHER = "other"


class Danger(StrEnum):
    ANIMAL = "animal"
    THREAT = "threat"
    WEAPON = "weapon"
    AREA = "area"
    BUILDING = "building"
    OTHER = "other"


class Hazard(StrEnum):
    """What the next agent should know before walking up to a door. Of the place, told in the open: never a reason to
    come, nobody's name, no free text."""

    DOG = "dog"
    ANIMAL = "animal"  # another one
    STAIRS = "stairs"  # steep, broken or without a rail
    BUILDING = "building"  # unsound, a building site, wires
    DARK = "dark"  # no light on the way
    AGGRESSION = "aggression"  # somebody there threatened or attacked
    AREA = "area"  # better not alone, better by day
    ROAD = "road"  # hard to reach, flooded, no place to stop


HAZARD_OF_DANGER = {
    Danger.ANIMAL: Hazard.ANIMAL,
    Danger.THREAT: Hazard.AGGRESSION,
    Danger.WEAPON: Hazard.AGGRESSION,
    Danger.AREA: Hazard.AREA,
    Danger.BUILDING: Hazard.BUILDING,
}
"""What an `unsafe` outcome says of the place for those who come later; `other` says nothing in particular."""


class NotDeliveredReason(StrEnum):
    NOT_MET = "not_met"  # the right person was not there or not verified
    REFUSED = "refused"  # the right person would not take it
    DAMAGED = "damaged"
    NOT_CARRIED = "not_carried"


class ContactKind(StrEnum):
    PHONE = "phone"
    EMAIL = "email"
    ADDRESS = "address"
    PERSON = "person"
