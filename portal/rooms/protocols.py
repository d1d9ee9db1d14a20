"""What is asked of a room where people want to enter it, be it the row or a value that a door has read."""

from typing import Any, Protocol
from uuid import UUID

from portal.accounts.models import AccountStatus
from portal.rooms.models import RoomStatusWord
from portal.subscriptions.protocols import SubscriptionLike
from portal.subscriptions.provider_models import ServiceType


class AccountLike(Protocol):
    """The account of a room."""

    @property
    def status(self) -> AccountStatus: ...


class CustomerLike(Protocol):
    """The customer of a room."""

    @property
    def usable(self) -> bool: ...
    @property
    def display_name(self) -> str: ...
    @property
    def webhooks(self) -> int: ...


class RoomColumns(Protocol):
    """What every way of reading a room has: its own columns."""

    @property
    def uuid(self) -> UUID: ...
    @property
    def id(self) -> str: ...
    @property
    def room_name(self) -> str: ...
    @property
    def slug(self) -> str: ...
    @property
    def path(self) -> str: ...
    @property
    def status(self) -> RoomStatusWord: ...
    @property
    def is_public(self) -> bool: ...
    @property
    def room_type(self) -> ServiceType: ...
    @property
    def room_features(self) -> dict[str, Any]: ...
    @property
    def room_settings(self) -> dict[str, Any]: ...
    @property
    def customer_uuid(self) -> UUID: ...
    @property
    def account_uuid(self) -> UUID: ...
    @property
    def subscription_uuid(self) -> UUID: ...
    @property
    def owner_uuid(self) -> UUID: ...
    @property
    def owner_name(self) -> str: ...


class RoomLike(RoomColumns, Protocol):
    """A room with all that it stands under, which can be what a line of the audit is about."""

    __tablename__: str

    @property
    def description(self) -> str: ...
    @property
    def account(self) -> AccountLike: ...
    @property
    def customer(self) -> CustomerLike: ...
    @property
    def subscription(self) -> SubscriptionLike: ...
