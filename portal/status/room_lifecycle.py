"""Changing, deleting and restoring a room: nobody stays in one that is inactive or in the trash.

It belongs to this package because the rooms package does not know who is in, or what lies there.
"""

from typing import Unpack

from portal.db import lock
from portal.errors import Conflict, Message
from portal.people.actor import Actor
from portal.rooms.models import Room, RoomStatusWord
from portal.rooms.operations import RoomChanges, describe_room, take_from_trash, trash_room
from portal.rooms.room_read import EditableRoom
from portal.status.models import Ending
from portal.status.runs import end_session
from portal.subscriptions.provider_models import ServiceType
from portal.videos.storage_used import missing_storage


def change_room(room: EditableRoom, *, by: Actor, **changes: Unpack[RoomChanges]) -> EditableRoom:
    """Change a room, as `rooms.operations.describe_room` does, and end its run if the room is inactive then."""
    changed = describe_room(room, by=by, **changes)
    if changed.status is not RoomStatusWord.ACTIVE:
        end_session(changed, ending=Ending.CLOSED, by=by)
    return changed


def delete_room(room: Room, *, by: Actor) -> None:
    """End the room's run and move the room to the trash, from which `restore_room` takes it."""
    end_session(room, ending=Ending.DELETED, by=by)
    trash_room(room, by=by)


def restore_room(room: Room, *, by: Actor) -> None:
    """Take the room out of the trash again. Raises `Conflict` if the plan has no room or no storage left for it."""
    of_videos = room.room_type is ServiceType.VIDEO
    if of_videos:
        lock(room.subscription)  # before the room, as uploads do
    take_from_trash(room, by=by)
    if of_videos:
        missing = missing_storage(room, 0, _of_room)
        if missing is not None:
            raise Conflict(missing)


def _of_room(used: str, most: int | None, _size: str) -> Message:
    return Message(
        "With its videos %(used)s GB of %(most)d GB would be used. "
        "Delete other videos first, or ask for a larger plan.",
        used=used,
        most=most,
    )
