"""Rooms without their relations: how they stand in what they are a relation of."""

from typing import Annotated, Any, Literal

from portal.accounts.models import Account
from portal.customers.models import Customer
from portal.permissions.permission import Permission
from portal.resources.columns import Column
from portal.resources.declaring import OMITTED, Id, IdentifiedResource, Read
from portal.resources.urls import room_url
from portal.rooms.models import Room, RoomStatusWord, sort_name_of
from portal.rooms.search import matches
from portal.subscriptions.provider_models import ServiceType

ScalarMap = dict[str, Any]


class PlainRoomSchema(IdentifiedResource):
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
