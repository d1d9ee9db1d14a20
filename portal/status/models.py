"""The tables of rooms' statuses, of their runs, and of participations in runs."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.clock import now
from portal.column_types import enum_type
from portal.db import Base
from portal.identifiers import IdentifierMixin
from portal.partial_indexes import partial_index
from portal.people.models import NAME_LENGTH
from portal.providers.base import LiveState, RecordingMode
from portal.rooms.models import Role, Room
from portal.subscriptions.provider_models import ServiceProvider

EXTERNAL_LENGTH = 255


HAPPENING = frozenset({LiveState.STARTING, LiveState.LIVE, LiveState.ENDING})


def is_happening(state: LiveState) -> bool:
    """Whether the room is in use, as far as the portal knows: a run starts, is live or ends."""
    return state in HAPPENING


def may_run(state: LiveState) -> bool:
    """Whether a run may be running: the room is in use, or was when its service was last heard of."""
    return is_happening(state) or state is LiveState.UNKNOWN


class Source(StrEnum):
    """Where a stored status came from: the portal itself, a poll of the service, or a callback (webhook) of it."""

    ENGINE = "engine"
    POLL = "poll"
    WEBHOOK = "webhook"


class Driver(StrEnum):
    """What tells how a run goes on: the heartbeats of the portal's own pages, or the service behind the room."""

    PRESENCE = "presence"
    PROVIDER = "provider"


class Ending(StrEnum):
    """The ways in which a participation can end."""

    LEFT = "left"
    LOST = "lost"
    REMOVED = "removed"
    CLOSED = "closed"
    """The room can no longer be used."""
    DELETED = "deleted"
    ENDED = "ended"
    """Somebody who may do so has ended the run for everyone."""
    TIME_LIMIT = "time_limit"
    NO_MODERATOR = "no_moderator"
    """The last moderator left, and the room ends without one."""
    WITHDRAWN = "withdrawn"
    """The link was revoked or paused, or the right withdrawn. Whoever has another link, or gets it back, may enter."""


class RoomStatus(Base):
    """The stored status of a room: its last snapshot. Pages and the API read it and show its age.

    `counts` holds numbers by key (None if the service does not tell one) and `labels` their names, in English.
    `count` is the one that lists show. `version` grows with each change. The poller asks about a room once
    `next_look_at` has come; `misses` is the number of times in a row that the service did not answer.
    """

    __tablename__ = "room_statuses"

    room_uuid: Mapped[UUID] = mapped_column(sa.ForeignKey("rooms.uuid", ondelete="CASCADE"), primary_key=True)
    state: Mapped[LiveState] = mapped_column(enum_type(LiveState), default=LiveState.IDLE)
    since: Mapped[datetime | None]
    checked_at: Mapped[datetime] = mapped_column(default=now)
    source: Mapped[Source] = mapped_column(enum_type(Source), default=Source.ENGINE)
    stale: Mapped[bool] = mapped_column(default=False)
    count: Mapped[int] = mapped_column(default=0)
    counts: Mapped[dict[str, Any]] = mapped_column(default=dict)
    labels: Mapped[dict[str, Any]] = mapped_column(default=dict)
    names: Mapped[list[str]] = mapped_column(default=list)
    last_live_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=0)
    next_look_at: Mapped[datetime | None]
    misses: Mapped[int] = mapped_column(default=0)
    room: Mapped[Room] = relationship()

    @property
    def happening(self) -> bool:
        """Whether the room is in use."""
        return is_happening(self.state)

    @property
    def may_run(self) -> bool:
        """Whether a run may be running."""
        return may_run(self.state)

    __table_args__ = (
        partial_index("ix_room_statuses_live", "since", where="state != 'idle'"),
        partial_index("ix_room_statuses_next_look_at", "next_look_at", where="next_look_at IS NOT NULL"),
    )


class RoomSession(IdentifierMixin, Base):
    """One run of a room. A unique index makes sure that at most one is running.

    It keeps the provider on which it started, whatever the plan's default becomes meanwhile. `external` is that
    service's name for it; empty for a run that the portal's own pages drive.
    """

    __tablename__ = "room_sessions"

    room_uuid: Mapped[UUID] = mapped_column(sa.ForeignKey("rooms.uuid", ondelete="CASCADE"))
    started_at: Mapped[datetime] = mapped_column(default=now)
    ended_at: Mapped[datetime | None]
    most: Mapped[int] = mapped_column(default=0)
    """The most people who were in at the same time."""
    driver: Mapped[Driver] = mapped_column(enum_type(Driver), default=Driver.PRESENCE)
    provider_uuid: Mapped[UUID | None] = mapped_column(sa.ForeignKey("service_providers.uuid", ondelete="SET NULL"))
    external: Mapped[str] = mapped_column(sa.String(EXTERNAL_LENGTH), default="")
    end_wanted: Mapped[bool] = mapped_column(default=False)
    """Whether it was ended here and its service has not been told yet."""
    next_registration_at: Mapped[datetime | None]
    """When its service is asked next for callbacks about it; None if it is not asked."""
    locked_at: Mapped[datetime | None]
    """Since when only moderators may enter, and who comes back; None: the room is not locked."""
    chat_stopped_at: Mapped[datetime | None]
    """Since when only moderators may write; None: a moderator has not stopped the chat."""
    sharing_stopped_at: Mapped[datetime | None]
    """Since when only moderators may share a screen; None: a moderator has not stopped that."""
    lobby_since: Mapped[datetime | None]
    """Since when guests wait for a moderator, though the room would accept them; None: they need not."""
    recording: Mapped[RecordingMode | None] = mapped_column(enum_type(RecordingMode))
    """Whether it may be recorded, as its service was asked to hold it; None: as the room's settings say."""
    room: Mapped[Room] = relationship()
    provider: Mapped[ServiceProvider | None] = relationship()

    __table_args__ = (
        sa.Index("ix_room_sessions_room_uuid_started_at", "room_uuid", "started_at"),
        partial_index("uq_room_sessions_running", "room_uuid", where="ended_at IS NULL", unique=True),
        sa.Index("ix_room_sessions_provider_uuid_external", "provider_uuid", "external"),
        partial_index("ix_room_sessions_end_wanted", "ended_at", where="end_wanted"),
        partial_index("ix_room_sessions_next_registration_at", "next_registration_at", where="ended_at IS NULL"),
    )


class Participation(IdentifierMixin, Base):
    """One person's time in a run of a room, with his device, and his link or user. He is in while `left_at` is null."""

    __tablename__ = "participations"

    session_uuid: Mapped[UUID] = mapped_column(sa.ForeignKey("room_sessions.uuid", ondelete="CASCADE"), index=True)
    room_uuid: Mapped[UUID] = mapped_column(sa.ForeignKey("rooms.uuid", ondelete="CASCADE"))
    subscription_uuid: Mapped[UUID] = mapped_column(sa.ForeignKey("subscriptions.uuid"))
    name: Mapped[str] = mapped_column(sa.String(NAME_LENGTH))
    role: Mapped[Role] = mapped_column(enum_type(Role))
    token_uuid: Mapped[UUID | None] = mapped_column(sa.ForeignKey("room_tokens.uuid", ondelete="SET NULL"), index=True)
    access_code_uuid: Mapped[UUID | None] = mapped_column(sa.ForeignKey("access_codes.uuid", ondelete="SET NULL"))
    """The code that was typed on entering; None if none was asked for."""
    user_uuid: Mapped[UUID | None] = mapped_column(sa.ForeignKey("users.uuid", ondelete="SET NULL"))
    sign_in_uuid: Mapped[UUID | None]
    scope_words: Mapped[list[str] | None] = mapped_column("scopes")
    """The scopes of the program that let a user in, which limit his rights in the room; None for no limit."""
    device: Mapped[str] = mapped_column(sa.String(64))
    entered_at: Mapped[datetime] = mapped_column(default=now)
    expected_at: Mapped[datetime | None]
    """When this person was last sent to the service behind the room, and so may not be seen there for a moment."""
    away_since: Mapped[datetime | None]
    """Since when no heartbeat has come, while the place is kept: others see *connecting again*. None: connected."""
    left_at: Mapped[datetime | None]
    ending: Mapped[Ending | None] = mapped_column(enum_type(Ending))
    readmitted_at: Mapped[datetime | None]
    """When a moderator let this person, who was removed, come in again; None while the removal counts."""
    run: Mapped[RoomSession] = relationship()

    __table_args__ = (
        partial_index("uq_participations_present", "room_uuid", "device", where="left_at IS NULL", unique=True),
        sa.Index("ix_participations_room_uuid_device", "room_uuid", "device"),
        sa.Index("ix_participations_subscription_uuid_left_at", "subscription_uuid", "left_at"),  # for counting
        partial_index(
            "ix_participations_kept_out", "session_uuid", where="ending = 'removed' AND readmitted_at IS NULL"
        ),
    )
