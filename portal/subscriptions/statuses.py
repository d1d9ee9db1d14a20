"""Suspending, resuming and terminating subscriptions."""

from portal.audit.changes import changes_since, values_of
from portal.audit.operations import record_event
from portal.clock import now
from portal.db import lock, session
from portal.errors import Conflict, Message
from portal.people.actor import Actor
from portal.subscriptions.dates import has_ended
from portal.subscriptions.models import Subscription, SubscriptionStatus


def suspend(subscription: Subscription, *, by: Actor | None = None) -> None:
    """Let nobody use it until it is resumed. Its period goes on. Raises `Conflict` unless it is active or canceled."""
    lock(subscription, relations=False)
    if subscription.status not in {SubscriptionStatus.ACTIVE, SubscriptionStatus.CANCELED}:
        raise Conflict(Message("Only an active subscription can be suspended."))
    _set_status(subscription, SubscriptionStatus.SUSPENDED, "subscription.suspended", by)


def resume(subscription: Subscription, *, by: Actor | None = None) -> None:
    """End a suspension. Raises `Conflict` for one that is not suspended, or has ended meanwhile."""
    lock(subscription, relations=False)
    if subscription.status is not SubscriptionStatus.SUSPENDED:
        raise Conflict(Message("This subscription is not suspended."))
    if has_ended(subscription, now()):
        raise Conflict(Message("This subscription has ended while it was suspended. Renew it, then resume it."))
    canceled = subscription.canceled_at is not None
    status = SubscriptionStatus.CANCELED if canceled else SubscriptionStatus.ACTIVE
    _set_status(subscription, status, "subscription.resumed", by)


def terminate(subscription: Subscription, *, by: Actor | None = None) -> None:
    """End it for good: it cannot be renewed. Nothing happens to one that is terminated already."""
    lock(subscription, relations=False)
    if subscription.status is not SubscriptionStatus.TERMINATED:
        _set_status(subscription, SubscriptionStatus.TERMINATED, "subscription.terminated", by)


def _set_status(subscription: Subscription, status: SubscriptionStatus, action: str, by: Actor | None) -> None:
    before = values_of(subscription, ["status"])
    subscription.status = status
    session.flush()
    record_event(action, subscription, by=by, changes=changes_since(before, subscription))
