"""A room and its stored status as plain values, by one statement, for whoever only reads them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from portal.people.actor import Actor
from portal.permissions.room_reading import one_room, read_one
from portal.plain_values import columns_for
from portal.providers.base import LiveState
from portal.rooms.models import Room
from portal.rooms.room_read import RoomRead
from portal.status.models import RoomStatus, Source, is_happening, may_run


@dataclass(frozen=True, slots=True)
class RoomStatusRead:
    """The stored status of a room: see `RoomStatus`."""

    state: LiveState
    since: datetime | None
    checked_at: datetime
    source: Source
    stale: bool
    count: int
    counts: dict[str, Any]
    labels: dict[str, Any]
    names: list[str]
    last_live_at: datetime | None
    version: int

    @property
    def happening(self) -> bool:
        """Whether the room is in use."""
        return is_happening(self.state)

    @property
    def may_run(self) -> bool:
        """Whether a run may be running."""
        return may_run(self.state)


AnyRoomStatus = RoomStatus | RoomStatusRead
"""A stored status for what takes it either way."""

_COLUMNS = columns_for(RoomStatusRead, RoomStatus)
_ONE_ROOM = one_room(*_COLUMNS).outerjoin(RoomStatus, RoomStatus.room_uuid == Room.uuid)


def read_room_and_status(actor: Actor, room_id: str) -> tuple[RoomRead | None, RoomStatusRead | None]:
    """The room with this id, uuid or ulid, if the actor may see it, and its stored status.

    A room that was never used has none. Whether the actor may see the status, too, is for the caller to ask.
    """
    room, values = read_one(actor, room_id, _ONE_ROOM)
    return room, RoomStatusRead(*values) if room is not None and values[0] is not None else None
