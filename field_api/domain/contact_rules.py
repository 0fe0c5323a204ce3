"""When, how often and after which notice somebody may be visited: pure decisions over a jurisdiction's rules.

Every decision names the rule that made it, with its source and confidence (field_api/rules/README.md). All rules of a
jurisdiction hold together: hours are intersected, one refusal is enough, all of them are told. Nothing known about a
place is a refusal. What an agency adds are rules like any other, so that they can only make less possible.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from field_api.domain.vocabulary import Came, NotPlannedReason


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
    """Days without visits: `days` names a calendar (holidays, mx_rest_days, mx_bank_days); `dates` are days by
    themselves, of one year ("2026-12-24") or of every year ("12-24")."""

    rule: Rule
    sector: str | None
    days: str | None
    dates: frozenset[str] = frozenset()

    def holds_on(self, day: date, days_off: Mapping[str, Mapping[date, str]]) -> bool:
        listed = bool(self.dates & {day.isoformat(), f"{day:%m-%d}"})
        return listed or (self.days is not None and day in days_off[self.days])


PER = ("account", "creditor", "person")
"""What a cap is counted by, narrow to wide: one account; all accounts of a person at one creditor; all of a person."""
LONGEST_WINDOW_DAYS = 366
"""No cap looks further than this: reading attempts stays bounded."""


@dataclass(frozen=True)
class FrequencyRule:
    """At most `at_most` of `counts` (visits, or attempts on any channel) in any `within_days` consecutive days, for
    each account, person at a creditor, or person (`per`)."""

    rule: Rule
    at_most: int
    within_days: int
    counts: str
    per: str = "account"
    unless_consented: bool = False  # it does not hold for a debt whose debtor consented in writing to more

    def concerns(self, attempt: PastAttempt) -> bool:
        """Whether the attempt is one of those that it caps, whatever its day."""
        if attempt.came is Came.BACK:  # the fate of an attempt that counts by itself
            return False
        near_enough = PER.index(attempt.about) <= PER.index(self.per)
        return near_enough and (self.counts == "attempts" or attempt.channel == "visit")


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
    represented: tuple[Rule, ...] = ()  # nobody is visited about an account where an attorney is known

    def and_also(self, more: JurisdictionRules) -> JurisdictionRules:
        """These rules and more of them: what is allowed by both."""
        return JurisdictionRules(
            self.jurisdiction,
            self.holidays,
            self.hours + more.hours,
            self.no_visit + more.no_visit,
            self.frequency + more.frequency,
            self.notice + more.notice,
            self.place + more.place,
            self.represented + more.represented,
        )


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
    """A contact attempt on a channel, on its local day. A visit published for a day counts until it is reported.

    `about` says how near it is to the account in question: about it, about another one of the same person at the same
    creditor, or about one of the same person at another creditor. `came`: whether it came to the person.
    """

    on: date
    channel: str
    about: str = "account"
    came: Came = Came.TOLD


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
    refusal = next(closed(day, zones, rules, sector, days_off), None)
    if refusal is not None:
        return refusal
    hours = _hours_for(rules, sector)
    opens, closes = _bounds(day, zones, hours)
    return ContactWindow(max(opens), min(closes), tuple(rule.rule for rule in hours))


def closed(
    day: date,
    zones: Collection[str],
    rules: JurisdictionRules,
    sector: str,
    days_off: Mapping[str, Mapping[date, str]],
) -> Iterator[Refusal]:
    """Every rule that closes the whole `day` at the place; none where there is a window."""
    for no_visit in rules.no_visit:
        if _concerns(no_visit.sector, sector) and no_visit.holds_on(day, days_off):
            yield Refusal(NotPlannedReason.NO_VISIT_DAY, no_visit.rule)
    hours = _hours_for(rules, sector)
    shut = [rule for rule in hours if rule.by_weekday[day.weekday()] is None]
    yield from (Refusal(NotPlannedReason.NO_VISIT_DAY, rule.rule) for rule in shut)
    if not hours:
        yield Refusal(NotPlannedReason.OUTSIDE_CONTACT_HOURS, NO_RULES)
    elif not zones:
        yield Refusal(NotPlannedReason.OUTSIDE_CONTACT_HOURS, NO_ZONE)
    elif not shut:
        opens, closes = _bounds(day, zones, hours)
        if max(opens) >= min(closes):
            yield Refusal(NotPlannedReason.OUTSIDE_CONTACT_HOURS, hours[closes.index(min(closes)) // len(zones)].rule)


def _hours_for(rules: JurisdictionRules, sector: str) -> list[HoursRule]:
    return [rule for rule in rules.hours if _concerns(rule.sector, sector)]


def _bounds(day: date, zones: Collection[str], hours: Sequence[HoursRule]) -> tuple[list[datetime], list[datetime]]:
    """When each rule opens and closes in each zone."""
    spans = [span for span in (rule.by_weekday[day.weekday()] for rule in hours) if span is not None]
    opens = [_latest(day, span[0], zone) for span in spans for zone in zones]
    closes = [_earliest(day, span[1], zone) for span in spans for zone in zones]
    return opens, closes


def caps_reached(
    day: date, past: Sequence[PastAttempt], rules: JurisdictionRules, *, consented: bool = False
) -> Iterator[Refusal]:
    """Every cap that one more visit on `day` would break: in any window of n days around it, forwards as well, since a
    later day may be published already. `consented`: in writing, to more visits about this debt."""
    for cap in rules.frequency:
        if cap.unless_consented and consented:
            continue
        days = [(attempt.on - day).days for attempt in past if cap.concerns(attempt)]
        if _most_in_a_window(days, cap.within_days) >= cap.at_most:
            yield Refusal(NotPlannedReason.TOO_FREQUENT, cap.rule)


def _most_in_a_window(days: Sequence[int], within: int) -> int:
    """How many of `days` (relative to the visit's) lie at most in one span of `within` days that holds the visit's."""
    near = sorted(day for day in days if abs(day) < within)
    starts = [day for day in near if day <= 0] + [0]
    return max(sum(start <= day < start + within for day in near) for start in starts)


def notices_missing(
    day: date, past: Sequence[PastAttempt], rules: JurisdictionRules, sector: str, transferred: bool
) -> Iterator[Refusal]:
    """Every notice that must come first and was not given, or not long enough ago.

    "Wait n days" means n full days in between: after a letter of the 1st and n = 5 the first visit is on the 7th. A
    notice is about the account itself: one about another account of the person says nothing of this one. It has to
    have come to somebody: what nobody answered is none, and what came back takes away all that was sent before on that
    channel, since nothing says which of it.
    """
    told = [attempt for attempt in past if attempt.about == "account" and _told(attempt, past)]
    for notice in rules.notice:
        if not _concerns(notice.sector, sector) or (notice.only_transferred and not transferred):
            continue
        ages = [(day - attempt.on).days for attempt in told if attempt.channel in notice.channels]
        latest = notice.at_most_days
        if not any(age > notice.at_least_days and (latest is None or age <= latest) for age in ages):
            yield Refusal(NotPlannedReason.WAITING_AFTER_LETTER, notice.rule)


def _told(attempt: PastAttempt, past: Sequence[PastAttempt]) -> bool:
    came_back = (
        later.came is Came.BACK and later.channel == attempt.channel and later.on >= attempt.on
        for later in past
        if later.about == "account"
    )
    return attempt.came is Came.TOLD and not any(came_back)


def place_refusals(address_kind: str, rules: JurisdictionRules) -> Iterator[Refusal]:
    """Every rule by which this kind of address is never visited here."""
    for place in rules.place:
        if address_kind in place.refuse_kinds:
            yield Refusal(NotPlannedReason.VISITS_OPTED_OUT, place.rule)


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
