"""The table of views: what one participant has seen of one video."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.clock import now
from portal.db import Base
from portal.identifiers import new_uuid
from portal.partial_indexes import partial_index
from portal.status.models import Participation
from portal.videos.models import RoomVideo

PARTS = 100
"""Into so many parts of equal length a video is divided to say which of them somebody has seen."""


class VideoView(Base):
    """What one participant has seen of one video, from the reports of his player, bounded by the server's clock."""

    __tablename__ = "video_views"

    uuid: Mapped[UUID] = mapped_column(primary_key=True, default=new_uuid)
    video_uuid: Mapped[UUID] = mapped_column(sa.ForeignKey("room_videos.uuid", ondelete="CASCADE"))
    participation_uuid: Mapped[UUID] = mapped_column(sa.ForeignKey("participations.uuid", ondelete="CASCADE"))
    started_at: Mapped[datetime] = mapped_column(default=now)
    reported_at: Mapped[datetime] = mapped_column(default=now)
    """When his player told last how far he is."""
    seconds: Mapped[int] = mapped_column(default=0)
    """For how long he has watched it, by the clock on the wall."""
    settled: Mapped[int] = mapped_column(default=0)
    """How many of these seconds are counted in `RoomVideo.seconds_watched`."""
    parts: Mapped[str] = mapped_column(sa.String(PARTS), default="0" * PARTS)
    """Which parts he has seen: for each of them `1` or `0`."""
    position: Mapped[int] = mapped_column(default=0)
    """Where he is, in seconds from the beginning."""
    counted: Mapped[int] = mapped_column(default=0)
    """How many views this makes: one more after half an hour."""
    counted_at: Mapped[datetime | None]
    """When it was counted last."""

    video: Mapped[RoomVideo] = relationship()
    participation: Mapped[Participation] = relationship()

    __table_args__ = (
        sa.UniqueConstraint("video_uuid", "participation_uuid"),
        sa.Index("ix_video_views_participation_uuid", "participation_uuid"),
        partial_index("ix_video_views_unsettled", "video_uuid", where="seconds > settled"),
    )
