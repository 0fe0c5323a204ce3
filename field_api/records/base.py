"""What every office table has in common."""

from __future__ import annotations

from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint
from sqlalchemy.orm import Mapped, Session

from field_api.platform.database import Base
from field_api.platform.ids import new_id
from field_api.platform.labels import internal
from field_api.platform.problems import Problem
from field_api.platform.tenancy import current_agency

SCHEMA = "office"
Row = TypeVar("Row", bound="Tenant")


class Tenant(Base):
    """A row of one agency: primary key (agency_id, id); the agency is the running one unless said otherwise."""

    __abstract__ = True

    agency_id: Mapped[UUID] = internal(primary_key=True, default=current_agency)
    id: Mapped[UUID] = internal(primary_key=True, default=new_id)


def refers(column: str, table: str, **options: Any) -> ForeignKeyConstraint:
    """A foreign key that carries the agency: plain ones bypass row-level security."""
    return ForeignKeyConstraint(
        ["agency_id", column], [f"{SCHEMA}.{table}.agency_id", f"{SCHEMA}.{table}.id"], **options
    )


def load(session: Session, kind: type[Row], row_id: UUID, *, lock: bool = False) -> Row:
    """The running agency's row, locked FOR UPDATE on request. Raises Problem `not-found`."""
    # By name: a kind that declares its own `id` has its key columns in another order.
    key = {"agency_id": current_agency(), "id": row_id}
    row = session.get(kind, key, with_for_update=True if lock else None)
    if row is None:
        raise Problem("not-found", f"no such {kind.__name__.lower()}")
    return row
