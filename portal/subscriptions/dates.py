"""The dates of a subscription: when trial, period and grace end, and when the next period would.

Dates count, and no times of day: each is the first moment of a day in the customer's time zone. Periods are counted
from the day on which the first one began, its anchor, so that one that began on 31 January ends on 28 February and the
next one on 31 March.
"""

from datetime import date, datetime, timedelta

from portal.customers.models import Customer
from portal.errors import Invalid, Message
from portal.moments import YEARS
from portal.subscriptions.models import Subscription
from portal.subscriptions.terms import Length, PeriodUnit, after, day_of, start_of

UTC_ZONE = "UTC"
MONTHS = 12


def zone_of(customer: Customer) -> str:
    """The time zone in which the days of the customer's subscriptions begin and end."""
    return customer.timezone or UTC_ZONE


def first_dates(subscription: Subscription, begins: date, zone: str) -> None:
    """Set all dates of a subscription that begins on this day: trial, first period and grace, by its terms.

    Raises `Invalid` on the length that leads too far.
    """
    subscription.starts_at = start_of(begins, zone)
    subscription.trial_ends_at = None
    if subscription.trial is not None:
        begins = later_day(begins, subscription.trial, field="trial_period")
        subscription.trial_ends_at = start_of(begins, zone)
    if subscription.period is not None:
        set_end(subscription, later_day(begins, subscription.period, field="periodicity"), zone)


def set_end(subscription: Subscription, ends: date | None, zone: str) -> None:
    """Let the period end with the beginning of this day (None: never), and with it grace and a planned cancellation.

    Staff are warned of the new end anew.
    """
    planned = subscription.cancels_at is not None and subscription.cancels_at == usable_until(subscription)
    grace = subscription.grace
    subscription.ends_at = start_of(ends, zone) if ends is not None else None
    subscription.grace_until = (
        start_of(later_day(ends, grace, field="grace_period"), zone) if ends is not None and grace is not None else None
    )
    subscription.warned_days = None
    if planned:
        subscription.cancels_at = usable_until(subscription)


def usable_until(subscription: Subscription) -> datetime | None:
    """When period and grace are over; None: never."""
    return max(filter(None, (subscription.ends_at, subscription.grace_until)), default=None)


def has_ended(subscription: Subscription, at: datetime) -> bool:
    """Whether period and grace are over at `at`, or a cancellation has taken effect."""
    canceled = subscription.canceled_at is not None
    ends = (usable_until(subscription), subscription.cancels_at if canceled else None)
    return any(end is not None and end <= at for end in ends)


def anchor_of(subscription: Subscription, zone: str) -> date:
    """The day from which its periods are counted: that on which the trial ended, or else on which it started."""
    return max(day_of(at, zone) for at in (subscription.starts_at, subscription.trial_ends_at) if at is not None)


def renewed_end(anchor: date, end: date, period: Length, cycles: int) -> date:
    """The end that is `cycles` periods after `end`.

    It is counted from the anchor; from `end` itself only if somebody set that to a day on which no period ends.
    """
    passed = periods_between(anchor, end, period)
    start, times = (end, cycles) if passed is None else (anchor, passed + cycles)
    return later_day(start, period, times, field="cycles")


def periods_between(anchor: date, end: date, period: Length) -> int | None:
    """How many periods after the anchor this day is; None if that is no whole number of them."""
    days, months = (end - anchor).days, (end.year - anchor.year) * MONTHS + end.month - anchor.month
    passed = {
        PeriodUnit.DAY: days,
        PeriodUnit.WEEK: days // 7,
        PeriodUnit.MONTH: months,
        PeriodUnit.YEAR: months // MONTHS,
    }[period.unit] // period.number
    return passed if passed >= 0 and after(anchor, period, passed) == end else None


def later_day(day: date, length: Length, times: int = 1, *, field: str) -> date:
    """The day that is `times` lengths after `day`. Raises `Invalid` on `field` if that is in too far a future."""
    try:
        later = after(day, length, times)
    except (OverflowError, ValueError):
        later = None
    if later is None or later.year not in YEARS:
        raise Invalid(**{field: Message("This leads beyond the year %(year)d: use less.", year=YEARS[-1])})
    return later


def starting_day(written: date | datetime, zone: str) -> date:
    """The day that is meant by a date, or by a moment, for when something starts. Raises `Invalid` on `starts_at`."""
    _require_year(written, field="starts_at")
    return day_of(written, zone) if isinstance(written, datetime) else written


def day_after(written: date | datetime, zone: str) -> date:
    """The day with whose beginning something ends: a date and a moment within a day mean "through that day".

    The first moment of a day is what is read of an end, so it means itself. Raises `Invalid` on `ends_at`.
    """
    _require_year(written, field="ends_at")
    if not isinstance(written, datetime):
        return written + timedelta(days=1)
    day = day_of(written, zone)
    return day if start_of(day, zone) == written else day + timedelta(days=1)


def _require_year(written: date, *, field: str) -> None:
    """Raise `Invalid` for a year whose days do not begin and end in every time zone."""
    if written.year not in YEARS[:-1]:
        words = Message("Use a year from %(first)d to %(last)d.", first=YEARS[0], last=YEARS[-2])
        raise Invalid(**{field: words})
