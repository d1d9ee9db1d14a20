"""How much of its storage a plan, or a room, has used: what lies there for its videos, and what uploads were promised.

Videos in the trash do not count, nor do those of rooms in the trash. Restoring a video judges anew.
"""

from collections.abc import Callable, Collection
from uuid import UUID

import sqlalchemy as sa

from portal.db import session
from portal.errors import Message, QuotaUsedUp
from portal.rooms.features import used_limit
from portal.rooms.models import Room
from portal.videos.models import RoomVideo, VideoUpload

MAX_STORAGE = "max_storage"
GIGABYTE = 1_000_000_000
"""Of which a plan grants so many: disks are sold by them."""

Words = Callable[[str, int | None, str], Message]
"""Says of what is used, what there is, and what would be taken, each in gigabytes, that this is too much."""


def used_by_subscription(subscription_uuid: UUID) -> int:
    """The bytes that all rooms of a subscription use."""
    return _sum(Room.subscription_uuid == subscription_uuid)


def used_by_room(room_uuid: UUID) -> int:
    """The bytes that one room uses."""
    return _sum(Room.uuid == room_uuid)


def used_by_rooms(subscription_uuid: UUID) -> sa.Subquery:
    """A SELECT of `room_uuid` and `bytes` for each room of a subscription that uses some."""
    of = Room.subscription_uuid == subscription_uuid
    both = sa.union_all(_videos(of), _uploads(of)).subquery()
    total = sa.func.sum(both.c.bytes).label("bytes")
    return sa.select(both.c.room_uuid, total).group_by(both.c.room_uuid).having(total > 0).subquery()


def used_by_each() -> sa.Subquery:
    """A SELECT of `subscription_uuid` and `used`, in bytes, for each subscription that uses some."""
    both = sa.union_all(_videos(sa.true()), _uploads(sa.true())).subquery()
    used = sa.func.sum(both.c.bytes).label("used")
    query = sa.select(Room.subscription_uuid, used).join(both, both.c.room_uuid == Room.uuid)
    return query.group_by(Room.subscription_uuid).subquery()


def used_by_subscriptions(subscriptions: Collection[UUID]) -> dict[UUID, int]:
    """The bytes that each of these subscriptions uses, by one statement. One that uses none is left out."""
    of = Room.subscription_uuid.in_(subscriptions)
    both = sa.union_all(_videos(of), _uploads(of)).subquery()
    query = sa.select(Room.subscription_uuid, sa.func.sum(both.c.bytes)).join(both, both.c.room_uuid == Room.uuid)
    rows = session.execute(query.group_by(Room.subscription_uuid)) if subscriptions else ()
    return {uuid: int(size) for uuid, size in rows}


def as_gigabytes(size: int) -> float:
    """Bytes as gigabytes with one digit, rounded down, so that a limit is not called reached too early; never 0."""
    return 0 if not size else max(size * 10 // GIGABYTE / 10, 0.1)


def promised_to(video: RoomVideo) -> int:
    """The bytes that uploads for this video were promised, which may still come."""
    promised = sa.select(sa.func.coalesce(sa.func.sum(VideoUpload.size), 0)).where(VideoUpload.video_uuid == video.uuid)
    return int(session.scalar(promised) or 0)


def require_storage(room: Room, size: int) -> None:
    """Raise `QuotaUsedUp` on `size` unless plan and room have so many bytes left for a file.

    The caller has locked the subscription, so that nobody else takes what is left.
    """
    words = missing_storage(room, size, of_file)
    if words is not None:
        raise QuotaUsedUp(size=words)


def missing_storage(room: Room, size: int, words: Words) -> Message | None:
    """Why plan or room have not so many bytes left, in these `words`; None if they have."""
    plan = room.subscription.values
    own = used_limit(plan, room.room_features, MAX_STORAGE)
    everybodys = used_limit(plan, {}, MAX_STORAGE)
    used = used_by_subscription(room.subscription_uuid)
    if _fits(used, size, everybodys) and own != everybodys:
        everybodys, used = own, used_by_room(room.uuid)
    if _fits(used, size, everybodys):
        return None
    return words(gigabytes(used) if used else "0", everybodys, gigabytes(size))


def gigabytes(size: int) -> str:
    """Bytes as gigabytes that people read: `0.3`, `12`."""
    amount = size / GIGABYTE
    return f"{amount:.0f}" if amount >= 100 or amount == int(amount) else f"{max(amount, 0.1):.1f}"  # noqa: PLR2004


def of_file(used: str, most: int | None, size: str) -> Message:
    """That a file does not fit into the storage that is left; all three in gigabytes."""
    return Message(
        "%(used)s GB of %(most)d GB are used, and this file has %(size)s GB. Delete videos, or ask for a larger plan.",
        used=used,
        most=most,
        size=size,
    )


def _fits(used: int, size: int, most: int | None) -> bool:
    return most is None or used + size <= most * GIGABYTE


def _sum(of: sa.ColumnElement[bool]) -> int:
    both = sa.union_all(_videos(of), _uploads(of)).subquery()
    return int(session.scalar(sa.select(sa.func.coalesce(sa.func.sum(both.c.bytes), 0))) or 0)


_COUNTED = (RoomVideo.trashed_at.is_(None), Room.trashed_at.is_(None))


def _videos(of: sa.ColumnElement[bool]) -> sa.Select[UUID, int]:
    found = sa.select(Room.uuid.label("room_uuid"), RoomVideo.size.label("bytes"))
    return found.join(Room, Room.uuid == RoomVideo.room_uuid).where(of, *_COUNTED)  # type: ignore[return-value]


def _uploads(of: sa.ColumnElement[bool]) -> sa.Select[UUID, int]:
    found = sa.select(Room.uuid.label("room_uuid"), VideoUpload.size.label("bytes"))
    joined = found.select_from(VideoUpload).join(RoomVideo, RoomVideo.uuid == VideoUpload.video_uuid)
    ours = VideoUpload.place == ""  # what goes to a service takes nothing of ours
    return joined.join(Room, Room.uuid == RoomVideo.room_uuid).where(of, ours, *_COUNTED)  # type: ignore[return-value]
