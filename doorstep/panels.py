"""What the phones' side adds to the office's status page: operations that came in, and what waits for a person."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from doorstep.backup.photo_key_copies import copies_in, place_from
from field_api.domain.disclosure import BadMatrix, agency_overrides
from field_api.domain.unlocks import ReviewState
from field_api.http.panels import Panel
from field_api.platform.devices import Device
from field_api.platform.restore_journal import journal_or_none
from field_api.platform.tenancy import current_agency
from field_api.platform.wiring import clock, office_keys
from field_api.queries.phone_visits import running_agency
from field_api.records.changes import Change
from field_api.records.planning import Agent
from field_api.records.unlocks import UnlockReview
from field_api.records.visits import Visit
from media.office.rewrap_keys import how_many_under_older_keys, how_many_without_key
from sync.mailbox import InboxOp, QuarantinedBytes
from sync.office.durable import COMMIT, last_backup
from sync.office.quarantine import waiting_for_a_person
from sync.office.sync_health import all_healths, overview

OPERATIONS_SHOWN = 20
SOON = timedelta(minutes=5)  # a change that waits longer for its phone is told
CHANGES_SHOWN = 20
BACKUP_EVERY = timedelta(hours=36)  # a nightly one that failed once is told the next day
PHONES_SHOWN = 20


def operations_by_state(session: Session) -> Panel:
    """How many operations are in each state; bytes that are no operation at all count as unreadable."""
    rows = session.execute(
        select(InboxOp.state, func.count())
        .where(InboxOp.agency_id == current_agency())
        .group_by(InboxOp.state)
        .order_by(InboxOp.state)
    )
    counts = [(state, str(count)) for state, count in rows]
    unreadable = session.scalar(select(func.count()).where(QuarantinedBytes.agency_id == current_agency()))
    if unreadable:
        counts.append(("unreadable or forked", str(unreadable)))
    return Panel("Operations", ("State", "Count"), counts, "No phone has sent anything.")


def last_operations(session: Session) -> Panel:
    """The newest operations: when, whose phone, what became of them. Their kind is no business of a status page."""
    rows = session.execute(
        select(InboxOp.received_at, InboxOp.device_id, Agent.code, InboxOp.state, InboxOp.reason)
        .join(Device, (Device.agency_id == InboxOp.agency_id) & (Device.id == InboxOp.device_id))
        .outerjoin(Agent, (Agent.agency_id == Device.agency_id) & (Agent.id == Device.agent_id))
        .where(InboxOp.agency_id == current_agency())
        .order_by(InboxOp.received_at.desc(), InboxOp.op_id)
        .limit(OPERATIONS_SHOWN)
    )
    shown = [
        (_moment(received_at), str(device_id)[:8], code or "?", state, reason or "")
        for received_at, device_id, code, state, reason in rows
    ]
    return Panel("Last operations", ("Received (UTC)", "Phone", "Agent", "State", "Why"), shown, "None yet.")


def kept_without_effect(session: Session) -> Panel:
    """What waits for a person (quarantined, bytes that are no operation) and what waits for that (held)."""
    rows = [
        (line.state, line.reason or "", str(line.count), _moment(line.since)) for line in waiting_for_a_person(session)
    ]
    empty = "Nothing is quarantined or held. (doorstep quarantine; /api/v1/quarantine)"
    return Panel("Quarantine", ("State", "Why", "Count", "Oldest (UTC)"), rows, empty)


def unlocks_to_review(session: Session) -> Panel:
    """Unlocks that a manager has to look at: after a third party, without a check, after too many tries."""
    rows = session.execute(
        select(UnlockReview.put_up_at, UnlockReview.visit_id, Agent.code, UnlockReview.reason)
        .join(Visit, (Visit.agency_id == UnlockReview.agency_id) & (Visit.id == UnlockReview.visit_id))
        .join(Agent, (Agent.agency_id == Visit.agency_id) & (Agent.id == Visit.agent_id))
        .where(UnlockReview.agency_id == current_agency(), UnlockReview.state == ReviewState.OPEN.value)
        .order_by(UnlockReview.put_up_at, UnlockReview.id)
        .limit(OPERATIONS_SHOWN)
    )
    shown = [
        (_moment(put_up_at), str(visit_id)[:8], code, reason.replace("-", " "))
        for put_up_at, visit_id, code, reason in rows
    ]
    return Panel("Unlocks to review", ("Put up (UTC)", "Visit", "Agent", "Why"), shown, "None waits.")


def waiting_for_phones(session: Session) -> Panel:
    """What no phone was told for five minutes: since when, whose, how often it was tried and what it failed of.

    No reason means that nobody tried: the worker does not run, or has more to do than it can.
    """
    since = func.min(Change.created_at)
    rows = session.execute(
        select(
            since,
            Change.kind,
            Change.ref,
            Agent.code,
            func.max(Change.tries),
            func.max(Change.trouble),
            func.count().over(),
        )
        .outerjoin(Agent, (Agent.agency_id == Change.agency_id) & (Agent.id == Change.agent_id))
        .where(Change.agency_id == current_agency(), Change.created_at < clock().now() - SOON)
        .group_by(Change.agent_id, Agent.code, Change.kind, Change.ref)
        .order_by(func.max(Change.trouble).is_(None), since, Change.ref)  # what fails, before what merely queues
        .limit(CHANGES_SHOWN)
    ).all()
    shown = [
        (_moment(first), kind, str(ref)[:8], code or "?", str(tries), trouble or "")
        for first, kind, ref, code, tries, trouble, _ in rows
    ]
    if rows and rows[0][-1] > len(rows):
        shown.append(("", f"{rows[0][-1] - len(rows)} more", "", "", "", ""))
    return Panel("Waiting for phones", ("Since (UTC)", "What", "Id", "Agent", "Tries", "Why"), shown, "Nothing waits.")


def phones(session: Session) -> Panel:
    """The agency's phones in numbers, then those that somebody should look at: silent, a wrong clock, things held."""
    now = clock().now()
    found = all_healths(session, now=now)
    if not found:
        return Panel("Phones and sync", _PHONES, [], "No phone is enrolled.")
    total = overview(found)
    rows = [
        (f"all {total.devices}", "", f"{total.silent} silent", str(total.waiting_ops), str(total.unapplied),
         _when(total.oldest_unapplied_at), str(total.held), str(total.quarantined), str(total.late),
         f"{total.clocks_off} off"),
    ]  # fmt: skip
    looked_at = [one for one in found if one.silent or one.clock_off or one.held or one.quarantined]
    rows += [
        (str(one.device_id)[:8], one.agent, ("silent, " if one.silent else "") + _when(one.last_contact_at),
         "?" if one.waiting_ops is None else str(one.waiting_ops), str(one.unapplied),
         _when(one.oldest_unapplied_at), str(one.held), str(one.quarantined), str(one.late),
         "" if one.clock_ahead_s is None else f"{one.clock_ahead_s:+d} s")
        for one in looked_at[:PHONES_SHOWN]
    ]  # fmt: skip
    return Panel("Phones and sync", _PHONES, rows)


_PHONES = (
    "Phone", "Agent", "Last heard (UTC)", "Waiting on it", "Not applied", "Oldest (UTC)", "Held", "Quarantined",
    "Late (30 d)", "Clock",
)  # fmt: skip


def durability(session: Session) -> Panel:
    """Warnings: a commit counts as durable, backups stay away, or what a restore must not forget is written nowhere."""
    if running_agency(session).policy.get("durability", COMMIT) == COMMIT:
        rows = ["No verified backup is configured: what phones have sent and deleted lives on this machine alone."]
    else:
        last = last_backup(session)
        rows = [] if last and clock().now() - last < BACKUP_EVERY else [_backup_stays_away(last)]
    journal = journal_or_none()
    if journal is None:
        rows.append("No DOORSTEP_JOURNAL: a restored backup forgets revocations, holds and erasures made since.")
    elif not journal.is_there:
        rows.append("DOORSTEP_JOURNAL cannot be reached: until it can, no hold and no revocation is accepted.")
    waiting = session.scalar(
        select(func.count()).where(Device.agency_id == current_agency(), Device.state == "pending")
    )
    if waiting:
        rows.append(f"Phones that came back after a restore and wait (doorstep device accept): {waiting}")
    told = "Operations count as durable once a verified backup holds them."
    return Panel("Durability", ("Warning",), [(row,) for row in rows], told)


def photo_keys(session: Session) -> Panel:
    """Warnings: copies of the key store that outlive what was destroyed, and keys that a rotation left behind."""
    rows, watched = [], place_from(os.environ)
    if watched is not None:
        rows += _trouble_with_copies(watched)
    older = how_many_under_older_keys(session, office_keys().of(current_agency()))
    if older:
        rows.append(f"Photographs' keys that the worker has still to seal to the newest sealing key: {older}")
    without = how_many_without_key(session).total()
    if without:
        rows.append(f"Photographs whose key is missing or opens under no key here (doorstep keys rewrap): {without}")
    seen = "No copy of the key store is older than 7 days."
    unseen = "Copies of the key store are not watched (DOORSTEP_PHOTO_KEY_COPIES): doorstep backup alone deletes them."
    return Panel("Photographs' keys", ("Warning",), [(row,) for row in rows], seen if watched else unseen)


def _trouble_with_copies(place: Path) -> list[str]:
    try:
        over = [copy.taken_at for copy in copies_in(place) if copy.is_over(clock().now())]
    except OSError:
        return ["DOORSTEP_PHOTO_KEY_COPIES cannot be read: nobody here sees whether copies of a week are deleted."]
    if not over:
        return []
    oldest = f"Copies of photographs' keys older than 7 days: {len(over)}, the oldest of {_moment(over[0])} UTC"
    return [f"{oldest}. Keys that were destroyed since are in them: delete them."]


def _backup_stays_away(last: datetime | None) -> str:
    since = f"The last verified backup is of {_moment(last)} UTC" if last else "No backup was verified yet"
    return f"{since}: phones keep all that they recorded after it."


def policy(session: Session) -> Panel:
    """What in the agency's policy cannot be understood: then its phones are told of no visit (docs/disclosure.md)."""
    rows = []
    try:
        agency_overrides(running_agency(session).policy)
    except BadMatrix as refusal:
        rows = [(f"{refusal}: until it is mended (doorstep agency tighten) no visit is published to phones.",)]
    return Panel("Policy", ("Trouble",), rows, "It is understood.")


def _when(moment: datetime | None) -> str:
    """Moments and no ages: a page that is asked for twice is the same page."""
    return _moment(moment) if moment else ""


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


PANELS = (
    ("console.read", durability),
    ("console.read", photo_keys),
    ("console.read", policy),
    ("devices.read", phones),
    ("console.read", waiting_for_phones),
    ("unlocks.read", unlocks_to_review),
    ("console.read", kept_without_effect),
    ("console.read", operations_by_state),
    ("console.read", last_operations),
)
