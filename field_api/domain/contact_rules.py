"""When, how often and after which notice somebody may be visited: pure decisions over a jurisdiction's rules.

Every decision names the rule that made it, with its source and confidence (field_api/rules/README.md). All rules of a
jurisdiction hold together: hours are intersected, the first refusal ends it. Nothing known about a place is a refusal.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from field_api.domain.vocabulary import NotPlannedReason


@dataclass(frozen=True)
class Rule:
    """Where a decision comes from. `confidence` is H (primary text read), M (secondary source) or L (inference)."""

    id: str
    source: str
    confidence: str

    def __str__(self) -> str:
        return f"{self.id} [{self.confidence}]: {self.source}"


@dataclass(frozen=True)
class HoursRule:
    """Contact hours by weekday (0 Monday): (opens, closes) local, end exclusive; None where closed all day."""

    rule: Rule
    sector: str | None
    by_weekday: tuple[tuple[time, time] | None, ...]


@dataclass(frozen=True)
class NoVisitRule:
    """Days without visits: `days` names a calendar (holidays, mx_rest_days, mx_bank_days)."""

    rule: Rule
    sector: str | None
    days: str


@dataclass(frozen=True)
class FrequencyRule:
    """At most `at_most` of `counts` (visits, or attempts on any channel) in any `within_days` consecutive days."""

    rule: Rule
    at_most: int
    within_days: int
    counts: str


@dataclass(frozen=True)
class NoticeRule:
    """A notice on one of `channels` at least so many full days before the visit, and not older than `at_most_days`."""

    rule: Rule
    sector: str | None
    channels: frozenset[str]
    at_least_days: int
    at_most_days: int | None
    only_transferred: bool


@dataclass(frozen=True)
class PlaceRule:
    rule: Rule
    refuse_kinds: frozenset[str]


@dataclass(frozen=True)
class JurisdictionRules:
    """What holds in one jurisdiction, inherited rules included."""

    jurisdiction: str
    holidays: str | None
    hours: tuple[HoursRule, ...]
    no_visit: tuple[NoVisitRule, ...]
    frequency: tuple[FrequencyRule, ...]
    notice: tuple[NoticeRule, ...]
    place: tuple[PlaceRule, ...]


@dataclass(frozen=True)
class ContactWindow:
    """When contact is allowed at a place on a day: aware UTC, `closes_at` exclusive; `rules` bound it."""

    opens_at: datetime
    closes_at: datetime
    rules: tuple[Rule, ...]


@dataclass(frozen=True)
class Refusal:
    """Why not, and which rule says so."""

    reason: NotPlannedReason
    rule: Rule


@dataclass(frozen=True)
class PastAttempt:
    """A contact attempt on a channel, on its local day. A visit published for a day counts until it is reported."""

    on: date
    channel: str


NO_RULES = Rule("no-rules", "nothing is known about visits at this place: field_api/rules has no file for it", "L")
NO_ZONE = Rule("no-time-zone", "the place's time zone is unknown", "H")


def contact_window(
    day: date,
    zones: Collection[str],
    rules: JurisdictionRules,
    sector: str,
    days_off: Mapping[str, Mapping[date, str]],
) -> ContactWindow | Refusal:
    """The contact hours of `day` at a place, or why there are none.

    `zones` are the IANA zones the place may lie in: where it is ambiguous the window must hold in all of them
    (12 CFR 1006.6(b)(1) and its comment). `days_off` maps a calendar's name to its days with their names.
    """
    for no_visit in rules.no_visit:
        if _concerns(no_visit.sector, sector) and day in days_off[no_visit.days]:
            return Refusal(NotPlannedReason.NO_VISIT_DAY, no_visit.rule)
    hours = [rule for rule in rules.hours if _concerns(rule.sector, sector)]
    if not hours:
        return Refusal(NotPlannedReason.OUTSIDE_CONTACT_HOURS, NO_RULES)
    if not zones:
        return Refusal(NotPlannedReason.OUTSIDE_CONTACT_HOURS, NO_ZONE)
    opens, closes = [], []
    for rule in hours:
        span = rule.by_weekday[day.weekday()]
        if span is None:
            return Refusal(NotPlannedReason.NO_VISIT_DAY, rule.rule)
        opens += [_latest(day, span[0], zone) for zone in zones]
        closes += [_earliest(day, span[1], zone) for zone in zones]
    if max(opens) >= min(closes):
        return Refusal(NotPlannedReason.OUTSIDE_CONTACT_HOURS, hours[0].rule)
    return ContactWindow(max(opens), min(closes), tuple(rule.rule for rule in hours))


def too_frequent(day: date, past: Sequence[PastAttempt], rules: JurisdictionRules) -> Refusal | None:
    """Whether one more visit on `day` would break a cap: in any window of n days around it, forwards as well,
    since a later day may be published already."""
    for cap in rules.frequency:
        counted = [
            attempt
            for attempt in past
            if (cap.counts == "attempts" or attempt.channel == "visit")
            and abs((day - attempt.on).days) < cap.within_days
        ]
        if len(counted) >= cap.at_most:
            return Refusal(NotPlannedReason.TOO_FREQUENT, cap.rule)
    return None


def notice_missing(
    day: date, past: Sequence[PastAttempt], rules: JurisdictionRules, sector: str, transferred: bool
) -> Refusal | None:
    """Whether a notice that must come first was not given, or not long enough ago.

    "Wait n days" means n full days in between: after a letter of the 1st and n = 5 the first visit is on the 7th.
    """
    for notice in rules.notice:
        if not _concerns(notice.sector, sector) or (notice.only_transferred and not transferred):
            continue
        ages = [(day - attempt.on).days for attempt in past if attempt.channel in notice.channels]
        latest = notice.at_most_days
        if not any(age > notice.at_least_days and (latest is None or age <= latest) for age in ages):
            return Refusal(NotPlannedReason.WAITING_AFTER_LETTER, notice.rule)
    return None


def place_refused(address_kind: str, rules: JurisdictionRules) -> Refusal | None:
    """Whether this kind of address (home, work, other) is never visited here."""
    for place in rules.place:
        if address_kind in place.refuse_kinds:
            return Refusal(NotPlannedReason.VISITS_OPTED_OUT, place.rule)
    return None


def _concerns(rule_sector: str | None, sector: str) -> bool:
    return rule_sector is None or rule_sector == sector


def _latest(day: date, local: time, zone: str) -> datetime:
    # A local time that a clock change skips or repeats is two instants: opening takes the later one.
    return max(_instants(day, local, zone))


def _earliest(day: date, local: time, zone: str) -> datetime:
    return min(_instants(day, local, zone))


def _instants(day: date, local: time, zone: str) -> list[datetime]:
    there = datetime.combine(day, local, ZoneInfo(zone))
    return [there.replace(fold=fold).astimezone(UTC) for fold in (0, 1)]
