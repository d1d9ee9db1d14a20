"""Changing an account's status, moving it to another subscription, and deleting it with its rooms.

It belongs to this package because accounts do not know who is in their rooms.
"""

from dataclasses import dataclass

import sqlalchemy as sa

from portal.accounts.models import Account, AccountMember, AccountStatus
from portal.accounts.operations import MAX_ACCOUNTS, lock_account, reason_for_no_account, require_account_left
from portal.accounts.room_account import MAX_ROOMS
from portal.audit.operations import record_event
from portal.customers.creating import why_not_usable
from portal.db import lock, session
from portal.errors import Conflict, Invalid, Message
from portal.people.actor import Actor
from portal.rooms.models import Room
from portal.status.customer_lifecycle import delete_rooms, reason_to_keep_rooms
from portal.status.models import Participation, RoomSession
from portal.subscriptions.feature_catalog import FEATURES, Feature, Value
from portal.subscriptions.models import Subscription, SubscriptionFeature


@dataclass(frozen=True)
class FeatureChange:
    """A feature that an account's rooms have otherwise after a move. None is an unlimited number."""

    feature: Feature
    before: Value
    after: Value
    granted_before: bool
    granted_after: bool
    """Whether the subscription has the feature at all."""


@dataclass(frozen=True)
class Move:
    """What moving an account to another subscription does."""

    rooms: int
    """Its rooms that are not in the trash. From the move on they count against the other subscription's limit."""
    people: int
    """People who are inside those rooms. They count against its limit of participants."""
    changes: tuple[FeatureChange, ...]
    refusal: Message | None
    """Why it is refused now: the other subscription has too few rooms or accounts left."""


@dataclass(frozen=True)
class AccountContents:
    """What there is in an account now."""

    rooms: int
    """Without those in the trash."""
    trashed: int
    live: int
    """Rooms that somebody is using."""
    people: int
    """People who are inside them."""
    members: int
    """People who are members of the account, without its owner."""


def contents_of(account: Account) -> AccountContents:
    """What there is in the account, by one statement."""
    theirs = Room.account_uuid == account.uuid
    counts = (
        sa.select(sa.func.count(Room.uuid)).where(theirs, Room.trashed_at.is_(None)),
        sa.select(sa.func.count(Room.uuid)).where(theirs, Room.trashed_at.is_not(None)),
        sa.select(sa.func.count(RoomSession.uuid)).where(
            RoomSession.room_uuid == Room.uuid, theirs, RoomSession.ended_at.is_(None)
        ),
        sa.select(sa.func.count(Participation.uuid)).where(
            Participation.room_uuid == Room.uuid, theirs, Participation.left_at.is_(None)
        ),
        sa.select(sa.func.count(AccountMember.uuid)).where(AccountMember.account_uuid == account.uuid),
    )
    return AccountContents(*session.execute(sa.select(*(one.scalar_subquery() for one in counts))).one())


def change_account_status(account: Account, status: AccountStatus, *, by: Actor | None = None) -> None:
    """Set the status. Nobody enters the rooms of an inactive account; who is inside may stay, as when a plan ends.

    Raises `Conflict` if it becomes active although its customer is inactive or terminated, or `NotFound`.
    """
    lock_account(account)
    before = account.status
    if status is before:
        return
    reason = reason_to_stay_inactive(account) if status is AccountStatus.ACTIVE else None
    if reason is not None:
        raise Conflict(reason)
    account.status = status
    session.flush()
    record_event("account.status_changed", account, by=by, status_before=before.value, status_after=status.value)


def reason_to_stay_inactive(account: Account) -> Message | None:
    """Why an inactive account cannot become active now; None if it can."""
    return why_not_usable(account.customer)


def delete_account(account: Account, *, by: Actor | None = None) -> None:
    """Delete the account and its rooms, with links, codes and history.

    Raises `Conflict` unless it is inactive, or while one of its rooms is live or a service has still to be told that a
    run has ended; and `NotFound`.
    """
    lock_account(account)
    reason = reason_to_keep_account(account)
    if reason is not None:
        raise Conflict(reason)
    delete_rooms(Room.account_uuid == account.uuid, by=by)
    record_event("account.deleted", account, by=by, name=account.account_name)
    session.delete(account)
    session.flush()


def reason_to_keep_account(account: Account) -> Message | None:
    """Why it cannot be deleted now; None if it can."""
    if account.status is not AccountStatus.INACTIVE:
        return Message("“%(name)s” is active. Set its status to inactive first.", name=account.account_name)
    return reason_to_keep_rooms(Room.account_uuid == account.uuid)


def what_if_moved(account: Account, to: Subscription) -> Move:
    """What `move_account` does if it is called now. Raises `Invalid` on `subscription_id` if it cannot be."""
    _require_movable(account, to)
    before, after = account.subscription.values, to.values
    changes = tuple(
        FeatureChange(feature, before.get(code), after.get(code), code in before, code in after)
        for code, feature in FEATURES.items()
        if code != MAX_ACCOUNTS and (code in before, before.get(code)) != (code in after, after.get(code))
    )
    here = contents_of(account)
    refusal = _reason_for_no_rooms(here.rooms, to) or reason_for_no_account(to, most=to.values.get(MAX_ACCOUNTS))
    return Move(here.rooms, here.people, changes, refusal)


def move_account(account: Account, to: Subscription, *, by: Actor | None = None) -> None:
    """Let the account, its rooms and the people in them count for another subscription of its customer from now on.

    A run goes on where it is. Raises `Invalid` on `subscription_id` for one of another customer or type, `Conflict` if
    that has too few accounts or rooms left, or `NotFound`.
    """
    lock_account(account)
    if account.subscription_uuid == to.uuid:
        return
    _require_movable(account, to)
    for subscription in sorted((account.subscription, to), key=lambda one: one.uuid):
        lock(subscription)
    require_account_left(to)
    limit = sa.select(SubscriptionFeature).where(
        SubscriptionFeature.subscription_uuid == to.uuid, SubscriptionFeature.code == MAX_ROOMS
    )
    session.scalars(limit.with_for_update(key_share=True)).one_or_none()  # whoever makes a room waits
    move = what_if_moved(account, to)
    if move.refusal is not None:
        raise Conflict(move.refusal)
    before = account.subscription
    account.subscription = to
    session.flush()
    theirs = sa.select(Room.uuid).where(Room.account_uuid == account.uuid)
    session.execute(
        sa.update(Participation).where(Participation.room_uuid.in_(theirs)).values(subscription_uuid=to.uuid),
        execution_options={"synchronize_session": False},
    )
    session.execute(
        sa.update(Room).where(Room.account_uuid == account.uuid).values(subscription_uuid=to.uuid),
        execution_options={"synchronize_session": False},
    )
    session.expire_all()
    record_event("account.moved", account, by=by, subscription_before=before.id, subscription_after=to.id)


def _require_movable(account: Account, to: Subscription) -> None:
    if to.customer_uuid != account.customer_uuid:
        raise Invalid(subscription_id=Message("Choose a subscription of the same customer."))
    if to.service_type is not account.subscription.service_type:
        raise Invalid(
            subscription_id=Message(
                "Rooms of this account are of type %(type)s: choose a subscription of that type.",
                type=account.subscription.service_type.value,
            )
        )


def _reason_for_no_rooms(rooms: int, to: Subscription) -> Message | None:
    """Why the subscription has no place for so many rooms more; None if it has, or if there are none."""
    most = to.values.get(MAX_ROOMS, 0)
    if most is None or rooms == 0:
        return None
    theirs = Room.subscription_uuid == to.uuid, Room.trashed_at.is_(None)
    there = session.scalar(sa.select(sa.func.count(Room.uuid)).where(*theirs)) or 0
    if rooms + there <= most:
        return None
    return Message.plural(
        "The room of this account does not fit into “%(name)s”. In use there: %(there)d of %(most)d.",
        "The %(n)d rooms of this account do not fit into “%(name)s”. In use there: %(there)d of %(most)d.",
        name=to.name,
        most=most,
        there=there,
        n=rooms,
    )
