"""What the status of a room of videos tells besides who watches: views, hours watched, and how many videos."""

from uuid import UUID

import sqlalchemy as sa

from portal.db import read
from portal.errors import Message
from portal.videos.models import RoomVideo

SECONDS_OF_HOUR = 3600
LABELS = {
    "watching": Message("Watching"),
    "views": Message("Views"),
    "hours": Message("Hours watched"),
    "videos": Message("Videos"),
}

_ROOM = sa.bindparam("room", type_=sa.Uuid())
_TOTALS = sa.select(
    sa.func.coalesce(sa.func.sum(RoomVideo.views), 0),
    sa.func.coalesce(sa.func.sum(RoomVideo.seconds_watched), 0),
    sa.func.count(),
).where(RoomVideo.room_uuid == _ROOM, RoomVideo.trashed_at.is_(None))


def totals_of(room_uuid: UUID) -> dict[str, int]:
    """`views`, `hours` (whole ones, rounded) and `videos` of a room, by one statement."""
    views, seconds, videos = read(_TOTALS, {"room": room_uuid}).one()
    return {"views": int(views), "hours": round(int(seconds) / SECONDS_OF_HOUR), "videos": videos}
