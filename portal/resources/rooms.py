"""Rooms, with the relations that can be included."""

from collections.abc import Iterable
from typing import Annotated, Any, Literal

from portal.accounts.models import Account
from portal.customers.models import Customer
from portal.permissions.permission import Permission
from portal.resources.access import RoomAccessCodeSchema, RoomTokenSchema
from portal.resources.columns import Column
from portal.resources.declaring import OMITTED, Id, IdentifiedResource, Included, Read, serializer
from portal.resources.people import RoomUserSchema, UserSchema
from portal.resources.sessions import RoomStatusSchema
from portal.resources.subscriptions import (
    AccountSchema,
    CustomerSchema,
    EffectiveFeatureSchema,
    SubscriptionSchema,
)
from portal.resources.urls import room_url
from portal.rooms.models import Room, RoomStatusWord, sort_name_of
from portal.rooms.room_read import AnyRoom
from portal.rooms.search import matches
from portal.subscriptions.provider_models import ServiceType

ScalarMap = dict[str, Any]


class RoomSchema(IdentifiedResource):
    """Where people meet. `actions` are what the caller may do with it."""

    object: Literal["Room"]
    customer_id: Annotated[Id, Column(Customer.id, through=Room.customer)]
    account_id: Annotated[Id, Column(Account.id, through=Room.account)]
    subscription_id: Id
    owner_id: Id
    room_name: Annotated[str, Column(Room.sort_name, like=matches, stored=sort_name_of)]
    status: Annotated[RoomStatusWord, Column(Room.status)]
    is_public: Annotated[bool, Column(Room.is_public)]
    room_type: Annotated[ServiceType, Column(Room.room_type)]
    slug: Annotated[str, Column(Room.slug)]
    url: Annotated[str, Read(lambda room, _: room_url(room))]
    room_features: ScalarMap
    room_settings: ScalarMap
    room_metadata: ScalarMap
    actions: Annotated[
        list[Permission], Read(lambda _, permissions: OMITTED if permissions is None else sorted(permissions))
    ]
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
