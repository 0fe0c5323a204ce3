"""Days that letters name: by when a debt may be disputed in the United States."""

from __future__ import annotations

from datetime import date, timedelta

from field_api.domain.days_off import us_legal_holidays
from field_api.domain.letter_rules import ValidationPeriod


def validation_until(sent_on: date, period: ValidationPeriod) -> date:
    """The last day of the validation period (12 CFR 1006.34(b)(5)): it ends 30 days after receipt."""
    return received_by(sent_on, period) + timedelta(days=period.days_to_answer)


def received_by(sent_on: date, period: ValidationPeriod) -> date:
    """Receipt may be assumed on any day at least five days after sending, not counting Saturdays, Sundays and the legal
    public holidays of 5 U.S.C. 6103(a)."""
    received, left = sent_on, period.business_days_to_arrive
    while left:
        received += timedelta(days=1)
        left -= received.weekday() < 5 and received not in us_legal_holidays(received.year)
    return received
