"""What the status of a room of videos tells besides who watches: views, hours watched, and how many videos."""

from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa

from portal.db import read
from portal.errors import Message
from portal.rooms.room_read import AnyRoom
from portal.subscriptions.provider_models import ServiceType
from portal.videos.models import RoomVideo, ServiceVideo

SECONDS_OF_HOUR = 3600
LABELS = {
    "watching": Message("Watching"),
    "views": Message("Views"),
    "hours": Message("Hours watched"),
    "videos": Message("Videos"),
    "comments": Message("Comments"),
    "likes": Message("Likes"),
}

Totals = dict[str, float | None]
"""`views`, `hours` (with one digit) and `videos` of a room, and `comments` and `likes` where a service holds some.

What the service does not tell of any of them is None.
"""

NONE: Totals = {"views": 0, "hours": 0, "videos": 0}
_TOTALS = (
    sa.select(
        RoomVideo.room_uuid,
        sa.func.sum(sa.case((ServiceVideo.video_uuid.is_(None), RoomVideo.views), else_=ServiceVideo.views)),
        sa.func.sum(RoomVideo.seconds_watched),
        sa.func.count(),
        sa.func.count(ServiceVideo.video_uuid),
        sa.func.sum(ServiceVideo.comments),
        sa.func.sum(ServiceVideo.likes),
    )
    .outerjoin(ServiceVideo, ServiceVideo.video_uuid == RoomVideo.uuid)
    .where(
        RoomVideo.room_uuid.in_(sa.bindparam("rooms", expanding=True, type_=sa.Uuid())), RoomVideo.trashed_at.is_(None)
    )
    .group_by(RoomVideo.room_uuid)
)


def totals_of(room: AnyRoom) -> Totals:
    """The totals of one room, by one statement; of a room of another type nothing, without any."""
    return totals_of_each([room]).get(room.uuid, {})


def totals_of_each(rooms: Sequence[AnyRoom]) -> dict[UUID, Totals]:
    """The totals of those of these rooms that are of videos, by their uuids, by one statement."""
    of_videos = [room.uuid for room in rooms if room.room_type is ServiceType.VIDEO]
    if not of_videos:
        return {}
    totals = dict.fromkeys(of_videos, NONE)
    for uuid, views, seconds, videos, held, comments, likes in read(_TOTALS, {"rooms": of_videos}):
        hours = round(int(seconds) / SECONDS_OF_HOUR, 1)
        totals[uuid] = {"views": _told(views), "hours": hours, "videos": videos}
        if held:
            totals[uuid] |= {"comments": _told(comments), "likes": _told(likes)}
    return totals


def _told(number: int | None) -> int | None:
    return None if number is None else int(number)
