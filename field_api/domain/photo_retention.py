"""For how long an agency keeps photographs: `policy["photo_retention_days"]`, without end unless it says so."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

LONGEST_DAYS = 36_500


def photo_retention(policy: Mapping[str, Any]) -> timedelta | None:
    """Whole days from 1 to LONGEST_DAYS; whatever else stands there ends nothing, since destroying is for good."""
    said = policy.get("photo_retention_days")
    return timedelta(days=said) if type(said) is int and 1 <= said <= LONGEST_DAYS else None
