"""Renewing subscriptions: a running period grows, one that has ended begins again today."""

from datetime import date, datetime
from typing import NamedTuple

from portal.audit.changes import changes_since, values_of
from portal.audit.operations import record_event
from portal.clock import now
from portal.customers.creating import require_usable_customer
from portal.db import lock, session
from portal.errors import Conflict, Invalid, Message
from portal.people.actor import Actor
from portal.subscriptions.dates import anchor_of, has_ended, later_day, renewed_end, set_end, zone_of
from portal.subscriptions.models import Subscription, SubscriptionStatus
from portal.subscriptions.terms import day_of, start_of

MOST_CYCLES = 120
AUDITED = ("status", "starts_at", "ends_at", "canceled_at", "cancels_at")


class Renewal(NamedTuple):
    """The days of a renewed subscription in its customer's time zone."""

    starts: date
    ends: date | None
    """With the beginning of which day it ends; None: never."""


def renew(subscription: Subscription, *, cycles: int = 1, uncancel: bool = False, by: Actor | None = None) -> None:
    """Add so many periods to the subscription, and make it active again if it had ended.

    One that staff suspended stays suspended. Raises `Invalid` on `cycles`, or `Conflict` as `renewal_of` does, and for
    a canceled one that is not to be uncanceled.
    """
    lock(subscription, relations=False)
    if subscription.canceled_at is not None and not uncancel:
        raise Conflict(Message("This subscription is canceled. Renewing it has to take that back (uncancel)."))
    renewed = renewal_of(subscription, cycles=cycles, at=now())
    before, zone = values_of(subscription, AUDITED), zone_of(subscription.customer)
    subscription.canceled_at = subscription.cancels_at = None
    subscription.starts_at = start_of(renewed.starts, zone)
    set_end(subscription, renewed.ends, zone)
    if subscription.status is not SubscriptionStatus.SUSPENDED:
        subscription.status = SubscriptionStatus.ACTIVE
    session.flush()
    changes = changes_since(before, subscription)
    record_event("subscription.renewed", subscription, by=by, cycles=cycles, changes=changes)


def renewal_of(subscription: Subscription, *, cycles: int, at: datetime) -> Renewal:
    """What renewing it at `at` makes of its days.

    In its period or grace the end moves on, counted from the day on which the first period began; after that a new
    period begins on the day of `at`. Raises `Invalid` on `cycles`, or `Conflict` if it is terminated, its customer
    is not usable, or there is nothing that could be renewed.
    """
    if isinstance(cycles, bool) or not 1 <= cycles <= MOST_CYCLES:
        raise Invalid(cycles=Message("Use a whole number from 1 to %(most)d.", most=MOST_CYCLES))
    if subscription.status is SubscriptionStatus.TERMINATED:
        raise Conflict(Message("This subscription is terminated. Sell the package anew."))
    require_usable_customer(subscription.customer)
    zone, ended, period = zone_of(subscription.customer), has_ended(subscription, at), subscription.period
    starts = day_of(at, zone) if ended else day_of(subscription.starts_at, zone)
    if subscription.ends_at is None and (period is None or not ended):
        if subscription.status is SubscriptionStatus.ACTIVE and subscription.canceled_at is None:
            raise Conflict(Message("This subscription has no end, so there is nothing to renew."))
        return Renewal(starts, None)
    if period is None:
        raise Conflict(Message("This subscription has no period to add. Say how long one is, or change its end."))
    if ended or subscription.ends_at is None:
        return Renewal(starts, later_day(starts, period, cycles, field="cycles"))
    end = day_of(subscription.ends_at, zone)
    return Renewal(starts, renewed_end(anchor_of(subscription, zone), end, period, cycles))
