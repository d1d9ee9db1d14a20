"""What is asked of a subscription and its provider, be they rows or values that a door has read."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from portal.subscriptions.feature_catalog import Value


class ProviderLike(Protocol):
    """A configured service that runs rooms."""

    @property
    def uuid(self) -> UUID: ...
    @property
    def id(self) -> str: ...
    @property
    def provider_type(self) -> str: ...
    @property
    def active(self) -> bool: ...
    @property
    def draining(self) -> bool: ...
    @property
    def properties(self) -> dict[str, Any]: ...
    @property
    def down_since(self) -> datetime | None: ...
    @property
    def last_error_at(self) -> datetime | None: ...


class SubscriptionLike(Protocol):
    """What a customer bought: whether it may be used, its plan, and its default provider."""

    def is_active(self, at: datetime) -> bool: ...
    @property
    def values(self) -> Mapping[str, Value]: ...
    @property
    def provider(self) -> ProviderLike: ...
