"""Take back at once the visits about accounts that are paid, closed, or somebody else's now: by a hold on each."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from field_api.domain.account_merge import PAID, Standing
from field_api.domain.vocabulary import HoldKind
from field_api.queries.known_accounts import with_visits_ahead
from field_api.usecases.place_hold import place_hold


def stop_ended_visits(
    session: Session,
    ended: Mapping[UUID, Standing],
    *,
    other_obligors: Collection[UUID] = (),
    now: datetime,
    by: UUID | None,
) -> None:
    """`ended`: accounts that were collected before and are not any more, as they stand now. `other_obligors`: accounts
    whose debtor or guarantor was replaced. The caller has locked and written them. Accounts without visits ahead need
    no hold: planning passes them over, and a hold would have to be lifted by a person."""
    for account_id in sorted(with_visits_ahead(session, {*ended, *other_obligors})):
        kind, reason = _cause(ended.get(account_id))
        place_hold(session, kind=kind, reason=reason, now=now, account_id=account_id, placed_by=by)


def _cause(ended: Standing | None) -> tuple[HoldKind, str]:
    if ended is None:
        return HoldKind.CLARIFICATION, "the creditor names another debtor or guarantor"
    if ended.closed_reason in (None, PAID):
        return HoldKind.PAID, "the creditor says that nothing is owed any more"
    return HoldKind.CREDITOR_REQUEST, "the creditor closed the account"
