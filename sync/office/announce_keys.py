"""Phones learn of new keys: change rows as for any other news, and the new key signs when all feeds have them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, insert, literal, select, text
from sqlalchemy.orm import Session

from field_api.domain.vocabulary import ChangeKind
from field_api.platform.devices import Device
from field_api.platform.key_rotation import KeyFiles
from field_api.platform.keyring import OfficeKeys
from field_api.platform.tenancy import current_agency
from field_api.platform.wiring import office_keys, settings
from field_api.records.changes import Change
from field_api.usecases.note_decision import note_decision


def key_files(agency_id: UUID) -> KeyFiles:
    """The running installation's."""
    return KeyFiles(settings().home / "keys", agency_id)


def hold_keys(session: Session, *, announcing: bool) -> None:
    """Until the transaction ends nobody announces keys or begins to use them (`announcing`) while others enrol phones
    or sign for them, nor the reverse."""
    shared = "" if announcing else "_shared"
    session.execute(
        text(f"SELECT pg_advisory_xact_lock{shared}(hashtextextended('doorstep-keys:' || :agency, 0))"),
        {"agency": str(current_agency())},
    )


def announce_keys(session: Session, keys: OfficeKeys, *, now: datetime) -> list[UUID]:
    """Change rows for every agent with a phone, one for each certificate that waits to be told. Returns their names.

    The caller commits, and only then marks them in the key file: killed in between, they are announced once more.
    """
    hold_keys(session, announcing=True)
    known = [each for certificates in keys.certificates.values() for each in certificates]
    _forget_rows_but(session, {each.ref for each in known})
    told = [each for each in known if each.ref in keys.unannounced]
    for each in told:
        agents = (
            select(Device.agency_id, Device.agent_id, literal(ChangeKind.KEYS.value), literal(each.ref), literal(False))
            .where(Device.agency_id == current_agency(), Device.state == "active")
            .distinct()
        )
        session.execute(insert(Change).from_select(["agency_id", "agent_id", "kind", "ref", "urgent"], agents))
        detail = {"role": each.claims["role"], "key": each.key_id, "until": each.claims["until"]}
        note_decision(session, now, "key-announced", detail)
    return [each.ref for each in told]


def _forget_rows_but(session: Session, refs: Collection[UUID]) -> None:
    """Certificates that were replaced before anybody was told of them are nowhere any more."""
    session.execute(
        delete(Change).where(
            Change.agency_id == current_agency(), Change.kind == ChangeKind.KEYS.value, Change.ref.not_in(refs)
        )
    )


def agents_to_tell(session: Session) -> Sequence[UUID]:
    """Whose phones' feeds do not hold all announced keys yet."""
    mine = (Change.agency_id == current_agency(), Change.kind == ChangeKind.KEYS.value)
    return session.scalars(select(Change.agent_id).where(*mine).distinct().order_by(Change.agent_id)).all()


def use_told_keys(session: Session, *, now: datetime) -> int:
    """Sign with the next keys as soon as every feed holds their announcement: whoever reads in order then knows them.

    Returns how many keys changed.
    """
    if not office_keys().fresh(current_agency()).waits_for_phones:
        return 0
    hold_keys(session, announcing=True)
    if office_keys().fresh(current_agency()).unannounced or agents_to_tell(session):
        return 0
    roles = key_files(current_agency()).use_next()
    for role in roles:
        note_decision(session, now, "key-in-use", {"role": role})
    return len(roles)
