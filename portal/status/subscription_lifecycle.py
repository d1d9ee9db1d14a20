"""Deleting a subscription with its accounts and their rooms.

It belongs to this package because subscriptions do not know who is in the rooms.
"""

from portal.accounts.models import Account
from portal.audit.operations import record_event
from portal.db import lock, session
from portal.errors import Conflict, Message
from portal.people.actor import Actor
from portal.rooms.models import Room
from portal.status.customer_lifecycle import delete_accounts, delete_rooms, reason_to_keep_rooms
from portal.subscriptions.models import Subscription, SubscriptionStatus


def delete_subscription(subscription: Subscription, *, by: Actor | None = None) -> None:
    """Delete the subscription with its accounts, and their rooms with links, codes and history.

    Raises `Conflict` unless it is inactive, or while one of the rooms is live or a service has still to be told that a
    run has ended; and `NotFound`.
    """
    lock(subscription.customer)
    lock(subscription, relations=False)
    kept = reason_to_keep(subscription)
    if kept is not None:
        raise Conflict(kept)
    delete_rooms(Room.subscription_uuid == subscription.uuid, by=by)
    delete_accounts(Account.subscription_uuid == subscription.uuid, by=by)
    record_event("subscription.deleted", subscription, by=by, name=subscription.name)
    session.delete(subscription)
    session.flush()


def reason_to_keep(subscription: Subscription) -> Message | None:
    """Why it cannot be deleted, and what to do first; None if it can be."""
    match subscription.status:
        case SubscriptionStatus.INACTIVE:
            return reason_to_keep_rooms(Room.subscription_uuid == subscription.uuid)
        case SubscriptionStatus.TERMINATED:
            return Message(
                "This subscription is terminated, and only an inactive one can be deleted. It goes with its customer."
            )
        case SubscriptionStatus.SUSPENDED:
            return Message("Only an inactive subscription can be deleted. Resume it, then cancel it.")
        case SubscriptionStatus.CANCELED:
            return Message(
                "Only an inactive subscription can be deleted. This one is canceled: wait until it has ended."
            )
    return Message("Only an inactive subscription can be deleted. Cancel it: it is inactive once it has ended.")
