"""Finding the videos of a room: all of them in their order, those that can be watched, or one by its id."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from portal.db import session
from portal.errors import Conflict, Message, NotFound
from portal.identifiers import Identified, matches_identifier
from portal.videos.models import RoomVideo, ServiceVideo, VideoCaption

WITH_HOLDER = joinedload(RoomVideo.held).joinedload(ServiceVideo.provider)
"""Reads in the same statement which service holds a video."""
IN_ORDER = (RoomVideo.position, RoomVideo.uuid)
MOST_VIDEOS = 500
"""Of one room, whose pages list all of them: a file of one byte takes a line, too, and no storage to speak of."""


def videos_of(room: Identified) -> list[RoomVideo]:
    """All videos of the room, in their order."""
    return list(session.scalars(_in(room).order_by(*IN_ORDER)))


def require_place(room: Identified) -> None:
    """Raise `Conflict` if the room has as many videos as it can have. The caller has locked the subscription."""
    own = RoomVideo.room_uuid == room.uuid, RoomVideo.trashed_at.is_(None)
    if (session.scalar(sa.select(sa.func.count()).select_from(RoomVideo).where(*own)) or 0) >= MOST_VIDEOS:
        words = Message("A room has at most %(most)d videos. Delete some, or use another room.", most=MOST_VIDEOS)
        raise Conflict(words)


def watchable_videos(room: Identified, at: datetime, *, hidden: bool = False) -> list[RoomVideo]:
    """The videos of the room that can be watched now, in their order; with `hidden` also unpublished ones."""
    shown = RoomVideo.playable.is_(True) if hidden else is_watchable(at)
    return list(session.scalars(_in(room).where(shown).order_by(*IN_ORDER)))


def find_watchable(room: Identified, video_id: str, at: datetime, *, hidden: bool = False) -> RoomVideo:
    """The video of this room with this id, if it is one of `watchable_videos`. Raises `NotFound`."""
    video = find_video(room, video_id)
    if not video.playable or not (hidden or video.shown(at)):
        raise NotFound
    return video


@dataclass(frozen=True)
class ListState:
    """How many videos can be watched, how many captions they have, and when one of either was changed last."""

    videos: int
    captions: int
    video_changed_at: datetime | None
    caption_changed_at: datetime | None


def state_of_list(room: Identified, at: datetime, *, hidden: bool = False) -> ListState:
    """The state of `watchable_videos`, by one statement: another one if anything of what they show is another."""
    shown = RoomVideo.playable.is_(True) if hidden else is_watchable(at)
    query = (
        sa.select(
            sa.func.count(RoomVideo.uuid.distinct()),
            sa.func.count(VideoCaption.uuid),
            sa.func.max(RoomVideo.updated_at),
            sa.func.max(VideoCaption.updated_at),
        )
        .outerjoin(VideoCaption, VideoCaption.video_uuid == RoomVideo.uuid)
        .where(RoomVideo.room_uuid == room.uuid, RoomVideo.trashed_at.is_(None), shown)
    )
    return ListState(*session.execute(query).one())


def find_video(room: Identified, video_id: str) -> RoomVideo:
    """The video of this room with this id, uuid or ulid. Raises `NotFound`."""
    found = session.scalar(_in(room).where(matches_identifier(RoomVideo, video_id)))
    if found is None:
        raise NotFound
    return found


def is_watchable(at: datetime) -> sa.ColumnElement[bool]:
    """The SQL condition that a video can be watched at this moment by everybody who is in."""
    return sa.and_(RoomVideo.playable.is_(True), _is_published(at))


def _is_published(at: datetime) -> sa.ColumnElement[bool]:
    begun = sa.or_(RoomVideo.published_from.is_(None), RoomVideo.published_from <= at)
    return sa.and_(RoomVideo.published.is_(True), begun)


def _in(room: Identified) -> sa.Select[RoomVideo]:
    own = sa.select(RoomVideo).where(RoomVideo.room_uuid == room.uuid, RoomVideo.trashed_at.is_(None))
    return own.options(WITH_HOLDER)
