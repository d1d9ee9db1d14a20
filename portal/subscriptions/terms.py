"""The terms of packages and subscriptions: price, currency, and how long periods, trial and grace are.

A length is a whole number of days, weeks, months or years. Months keep the day on which they began as far as a month
has it: 31 January, 28 February, 31 March.
"""

from datetime import date, datetime, time
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from dateutil.relativedelta import relativedelta
from sqlalchemy.orm import Mapped, mapped_column

from portal.column_types import Money, enum_type
from portal.customers.models import CURRENCY_LENGTH
from portal.errors import Message


class PeriodUnit(StrEnum):
    """What a length is counted in."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    YEAR = "year"

    @property
    def label(self) -> Message:
        """What people read."""
        return _LABELS[self]


_LABELS = {
    PeriodUnit.DAY: Message("days"),
    PeriodUnit.WEEK: Message("weeks"),
    PeriodUnit.MONTH: Message("months"),
    PeriodUnit.YEAR: Message("years"),
}


class Length(NamedTuple):
    """A length of time, such as 3 months."""

    number: int
    unit: PeriodUnit


def length_of(number: int | None, unit: PeriodUnit | None) -> Length | None:
    """The length that two columns tell; None if they tell none."""
    return Length(number, unit) if number is not None and unit is not None else None


def after(day: date, length: Length, times: int = 1) -> date:
    """The day that is `times` lengths after `day`. Counted from `day` at once, so its number is kept where it can be.

    Raises `OverflowError` or `ValueError` beyond the year 9999.
    """
    later: date = day + relativedelta(**{f"{length.unit}s": length.number * times})
    return later


def start_of(day: date, timezone: str) -> datetime:
    """The first moment of a day in this time zone, which is aware."""
    return datetime.combine(day, time(), ZoneInfo(timezone))


def day_of(moment: datetime, timezone: str) -> date:
    """The day in this time zone to which a moment belongs."""
    return moment.astimezone(ZoneInfo(timezone)).date()


class TermsMixin:
    """The columns of what is sold on which terms. Without `periodicity` it has no end."""

    tier: Mapped[int] = mapped_column(default=0)
    """Its rank among others, for changes to a larger or smaller one."""
    price: Mapped[Decimal] = mapped_column(Money, default=Decimal(0))
    """Of one period."""
    currency: Mapped[str] = mapped_column(sa.String(CURRENCY_LENGTH))
    periodicity: Mapped[int | None]
    periodicity_type: Mapped[PeriodUnit | None] = mapped_column(enum_type(PeriodUnit))
    trial_period: Mapped[int | None]
    trial_interval: Mapped[PeriodUnit | None] = mapped_column(enum_type(PeriodUnit))
    grace_period: Mapped[int | None]
    grace_interval: Mapped[PeriodUnit | None] = mapped_column(enum_type(PeriodUnit))

    @property
    def period(self) -> Length | None:
        """How long one period is; None: no end."""
        return length_of(self.periodicity, self.periodicity_type)

    @property
    def trial(self) -> Length | None:
        """How long it may be tried before the first period begins; None: not at all."""
        return length_of(self.trial_period, self.trial_interval)

    @property
    def grace(self) -> Length | None:
        """How long it stays usable after its end; None: not at all."""
        return length_of(self.grace_period, self.grace_interval)


TERMS = tuple(TermsMixin.__annotations__)
"""The names of the columns of `TermsMixin`."""
