"""The tables of videos, of the uploads that become one, and of captions."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.column_types import ExactJSON, enum_type
from portal.db import Base, TimestampMixin
from portal.identifiers import IdentifierMixin
from portal.partial_indexes import partial_index
from portal.rooms.models import Room
from portal.subscriptions.provider_models import ServiceProvider
from portal.tasks.models import Task

VIDEO_NAME_LENGTH = 200
FILE_NAME_LENGTH = 200
DESCRIPTION_LENGTH = 2000
VIDEO_ERROR_LENGTH = 300
LANGUAGE_LENGTH, CAPTION_LABEL_LENGTH = 35, 80
FOLDER_LENGTH = 60
EXTERNAL_LENGTH = 64


class VideoState(StrEnum):
    """How far the newest file of a video is.

    `uploading`: bytes are to come. `waiting`: for a worker. `checking`: what the file holds is found out. `preparing`:
    renditions are made. `ready` and `failed` stay until another file comes, or somebody tries again.
    """

    UPLOADING = "uploading"
    WAITING = "waiting"
    CHECKING = "checking"
    PREPARING = "preparing"
    READY = "ready"
    FAILED = "failed"


class RoomVideo(IdentifierMixin, TimestampMixin, Base):
    """A video of a room.

    `state`, `error` and `task` are about its newest file; `folder` and what follows it about what can be watched, which
    may be of the file before. It is watched where it is `playable`, `published`, and `published_from` is not to come.
    A row without a room, or in the trash for too long, waits for a job that deletes its files.
    """

    __tablename__ = "room_videos"

    room_uuid: Mapped[UUID | None] = mapped_column(sa.ForeignKey("rooms.uuid", ondelete="SET NULL"))
    name: Mapped[str] = mapped_column(sa.String(VIDEO_NAME_LENGTH))
    description: Mapped[str] = mapped_column(sa.String(DESCRIPTION_LENGTH), default="")
    position: Mapped[int] = mapped_column(default=0)
    """Its place among the videos of the room: the smaller, the earlier. Two may have one, then the older is first."""
    published: Mapped[bool] = mapped_column(default=True)
    published_from: Mapped[datetime | None]
    trashed_at: Mapped[datetime | None]

    state: Mapped[VideoState] = mapped_column(enum_type(VideoState), default=VideoState.UPLOADING)
    error: Mapped[str] = mapped_column(sa.String(VIDEO_ERROR_LENGTH), default="")
    """Why preparing the newest file failed, in a sentence for people."""
    task_uuid: Mapped[UUID | None] = mapped_column(sa.ForeignKey("tasks.uuid", ondelete="SET NULL"))
    """The task that prepares the newest file, or did so last."""

    source: Mapped[str] = mapped_column(sa.String(FOLDER_LENGTH), default="")
    """The name of the newest whole file within the folder of the video, "" before the first has come."""
    file_name: Mapped[str] = mapped_column(sa.String(FILE_NAME_LENGTH), default="")
    """What the sender of that file calls it. It is text for people, and never part of a path."""
    prepared_source: Mapped[str] = mapped_column(sa.String(FOLDER_LENGTH), default="")
    """The `source` that was prepared last, which is kept until the next one is: "" before the first was."""
    prepared_file_name: Mapped[str] = mapped_column(sa.String(FILE_NAME_LENGTH), default="")
    """The `file_name` of that."""
    folder: Mapped[str] = mapped_column(sa.String(FOLDER_LENGTH), default="")
    """The name of the folder with what is watched, within that of the video; "" before anything can be watched."""
    playable: Mapped[bool] = mapped_column(default=False)
    """Whether `folder` holds at least one rendition."""
    renditions: Mapped[list[dict[str, Any]]] = mapped_column(ExactJSON, default=list)
    """What `folder` holds, the largest first: `name` (`720p`), `width`, `height`, `bandwidth` (bit/s)."""
    sprite: Mapped[dict[str, Any]] = mapped_column(ExactJSON, default=dict)
    """The small pictures in `folder` for seeking: `step` in seconds, `columns`, `rows`, `width`, `height`, `sheets`."""
    poster: Mapped[str] = mapped_column(sa.String(FOLDER_LENGTH), default="")
    """The name of the picture that stands for the video, within its folder; "" while there is none."""
    milliseconds: Mapped[int | None] = mapped_column(sa.BigInteger)
    """How long it plays; None while nobody knows."""
    size: Mapped[int] = mapped_column(sa.BigInteger, default=0)
    """Bytes that its whole files have, the sent one and what was made of it. It counts as used storage."""

    views: Mapped[int] = mapped_column(default=0)
    """How often it was watched: see `portal.watching`."""
    seconds_watched: Mapped[int] = mapped_column(sa.BigInteger, default=0)
    """For how long, all views together."""
    created_by_uuid: Mapped[UUID | None] = mapped_column(sa.ForeignKey("users.uuid", ondelete="SET NULL"))

    room: Mapped[Room | None] = relationship()
    task: Mapped[Task | None] = relationship()
    held: Mapped["ServiceVideo | None"] = relationship(back_populates="video", passive_deletes="all")
    """Where a service holds it. What the portal keeps of such a video is its poster and its captions."""

    __table_args__ = (
        sa.Index("ix_room_videos_room_uuid_position", "room_uuid", "position"),
        sa.Index("ix_room_videos_task_uuid", "task_uuid"),
        partial_index("ix_room_videos_trashed_at", "trashed_at", where="trashed_at IS NOT NULL"),
        partial_index("ix_room_videos_gone", "uuid", where="room_uuid IS NULL"),
    )

    def shown(self, at: datetime) -> bool:
        """Whether everybody who is in sees it, once it can be watched."""
        return self.published and (self.published_from is None or self.published_from <= at)

    @property
    def key(self) -> str:
        """The key of its folder in the storage, which holds `source`, `poster` and the folders of attempts."""
        return f"videos/{self.uuid}"


class ServiceVideo(Base):
    """That a service holds a video instead of the portal, and what it says of it.

    Figures are None where the service does not tell them, which is not nothing. `next_look_at` is when it is asked
    again; None while nobody is to ask.
    """

    __tablename__ = "service_videos"

    video_uuid: Mapped[UUID] = mapped_column(sa.ForeignKey("room_videos.uuid", ondelete="CASCADE"), primary_key=True)
    provider_uuid: Mapped[UUID] = mapped_column(sa.ForeignKey("service_providers.uuid"))
    external: Mapped[str] = mapped_column(sa.String(EXTERNAL_LENGTH))
    """The service's own name for it."""
    embed: Mapped[str] = mapped_column(sa.Text, default="")
    """What its player needs besides that name, sealed; "" for nothing."""
    arrived: Mapped[bool] = mapped_column(default=False)
    """Whether a whole file has come there."""
    views: Mapped[int | None]
    comments: Mapped[int | None]
    likes: Mapped[int | None]
    is_private: Mapped[bool] = mapped_column(default=True)
    """Whether it is shown on pages of named hosts only, as the portal asked."""
    since: Mapped[datetime]
    """Since when it is in the video's state."""
    checked_at: Mapped[datetime | None]
    next_look_at: Mapped[datetime | None]
    looks: Mapped[int] = mapped_column(default=0)
    """How often it was asked after since its newest file came, while it was not ready."""
    missed: Mapped[int] = mapped_column(default=0)
    """How many whole rounds in a row did not tell of it."""
    to_tell: Mapped[bool] = mapped_column(default=False)
    """Whether its captions are to be told to the service, or its poster to be had from there."""

    video: Mapped[RoomVideo] = relationship(back_populates="held")
    provider: Mapped[ServiceProvider] = relationship()

    __table_args__ = (
        sa.UniqueConstraint("provider_uuid", "external"),
        partial_index("ix_service_videos_next_look_at", "next_look_at", where="next_look_at IS NOT NULL"),
    )


class VideoUpload(IdentifierMixin, Base):
    """A file that is sent for a video, in as many pieces and over as many days as it takes.

    The row exists while bytes are to come: it promises `size` bytes of the plan's storage. How many have come is the
    size of the file in the storage. The id is not to be guessed, and opens nothing by itself.
    """

    __tablename__ = "video_uploads"

    video_uuid: Mapped[UUID] = mapped_column(sa.ForeignKey("room_videos.uuid", ondelete="CASCADE"), index=True)
    file_name: Mapped[str] = mapped_column(sa.String(FILE_NAME_LENGTH))
    size: Mapped[int] = mapped_column(sa.BigInteger)
    """How many bytes the file has in all, as was said when it began."""
    replaces: Mapped[bool] = mapped_column(default=False)
    """Whether the video had a file already, which stays if this one never comes."""
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    """When it is given up, unless bytes have come by then, which put this off."""
    created_by_uuid: Mapped[UUID | None] = mapped_column(sa.ForeignKey("users.uuid", ondelete="SET NULL"))
    place: Mapped[str] = mapped_column(sa.Text, default="", server_default="")
    """The address at a service to which the bytes go instead, sealed: whoever has it may send them. "" for none."""

    video: Mapped[RoomVideo] = relationship()

    __table_args__ = (sa.Index("ix_video_uploads_expires_at", "expires_at"),)

    @property
    def key(self) -> str:
        """The key of what has come, in the storage."""
        return f"uploads/{self.uuid}"


class VideoCaption(IdentifierMixin, TimestampMixin, Base):
    """The captions of a video in one language, as WebVTT."""

    __tablename__ = "video_captions"

    video_uuid: Mapped[UUID] = mapped_column(sa.ForeignKey("room_videos.uuid", ondelete="CASCADE"))
    language: Mapped[str] = mapped_column(sa.String(LANGUAGE_LENGTH))
    """A tag of BCP 47, such as `pt-BR`."""
    label: Mapped[str] = mapped_column(sa.String(CAPTION_LABEL_LENGTH))
    """What people choose it by, such as `English`."""
    default: Mapped[bool] = mapped_column(default=False)
    """Whether it is shown at first. At most one of a video is."""
    text: Mapped[str] = mapped_column(sa.Text)

    video: Mapped[RoomVideo] = relationship()

    __table_args__ = (sa.UniqueConstraint("video_uuid", "language"),)
