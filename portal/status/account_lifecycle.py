"""Changing an account's status, moving it to another subscription, and deleting it with its rooms.

It belongs to this package because accounts do not know who is in their rooms.
"""

from dataclasses import dataclass

import sqlalchemy as sa

from portal.accounts.models import Account, AccountStatus
from portal.accounts.operations import MAX_ACCOUNTS, require_account_left
from portal.accounts.room_account import MAX_ROOMS
from portal.audit.operations import record_event
from portal.db import lock, session
from portal.errors import Conflict, Invalid, Message
from portal.people.actor import Actor
from portal.rooms.models import Room
from portal.status.customer_lifecycle import delete_rooms
from portal.status.models import Participation
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
    """Its rooms, without those in the trash, which count against the limit of the other subscription from then on."""
    most_rooms: int | None
    """The limit of the other subscription; None: unlimited."""
    rooms_there: int
    """The rooms that the other subscription has already."""
    changes: tuple[FeatureChange, ...]

    @property
    def fits(self) -> bool:
        """Whether the other subscription has room for all of them."""
        return self.most_rooms is None or self.rooms + self.rooms_there <= self.most_rooms


def change_account_status(account: Account, status: AccountStatus, *, by: Actor | None = None) -> None:
    """Set the status. Nobody enters the rooms of an inactive account; who is inside may stay, as when a plan ends.

    Raises `Conflict` if it becomes active although its customer is terminated, or `NotFound`.
    """
    lock(account)
    before = account.status
    if status is before:
        return
    if status is AccountStatus.ACTIVE and not account.customer.usable:
        raise Conflict(
            Message(
                "“%(name)s” is %(status)s: make the customer active first.",
                name=account.customer.display_name,
                status=account.customer.status.value,
            )
        )
    account.status = status
    session.flush()
    record_event("account.status_changed", account, by=by, status_before=before.value, status_after=status.value)


def delete_account(account: Account, *, by: Actor | None = None) -> None:
    """Delete the account and its rooms, with links, codes and history.

    Raises `Conflict` unless it is inactive, or while one of its rooms is live; and `NotFound`.
    """
    lock(account)
    if account.status is not AccountStatus.INACTIVE:
        raise Conflict(Message("“%(name)s” is active. Set its status to inactive first.", name=account.account_name))
    delete_rooms(Room.account_uuid == account.uuid)
    record_event("account.deleted", account, by=by, name=account.account_name)
    session.delete(account)
    session.flush()


def what_if_moved(account: Account, to: Subscription) -> Move:
    """What `move_account` does if it is called now. Raises `Invalid` on `subscription_id` if it cannot be."""
    _require_movable(account, to)
    before, after = account.subscription.values, to.values
    changes = tuple(
        FeatureChange(feature, before.get(code), after.get(code), code in before, code in after)
        for code, feature in FEATURES.items()
        if code != MAX_ACCOUNTS and (code in before, before.get(code)) != (code in after, after.get(code))
    )
    return Move(
        rooms=_count_rooms(Room.account_uuid == account.uuid),
        most_rooms=after.get(MAX_ROOMS, 0),
        rooms_there=_count_rooms(Room.subscription_uuid == to.uuid),
        changes=changes,
    )


def move_account(account: Account, to: Subscription, *, by: Actor | None = None) -> None:
    """Let the account, its rooms and the people in them count for another subscription of its customer from now on.

    A run goes on where it is. Raises `Invalid` on `subscription_id` for one of another customer or type, `Conflict` if
    that has too few accounts or rooms left, or `NotFound`.
    """
    lock(account)
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
    if not move.fits:
        raise Conflict(
            Message(
                "“%(name)s” grants %(most)d rooms and has %(there)d: the %(rooms)d of this account do not fit.",
                name=to.name,
                most=move.most_rooms,
                there=move.rooms_there,
                rooms=move.rooms,
            )
        )
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


def _count_rooms(which: sa.ColumnElement[bool]) -> int:
    query = sa.select(sa.func.count()).select_from(Room).where(which, Room.trashed_at.is_(None))
    return session.scalar(query) or 0
