"""A room as plain values, for whoever only reads it: the API's answers, pages, and the rules that decide about them.

Reading columns costs about half of loading the `Room` with the rows around it.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from portal.accounts.models import Account
from portal.customers.models import Customer, CustomerStatus
from portal.identifiers import ulid_of
from portal.people.models import User
from portal.plain_values import columns_for
from portal.rooms.models import Room, RoomStatusWord, path_of
from portal.subscriptions.models import Subscription
from portal.subscriptions.provider_models import ServiceProvider, ServiceType


@dataclass(frozen=True, slots=True)
class RoomRead:
    """A room with the public ids and the owners of what stands above it. To change the room, read an `EditableRoom`."""

    uuid: UUID
    id: str
    created_at: datetime
    updated_at: datetime
    customer_uuid: UUID
    account_uuid: UUID
    subscription_uuid: UUID
    owner_uuid: UUID
    room_name: str
    status: RoomStatusWord
    is_public: bool
    room_type: ServiceType
    slug: str
    room_features: dict[str, Any]
    room_settings: dict[str, Any]
    room_metadata: dict[str, Any]
    customer_id: str
    customer_status: CustomerStatus
    customer_owner_uuid: UUID
    account_id: str
    account_owner_uuid: UUID
    subscription_id: str
    owner_id: str
    owner_name: str
    webhooks: int
    """How many active webhooks its customer has."""

    __tablename__ = Room.__tablename__

    @property
    def ulid(self) -> str:
        """The 128 bits of `uuid` in Crockford's base 32: 26 characters."""
        return ulid_of(self.uuid)

    @property
    def path(self) -> str:
        """The path of the room's page, to be appended to the base URL."""
        return path_of(self.id, self.slug)


@dataclass(frozen=True, slots=True)
class EditableRoom(RoomRead):
    """A room as it was read under the lock that its row has until the transaction ends, so that it can be changed."""

    provider_type: str
    """That of the plan's provider: it declares settings."""


AnyRoom = Room | RoomRead
"""A room for what takes it either way, such as rules and representations."""

COLUMNS = columns_for(
    RoomRead,
    Room,
    customer_id=Customer.id,
    customer_status=Customer.status,
    customer_owner_uuid=Customer.owner_uuid,
    account_id=Account.id,
    account_owner_uuid=Account.owner_uuid,
    subscription_id=Subscription.id,
    owner_id=User.id,
    owner_name=User.name,
    webhooks=Customer.webhooks,
)
"""The columns of a `RoomRead`, of the SELECT that `with_what_stands_above` makes."""
EDITABLE = (*COLUMNS, ServiceProvider.provider_type)
"""The columns of an `EditableRoom`, if the SELECT joins the subscription's provider, too."""


def with_what_stands_above(query: sa.Select[Any]) -> sa.Select[Any]:
    """`query` over rooms, joined with the account, customer, subscription and owner of each."""
    return (
        query.join(Account, Account.uuid == Room.account_uuid)
        .join(Customer, Customer.uuid == Room.customer_uuid)
        .join(Subscription, Subscription.uuid == Room.subscription_uuid)
        .join(User, User.uuid == Room.owner_uuid)
    )
