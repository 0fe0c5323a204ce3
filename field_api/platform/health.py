"""Is this process's database there, and is its schema the one this release was written for?"""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from field_api.platform.database import IS_RESTORING, db


def schema_revision() -> str | None:
    """The revision that the database is at, or None when it does not answer or is being restored. Needs an
    application context."""
    try:
        with db.engine.connect() as connection:
            if connection.execute(text(IS_RESTORING)).scalar():
                connection.invalidate()
                return None
            revision: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
            return revision
    except SQLAlchemyError:
        return None
