"""The table of service providers: the configured services that run rooms. And the columns of a feature's value."""

from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from portal.column_types import enum_type
from portal.db import Base, TimestampMixin
from portal.identifiers import IdentifierMixin
from portal.people.models import NAME_LENGTH

ERROR_LENGTH = 500


class ServiceType(StrEnum):
    """The type of service that is sold. The rooms of a subscription have its type."""

    VIDEO = "video"
    LIVE = "live"
    MEET = "meet"
    SIMULCAST = "simulcast"


class ServiceProvider(IdentifierMixin, TimestampMixin, Base):
    """A configured service that runs rooms. `provider_type` is a key of `portal.providers.registry`."""

    __tablename__ = "service_providers"

    provider_name: Mapped[str] = mapped_column(sa.String(NAME_LENGTH))
    provider_type: Mapped[str] = mapped_column(sa.String(32))
    service_type: Mapped[ServiceType] = mapped_column(enum_type(ServiceType))
    """The type of the rooms that it runs."""
    active: Mapped[bool] = mapped_column(default=True)
    draining: Mapped[bool] = mapped_column(default=False)
    """Whether no new run is started on it; those that go on stay."""
    properties: Mapped[dict[str, Any]] = mapped_column(default=dict)
    provider_metadata: Mapped[dict[str, Any]] = mapped_column(default=dict)
    last_answer_at: Mapped[datetime | None]
    last_error: Mapped[str | None] = mapped_column(sa.String(ERROR_LENGTH))
    last_error_at: Mapped[datetime | None]
    down_since: Mapped[datetime | None]
    """Since when it has not answered; None while it does."""


class FeatureValueMixin:
    """The columns of one feature's value: `number`, where null means unlimited, or `switch`."""

    code: Mapped[str] = mapped_column(sa.String(32), primary_key=True)
    number: Mapped[int | None]
    switch: Mapped[bool | None]

    @property
    def value(self) -> int | bool | None:
        """The value: `switch` if it is set, else `number`."""
        return self.number if self.switch is None else self.switch
