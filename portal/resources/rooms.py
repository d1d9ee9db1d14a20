"""Rooms, with the relations that can be included."""

from collections.abc import Iterable
from typing import Any

from portal.permissions.permission import Permission
from portal.resources.access import RoomAccessCodeSchema, RoomTokenSchema
from portal.resources.declaring import Included, serializer
from portal.resources.people import RoomUserSchema, UserSchema
from portal.resources.plain_rooms import PlainRoomSchema
from portal.resources.sessions import RoomStatusSchema
from portal.resources.subscriptions import (
    AccountSchema,
    CustomerSchema,
    EffectiveFeatureSchema,
    SubscriptionSchema,
)
from portal.rooms.room_read import AnyRoom


class RoomSchema(PlainRoomSchema):
    """Where people meet. `actions` are what the caller may do with it."""

    account: Included[AccountSchema] | None = None
    customer: Included[CustomerSchema] | None = None
    subscription: Included[SubscriptionSchema] | None = None
    owner: Included[UserSchema] | None = None
    tokens: Included[list[RoomTokenSchema]] | None = None
    access_codes: Included[list[RoomAccessCodeSchema]] | None = None
    users: Included[list[RoomUserSchema]] | None = None
    room_status: Included[RoomStatusSchema] | None = None
    effective_features: Included[list[EffectiveFeatureSchema]] | None = None


_serialize_room = serializer(RoomSchema)


def serialize_room(room: AnyRoom, actions: Iterable[Permission] | None = None) -> dict[str, Any]:
    """A room. Its account, customer, subscription and owner should be loaded, or each costs a query.

    `actions` are the permissions of whoever reads it; webhooks have no reader and leave them out.
    """
    return _serialize_room(room, actions)
