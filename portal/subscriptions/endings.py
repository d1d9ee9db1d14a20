"""What becomes of subscriptions whose end comes near or has come: staff are warned, then the status says it.

Whether one may be used never depends on this having run; see `models.is_active`.
"""

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import lazyload

from portal.audit.operations import record_event
from portal.clock import now
from portal.column_types import UTCDateTime
from portal.db import session
from portal.subscriptions.models import Subscription, SubscriptionStatus

WARNINGS = (14, 7, 1)
"""How many days before the end there is a warning."""
AT_ONCE = 500  # rows in one pass
_GOING_ON = (SubscriptionStatus.ACTIVE, SubscriptionStatus.CANCELED)


def expected_end() -> sa.ColumnElement[datetime | None]:
    """When a `Subscription` ends unless somebody renews it; null: never. Grace does not count: it is for the late."""
    canceled = Subscription.status == sa.literal_column(f"'{SubscriptionStatus.CANCELED}'")
    return sa.case((canceled, Subscription.cancels_at), else_=Subscription.ends_at)


def end_or_never() -> sa.ColumnElement[datetime]:
    """`expected_end` to sort by: those that never end come after all others.

    PostgreSQL has an index over exactly this expression, so its constants stand in the statement.
    """
    never = sa.literal_column("'9999-12-31 00:00:00.000000'", UTCDateTime())
    return sa.func.coalesce(expected_end(), never, type_=UTCDateTime())


def ends_within(days: int, at: datetime) -> sa.ColumnElement[bool]:
    """The condition that a `Subscription` is used now and ends within so many days after `at`."""
    end = end_or_never()
    return sa.and_(Subscription.status.in_(_GOING_ON), end > at, end <= at + timedelta(days=days))


def ended_within(days: int, at: datetime) -> sa.ColumnElement[bool]:
    """The condition that a `Subscription` ended within so many days before `at`, in grace or not, with nobody's doing.

    It was neither canceled nor renewed, so its customer may not have noticed.
    """
    running_out = (SubscriptionStatus.ACTIVE, SubscriptionStatus.INACTIVE)
    end = end_or_never()
    return sa.and_(
        Subscription.status.in_(running_out),
        Subscription.canceled_at.is_(None),
        end > at - timedelta(days=days),
        end <= at,
    )


def over(at: datetime) -> sa.ColumnElement[bool]:
    """The condition that period and grace of a `Subscription` are over at `at`."""
    return sa.and_(
        sa.or_(Subscription.ends_at.is_not(None), Subscription.grace_until.is_not(None)),
        sa.or_(Subscription.ends_at.is_(None), Subscription.ends_at <= at),
        sa.or_(Subscription.grace_until.is_(None), Subscription.grace_until <= at),
    )


def usable(at: datetime) -> sa.ColumnElement[bool]:
    """The condition that a `Subscription` may be used at `at`. It agrees with `models.is_active`."""
    return sa.and_(
        sa.or_(
            Subscription.status == SubscriptionStatus.ACTIVE,
            sa.and_(
                Subscription.status == SubscriptionStatus.CANCELED,
                Subscription.cancels_at.is_not(None),
                Subscription.cancels_at > at,
            ),
        ),
        Subscription.starts_at <= at,
        sa.not_(over(at)),
    )


def mark_ended() -> None:
    """Housekeeping: let those that have ended be `inactive`. One that staff suspended stays so."""
    at = now()
    for subscription in _locked(Subscription.status.in_(_GOING_ON), Subscription.starts_at <= at, sa.not_(usable(at))):
        status, subscription.status = subscription.status, SubscriptionStatus.INACTIVE
        changes = {"status": [status.value, subscription.status.value]}
        record_event("subscription.ended", subscription, by=None, changes=changes)


def warn_of_endings() -> None:
    """Housekeeping: note in the audit 14, 7 and 1 days before the end that it comes, each time once for this end."""
    at = now()
    not_warned = sa.or_(*(sa.and_(ends_within(days, at), _warned_earlier_than(days)) for days in WARNINGS))
    for subscription in _locked(not_warned):
        end = end_of(subscription)
        assert end is not None
        subscription.warned_days = min(days for days in WARNINGS if end - at <= timedelta(days=days))
        record_event("subscription.ending", subscription, by=None, days=subscription.warned_days)


def _warned_earlier_than(days: int) -> sa.ColumnElement[bool]:
    return sa.or_(Subscription.warned_days.is_(None), Subscription.warned_days > days)


def end_of(subscription: Subscription) -> datetime | None:
    """When it ends unless somebody renews it; None: never. It agrees with `expected_end`."""
    canceled = subscription.status is SubscriptionStatus.CANCELED
    return subscription.cancels_at if canceled else subscription.ends_at


def _locked(*conditions: sa.ColumnElement[bool]) -> list[Subscription]:
    """Those of these subscriptions that nobody changes at this moment, under their locks."""
    query = (
        sa.select(Subscription)
        .where(*conditions)
        .order_by(Subscription.uuid)
        .limit(AT_ONCE)
        .options(lazyload(Subscription.features), lazyload(Subscription.provider))
        .with_for_update(of=Subscription, skip_locked=True, key_share=True)
        .execution_options(populate_existing=True)
    )
    return list(session.scalars(query))
