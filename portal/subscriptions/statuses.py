"""Suspending, resuming, ending and terminating subscriptions, or doing what leads to a status that is asked for."""

from portal.audit.changes import changes_since, values_of
from portal.audit.operations import record_event
from portal.clock import now
from portal.customers.creating import require_usable_customer
from portal.db import lock, session
from portal.errors import Conflict, Message
from portal.people.actor import Actor
from portal.subscriptions.cancellation import cancel, uncancel
from portal.subscriptions.dates import has_ended
from portal.subscriptions.models import Subscription, SubscriptionStatus

_GOING_ON = (SubscriptionStatus.ACTIVE, SubscriptionStatus.CANCELED)


def suspend(subscription: Subscription, *, by: Actor | None = None) -> None:
    """Let nobody use it until it is resumed. Its period goes on. Raises `Conflict` unless it is active or canceled."""
    lock(subscription, relations=False)
    if subscription.status not in _GOING_ON:
        raise Conflict(Message("Only an active subscription can be suspended."))
    _set_status(subscription, SubscriptionStatus.SUSPENDED, "subscription.suspended", by)


def resume(subscription: Subscription, *, by: Actor | None = None) -> None:
    """End a suspension. Raises `Conflict` for one that is not suspended, has ended, or whose customer is not usable."""
    lock(subscription, relations=False)
    if subscription.status is not SubscriptionStatus.SUSPENDED:
        raise Conflict(Message("This subscription is not suspended."))
    require_usable_customer(subscription.customer)
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


def end(subscription: Subscription, *, by: Actor | None = None) -> None:
    """End it at once, before its period is over. It can be renewed, or deleted. Raises `Conflict` as `suspend` does."""
    lock(subscription, relations=False)
    if subscription.status not in _GOING_ON:
        raise Conflict(Message("Only an active subscription can be ended."))
    _set_status(subscription, SubscriptionStatus.INACTIVE, "subscription.ended", by)


def change_status(subscription: Subscription, status: SubscriptionStatus, *, by: Actor | None = None) -> None:
    """Do what gives it this status; nothing if it has it. Raises `Conflict` where that operation does.

    `active` resumes or uncancels it, but renews nothing that has ended; `canceled` cancels it for its end.
    """
    lock(subscription, relations=False)
    if status is subscription.status:
        return
    match status:
        case SubscriptionStatus.ACTIVE:
            _activate(subscription, by)
        case SubscriptionStatus.CANCELED:
            if not cancel(subscription, by=by):
                raise Conflict(Message("Only what is active can be canceled."))
        case SubscriptionStatus.SUSPENDED:
            suspend(subscription, by=by)
        case SubscriptionStatus.INACTIVE:
            end(subscription, by=by)
        case SubscriptionStatus.TERMINATED:
            terminate(subscription, by=by)


def _activate(subscription: Subscription, by: Actor | None) -> None:
    if subscription.status is SubscriptionStatus.TERMINATED:
        raise Conflict(Message("This subscription is terminated. Sell the package anew."))
    if subscription.status is SubscriptionStatus.INACTIVE:
        raise Conflict(Message("This subscription has ended. Renew it instead."))
    if subscription.status is SubscriptionStatus.SUSPENDED:
        resume(subscription, by=by)
    if subscription.canceled_at is not None:
        uncancel(subscription, by=by)


def _set_status(subscription: Subscription, status: SubscriptionStatus, action: str, by: Actor | None) -> None:
    before = values_of(subscription, ["status"])
    subscription.status = status
    session.flush()
    record_event(action, subscription, by=by, changes=changes_since(before, subscription))
