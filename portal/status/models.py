"""What is happening in a room: the stored snapshot, its runs, and who took part in them."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.clock import now
from portal.db import Base, enum_type
from portal.identifiers import IdentifierMixin
from portal.people.models import NAME_LENGTH
from portal.providers.base import LiveState
from portal.rooms.models import Role, Room
from portal.subscriptions.models import ServiceProvider

EXTERNAL_LENGTH = 255


HAPPENING = frozenset({LiveState.STARTING, LiveState.LIVE, LiveState.ENDING})


class Source(StrEnum):
    """Where the information came from."""

    ENGINE = "engine"
    POLL = "poll"
    WEBHOOK = "webhook"


class Driver(StrEnum):
    """Who tells how a run goes on: the portal's own pages by their signs of life, or the service that holds it."""

    PRESENCE = "presence"
    PROVIDER = "provider"


class Ending(StrEnum):
    """Why somebody is no longer in the room."""

    LEFT = "left"
    LOST = "lost"
    REMOVED = "removed"
    CLOSED = "closed"
    WITHDRAWN = "withdrawn"
    """The link was revoked or paused; who has another, or gets this one back, may come again."""


class RoomStatus(Base):
    """The last snapshot of a room. Pages and the API read it, with its age; `version` grows on change.

    `counts` holds figures by key (None: the service does not tell) and `labels` what each is called, in English.
    `count` is the one that lists show. A room is looked at by the poller once `next_look_at` has come; `misses` counts
    the looks in a row that got no answer.
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
        """Whether something is going on in the room, as far as we know: it begins, runs or ends."""
        return self.state in HAPPENING

    __table_args__ = (
        sa.Index(
            "ix_room_statuses_live",
            "since",
            sqlite_where=sa.text("state != 'idle'"),
            postgresql_where=sa.text("state != 'idle'"),
        ),
        sa.Index(
            "ix_room_statuses_next_look_at",
            "next_look_at",
            sqlite_where=sa.text("next_look_at IS NOT NULL"),
            postgresql_where=sa.text("next_look_at IS NOT NULL"),
        ),
    )


class RoomSession(IdentifierMixin, Base):
    """One run of a room. At most one is running: the database says so.

    It stays on the provider row that it started on, whatever the plan's default becomes meanwhile. `external` is what
    that service calls it; empty for a run that the portal's own pages drive.
    """

    __tablename__ = "room_sessions"

    room_uuid: Mapped[UUID] = mapped_column(sa.ForeignKey("rooms.uuid", ondelete="CASCADE"))
    started_at: Mapped[datetime] = mapped_column(default=now)
    ended_at: Mapped[datetime | None]
    most: Mapped[int] = mapped_column(default=0)
    """How many people were in at the same time, at most."""
    driver: Mapped[Driver] = mapped_column(enum_type(Driver), default=Driver.PRESENCE)
    provider_uuid: Mapped[UUID | None] = mapped_column(sa.ForeignKey("service_providers.uuid", ondelete="SET NULL"))
    external: Mapped[str] = mapped_column(sa.String(EXTERNAL_LENGTH), default="")
    end_wanted: Mapped[bool] = mapped_column(default=False)
    """Whether it was ended here, and its service has still to be told."""
    room: Mapped[Room] = relationship()
    provider: Mapped[ServiceProvider | None] = relationship()

    __table_args__ = (
        sa.Index("ix_room_sessions_room_uuid_started_at", "room_uuid", "started_at"),
        sa.Index(
            "uq_room_sessions_running",
            "room_uuid",
            unique=True,
            sqlite_where=sa.text("ended_at IS NULL"),
            postgresql_where=sa.text("ended_at IS NULL"),
        ),
        sa.Index("ix_room_sessions_provider_uuid_external", "provider_uuid", "external"),
        sa.Index(
            "ix_room_sessions_end_wanted",
            "ended_at",
            sqlite_where=sa.text("end_wanted"),
            postgresql_where=sa.text("end_wanted"),
        ),
    )


class Participation(IdentifierMixin, Base):
    """One person's time in a run of a room, by which device and link. Present while `left_at` is null."""

    __tablename__ = "participations"

    session_uuid: Mapped[UUID] = mapped_column(sa.ForeignKey("room_sessions.uuid", ondelete="CASCADE"), index=True)
    room_uuid: Mapped[UUID] = mapped_column(sa.ForeignKey("rooms.uuid", ondelete="CASCADE"), index=True)
    subscription_uuid: Mapped[UUID] = mapped_column(sa.ForeignKey("subscriptions.uuid"))
    name: Mapped[str] = mapped_column(sa.String(NAME_LENGTH))
    role: Mapped[Role] = mapped_column(enum_type(Role))
    token_uuid: Mapped[UUID | None] = mapped_column(sa.ForeignKey("room_tokens.uuid", ondelete="SET NULL"), index=True)
    user_uuid: Mapped[UUID | None] = mapped_column(sa.ForeignKey("users.uuid", ondelete="SET NULL"))
    sign_in_uuid: Mapped[UUID | None]
    scope_words: Mapped[list[str] | None] = mapped_column("scopes")
    """Of a user whom a program let in: what it may in his name. He is no more for as long as he stays."""
    device: Mapped[str] = mapped_column(sa.String(64))
    entered_at: Mapped[datetime] = mapped_column(default=now)
    left_at: Mapped[datetime | None]
    ending: Mapped[Ending | None] = mapped_column(enum_type(Ending))
    run: Mapped[RoomSession] = relationship()

    __table_args__ = (
        sa.Index(
            "uq_participations_present",
            "room_uuid",
            "device",
            unique=True,
            sqlite_where=sa.text("left_at IS NULL"),
            postgresql_where=sa.text("left_at IS NULL"),
        ),
        sa.Index(
            "ix_participations_subscription_present",
            "subscription_uuid",
            sqlite_where=sa.text("left_at IS NULL"),
            postgresql_where=sa.text("left_at IS NULL"),
        ),
    )
