"""The table of service providers: the configured services that run rooms. And the columns of a feature's value."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from portal.column_types import enum_type
from portal.db import Base, TimestampMixin
from portal.identifiers import IdentifierMixin
from portal.people.models import NAME_LENGTH

ERROR_LENGTH, VERSION_LENGTH = 500, 40
COUNTS_FRESH = timedelta(minutes=3)
"""So long counts say how busy a service is. While a room of ours is in use there, they are taken several times."""


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
    up_since: Mapped[datetime | None]
    """Since when it has answered whenever it was asked; None while it does not."""
    version: Mapped[str | None] = mapped_column(sa.String(VERSION_LENGTH))
    """What it said of itself when its connection was tested last."""
    tested_at: Mapped[datetime | None]
    """When its connection was tested last by the portal itself; None if it should be tested now."""
    counts: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """How busy it was at `counted_at`, whoever uses it: numbers by key. `labels` are their names, in English."""
    labels: Mapped[dict[str, Any]] = mapped_column(default=dict)
    counted_at: Mapped[datetime | None]

    def counts_are_stale(self, at: datetime) -> bool:
        """Whether the counts say little about the moment `at`: it does not answer, or they are minutes old."""
        return self.counted_at is not None and (self.down_since is not None or self.counted_at < at - COUNTS_FRESH)


class FeatureValueMixin:
    """The columns of one feature's value: `number`, where null means unlimited, or `switch`."""

    code: Mapped[str] = mapped_column(sa.String(32), primary_key=True)
    number: Mapped[int | None]
    switch: Mapped[bool | None]

    @property
    def value(self) -> int | bool | None:
        """The value: `switch` if it is set, else `number`."""
        return self.number if self.switch is None else self.switch
