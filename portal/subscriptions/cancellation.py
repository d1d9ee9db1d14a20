"""Canceling subscriptions, at the end of the period or now, and taking that back."""

from portal.audit.changes import changes_since, values_of
from portal.audit.operations import record_event
from portal.clock import now
from portal.customers.creating import require_usable_customer
from portal.db import lock, session
from portal.errors import Conflict, Message
from portal.people.actor import Actor
from portal.subscriptions.dates import has_ended, usable_until
from portal.subscriptions.models import Subscription, SubscriptionStatus

AUDITED = ("status", "canceled_at", "cancels_at")


def cancel(subscription: Subscription, *, at_once: bool = False, by: Actor | None = None) -> bool:
    """Cancel it: usable until its period and grace are over, or `at_once` no longer. Returns whether it was done.

    Ignored when it is not active, except that one canceled for later can be ended at once. Raises `Conflict` if it has
    no end that could be waited for.
    """
    lock(subscription, relations=False)
    at = now()
    again = subscription.status is SubscriptionStatus.CANCELED and at_once
    if not subscription.is_active(at) or not (again or subscription.status is SubscriptionStatus.ACTIVE):
        return False
    before, end = values_of(subscription, AUDITED), usable_until(subscription)
    if end is None and not at_once:
        raise Conflict(Message("This subscription has no end that could be waited for. Cancel it now."))
    subscription.status = SubscriptionStatus.CANCELED
    subscription.canceled_at = subscription.canceled_at or at
    subscription.cancels_at = at if at_once else end
    subscription.warned_days = None
    session.flush()
    record_event("subscription.canceled", subscription, by=by, changes=changes_since(before, subscription))
    return True


def uncancel(subscription: Subscription, *, by: Actor | None = None) -> None:
    """Take a cancellation back that has not taken effect.

    Raises `Conflict` for what is not canceled, has ended, or whose customer is not usable.
    """
    lock(subscription, relations=False)
    if subscription.canceled_at is None:
        raise Conflict(Message("This subscription is not canceled."))
    if subscription.status is SubscriptionStatus.TERMINATED or has_ended(subscription, now()):
        raise Conflict(Message("This subscription has ended. Renew it instead."))
    require_usable_customer(subscription.customer)
    before = values_of(subscription, AUDITED)
    subscription.canceled_at = subscription.cancels_at = subscription.warned_days = None
    if subscription.status is SubscriptionStatus.CANCELED:
        subscription.status = SubscriptionStatus.ACTIVE
    session.flush()
    record_event("subscription.uncanceled", subscription, by=by, changes=changes_since(before, subscription))
