"""The tables of broadcasts: one for each run of a live room, its connections, and its journal."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.clock import now
from portal.column_types import enum_type
from portal.db import Base
from portal.identifiers import IdentifierMixin
from portal.partial_indexes import partial_index
from portal.status.models import Participation, RoomSession

MIME_LENGTH = 100
NAME_LENGTH = 60
ERROR_LENGTH = 300
WORKER_LENGTH = 40
HOST_LENGTH = 255


class BroadcastState(StrEnum):
    """How far a broadcast is.

    `starting`: nothing was sent yet. `interrupted`: nothing comes any more, and the broadcaster may return. `ending`:
    it was stopped, and what has come is still made into segments. `ended`: no segment will follow.
    """

    STARTING = "starting"
    LIVE = "live"
    INTERRUPTED = "interrupted"
    ENDING = "ending"
    ENDED = "ended"


class ConnectionEnding(StrEnum):
    """Why a connection has ended. After the first three the broadcaster's page may open another one by itself."""

    RESTARTED = "restarted"
    """The worker that made segments of it was replaced by another one."""
    BROKEN = "broken"
    """What came could not be read on from some point."""
    REPLACED = "replaced"
    """The same page, or another one after a long silence, sends anew."""
    TAKEN_OVER = "taken_over"
    STOPPED = "stopped"
    UNUSABLE = "unusable"
    """Nothing of it could be read at all."""
    LEFT = "left"
    """The run has ended, or whoever sent it may not do so any more."""


class Broadcast(Base):
    """What a run of a live room sends. `since` is when its state began.

    The lease is that of the worker that makes segments of it; `lease_until` is null once it has ended. `segments` and
    `breaks` count what the journal holds, and `latest_number` the connections.
    """

    __tablename__ = "broadcasts"

    session_uuid: Mapped[UUID] = mapped_column(
        sa.ForeignKey("room_sessions.uuid", ondelete="CASCADE"), primary_key=True
    )
    state: Mapped[BroadcastState] = mapped_column(enum_type(BroadcastState), default=BroadcastState.STARTING)
    since: Mapped[datetime] = mapped_column(default=now)
    segment_milliseconds: Mapped[int]
    dvr_minutes: Mapped[int]
    grace_seconds: Mapped[int]
    latest_number: Mapped[int] = mapped_column(default=0)
    segments: Mapped[int] = mapped_column(default=0)
    breaks: Mapped[int] = mapped_column(default=0)
    size: Mapped[int] = mapped_column(sa.BigInteger, default=0)
    """Bytes of all segments."""
    claims: Mapped[int] = mapped_column(default=0)
    """How many workers have held the lease."""
    lease_host: Mapped[str] = mapped_column(sa.String(HOST_LENGTH), default="")
    lease_worker: Mapped[str] = mapped_column(sa.String(WORKER_LENGTH), default="")
    lease_until: Mapped[datetime | None] = mapped_column(default=now)
    run: Mapped[RoomSession] = relationship()

    __table_args__ = (partial_index("ix_broadcasts_lease_until", "lease_until", where="lease_until IS NOT NULL"),)


class BroadcastConnection(IdentifierMixin, Base):
    """One broadcaster's stretch of sending within a run. Its chunks are in the growing file named by its uuid.

    A unique index makes sure that at most one is open in a run. `size` is how many bytes came, known when it has ended.
    """

    __tablename__ = "broadcast_connections"

    session_uuid: Mapped[UUID] = mapped_column(sa.ForeignKey("broadcasts.session_uuid", ondelete="CASCADE"))
    number: Mapped[int]
    participation_uuid: Mapped[UUID | None] = mapped_column(sa.ForeignKey("participations.uuid", ondelete="SET NULL"))
    mime: Mapped[str] = mapped_column(sa.String(MIME_LENGTH))
    width: Mapped[int]
    height: Mapped[int]
    started_at: Mapped[datetime] = mapped_column(default=now)
    ended_at: Mapped[datetime | None]
    ending: Mapped[ConnectionEnding | None] = mapped_column(enum_type(ConnectionEnding))
    error: Mapped[str] = mapped_column(sa.String(ERROR_LENGTH), default="")
    size: Mapped[int] = mapped_column(sa.BigInteger, default=0)
    participation: Mapped[Participation | None] = relationship()

    __table_args__ = (
        sa.UniqueConstraint("session_uuid", "number"),
        partial_index("uq_broadcast_connections_open", "session_uuid", where="ended_at IS NULL", unique=True),
        sa.Index("ix_broadcast_connections_participation_uuid", "participation_uuid"),
    )


class JournalSegment(Base):
    """One segment that a run has produced. `breaks` is how many breaks there were up to its beginning."""

    __tablename__ = "journal_segments"

    session_uuid: Mapped[UUID] = mapped_column(
        sa.ForeignKey("broadcasts.session_uuid", ondelete="CASCADE"), primary_key=True
    )
    sequence: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    connection_uuid: Mapped[UUID] = mapped_column(sa.ForeignKey("broadcast_connections.uuid", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(sa.String(NAME_LENGTH))
    milliseconds: Mapped[int]
    at: Mapped[datetime]
    breaks: Mapped[int]
    size: Mapped[int]

    __table_args__ = (sa.Index("ix_journal_segments_connection_uuid", "connection_uuid"),)
