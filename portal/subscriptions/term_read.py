"""The term of a subscription as plain values: what decides whether it may be used."""

from dataclasses import dataclass
from datetime import datetime

from portal.plain_values import columns_for
from portal.subscriptions.models import Subscription, SubscriptionStatus


@dataclass(frozen=True, slots=True)
class TermRead:
    """The status and the dates of a subscription, for `is_active`."""

    status: SubscriptionStatus
    starts_at: datetime
    ends_at: datetime | None
    grace_until: datetime | None
    cancels_at: datetime | None


TERM = columns_for(TermRead, Subscription)
"""The columns of a `TermRead`."""
