"""When a subscription may be used, as a table: status, period, grace and the end that a cancellation set."""

from datetime import UTC, datetime, timedelta

import pytest

from portal.subscriptions.models import Subscription, SubscriptionStatus

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
PAST, LONG_AGO, SOON, LATER = (NOW + timedelta(hours=hours) for hours in (-1, -48, 1, 48))
NEVER = None
ACTIVE, CANCELED = SubscriptionStatus.ACTIVE, SubscriptionStatus.CANCELED

TABLE = [
    # which subscription                           status     starts    ends   grace  cancels  usable
    ("one without an end",                         ACTIVE,    LONG_AGO, NEVER, NEVER, NEVER,   True),
    ("one that starts now",                        ACTIVE,    NOW,      NEVER, NEVER, NEVER,   True),
    ("one that starts later",                      ACTIVE,    SOON,     LATER, NEVER, NEVER,   False),
    ("one in its period",                          ACTIVE,    LONG_AGO, SOON,  NEVER, NEVER,   True),
    ("one whose period ends now",                  ACTIVE,    LONG_AGO, NOW,   NEVER, NEVER,   False),
    ("one whose period is over",                   ACTIVE,    LONG_AGO, PAST,  NEVER, NEVER,   False),
    ("one in its grace",                           ACTIVE,    LONG_AGO, PAST,  SOON,  NEVER,   True),
    ("one whose grace ends now",                   ACTIVE,    LONG_AGO, PAST,  NOW,   NEVER,   False),
    ("one in its period, of an older grace",       ACTIVE,    LONG_AGO, SOON,  PAST,  NEVER,   True),
    ("canceled at the end of its period",          CANCELED,  LONG_AGO, SOON,  NEVER, SOON,    True),
    ("canceled, and that end has come",            CANCELED,  LONG_AGO, LATER, NEVER, NOW,     False),
    ("canceled at once",                           CANCELED,  LONG_AGO, LATER, NEVER, PAST,    False),
    ("canceled without saying when",               CANCELED,  LONG_AGO, LATER, NEVER, NEVER,   False),
    ("canceled for later, its period over",        CANCELED,  LONG_AGO, PAST,  NEVER, LATER,   False),
    ("canceled for later, in its grace",           CANCELED,  LONG_AGO, PAST,  SOON,  LATER,   True),
    ("canceled for later, its grace over",         CANCELED,  LONG_AGO, LONG_AGO, PAST, LATER, False),
    ("canceled for later, without an end",         CANCELED,  LONG_AGO, NEVER, NEVER, LATER,   True),
    ("canceled before it starts",                  CANCELED,  SOON,     LATER, NEVER, LATER,   False),
    *(
        (f"one that is {status}",                  status,    LONG_AGO, LATER, LATER, LATER,   False)
        for status in SubscriptionStatus if status not in {ACTIVE, CANCELED}
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("which", "status", "starts", "ends", "grace", "cancels", "usable"), TABLE, ids=[row[0] for row in TABLE]
)
def test_it_may_be_used(
    which: str,
    status: SubscriptionStatus,
    starts: datetime,
    ends: datetime | None,
    grace: datetime | None,
    cancels: datetime | None,
    usable: bool,
) -> None:
    plan = Subscription(status=status, starts_at=starts, ends_at=ends, grace_until=grace, cancels_at=cancels)
    assert plan.is_active(NOW) is usable, which
