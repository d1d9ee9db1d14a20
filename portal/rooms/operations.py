"""Creating rooms, changing them, and moving them to the trash and back."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, TypedDict, Unpack

import sqlalchemy as sa

from portal.accounts.models import Account, AccountStatus
from portal.audit.operations import record_event
from portal.channels import channels
from portal.clock import now
from portal.customers.models import CustomerStatus
from portal.db import lock, on_commit, session
from portal.errors import Conflict, Invalid, Message
from portal.people.actor import Actor
from portal.people.names import clean_name
from portal.rooms.features import merged_features
from portal.rooms.metadata import checked_metadata
from portal.rooms.models import ROOM_NAME_LENGTH, Room, RoomStatusWord
from portal.rooms.settings import declared_for, merged_settings
from portal.rooms.slugs import checked_slug, slug_of
from portal.subscriptions.models import ServiceType, Subscription

TRASH_DAYS = 30


def create_room(
    *,
    account: Account,
    room_name: str,
    by: Actor,
    room_type: ServiceType | None = None,
    slug: str | None = None,
    is_public: bool = False,
    status: RoomStatusWord = RoomStatusWord.ACTIVE,
    settings: Mapping[str, Any] | None = None,
    features: Mapping[str, Any] | None = None,
    metadata: object = None,
) -> Room:
    """Create a room in the account, owned by the account's owner. Raises `Invalid` or `Conflict` (quota, plan).

    The type follows from the account's subscription. A `room_type` that differs from it is `Invalid`.
    """
    name = clean_name(room_name, field="room_name", longest=ROOM_NAME_LENGTH)
    subscription = _with_room_left(account)
    if room_type not in {None, subscription.service_type}:
        raise Invalid(
            room_type=Message(
                "Rooms of this account are of type %(type)s: it follows from the subscription.",
                type=subscription.service_type.value,
            )
        )
    room = Room(
        customer=account.customer,
        account=account,
        subscription=subscription,
        owner=account.owner,
        room_name=name,
        slug=checked_slug(slug) if slug else slug_of(name),
        room_type=subscription.service_type,
        is_public=is_public,
        status=status,
        room_settings=merged_settings({}, settings or {}, declared=declared_for(subscription)),
        room_features=merged_features({}, features or {}),
        room_metadata=checked_metadata({} if metadata is None else metadata),
    )
    session.add(room)
    session.flush()
    record_event("room.created", room, by=by, room=room.uuid)
    return room


class RoomChanges(TypedDict, total=False):
    """The arguments of a change of a room. What is left out or None stays as it is."""

    room_name: str | None
    slug: str | None
    is_public: bool | None
    status: RoomStatusWord | None
    settings: Mapping[str, Any] | None
    features: Mapping[str, Any] | None
    metadata: object


def describe_room(room: Room, *, by: Actor, **changes: Unpack[RoomChanges]) -> None:
    """Change what is given: settings and features key by key (None removes one), metadata as a whole.

    A new name makes a new slug only while the slug still follows the name. Raises `Invalid`. Does nothing about
    people inside: entrances call `status.room_lifecycle.change_room`, which also ends the run of a room made
    inactive.
    """
    _refuse_unknown(changes)
    slug, settings, features = changes.get("slug"), changes.get("settings"), changes.get("features")
    if settings is not None or features is not None:  # of two who merge at once, the second merges into the first's
        session.flush()
        lock(room, relations=False)
    if (room_name := changes.get("room_name")) is not None:
        name = clean_name(room_name, field="room_name", longest=ROOM_NAME_LENGTH)
        if slug in {None, room.slug} and room.slug == slug_of(room.room_name):
            slug = slug_of(name)
        room.room_name = name
    if slug is not None and slug != room.slug:
        room.slug = checked_slug(slug) if slug else slug_of(room.room_name)
    if (is_public := changes.get("is_public")) is not None:
        room.is_public = is_public
    if (status := changes.get("status")) is not None:
        room.status = status
    if settings is not None:
        room.room_settings = merged_settings(room.room_settings, settings, declared=declared_for(room.subscription))
    if features is not None:
        room.room_features = merged_features(room.room_features, features)
    if (metadata := changes.get("metadata")) is not None:
        room.room_metadata = checked_metadata(metadata)
    session.flush()
    record_event("room.updated", room, by=by, room=room.uuid)
    _nudge_watchers(room)


def _refuse_unknown(changes: RoomChanges) -> None:
    """Raise `TypeError` for a key that is no `RoomChanges`, which mypy cannot see if the keys come from a request."""
    if unknown := changes.keys() - RoomChanges.__annotations__.keys():
        raise TypeError(f"nothing of a room is called {', '.join(sorted(unknown))}")


def trash_room(room: Room, *, by: Actor) -> None:
    """Move the room to the trash: nobody finds or enters it.

    Does nothing about people inside: entrances call `status.room_lifecycle.delete_room`, which also ends the run.
    """
    room.trashed_at = now()
    session.flush()
    record_event("room.trashed", room, by=by, room=room.uuid)
    _nudge_watchers(room)


def restore_room(room: Room, *, by: Actor) -> None:
    """Take the room out of the trash. Raises `Conflict` if the plan allows no further room."""
    if room.trashed_at is None:
        return
    _with_room_left(room.account)
    room.trashed_at = None
    session.flush()
    record_event("room.restored", room, by=by, room=room.uuid)


def empty_trash() -> None:
    """Housekeeping: delete rooms that were in the trash for 30 days, with all that belongs to them."""
    session.execute(sa.delete(Room).where(Room.trashed_at < now() - timedelta(days=TRASH_DAYS)))


def _with_room_left(account: Account) -> Subscription:
    """Lock and return the account's subscription. Raises `Conflict` if it allows no further room."""
    subscription = session.get_one(
        Subscription,
        account.subscription_uuid,
        with_for_update={"of": Subscription},
        populate_existing=True,
    )
    if account.status is not AccountStatus.ACTIVE or account.customer.status is not CustomerStatus.ACTIVE:
        raise Conflict(Message("Nothing new can be made in this account at present. Ask whoever runs this portal."))
    if not subscription.is_active(now()):
        raise Conflict(Message("The subscription of this account has ended. Ask whoever runs this portal."))
    most = subscription.values.get("max_rooms", 0)
    if most is not None:
        count = session.scalar(
            sa.select(sa.func.count())
            .select_from(Room)
            .where(Room.subscription_uuid == subscription.uuid, Room.trashed_at.is_(None))
        )
        if (count or 0) >= most:
            raise Conflict(
                Message.plural(
                    "The one room of this plan is in use. Delete it first, or ask for more.",
                    "All %(n)d rooms of this plan are in use. Delete one first, or ask for more.",
                    n=most,
                )
            )
    return subscription


def _nudge_watchers(room: Room) -> None:
    topics, word = room_topics(room), room.id
    on_commit(lambda: channels().nudge(*topics, word=word))


def room_topics(room: Room) -> list[str]:
    """The topics to nudge when something about this room changed: its own, and those of all above it."""
    return [
        f"room:{room.uuid}",
        f"owner:{room.owner_uuid}",
        f"account:{room.account_uuid}",
        f"customer:{room.customer_uuid}",
        "rooms",
    ]
