"""The tables of recordings, and of when services are asked about those that they keep."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.clock import now
from portal.column_types import ExactJSON, enum_type
from portal.db import Base, TimestampMixin
from portal.identifiers import IdentifierMixin
from portal.partial_indexes import partial_index
from portal.providers.base import RecordingState
from portal.rooms.models import Room
from portal.status.models import EXTERNAL_LENGTH
from portal.subscriptions.provider_models import ServiceProvider

RECORDING_NAME_LENGTH = 200
RECORDING_ERROR_LENGTH = 200


class RecordingSource(StrEnum):
    """What recorded: the service behind the room, a broadcast of the portal, or a conference of the portal."""

    PROVIDER = "provider"
    BROADCAST = "broadcast"
    CONFERENCE = "conference"


class RecordingVisibility(StrEnum):
    """Who sees a published recording, besides those with the right to see all: nobody, members, or also participants.

    A member may see the room. A participant is whoever a link lets in.
    """

    OWNER = "owner"
    MEMBERS = "members"
    PARTICIPANTS = "participants"


class Recording(IdentifierMixin, TimestampMixin, Base):
    """A recording of a room, whatever recorded it.

    One that a service keeps has a `provider_uuid`, and `external`, the service's name for it. `published` and `name`
    are what people decided; `service_published` and `service_name` are what its service said last. Where they differ
    the service has to be told, at `tell_at`; a name that it does not take stays here only. A deleted one stays, hidden,
    until its service does not list it any more; so does one whose room is gone for good. `formats` are objects with
    `type`, `url` and `length` in seconds.
    """

    __tablename__ = "recordings"

    room_uuid: Mapped[UUID | None] = mapped_column(sa.ForeignKey("rooms.uuid", ondelete="SET NULL"))
    source: Mapped[RecordingSource] = mapped_column(enum_type(RecordingSource))
    provider_uuid: Mapped[UUID | None] = mapped_column(sa.ForeignKey("service_providers.uuid", ondelete="SET NULL"))
    external: Mapped[str] = mapped_column(sa.String(EXTERNAL_LENGTH), default="")
    name: Mapped[str] = mapped_column(sa.String(RECORDING_NAME_LENGTH))
    state: Mapped[RecordingState] = mapped_column(enum_type(RecordingState))
    published: Mapped[bool] = mapped_column(default=False)
    visibility: Mapped[RecordingVisibility] = mapped_column(
        enum_type(RecordingVisibility), default=RecordingVisibility.OWNER
    )
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    duration: Mapped[int | None]
    """How long it plays, in seconds; None while nobody knows."""
    size: Mapped[int | None] = mapped_column(sa.BigInteger)
    formats: Mapped[list[dict[str, Any]]] = mapped_column(ExactJSON, default=list)
    error: Mapped[str] = mapped_column(sa.String(RECORDING_ERROR_LENGTH), default="")
    ready_at: Mapped[datetime | None]
    """When it could first be watched. From then on it is kept for as many days as the plan grants."""
    expires_at: Mapped[datetime | None]
    """When it is deleted, because of its age or because there are too many; None: it is kept."""
    deleted_at: Mapped[datetime | None]
    service_name: Mapped[str] = mapped_column(sa.String(RECORDING_NAME_LENGTH), default="")
    service_published: Mapped[bool] = mapped_column(default=False)
    tell_at: Mapped[datetime | None]
    """When its service is to be told what was decided here; None: there is nothing to tell."""
    changed_at: Mapped[datetime | None]
    """Since when there is something to tell."""
    rename_refused: Mapped[bool] = mapped_column(default=False)
    """Whether its service was told its name and will not have it: it is called so here only."""
    missed_at: Mapped[datetime | None]
    """Since when its service does not list it any more; None: it does."""
    room: Mapped[Room | None] = relationship()
    provider: Mapped[ServiceProvider | None] = relationship()

    __table_args__ = (
        sa.Index("ix_recordings_room_uuid_started_at", "room_uuid", "started_at"),
        partial_index(
            "uq_recordings_provider_uuid_external", "provider_uuid", "external", where="external <> ''", unique=True
        ),
        partial_index("ix_recordings_tell_at", "tell_at", where="tell_at IS NOT NULL"),
        partial_index("ix_recordings_expires_at", "expires_at", where="expires_at IS NOT NULL"),
    )

    @property
    def untold(self) -> bool:
        """Whether its service has still to be told what was decided here."""
        return self.tell_at is not None


class RecordingLook(Base):
    """When the service of a provider is asked next about the recordings of a room.

    There is one for each room and each provider on which a run of it has ended that might have been recorded. `since`
    is when the last of those ended.
    """

    __tablename__ = "recording_looks"

    room_uuid: Mapped[UUID] = mapped_column(sa.ForeignKey("rooms.uuid", ondelete="CASCADE"), primary_key=True)
    provider_uuid: Mapped[UUID] = mapped_column(
        sa.ForeignKey("service_providers.uuid", ondelete="CASCADE"), primary_key=True
    )
    since: Mapped[datetime] = mapped_column(default=now)
    next_look_at: Mapped[datetime]

    __table_args__ = (sa.Index("ix_recording_looks_next_look_at", "next_look_at"),)
